"""Under which terms a model may be handed on: SPDX expressions held against a list of what is let in.

The list comes with Consilium (`licences.json`); a hospital that is stricter, or more generous, puts its own at
`CONSILIUM_HOME/licences.json`. Of training data the card's own words count first: what they forbid, no statement of a
publisher allows. Expressions are those of SPDX 3 (https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from consilium.errors import InputError, MissingExtra

PLACEHOLDER = "as the owner of the cases says"
"""What `specialist fit` writes on a card where nobody stated terms."""

NO_TERMS = "No terms were stated"
"""How the file LICENSE of `specialist fit` says the same."""


@dataclass(frozen=True, kw_only=True)
class LicenceRules:
    """What is let in.

    Attributes:
        models, data: SPDX identifiers, or own ones (LicenseRef-...), with what the own ones mean.
        forbidden: patterns of words on a card that no statement outweighs.
    """

    models: Mapping[str, str]
    data: Mapping[str, str]
    forbidden: tuple[str, ...]


def read_rules(own: Path | None = None) -> LicenceRules:
    """The rules of a hospital, or those that come with Consilium where it has none.

    Raises:
        InputError: its file cannot be used.
    """
    place = own if own is not None and own.exists() else None
    text = (files(__package__) / "licences.json").read_text(encoding="utf-8") if place is None else _read(place)
    try:
        told = json.loads(text)
        for pattern in told["forbidden"]:
            re.compile(pattern)
        return LicenceRules(
            models={str(key): str(why) for key, why in told["models"].items()},
            data={str(key): str(why) for key, why in told["data"].items()},
            forbidden=tuple(map(str, told["forbidden"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError, re.error) as problem:
        raise InputError(
            f"these are no rules on licences ({problem})", where=str(place),
            way_out="It is a JSON object with models, data and forbidden; `consilium library licences` prints one.",
        ) from problem  # fmt: skip


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"it cannot be read ({problem})", where=str(path)) from problem


def expression_of(statement: str) -> str | None:
    """The SPDX expression that a licence statement begins with, in its canonical form; None where it has none.

    A card may explain it behind a bracket, comma or semicolon: "CC-BY-4.0 (not stated where it was taken from)".

    Raises:
        MissingExtra: packaging is not installed.
    """
    return canonical(statement) or canonical(re.split(r"\s\(|[,;]", statement, maxsplit=1)[0])


def canonical(expression: str) -> str | None:
    """An SPDX expression in its canonical form, None where it is none.

    Raises:
        MissingExtra: packaging is not installed.
    """
    if find_spec("packaging") is None:
        raise MissingExtra(
            "packaging is needed to read licences", way_out="Install it: pip install 'consilium[library]'."
        )
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(expression.strip()))
    except InvalidLicenseExpression:
        return None


def forbidding_words(text: str, rules: LicenceRules) -> str:
    """The words of a statement that forbid to hand on what was learnt; empty where there are none."""
    for pattern in rules.forbidden:
        if found := re.search(pattern, text, re.IGNORECASE if pattern.islower() else 0):
            return found.group()
    return ""


def outside(expression: str, let_in: Iterable[str]) -> tuple[str, ...]:
    """The identifiers of a canonical expression because of which it is not let in; none where it is.

    Of alternatives (OR) one has to be let in, of parts that all hold (AND) each. A licence with an exception counts
    as the licence.
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    known = set(let_in)

    def alternatives(at: int) -> tuple[tuple[str, ...], int]:
        found, at = together(at)
        while at < len(tokens) and tokens[at] == "OR":
            other, at = together(at + 1)
            found = found if not found else other if not other else (*found, *other)
        return found, at

    def together(at: int) -> tuple[tuple[str, ...], int]:
        found, at = one(at)
        while at < len(tokens) and tokens[at] == "AND":
            other, at = one(at + 1)
            found = (*found, *other)
        return found, at

    def one(at: int) -> tuple[tuple[str, ...], int]:
        if tokens[at] == "(":
            found, at = alternatives(at + 1)
            return found, at + 1
        name = tokens[at].removesuffix("+")
        at += 3 if at + 1 < len(tokens) and tokens[at + 1] == "WITH" else 1
        return (() if name in known else (name,)), at

    return tuple(dict.fromkeys(alternatives(0)[0]))
