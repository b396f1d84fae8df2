"""Rearrangements built from real chromosomes: strips cut at bands and joined anew, with the truth known exactly.

A strip of a normal chromosome is cut at the rows where bands of the ideogram lie, and pieces of it, or of another
strip of the same cell, are joined. Every built chromosome has its natural ends, because a broken end is healed by a
telomere. So that a network cannot learn the seams, `sham` makes the same seams without any change: a piece is replaced
by that of the homologue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.cytogenetics.bands import bands
from consilium.karyotype.strip import COLUMNS, PITCH, ROWS

Kind = Literal["sham", "del", "del_terminal", "dup", "inv", "add"]
KINDS: tuple[Kind, ...] = ("sham", "del", "del_terminal", "dup", "inv", "add")
"""What can be built: nothing but a seam; an inner and a terminal piece lost; a piece doubled in tandem, or turned; the
terminal piece replaced by that of another chromosome, as in an unbalanced translocation."""

End = Literal["p", "q"]

CAP = 3.0
"""Pixels (at nominal size) of the natural end that stay with a chromosome whose terminal piece is lost."""

SEAM = 1.5
"""Rows over which two pieces are blended."""

BAND_LEVEL = 550


@dataclass(frozen=True, kw_only=True, slots=True)
class Lying:
    """A chromosome in its strip, short arm up.

    Attributes:
        image: (2, 128, 24) float32, darkness and cover.
        first, last: rows between which it lies, fractional.
        pitch: pixels at nominal size that a row is apart from the next.
    """

    image: NDArray[np.float32]
    first: float
    last: float
    pitch: float

    @property
    def length(self) -> float:
        """From end to end, in pixels at nominal size."""
        return (self.last - self.first) * self.pitch


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of a chromosome between two places, fractions of its length from pter; turned where it goes back."""

    source: Lying
    start: float
    stop: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A built chromosome.

    Attributes:
        image: (2, 128, 24) float32, short arm up.
        seams: rows at which pieces meet.
    """

    image: NDArray[np.float32]
    seams: tuple[float, ...]


def lying(image: NDArray[np.float32], log_length: float) -> Lying | None:
    """Find a chromosome in its strip; None where its cover is too short to be cut.

    Args:
        image: (2, 128, 24) float32, darkness and cover, short arm up.
        log_length: the first of its `strip.GEOMETRY`.
    """
    width = image[1].sum(1)
    rows = np.flatnonzero(width > 0.25 * float(np.percentile(width, 95)))
    if len(rows) < 12:
        return None
    first, last = float(rows[0]) - 0.5, float(rows[-1]) + 0.5
    # Longer ones than a strip holds are sampled more coarsely (`strip.strips`).
    pitch = max(PITCH, 60 * float(np.exp(log_length)) / (ROWS - 4))
    return Lying(image=image, first=first, last=last, pitch=pitch)


def band_edges(chromosome: str) -> NDArray[np.float64]:
    """Where the bands at 550 bphs begin and end, as fractions of the chromosome from pter; one more than bands."""
    rows = bands(chromosome, BAND_LEVEL)
    return np.asarray([0, *(band.iscn_stop for band in rows)], np.float64) / rows[-1].iscn_stop


def centromere(chromosome: str) -> float:
    """Where the centromere is, as a fraction of the chromosome from pter."""
    rows = bands(chromosome, BAND_LEVEL)
    return next(band.iscn_start for band in rows if band.arm == "q") / rows[-1].iscn_stop


def joined(pieces: Sequence[Piece]) -> Built:
    """Join pieces into one chromosome, on a strip of its own.

    Widths are matched at the seams, because chromosomes of one cell are not all equally wide.
    """
    lengths = [abs(piece.stop - piece.start) * piece.source.length for piece in pieces]
    total = sum(lengths)
    pitch = max(PITCH, total / (ROWS - 4))
    along = (np.arange(ROWS) - (ROWS - 1) / 2) * pitch + total / 2
    ends = np.cumsum([0.0, *lengths])
    image = np.zeros((2, ROWS, COLUMNS), np.float32)
    weight = np.zeros(ROWS, np.float32)
    widths = [_width(piece.source) for piece in pieces]
    main = max(range(len(pieces)), key=lambda at: lengths[at])
    for at, piece in enumerate(pieces):
        inner_start = -np.inf if at == 0 else ends[at]
        inner_stop = np.inf if at == len(pieces) - 1 else ends[at + 1]
        blend = SEAM * pitch
        share = np.clip((along - inner_start) / blend + 0.5, 0, 1) * np.clip((inner_stop - along) / blend + 0.5, 0, 1)
        turned = piece.stop < piece.start
        place = along - ends[at]
        fraction = piece.start + (-1 if turned else 1) * place / piece.source.length
        rows = piece.source.first + fraction * (piece.source.last - piece.source.first)
        stretch = widths[at] / max(widths[main], 1e-3)
        image += share.astype(np.float32)[None, :, None] * _sampled(piece.source.image, rows, stretch)
        weight += share.astype(np.float32)
    image /= np.maximum(weight, 1e-3)[None, :, None]
    seams = tuple(float((end - total / 2) / pitch + (ROWS - 1) / 2) for end in ends[1:-1])
    return Built(image=image, seams=seams)


def _width(one: Lying) -> float:
    inside = one.image[1, max(int(one.first), 0) : int(one.last) + 1]
    return float(np.median(inside.sum(1)))


def _sampled(image: NDArray[np.float32], rows: NDArray[np.float64], stretch: float) -> NDArray[np.float32]:
    """(2, rows, 24) bilinear samples; beyond the strip is background."""
    columns = (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * stretch + (COLUMNS - 1) / 2
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    y = np.clip(rows + 1, 0, ROWS + 1)
    x = np.clip(columns + 1, 0, COLUMNS + 1)
    low_y, low_x = np.minimum(y.astype(int), ROWS), np.minimum(x.astype(int), COLUMNS)
    part_y = (y - low_y).astype(np.float32)[None, :, None]
    part_x = (x - low_x).astype(np.float32)[None, None, :]
    upper = padded[:, low_y][:, :, low_x] * (1 - part_x) + padded[:, low_y][:, :, low_x + 1] * part_x
    lower = padded[:, low_y + 1][:, :, low_x] * (1 - part_x) + padded[:, low_y + 1][:, :, low_x + 1] * part_x
    return np.asarray(upper * (1 - part_y) + lower * part_y, np.float32)


def rearranged(
    kind: Kind,
    own: Lying,
    breaks: Sequence[float],
    *,
    end: End = "q",
    other: Lying | None = None,
    other_break: float = 0.0,
    other_end: End = "q",
) -> Built:
    """Build one chromosome.

    Args:
        kind: what is done.
        own: the chromosome.
        breaks: where it breaks, fractions from pter, ascending: two for "del", "dup" and "inv", else one.
        end: of "sham", "add" and "del_terminal": which end is replaced or lost.
        other: the chromosome that gives a piece: the homologue for "sham", another one for "add".
        other_break: where that one breaks.
        other_end: which end of it is taken.

    Raises:
        ValueError: breaks or the other chromosome are missing.
    """
    first, last = breaks[0], breaks[-1]
    if kind in ("sham", "add"):
        if other is None:
            raise ValueError(f"{kind} needs another chromosome")
        tip = 1.0 if other_end == "q" else 0.0
        if end == "q":
            kept = Piece(source=own, start=0.0, stop=first)
            return joined([kept, Piece(source=other, start=other_break, stop=tip)])
        return joined([Piece(source=other, start=tip, stop=other_break), Piece(source=own, start=first, stop=1.0)])
    if kind == "del_terminal":
        cap = CAP / own.length
        if end == "q":
            kept = Piece(source=own, start=0.0, stop=first)
            return joined([kept, Piece(source=own, start=1.0 - cap, stop=1.0)])
        return joined([Piece(source=own, start=0.0, stop=cap), Piece(source=own, start=first, stop=1.0)])
    if len(breaks) != 2:
        raise ValueError(f"{kind} needs two breaks")
    begin, finish = Piece(source=own, start=0.0, stop=first), Piece(source=own, start=last, stop=1.0)
    if kind == "del":
        return joined([begin, finish])
    if kind == "dup":
        return joined([Piece(source=own, start=0.0, stop=last), Piece(source=own, start=first, stop=1.0)])
    return joined([begin, Piece(source=own, start=last, stop=first), finish])
