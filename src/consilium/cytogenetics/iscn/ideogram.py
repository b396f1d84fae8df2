"""One chromosome as SVG shapes: bands, centromere, satellites, and of a derivative where each part comes from.

Coordinates are CSS pixels with the origin on the chromosome's axis at its centromere; y runs down, the short arm is up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import pairwise
from math import sqrt
from types import MappingProxyType

from consilium.cytogenetics.iscn.chromosomes import Chromosome, Piece, Segment, Unknown, normal
from consilium.cytogenetics.iscn.places import Place, bands_of, centromere

SCALE = 185.0 / 15100
"""Pixels per ISCN unit: chromosome 1 is 185 pixels long."""

HALF = 7.0
"""Half the width of a chromatid pair in pixels."""

UNKNOWN_LENGTHS = MappingProxyType({"?": 1600, "hsr": 1100, "mar": 3000, "r": 3600, "U": 6000})
"""ISCN units that unknown material is drawn with: nothing is known of its size."""

COLOURS = MappingProxyType({
    "1": "#c1272d", "2": "#1f6fb2", "3": "#2e8b57", "4": "#e07b00", "5": "#7b3fa0", "6": "#008b8b", "7": "#b8860b",
    "8": "#d6338a", "9": "#274b9f", "10": "#6b8e23", "11": "#8b4513", "12": "#00a0d0", "13": "#a0155a", "14": "#4b7f52",
    "15": "#ff5a36", "16": "#5a5ad6", "17": "#9a7d0a", "18": "#c71585", "19": "#006d77", "20": "#7a5c3e",
    "21": "#e0352b", "22": "#0a7d2c", "X": "#5e2a84", "Y": "#3d5a80", "?": "#555555",
})  # fmt: skip
"""Of the part's chromosome of origin; its number stands beside it, so that nobody has to tell colours apart."""

MARK = "#c2001a"
HATCH = "url(#unknown-origin)"
DEFINITIONS = (
    '<pattern id="unknown-origin" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" fill="#fff"/><rect width="2" height="5" fill="#777"/></pattern>'
    '<pattern id="homogeneous" width="4" height="4" patternUnits="userSpaceOnUse">'
    '<rect width="4" height="4" fill="#bbb"/><path d="M0 0L4 4M4 0L0 4" stroke="#666" stroke-width=".6"/></pattern>'
)
"""What the shapes refer to; every drawing holds it once."""

_WAIST, _STALK, _SATELLITE = 0.4, 0.3, 0.66
_TAPER = 4.5
_SATELLITES = frozenset({"13p13", "14p13", "15p13", "21p13", "22p13"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A drawn chromosome.

    Attributes:
        svg: elements.
        top, bottom: y of its ends; `top` is negative.
        left, right: how far it reaches from its axis with all its labels, both positive.
    """

    svg: str
    top: float
    bottom: float
    left: float
    right: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A piece with the y of its ends."""

    piece: Piece
    y1: float
    y2: float

    def at(self, place: int) -> float:
        """The y of a place within a segment, in ISCN units of its chromosome."""
        assert isinstance(self.piece, Segment)
        share = (place - self.piece.start.at) / (self.piece.stop.at - self.piece.start.at)
        return self.y1 + share * (self.y2 - self.y1)


def piece_length(piece: Piece) -> float:
    """How long a piece is drawn, in pixels."""
    units = UNKNOWN_LENGTHS.get(piece.what, 1600) if isinstance(piece, Unknown) else piece.length
    return max(units * SCALE, 1.5)


@cache
def normal_shape(name: str) -> Shape:
    """The ideogram of a normal chromosome, "1".."22", "X" or "Y", without labels."""
    return _linear(normal(name), labelled=False)


def linear_shape(chromosome: Chromosome) -> Shape:
    """Draw an abnormal chromosome with its parts told at its left, its junctions and breakpoints at its right."""
    return _linear(chromosome, labelled=True)


def _linear(chromosome: Chromosome, *, labelled: bool) -> Shape:
    parts = _laid_out(chromosome.pieces, chromosome.home)
    top, bottom = parts[0].y1, parts[-1].y2
    outline = _Outline(parts)
    fills: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        if isinstance(part.piece, Unknown):
            fill = "url(#homogeneous)" if part.piece.what == "hsr" else HATCH
            fills[fill].append(outline.path(part.y1, part.y2))
            continue
        for fill, start, stop in band_fills(part.piece):
            ends = sorted((part.at(start), part.at(stop)))
            fills[fill].append(outline.path(*ends))
    body = "".join(f'<path d="{"".join(shapes)}" fill="{fill}"/>' for fill, shapes in fills.items())
    edge = (
        f'<path d="{outline.path(top, bottom)}" fill="none" stroke="#333" stroke-width=".8" stroke-linejoin="round"/>'
    )
    if not labelled:
        return Shape(svg=body + edge, top=top, bottom=bottom, left=HALF, right=HALF)
    bars, left = _origins(parts) if chromosome.segments else ("", HALF)
    marks, right, lowest = _breaks(chromosome, parts)
    return Shape(svg=body + edge + bars + marks, top=top, bottom=max(bottom, lowest), left=left, right=right)


def _laid_out(pieces: Sequence[Piece], home: str) -> list[_Part]:
    heights = [piece_length(piece) for piece in pieces]
    zero = _axis(pieces, heights, home)
    out, y = [], -zero
    for piece, height in zip(pieces, heights, strict=True):
        out.append(_Part(piece=piece, y1=y, y2=y + height))
        y += height
    return out


def _axis(pieces: Sequence[Piece], heights: Sequence[float], home: str) -> float:
    """How far below its upper end a chromosome has the centromere it is put at the line with."""
    y, middle = 0.0, sum(heights) / 2
    found: list[tuple[bool, float]] = []
    for piece, height in zip(pieces, heights, strict=True):
        if isinstance(piece, Unknown):
            if piece.centric:
                found.append((home != "?", y + height / 2))
        elif piece.low.at <= (edge := centromere(piece.chromosome)) <= piece.high.at:
            share = abs(edge - piece.start.at) / piece.length
            found.append((piece.chromosome != home, y + share * height))
        y += height
    return min(found)[1] if found else middle


def band_fills(segment: Segment) -> Iterable[tuple[str, int, int]]:
    """The bands of a segment as fill, start and stop in ISCN units of its chromosome."""
    for band in bands_of(segment.chromosome):
        start, stop = max(band.iscn_start, segment.low.at), min(band.iscn_stop, segment.high.at)
        if start < stop:
            grey = round(255 - 218 * max(band.darkness - 0.25, 0.0) / 0.75)
            yield f"#{grey:02x}{grey:02x}{grey:02x}", start, stop


class _Outline:
    """The width of a chromosome along its axis: round ends, waists at centromeres, thin stalks of the acrocentrics."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self.top, self.bottom = parts[0].y1, parts[-1].y2
        self.cap = min(HALF * 0.85, (self.bottom - self.top) / 2)
        self.waists: list[float] = []
        self.stalks: list[tuple[float, float]] = []
        self.satellites: list[tuple[float, float]] = []
        for part in parts:
            if isinstance(part.piece, Unknown):
                if part.piece.centric:
                    self.waists.append((part.y1 + part.y2) / 2)
                continue
            edge = centromere(part.piece.chromosome)
            if part.piece.low.at <= edge <= part.piece.high.at:
                self.waists.append(part.at(edge))
            for band in bands_of(part.piece.chromosome):
                start, stop = max(band.iscn_start, part.piece.low.at), min(band.iscn_stop, part.piece.high.at)
                narrow = self.stalks if band.stain == "stalk" else self.satellites if str(band) in _SATELLITES else None
                if narrow is not None and start < stop:
                    low, high = sorted((part.at(start), part.at(stop)))
                    narrow.append((low, high))
        steps = [self.top + self.cap * share for share in (0, 0.04, 0.15, 0.35, 0.65, 1)]
        steps += [self.bottom - self.cap * share for share in (0, 0.04, 0.15, 0.35, 0.65, 1)]
        steps += [y + _TAPER * share for y in self.waists for share in (-1, -0.7, -0.4, -0.15, 0, 0.15, 0.4, 0.7, 1)]
        steps += [y for low, high in self.stalks + self.satellites for y in (low - 0.8, low, high, high + 0.8)]
        self.steps = sorted({round(y, 2) for y in steps if self.top <= y <= self.bottom})

    def half(self, y: float) -> float:
        width = HALF
        end = min(y - self.top, self.bottom - y)
        if end < self.cap:
            width *= sqrt(max(1 - (1 - end / self.cap) ** 2, 0.0))
        for waist in self.waists:
            near = abs(y - waist) / _TAPER
            if near < 1:
                width = min(width, HALF * (_WAIST + (1 - _WAIST) * near * near * (3 - 2 * near)))
        for share, narrow in ((_STALK, self.stalks), (_SATELLITE, self.satellites)):
            if any(low <= y <= high for low, high in narrow):
                width = min(width, HALF * share)
        return width

    def path(self, y1: float, y2: float) -> str:
        ys = [y1, *(y for y in self.steps if y1 + 0.05 < y < y2 - 0.05), y2]
        sides = [(self.half(y), y) for y in ys]
        points = [f"{_short(-half)} {_short(y)}" for half, y in sides]
        points += [f"{_short(half)} {_short(y)}" for half, y in reversed(sides)]
        return "M" + "L".join(points) + "Z"


def _short(number: float) -> str:
    """A number with at most one decimal and no more signs than it needs."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def origin(piece: Piece) -> str:
    """What is written beside a part: its chromosome of origin."""
    if isinstance(piece, Segment):
        return piece.chromosome
    return "hsr" if piece.what == "hsr" else "?"


def _origins(parts: Sequence[_Part]) -> tuple[str, float]:
    """Coloured bars with numbers along the left edge; an arrowhead shows where a turned part has its qter side."""
    out, x, widest, last = [], -HALF - 5.5, 0.0, -1e9
    for part in parts:
        name = origin(part.piece)
        colour = COLOURS.get(name, COLOURS["?"])
        out.append(
            f'<rect x="{x:.1f}" y="{part.y1 + 0.3:.1f}" width="3" height="{max(part.y2 - part.y1 - 0.6, 0.8):.1f}" '
            f'fill="{colour}"/>'
        )
        if isinstance(part.piece, Segment) and part.piece.inverted:
            out.append(f'<path d="M{x - 1.5:.1f} {part.y1 + 5:.1f}l3 -4.5l3 4.5z" fill="{colour}"/>')
        y = max((part.y1 + part.y2) / 2 + 3, last + 8.5)
        last = y
        out.append(
            f'<text x="{x - 2.5:.1f}" y="{y:.1f}" font-size="8.5" font-weight="700" text-anchor="end" fill="{colour}">'
            f"{escape(name)}</text>"
        )
        widest = max(widest, text_width(name, 8.5))
    return "".join(out), -x + 3.5 + widest


def _breaks(chromosome: Chromosome, parts: Sequence[_Part]) -> tuple[str, float, float]:
    """Arrows at junctions, broken ends and fragile sites, with the bands that meet there."""
    several = len({origin(part.piece) for part in parts}) > 1
    marks: list[tuple[float, list[str]]] = []
    first, last = parts[0], parts[-1]
    if (text := _end(first.piece, several, upper=True)) and not _whole(text):
        marks.append((first.y1, [text]))
    for one, other in pairwise(parts):
        upper, lower = _end(one.piece, several, upper=False), _end(other.piece, several, upper=True)
        marks.append((one.y2, [text for text in (upper, lower) if text]))
    if (text := _end(last.piece, several, upper=False)) and not _whole(text):
        marks.append((last.y2, [text]))
    for place in chromosome.fragile:
        for part in parts:
            if isinstance(part.piece, Segment) and part.piece.low.at <= place.at <= part.piece.high.at:
                marks.append((part.at(place.at), [place.text]))
    out, right, floor = [], HALF, -1e9
    for y, texts in sorted(marks):
        if not texts:
            out.append(_across(y))
            continue
        height = 8.5 * len(texts)
        label = max(y - height / 2, floor)
        floor = label + height + 2
        tip, base = HALF + 1.5, HALF + 10
        middle = label + height / 2
        out.append(
            _across(y)
            + f'<path d="M{tip:.1f} {y:.1f}l4 -2.3v4.6z" fill="{MARK}"/>'
            + f'<path d="M{tip + 3:.1f} {y:.1f}L{base:.1f} {middle:.1f}" stroke="{MARK}" stroke-width=".8"/>'
        )
        for at, text in enumerate(texts):
            out.append(
                f'<text x="{base + 1.5:.1f}" y="{label + 7 + 8.5 * at:.1f}" font-size="8" fill="#222">'
                f"{escape(text)}</text>"
            )
            right = max(right, base + 1.5 + text_width(text, 8))
    return "".join(out), right, floor if marks else -1e9


def _across(y: float) -> str:
    return f'<path d="M{-HALF:.1f} {y:.1f}H{HALF:.1f}" stroke="{MARK}" stroke-width="1"/>'


def _end(piece: Piece, several: bool, *, upper: bool) -> str:
    if isinstance(piece, Unknown):
        return ""
    place: Place = piece.start if upper else piece.stop
    return f"{place.chromosome if several else ''}{place.text}"


def _whole(text: str) -> bool:
    return text.endswith(("pter", "qter"))


def text_width(text: str, size: float) -> float:
    """About how wide a text is, in pixels: letters beyond Latin are as wide as the size."""
    return sum(size if ord(letter) > 0x2E80 else size * 0.57 for letter in text)
