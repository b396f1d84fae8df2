"""What a label says: text for Code 128 or a QR code, and back from a scan to the thing.

A specimen's label is its accession number; what is made of it adds a letter and a number each: S26-00017-C2-H1-S3 is
the third slide of the first harvest of its second culture. Capital letters, digits and hyphens are in code set B of
Code 128 and in the alphanumeric mode of QR codes (ISO/IEC 15417, 18004), so either stays small. Check digits are the
symbols' own.
"""

from __future__ import annotations

import re
from typing import Literal

from consilium.errors import InputError

Made = Literal["culture", "harvest", "slide"]
LETTERS: dict[Made, str] = {"culture": "C", "harvest": "H", "slide": "S"}

LONGEST = 40
_LABEL = re.compile(r"[A-Z][A-Z0-9]{0,7}\d\d-\d{3,9}(?:-[CHS]\d{1,3})*", re.ASCII)


def label(of: str, made: Made, number: int) -> str:
    """The label of what is made of a labelled thing.

    Args:
        of: label of what it is made of.
        made: what it is.
        number: which of its kind, from 1.

    Raises:
        InputError: it is more than a label holds.
    """
    text = f"{of}-{LETTERS[made]}{number}"
    if not 1 <= number <= 999 or len(text) > LONGEST:
        raise InputError(f"a label has no room for {made} {number} of {of}")
    return text


def scanned(text: str) -> str:
    """The label in what a scanner typed: without the space, line end and lower case that scanners are set to add.

    Raises:
        InputError: it is no label of a thing.
    """
    found = text.strip().upper()
    if len(found) > LONGEST or not _LABEL.fullmatch(found):
        raise InputError("this is no label", way_out="As in S26-00017 or S26-00017-C1-H1-S2.")
    return found


def kind_of(found: str) -> Literal["specimen", "culture", "harvest", "slide"]:
    """What a label stands on."""
    last = re.search(r"-([CHS])\d{1,3}$", found)
    return "specimen" if last is None else {"C": "culture", "H": "harvest", "S": "slide"}[last[1]]  # type: ignore[return-value]


def accession_of(found: str) -> str:
    """The accession number that a label begins with; any other text as it is."""
    return re.sub(r"(?:-[CHS]\d{1,3})+$", "", found, flags=re.ASCII)
