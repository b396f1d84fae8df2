"""Net gain and loss of a cell line: copies of every band, stretches gained and lost, junctions, breakpoints.

A breakpoint splits its band in the middle (`places`). The stretches of a balanced change meet there: nothing is gained
or lost. Where copies do change, all of the band named is told as partly affected: its copies are a range.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from consilium.cytogenetics.bands import Band
from consilium.cytogenetics.iscn.chromosomes import Chromosome, Segment, Unknown
from consilium.cytogenetics.iscn.mean import CellLine
from consilium.cytogenetics.iscn.places import CHROMOSOMES, Place, bands_of, base_pair, centromere, length, resolve

Against = Literal["ploidy", "diploid"]

ACROCENTRICS = frozenset({"13", "14", "15", "21", "22"})
"""Their short arms hold ribosomal genes in many copies: their loss is without effect (ISCN 2024, 5.5.18.3)."""

_TEL = frozenset({"pter", "qter"})


@dataclass(frozen=True, kw_only=True, slots=True)
class BandCopies:
    """How many copies of a band a cell has.

    Attributes:
        band: at 850.
        least, most: they differ where a breakpoint lies in the band, or may.
        expected: copies in a normal cell of that sex and level; None for X and Y where the sex is not disclosed.
        known: False where an entry that could not be read names the chromosome.
    """

    band: Band
    least: int
    most: int
    expected: int | None
    known: bool = True

    @property
    def partial(self) -> bool:
        """Whether a breakpoint lies in it, or may, at which the copies change."""
        return self.least != self.most

    @property
    def gained(self) -> bool:
        """Whether it, or a part of it, is certainly more than expected."""
        return self.expected is not None and self.most > self.expected

    @property
    def lost(self) -> bool:
        """Whether it, or a part of it, is less than expected."""
        return self.expected is not None and self.least < self.expected


@dataclass(frozen=True, kw_only=True, slots=True)
class Imbalance:
    """A stretch of which a cell has more or fewer copies than expected.

    Attributes:
        chromosome: "1".."22", "X" or "Y".
        start, stop: its ends, from pter to qter; each with the interval in which it lies.
        copies, expected: how many there are and should be.
        bp_start, bp_stop: GRCh38, one-based, inclusive, at the middle of the bands named.
        bp_inner: what is certainly affected; None where the ends may meet.
        bp_outer: what may be.
    """

    chromosome: str
    start: Place
    stop: Place
    copies: int
    expected: int

    @property
    def change(self) -> int:
        """Copies more (positive) or fewer (negative) than expected."""
        return self.copies - self.expected

    @property
    def bp_start(self) -> int:
        """First base pair."""
        return base_pair(self.chromosome, self.start.at) + 1

    @property
    def bp_stop(self) -> int:
        """Last base pair."""
        return base_pair(self.chromosome, self.stop.at)

    @property
    def bp_inner(self) -> tuple[int, int] | None:
        """First and last base pair that are certainly affected."""
        first, last = base_pair(self.chromosome, self.start.stop) + 1, base_pair(self.chromosome, self.stop.start)
        return (first, last) if first <= last else None

    @property
    def bp_outer(self) -> tuple[int, int]:
        """First and last base pair that may be affected."""
        return base_pair(self.chromosome, self.start.start) + 1, base_pair(self.chromosome, self.stop.stop)

    @property
    def whole(self) -> bool:
        """Whether it is the whole chromosome."""
        return self.start.at == 0 and self.stop.at == length(self.chromosome)

    def __str__(self) -> str:
        """Its ends as ISCN writes them: "5q13q33", "7q22qter", "21" for a whole chromosome."""
        if self.whole:
            return self.chromosome
        return f"{self.chromosome}{self.start.text}{self.stop.text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmCopies:
    """Copies of one arm: `least` and `most` over its bands, and how much of it is gained and lost.

    Attributes:
        gained, lost: shares of its length in ISCN units, 0 to 1.
    """

    chromosome: str
    arm: Literal["p", "q"]
    least: int
    most: int
    gained: float
    lost: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Junction:
    """Where two places meet that do not in a normal chromosome.

    Attributes:
        left, right: the places, in the order of the derivative; None for unknown material.
        derivative: the chromosome it lies in, by name.
    """

    left: Place | None
    right: Place | None
    derivative: str

    def __str__(self) -> str:
        """As the detailed system joins them: "9q34::22q11.2"."""
        return "::".join("?" if end is None else f"{end.chromosome}{end.text}" for end in (self.left, self.right))


def expected(cell: CellLine, chromosome: str, against: Against = "ploidy") -> int | None:
    """Copies of a chromosome in a normal cell: of the line's level, or of two sets.

    In males of an uneven level X prevails: XXY, XXXYY (ISCN 2024, 6.3.7i).

    Returns:
        None for X and Y where the sex is not disclosed.
    """
    number = cell.level if against == "ploidy" else 2
    if chromosome not in ("X", "Y"):
        return number
    if cell.sex == "unknown":
        return None
    if cell.sex == "female":
        return number if chromosome == "X" else 0
    return number - number // 2 if chromosome == "X" else number // 2


def band_copies(cell: CellLine, against: Against = "ploidy") -> tuple[BandCopies, ...]:
    """Copies of every band at 850, from 1pter to Yqter."""
    return tuple(one for chromosome in CHROMOSOMES for one in chromosome_copies(cell, chromosome, against))


def chromosome_copies(cell: CellLine, chromosome: str, against: Against = "ploidy") -> tuple[BandCopies, ...]:
    """Copies of every band of one chromosome at 850, from pter to qter."""
    known = not any(chromosome in one.chromosomes for one in cell.unread)
    normal = expected(cell, chromosome, against)
    levels, cuts = _profile(cell, chromosome)
    out = []
    for band in bands_of(chromosome):
        inside = [copies for start, stop, copies in levels if start < band.iscn_stop and stop > band.iscn_start]
        least, most = min(inside), max(inside)
        for place, step in cuts:
            if place.start < band.iscn_stop and place.stop > band.iscn_start:
                other = step if band.iscn_stop <= place.at else -step if band.iscn_start >= place.at else 0
                least, most = least + min(other, 0), most + max(other, 0)
        out.append(BandCopies(band=band, least=max(least, 0), most=most, expected=normal, known=known))
    return tuple(out)


def imbalances(cell: CellLine, against: Against = "ploidy") -> tuple[Imbalance, ...]:
    """What is gained and lost, as stretches from 1pter to Yqter; neighbours with the same copies are one."""
    out: list[Imbalance] = []
    for chromosome in CHROMOSOMES:
        normal = expected(cell, chromosome, against)
        if normal is None:
            continue
        levels, cuts = _profile(cell, chromosome)
        ends = {0: resolve(chromosome, "pter"), length(chromosome): resolve(chromosome, "qter")}
        ends = {place.at: place for place, _ in cuts} | ends
        for start, stop, copies in levels:
            if copies != normal:
                edges = [ends.get(at) or resolve(chromosome, "cen") for at in (start, stop)]
                out.append(
                    Imbalance(chromosome=chromosome, start=edges[0], stop=edges[1], copies=copies, expected=normal)
                )
    return tuple(out)


def arm_copies(cell: CellLine, against: Against = "ploidy") -> tuple[ArmCopies, ...]:
    """Copies of every arm, from 1p to Yq; of X and Y nothing is gained or lost where the sex is not disclosed."""
    out = []
    for chromosome in CHROMOSOMES:
        edge, end = centromere(chromosome), length(chromosome)
        levels, _ = _profile(cell, chromosome)
        normal = expected(cell, chromosome, against)
        arms: tuple[tuple[Literal["p", "q"], int, int], ...] = (("p", 0, edge), ("q", edge, end))
        for arm, low, high in arms:
            parts = [(min(b, high) - max(a, low), copies) for a, b, copies in levels if a < high and b > low]
            number = [copies for _, copies in parts]
            more = sum(size for size, copies in parts if normal is not None and copies > normal)
            fewer = sum(size for size, copies in parts if normal is not None and copies < normal)
            out.append(
                ArmCopies(
                    chromosome=chromosome, arm=arm, least=min(number), most=max(number),
                    gained=more / (high - low), lost=fewer / (high - low),
                )
            )  # fmt: skip
    return tuple(out)


def junctions(cell: CellLine) -> tuple[Junction, ...]:
    """The joins of all abnormal chromosomes, in their order; each as often as the cell has it."""
    return tuple(join for chromosome in cell.abnormal for join in chromosome_junctions(chromosome))


def chromosome_junctions(chromosome: Chromosome) -> tuple[Junction, ...]:
    """The joins within one chromosome; of a ring also that of its ends."""
    pieces = chromosome.pieces
    pairs = list(pairwise(pieces))
    if chromosome.ring and chromosome.segments:
        pairs.append((pieces[-1], pieces[0]))
    return tuple(
        Junction(
            left=one.stop if isinstance(one, Segment) else None,
            right=other.start if isinstance(other, Segment) else None,
            derivative=chromosome.name,
        )
        for one, other in pairs
    )


def breakpoints(cell: CellLine) -> tuple[Place, ...]:
    """Where the chromosomes of a cell line broke, each place once, from 1pter to Yqter."""
    found = {
        (CHROMOSOMES.index(place.chromosome), place.at, place.text): place
        for chromosome in cell.abnormal
        if chromosome.read
        for segment in chromosome.segments
        for place in (segment.start, segment.stop)
        if place.text not in _TEL
    }
    return tuple(found[at] for at in sorted(found))


def unknown_material(cell: CellLine) -> Counter[str]:
    """Pieces of unknown origin by kind: "?", "hsr", "mar", "r"; each as often as the cell has it."""
    pieces = (piece for chromosome in cell.chromosomes for piece in chromosome.pieces)
    return Counter(piece.what for piece in pieces if isinstance(piece, Unknown))


def balanced(cell: CellLine, *, short_arms_of_acrocentrics: bool = False) -> bool | None:
    """Whether a cell line has neither gained nor lost anything, against its ploidy level.

    Args:
        cell: a line.
        short_arms_of_acrocentrics: whether their loss or gain counts: by default it does not, so that a carrier of one
            Robertsonian translocation is balanced.

    Returns:
        None where it cannot be told: an entry could not be read, the ends of a ring are not known, the karyotype is
        incomplete, or the sex is not disclosed and a sex chromosome is abnormal.
    """
    changes = [one for one in imbalances(cell) if short_arms_of_acrocentrics or not _short_arm(one)]
    unknown = unknown_material(cell)
    unknown.pop("U", None)
    if changes or unknown or cell.extras:
        return False
    if cell.unread or cell.incomplete or any(one.partial for one in band_copies(cell)):
        return None
    sex_abnormal = any(segment.chromosome in "XY" for one in cell.abnormal for segment in one.segments)
    return None if cell.sex == "unknown" and sex_abnormal else True


def _short_arm(one: Imbalance) -> bool:
    return one.chromosome in ACROCENTRICS and one.stop.at <= centromere(one.chromosome)


def _profile(cell: CellLine, chromosome: str) -> tuple[list[tuple[int, int, int]], list[tuple[Place, int]]]:
    """Copies along a chromosome, in ISCN units, and where they change by how much towards qter."""
    steps: dict[tuple[int, int, int], int] = defaultdict(int)
    places: dict[tuple[int, int, int], Place] = {}
    copies = 0
    for one in cell.chromosomes:
        if one.normal:
            copies += one.home == chromosome
            continue
        for segment in one.segments:
            if segment.chromosome == chromosome:
                for place, step in ((segment.low, 1), (segment.high, -1)):
                    cut = place.at, place.start, place.stop
                    steps[cut] += step
                    places.setdefault(cut, place)
    end = length(chromosome)
    total: dict[int, int] = defaultdict(int)
    for (at, _, _), step in steps.items():
        total[at] += step
    edges = sorted({0, end, *(at for at, step in total.items() if step)})
    levels: list[tuple[int, int, int]] = []
    copies += total.get(0, 0)
    for start, stop in pairwise(edges):
        copies += total.get(start, 0) if start else 0
        levels.append((start, stop, copies))
    cuts = [(places[cut], step) for cut, step in steps.items() if step and not _told_end(cut, end)]
    return levels, cuts


def _told_end(cut: tuple[int, int, int], end: int) -> bool:
    return cut in ((0, 0, 0), (end, end, end))
