"""Bands that cannot be seen at the resolution of the case (ISCN 2024, 5.4.1d, 5.4.1f, 6.2d)."""

from __future__ import annotations

from collections.abc import Iterator

from consilium.cytogenetics.bands import LEVELS
from consilium.cytogenetics.iscn.lineage import named
from consilium.cytogenetics.iscn.mend import mended
from consilium.cytogenetics.iscn.names import bare
from consilium.cytogenetics.iscn.places import CHROMOSOMES, UnknownBand, level_of, resolve
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import Item, Rearrangement, Result, Span


def judge_level(text: str, result: Result, level: int, known: set[str]) -> Iterator[Finding]:
    """Every band that is named more finely than the cells show.

    What another technique or an earlier study at a higher resolution has shown may keep its finer bands (6.2d), and a
    band with a question mark claims nothing.

    Args:
        text: the whole string.
        result: what it says.
        level: bands per haploid set (bphs) of the case. Bands are known at 400, 550 and 850: the nearest of these that
            is not above it counts, 400 for all below.
        known: names of abnormalities shown elsewhere.
    """
    seen = max((one for one in LEVELS if one <= level), default=LEVELS[0])
    for item in _items(result):
        what = item.abnormality
        if not isinstance(what, Rearrangement) or bare(what) in known or named(bare(what)) in known:
            continue
        for chromosome, written, span in _places(what):
            lowest = _level(chromosome, written)
            if lowest is None or lowest <= seen:
                continue
            coarser = _coarser(chromosome, written, seen)
            values = (
                ("chromosome", chromosome), ("band", written), ("level", str(level)), ("needed", str(lowest)),
                ("coarser", coarser),
            )  # fmt: skip
            # An interval may leave the arm out behind its sign ("q21.1~22.1").
            short = text[span.start : span.start + 1].isdigit()
            yield Finding("band-unseen", span, values, mended(text, span, coarser[1:] if short else coarser))


def _items(result: Result) -> Iterator[Item]:
    for line in (line for reading in result.readings for lines in reading.persons for line in lines):
        for several in (*line.items, *(line.doubled.items if line.doubled else ())):
            yield from several


def _places(what: Rearrangement) -> Iterator[tuple[str, str, Span]]:
    """Chromosome, arm and band, and where they stand, of all that a change names."""
    for one in (what, *what.then):
        for name, on_one in zip(one.chromosomes, one.breakpoints, strict=False):
            if name.doubtful or name.others:
                continue
            for breakpoint_ in on_one:
                arm = breakpoint_.points[0].arm
                for point in breakpoint_.points:
                    yield name.name, point.text if point.arm else arm + point.text, point.span
        for strand in one.strands:
            for piece in strand.pieces:
                for mark in (piece.start, *piece.via, piece.end):
                    if mark is not None:
                        yield mark.chromosome or one.chromosomes[0].name, mark.point.text, mark.point.span


def _level(chromosome: str, written: str) -> int | None:
    """The lowest resolution at which a band is seen; None where it is doubted, an end, or no band."""
    if chromosome not in CHROMOSOMES or "?" in written or "~" in written or not written[1:2].isdigit():
        return None
    try:
        resolve(chromosome, written)
    except UnknownBand:
        return None
    return level_of(chromosome, written)


def _coarser(chromosome: str, written: str, level: int) -> str:
    """The band that holds another one and is seen at a resolution: "q34" for "q34.11"."""
    name = written
    while len(name) > 2 and level_of(chromosome, name) > level:
        name = name[:-1].rstrip(".")
    return name
