"""The karyogram as a value: what stands where, before anybody draws it.

Positions are in canvas units (one unit is one CSS pixel), x to the right and y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.metaphase import Flag

BracketKind = Literal["class", "group"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One chromosome's place, or an empty place for a missing homologue.

    Attributes:
        index: index into the metaphase's chromosomes; None for an empty place.
        label: the class it stands for, or `UNSURE`.
        x, y, width, height: the rectangle of the picture.
        centromere_y: where its centromere lies; equal within a row.
        picture: (L, W) uint8 at the original image's resolution; None for an empty place.
        confidence: calibrated probability of the label; 0 for an empty place.
        flags: what is doubtful about it.
        written: what a person called it in ISCN where it is an abnormal chromosome; empty else.
    """

    index: int | None
    label: str
    x: float
    y: float
    width: float
    height: float
    centromere_y: float
    picture: NDArray[np.uint8] | None
    confidence: float
    flags: tuple[Flag, ...]
    written: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bracket:
    """A bracket under a pair (with the class) or under a group (with its letter)."""

    kind: BracketKind
    text: str
    left: float
    right: float
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Karyogram:
    """A whole karyogram, laid out.

    Attributes:
        image: file name of the metaphase.
        centromere_lines: (left, right, y) of each row's common centromere line.
        footer_y: top of the footer text.
        sex_withheld: the sex chromosomes are not shown, and the drawing says so.
    """

    image: str
    count: int
    karyotype: str
    synthetic: bool
    width: float
    height: float
    places: tuple[Place, ...]
    brackets: tuple[Bracket, ...]
    centromere_lines: tuple[tuple[float, float, float], ...]
    footer_y: float
    sex_withheld: bool = False
