"""What DICOM asks to be done with each attribute: PS3.15 Table E.1-1, and which of its alternatives an object allows.

An action such as X/Z/D is decided by the type that the attribute has in the object (PS3.15 E.3.1): what has to have a
value gets a dummy, what has to be there is emptied, anything else is removed. Where the object or the place is not
known, the first of the alternatives is taken, which leaves least behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files

from pydicom.datadict import keyword_for_tag

UID_PREFIX = "1.2.840.10008."
"""What the standard itself registers begins with this (PS3.6 Annex A); it names kinds of things, never a patient's."""


class Action(StrEnum):
    """What is done with one element (PS3.15, table E.1-1a)."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    KEEP = "K"
    CLEAN = "C"
    UID = "U"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One row of Table E.1-1.

    Attributes:
        basic: the action of the Basic Application Level Confidentiality Profile, alternatives parted by "/".
        options: option -> "K" or "C", where an option changes the action.
    """

    basic: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfidentialityTable:
    """Table E.1-1 with what decides its alternatives.

    Attributes:
        edition: of the standard, such as "2026d".
        rules: tag -> rule; repeating groups are not in it, see `rule_of`.
        objects: SOP class UID -> the information object's name.
        types: (tag, object's name) -> "1" or "2", at the top of the data set.
        types_in_sequences: (tag, keyword of the sequence around it) -> "1" or "2".
    """

    edition: str
    rules: Mapping[int, Rule]
    objects: Mapping[str, str]
    types: Mapping[tuple[int, str], str]
    types_in_sequences: Mapping[tuple[int, str], str]


@cache
def confidentiality_table() -> ConfidentialityTable:
    """The table that comes with the package, read once."""
    text = (files("consilium.imaging.deidentify") / "confidentiality.json").read_text(encoding="utf-8")
    document = json.loads(text)
    rules = {}
    for tag, row in document["rules"].items():
        if "X" not in tag:
            options = {option: action for option, action in row.items() if option != "basic"}
            rules[int(tag, 16)] = Rule(basic=row["basic"], options=options)
    return ConfidentialityTable(
        edition=document["source"]["edition"],
        rules=rules,
        objects=document["objects"],
        types=_by_place(document["types"]),
        types_in_sequences=_by_place(document["types_in_sequences"]),
    )


def _by_place(listed: Mapping[str, Mapping[str, str]]) -> dict[tuple[int, str], str]:
    return {
        (int(tag, 16), place): kind
        for tag, kinds in listed.items()
        for kind, places in kinds.items()
        for place in places.split()
    }


_REMOVED = Rule(basic="X")


def rule_of(tag: int) -> Rule | None:
    """The rule for an attribute, or None where the table does not name it.

    Curves and overlays repeat in the groups 50xx and 60xx. Their data are to be removed, so all of such a group is: its
    sizes and positions mean nothing alone. An odd group is private and is removed, like the groups of commands (0000)
    and directories (0004), which do not belong in an image.
    """
    group = tag >> 16
    if group % 2 or group in (0x0000, 0x0002, 0x0004) or group & 0xFF00 in (0x5000, 0x6000):
        return _REMOVED
    return confidentiality_table().rules.get(tag)


def basic_action(rule: Rule, tag: int, *, sop_class: str, within: str) -> Action:
    """The action of the basic profile, its alternatives decided.

    Args:
        rule: the attribute's rule.
        tag: the attribute.
        sop_class: UID of the object's kind.
        within: keyword of the sequence around the attribute; "" at the top.
    """
    choices = rule.basic.split("/")
    if len(choices) == 1:
        return Action(choices[0])
    if "U*" in choices:
        # A sequence that names other images: with its UIDs replaced it still leads to them, and it is cleaned inside.
        return Action.CLEAN
    table = confidentiality_table()
    if within:
        kind = table.types_in_sequences.get((tag, within), "")
    else:
        kind = table.types.get((tag, table.objects.get(sop_class, "")), "")
    wanted = {"1": "D", "2": "Z"}.get(kind, choices[0])
    if wanted not in choices:
        # A dummy stands wherever an empty value may.
        wanted = "D" if "D" in choices else choices[0]
    return Action(wanted)


def attribute_name(tag: int) -> str:
    """Keyword of an attribute; "private" or "unknown" for one that the dictionary does not have."""
    if (tag >> 16) % 2:
        return "private"
    return keyword_for_tag(tag) or "unknown"
