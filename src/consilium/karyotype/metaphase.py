"""The values that travel between the stages: a metaphase, its chromosomes, a case.

Coordinates are pixels of the original image, x to the right and y down; a box is (xmin, ymin, xmax, ymax)
with exclusive maxima. Everything here is immutable: a stage returns new values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

CLASSES: tuple[str, ...] = (*(str(number) for number in range(1, 23)), "X", "Y")
"""The 24 classes, in the order of every probability vector."""

UNSURE = "unsure"
"""The label of an object that no class fits well enough (shown apart in the karyogram)."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "A": ("1", "2", "3"),
    "B": ("4", "5"),
    "C": ("6", "7", "8", "9", "10", "11", "12"),
    "D": ("13", "14", "15"),
    "E": ("16", "17", "18"),
    "F": ("19", "20"),
    "G": ("21", "22"),
    "sex": ("X", "Y"),
}
"""The classical size and centromere groups (Denver/Paris), with the sex chromosomes apart."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """One doubtful thing and its reason.

    `code` is stable and machine-readable (`low_confidence`, `odd_pair`, `touches_edge`, `count_not_46`...);
    `values` are the figures the sentence shown to people is filled with.
    """

    code: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Normalised:
    """A grey image brought to one appearance.

    Attributes:
        darkness: (H, W) float32, 0 = background, about 1 = the darkest bands; original size.
        inverted: whether the original showed bright chromosomes on a dark field (Q-band, DAPI).
        chromosome_width: median width of a chromosome in original pixels (the scale estimate).
    """

    darkness: NDArray[np.float32]
    inverted: bool
    chromosome_width: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """One found object, not yet named.

    Attributes:
        box: amodal box in original pixels.
        mask: (h, w) bool, amodal: pixels shared with a crossing chromosome belong to both.
        origin: (x, y) of the mask's first pixel in the original image.
        score: detection score, 0..1, calibrated on validation cells.
    """

    box: Box
    mask: NDArray[np.bool_]
    origin: tuple[int, int]
    score: float


Family = Literal["loss", "gain", "inversion", "exchange"]
"""Kinds of structural change that are told apart: a piece is missing, doubled, turned, or replaced by another."""

FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True, kw_only=True, slots=True)
class Appearance:
    """How rearranged one chromosome looks beside its homologue (see `structure`).

    Attributes:
        score: log-odds as the network gives them; comparable within a class only.
        families: probability of each kind of change, in the order of `Family`, given that it is rearranged.
        place: where it most looks broken, as a fraction of the usual chromosome from pter.
        paired: there was a homologue to compare with.
    """

    score: float
    families: tuple[float, ...]
    place: float
    paired: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect:
    """A chromosome of a case that looks rearranged in cell after cell.

    Attributes:
        chromosome: "1".."22", "X", "Y".
        arm: "p" or "q", the likelier.
        family: the likeliest kind of change.
        place: where the break probably is, as a fraction of the usual chromosome from pter.
        interval: that place give or take one standard deviation over the clearest cells, at least 0.03: how well the
            cells agree, and no bound of the error.
        bands: the bands at 550 bphs in which the interval begins and ends, e.g. ("q13", "q21").
        score: how unusual it is, in standard errors of normal cases.
        threshold: from which score on it is suspected.
        cells: indices of the cells in which it is more than a standard deviation above normal ones, the clearest first;
            the clearest one alone where none is.
        of: cells in which the chromosome could be judged.
    """

    chromosome: str
    arm: Literal["p", "q"]
    family: Family
    place: float
    interval: tuple[float, float]
    bands: tuple[str, str]
    score: float
    threshold: float
    cells: tuple[int, ...]
    of: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Chromosome:
    """One object with its name.

    Attributes:
        instance: where it is.
        label: one of `CLASSES` or `UNSURE`, after the whole cell was considered.
        confidence: calibrated probability that `label` is right, 0..1.
        probabilities: (24,) float32 in the order of `CLASSES`, sums to 1.
        angle_deg: counter-clockwise rotation of the original crop, in degrees, that puts the short arm up.
        polarity: probability that the short arm is up after that rotation, 0.5..1.
        flags: what is doubtful about it.
        appearance: how rearranged it looks; None where that was not judged.
        written: what a person called it in ISCN where it is an abnormal chromosome ("mar", "der(9)"); its label is then
            the class beside which it stands, or `UNSURE`. Empty where its label is its name.
        place: its order within its class where a person arranged the cell; None puts the more certain one first.
        straight: whether it is shown straightened.
        mirrored: whether it is shown as in a mirror.
    """

    instance: Instance
    label: str
    confidence: float
    probabilities: NDArray[np.float32]
    angle_deg: float
    polarity: float
    flags: tuple[Flag, ...] = ()
    appearance: Appearance | None = None
    written: str = ""
    place: int | None = None
    straight: bool = True
    mirrored: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """How usable a metaphase is; `score` ranks the cells of a case.

    Attributes:
        score: 0..1, higher is better.
        spread: 0..1, how evenly the chromosomes lie apart.
        overlap: fraction of chromosomes that touch or cross another.
        sharpness: 0..1, contrast of bands against blur.
        band_level: estimated bands per haploid set (bphs).
    """

    score: float
    spread: float
    overlap: float
    sharpness: float
    band_level: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Metaphase:
    """One cell: its image, what was found in it, and what that says.

    Attributes:
        image: the file name it came from.
        pixels: (H, W) uint8, original grey levels (16-bit sources are windowed to 8 bits for display).
        synthetic: drawn by the renderer, not photographed; shown wherever the cell is shown.
        count: number of chromosomes.
        karyotype: what the count and labels say, e.g. "46,XX" or "47,XY,+21" (a prompt, not a call).
        gains, losses: class labels over or under the expected two, e.g. ("21",).
        sex_withheld: X and Y were taken out, as the sex is not to be shown (`withheld_sex`); `count` has them still.
        analysed: a person analysed the cell, so it may speak for what it lacks.
    """

    image: str
    pixels: NDArray[np.uint8]
    inverted: bool
    synthetic: bool
    chromosomes: tuple[Chromosome, ...]
    count: int
    karyotype: str
    gains: tuple[str, ...]
    losses: tuple[str, ...]
    quality: Quality
    flags: tuple[Flag, ...] = ()
    sex_withheld: bool = False
    analysed: bool = False

    def judged(self, label: str) -> tuple[tuple[int, Appearance], ...]:
        """The chromosomes of a class whose look was judged, as (index, how it looks), the most unusual first."""
        found = [
            (index, one.appearance)
            for index, one in enumerate(self.chromosomes)
            if one.label == label and one.appearance is not None
        ]
        return tuple(sorted(found, key=lambda told: -told[1].score))


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """An image of the case that could not be used, and why."""

    image: str
    error: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One case of one or many cells, best cell first.

    Attributes:
        modal_karyotype: the karyotype most cells show.
        disagreeing: names of the images whose karyotype differs from it.
        suspects: chromosomes that look structurally changed, the most unusual first.
    """

    name: str
    cells: tuple[Metaphase, ...]
    failures: tuple[Failure, ...]
    modal_karyotype: str
    disagreeing: tuple[str, ...]
    flags: tuple[Flag, ...] = ()
    suspects: tuple[Suspect, ...] = ()
