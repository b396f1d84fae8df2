"""Where a written band lies: from "q34" on a chromosome to an interval in ISCN units and base pairs.

Bands are those of the ideogram at 850 bands per haploid set (`consilium.cytogenetics.bands`). A band named at a coarser
level covers its sub-bands: "q34" is all from q34.1 to q34.3 (ISCN 2024, 2.3.2). A breakpoint within a band is put
in the middle of it, in ISCN units, because nothing more is known; the interval says how far the truth may be from that.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache

from consilium.cytogenetics.bands import AUTOSOMES, LEVELS, Band, bands
from consilium.cytogenetics.iscn.tree import Breakpoint, Point
from consilium.errors import InputError

LEVEL = 850
"""Bands per haploid set of the ideogram in which places are told."""

CHROMOSOMES = (*AUTOSOMES, "X", "Y")

_CENTROMERES = frozenset({"cen", "p10", "q10"})


class UnknownBand(InputError):
    """A written band that the chromosome does not have.

    Attributes:
        chromosome: on which it was looked for.
        text: the band as written.
        nearest: up to three bands that exist and are named most alike, e.g. ("5q35.3", "5q35.2").
    """

    def __init__(self, chromosome: str, text: str, nearest: tuple[str, ...]) -> None:
        super().__init__(
            f"chromosome {chromosome} has no band {text!r}",
            way_out=f"The nearest that exist: {', '.join(nearest)}."
            if nearest
            else "Chromosomes are 1 to 22, X and Y.",
        )
        self.chromosome, self.text, self.nearest = chromosome, text, nearest

    def __reduce__(self) -> tuple[object, ...]:
        return UnknownBand, (self.chromosome, self.text, self.nearest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A place on a chromosome as far as it is known.

    Attributes:
        chromosome: "1".."22", "X" or "Y".
        text: as written; alternatives and intervals joined by "~".
        start, stop: ISCN units from pter between which it certainly lies; equal for an end or the centromere.
        at: ISCN units, the likeliest: the middle of what is written.
        bp_start, bp_stop: the interval in base pairs on GRCh38, one-based, inclusive.
        doubtful: the writer doubts it: "?", "~" or "or", or no band is told.
    """

    chromosome: str
    text: str
    start: int
    stop: int
    at: int
    bp_start: int
    bp_stop: int
    doubtful: bool


@lru_cache(maxsize=8192)
def resolve(chromosome: str, point: str) -> Place:
    """Find a written point on a chromosome.

    Args:
        chromosome: "1".."22", "X" or "Y".
        point: as ISCN writes it: "q34", "p11.2", "pter", "cen", "q10", "p21~23", and with doubts "q2?4", "?q24", "q?",
            "?". What stands behind a question mark is doubted: "q2?4" is likeliest q24 and certainly in region q2.

    Raises:
        UnknownBand: the chromosome has no such band, or there is no such chromosome.
    """
    if chromosome not in CHROMOSOMES:
        raise UnknownBand(chromosome, point, ())
    if "~" in point or "-" in point:
        return resolve_breakpoint(chromosome, Breakpoint(tuple(map(Point, point.replace("-", "~").split("~"))), "~"))
    end, middle = length(chromosome), centromere(chromosome)
    doubtful = "?" in point
    best, sure = point.replace("?", ""), point.partition("?")[0]
    if best in _CENTROMERES:
        whole = {"": (0, end), "p": (0, middle), "q": (middle, end)}.get(sure)
        start, stop = whole if doubtful and whole else (middle, middle)
        return _place(chromosome, point, start, stop, middle, doubtful)
    if best in ("pter", "qter"):
        at = 0 if best == "pter" else end
        return _place(chromosome, point, *((0, end) if doubtful else (at, at)), at, doubtful)
    if best in ("", "p", "q"):
        arms = {"": (0, end), "p": (0, middle), "q": (middle, end)}
        return _place(chromosome, point, *arms[sure], sum(arms[best]) // 2, True)
    likely = _covered(chromosome, best)
    certain = likely if not doubtful else _covered(chromosome, sure) if sure else (0, end)
    if likely is None or certain is None:
        raise UnknownBand(chromosome, point, _nearest(chromosome, best))
    return _place(chromosome, point, *certain, sum(likely) // 2, doubtful)


def resolve_breakpoint(chromosome: str, breakpoint_: Breakpoint) -> Place:
    """Find a breakpoint: of an interval or of alternatives the place that holds them all, doubtful.

    Args:
        chromosome: "1".."22", "X" or "Y".
        breakpoint_: as the tree has it; "q21~24" tells the arm once.

    Raises:
        UnknownBand: as `resolve`.
    """
    first, *rest = breakpoint_.points
    found = [resolve(chromosome, first.text), *(resolve(chromosome, _with_arm(point, first)) for point in rest)]
    if not rest:
        return found[0]
    start, stop = min(place.start for place in found), max(place.stop for place in found)
    text = "~".join(place.text for place in found)
    at = (min(place.at for place in found) + max(place.at for place in found)) // 2
    return _place(chromosome, text, start, stop, at, True)


@lru_cache(maxsize=8192)
def level_of(chromosome: str, written: str) -> int:
    """The lowest resolution, in bands per haploid set, at which a band is seen as written, or parts of it are.

    Args:
        chromosome: "1".."22", "X" or "Y".
        written: arm and band without question marks, e.g. "q34.1"; what no ideogram has gets the lowest.
    """
    arm, name = written[:1], written[1:]
    for level in LEVELS:
        if any(band.arm == arm and band.name.startswith(name) for band in bands(chromosome, level)):
            return level
    return LEVELS[0]


def length(chromosome: str) -> int:
    """Length of a chromosome in ISCN units."""
    return _edges(chromosome)[-1]


@cache
def centromere(chromosome: str) -> int:
    """ISCN units from pter to the centromere, the border between p11 and q11 at 850 bands."""
    return next(band.iscn_start for band in bands(chromosome, LEVEL) if band.arm == "q")


def band_at(chromosome: str, at: int) -> Band:
    """The band at 850 that holds a place, in ISCN units from pter; the more distal one at a border in the long arm."""
    rows = bands_of(chromosome)
    return rows[min(max(bisect_right(_edges(chromosome), at) - 1, 0), len(rows) - 1)]


@cache
def bands_of(chromosome: str) -> tuple[Band, ...]:
    """The bands of a chromosome at 850 from pter to qter."""
    return bands(chromosome, LEVEL)


def base_pair(chromosome: str, at: int) -> int:
    """The base pair on GRCh38 (0-based border) at a place in ISCN units, in proportion within its band at 850."""
    if at >= length(chromosome):
        return bands_of(chromosome)[-1].bp_stop
    band = band_at(chromosome, at)
    share = (at - band.iscn_start) / (band.iscn_stop - band.iscn_start)
    return band.bp_start - 1 + round(share * (band.bp_stop - band.bp_start + 1))


@cache
def _edges(chromosome: str) -> tuple[int, ...]:
    return (0, *(band.iscn_stop for band in bands(chromosome, LEVEL)))


def _with_arm(point: Point, first: Point) -> str:
    return point.text if point.arm or not point.text[:1].isdigit() else first.arm + point.text


def _place(chromosome: str, text: str, start: int, stop: int, at: int, doubtful: bool) -> Place:
    bp_start, bp_stop = base_pair(chromosome, start) + 1, base_pair(chromosome, stop)
    return Place(
        chromosome=chromosome, text=text, start=start, stop=stop, at=at, doubtful=doubtful,
        bp_start=min(bp_start, max(bp_stop, 1)), bp_stop=max(bp_stop, 1),
    )  # fmt: skip


@lru_cache(maxsize=8192)
def _covered(chromosome: str, text: str) -> tuple[int, int] | None:
    """The interval of the bands that a name covers: a region ("q2"; ISCN 2024, 4.4.4a), a band, a sub-band."""
    arm, name = text[0], text[1:].rstrip(".")
    if not name:
        edge = centromere(chromosome)
        return (0, edge) if arm == "p" else (edge, length(chromosome))
    held = [
        band
        for band in bands(chromosome, LEVEL)
        if band.arm == arm and (band.name == name or _is_part(band.name, name))
    ]
    return (held[0].iscn_start, held[-1].iscn_stop) if held else None


def _is_part(inner: str, outer: str) -> bool:
    """Whether a band is part of a region, band or sub-band: "34.12" of "3", "34" and "34.1"."""
    if not inner.startswith(outer):
        return False
    return len(outer) == 1 or "." in outer or inner[len(outer)] == "."


def _nearest(chromosome: str, text: str) -> tuple[str, ...]:
    rows = [band for band in bands(chromosome, LEVEL) if band.arm == text[0]] or list(bands(chromosome, LEVEL))
    wanted = text[1:]

    def unlike(band: Band) -> tuple[int, float]:
        alike = next((at for at, pair in enumerate(zip(band.name, wanted, strict=False)) if pair[0] != pair[1]), 9)
        return -min(alike, len(band.name), len(wanted)), abs(float(band.name) - _number(wanted))

    return tuple(str(band) for band in sorted(rows, key=unlike)[:3])


def _number(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return 0.0
