"""What a person may choose: the options of the profile that are built, masks, and who answers for the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from consilium.errors import InputError
from consilium.imaging.deidentify.rules import Action, Rule, basic_action


class Retain(StrEnum):
    """What may be kept beyond the basic profile (PS3.15, E.3)."""

    DATES = "dates"
    DEVICE = "device"
    PATIENT = "patient"
    DESCRIPTORS = "descriptors"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileOption:
    """One option of the confidentiality profile.

    Attributes:
        column: its name in the table of rules.
        code: its code in DeidentificationMethodCodeSequence (PS3.16, CID 7050).
        meaning: the meaning of that code.
    """

    column: str
    code: str
    meaning: str


OPTIONS: dict[Retain, ProfileOption] = {
    Retain.DATES: ProfileOption(
        column="retain_longitudinal_modified_dates",
        code="113107",
        meaning="Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    Retain.DEVICE: ProfileOption(
        column="retain_device_identity", code="113109", meaning="Retain Device Identity Option"
    ),
    Retain.PATIENT: ProfileOption(
        column="retain_patient_characteristics", code="113108", meaning="Retain Patient Characteristics Option"
    ),
    Retain.DESCRIPTORS: ProfileOption(column="clean_descriptors", code="113105", meaning="Clean Descriptors Option"),
}
"""The options that are built."""

NOT_BUILT: dict[str, str] = {
    "full-dates": "true dates lead to the patient; 'dates' keeps the intervals",
    "uids": "true UIDs lead back to the archive; the replaced ones keep files of a study together",
    "institution": "the institution narrows down who the patient is",
    "safe-private": "no list of private elements is known to be safe for every release of a device",
    "structured-content": "the text of structured reports is not cleaned; they are refused",
    "graphics": "text in annotations is not cleaned; they are removed",
}
"""Options of the standard that are refused by name, and why."""

BASIC_CODE = ("113100", "Basic Application Confidentiality Profile")
CLEAN_PIXELS_CODE = ("113101", "Clean Pixel Data Option")

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the stored picture; x1 and y1 are the first outside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How files are de-identified.

    Attributes:
        retain: what is kept beyond the basic profile.
        masks: boxes that are blanked in every picture.
        reviewed: a person has looked at every picture and found nothing written in it; lifts the refusal of kinds that
            usually carry text and of what the text finder suspects, not of pictures that say themselves they carry it.
        faces: whether a head scan, from which a face can be drawn, is written with a flag or refused.
    """

    retain: frozenset[Retain] = frozenset()
    masks: tuple[Box, ...] = ()
    reviewed: bool = False
    faces: Literal["flag", "refuse"] = "flag"

    def action(self, rule: Rule, tag: int, *, sop_class: str, within: str) -> tuple[Action, Retain | None]:
        """What is done with an attribute, and the option that decided it; None where it is the basic profile."""
        for retain in Retain:
            changed = rule.options.get(OPTIONS[retain].column) if retain in self.retain else None
            if changed:
                return Action(changed), retain
        return basic_action(rule, tag, sop_class=sop_class, within=within), None


def chosen(names: tuple[str, ...]) -> frozenset[Retain]:
    """The options that the names stand for.

    Raises:
        InputError: a name is of an option that is not built, or of none.
    """
    known = ", ".join(retain.value for retain in Retain)
    for name in names:
        if name in NOT_BUILT:
            raise InputError(
                f"the option '{name}' is not built: {NOT_BUILT[name]}", way_out=f"Choose among {known}, or none."
            )
        if name not in set(Retain):
            raise InputError(f"there is no option '{name}'", way_out=f"Choose among {known}, or none.")
    return frozenset(Retain(name) for name in names)
