"""What an object may be called: a class, unsure, or one abnormal chromosome in ISCN ("mar", "der(9)", "i(17)(q10)")."""

from __future__ import annotations

import re
from functools import cache

from consilium.cytogenetics.clones.change import read_item
from consilium.cytogenetics.iscn.tree import Counted, Item, Rearrangement
from consilium.errors import InputError
from consilium.karyotype.metaphase import CLASSES, UNSURE

OTHERS = "others"
"""The place in a karyogram of what belongs beside no class."""

LONGEST = 20

_ALPHABET = re.compile(r"[A-Za-z0-9()?;.~]+( dic)?[A-Za-z0-9()?;.~]*")
_TWO_CHROMOSOMES = frozenset({"t", "ins", "trp", "qdp"})
_NO_CHROMOSOME = frozenset({"dmin", "ace", "min"})

_WAY_OUT = "A class (1 to 22, X, Y), unsure, mar, or one abnormal chromosome in ISCN, as der(9), r(7), i(17)(q10)."


def checked_label(text: str) -> str:
    """A name that an object may have.

    Raises:
        InputError: it is none.
    """
    if text in CLASSES or text == UNSURE:
        return text
    if len(text) > LONGEST or not _ALPHABET.fullmatch(text):
        raise InputError("this is no name of a chromosome", way_out=_WAY_OUT)
    item = abnormal(text)
    what = item.abnormality
    if isinstance(what, Counted) and what.kind not in _NO_CHROMOSOME and what.number is None and not what.bound:
        return text
    if isinstance(what, Rearrangement):
        if what.kind in _TWO_CHROMOSOMES and len(what.chromosomes) > 1:
            raise InputError(
                f"{text} is a change of several chromosomes, and an object is one",
                way_out="Call each by what it is: der(9) and der(22).",
            )
        return text
    raise InputError(f"{text} is no chromosome", way_out=_WAY_OUT)


@cache
def abnormal(label: str) -> Item:
    """What an abnormal name says.

    Raises:
        InputError: it is no entry of ISCN.
    """
    try:
        item = read_item(label)
    except (InputError, RecursionError) as problem:
        raise InputError("this is no name of a chromosome", way_out=_WAY_OUT) from problem
    if item.sign or item.origins or item.copies is not None or item.cells is not None or item.doubtful:
        raise InputError("a name says what an object is, and nothing beside that", way_out=_WAY_OUT)
    return item


def is_abnormal(label: str) -> bool:
    """Whether a person called it something else than a class or unsure."""
    return label not in CLASSES and label != UNSURE


def home(label: str) -> str:
    """The class beside which it stands in a karyogram; `OTHERS` where there is none.

    A derivative stands beside the normal chromosome whose centromere it has: the first one that its name names.
    """
    if label in CLASSES:
        return label
    if label == UNSURE:
        return OTHERS
    what = abnormal(label).abnormality
    if isinstance(what, Rearrangement) and what.chromosomes and what.chromosomes[0].name in CLASSES:
        return what.chromosomes[0].name
    return OTHERS
