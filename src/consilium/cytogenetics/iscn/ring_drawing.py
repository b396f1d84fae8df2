"""A ring chromosome as SVG: an annulus on which its bands lie, the junction of its ends at the bottom."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from math import cos, pi, sin

from consilium.cytogenetics.iscn.balance import chromosome_junctions
from consilium.cytogenetics.iscn.chromosomes import Chromosome, Segment, Unknown
from consilium.cytogenetics.iscn.ideogram import (
    COLOURS,
    HATCH,
    MARK,
    Shape,
    band_fills,
    origin,
    piece_length,
    text_width,
)
from consilium.cytogenetics.iscn.places import centromere

LEAST_RADIUS = 9.0
"""Of the middle of the annulus in pixels: a smaller ring would close."""


THICKNESS = 9.0
"""Of the annulus in pixels: a little less than a chromosome's width, so that bands do not become wedges."""


def ring_shape(chromosome: Chromosome) -> Shape:
    """Draw a ring: clockwise from the bottom its pieces in their order."""
    heights = [piece_length(piece) for piece in chromosome.pieces]
    whole = sum(heights)
    radius = max(whole / (2 * pi), LEAST_RADIUS)
    inner, outer = radius - THICKNESS / 2, radius + THICKNESS / 2
    fills: dict[str, list[str]] = defaultdict(list)
    marks: list[str] = []
    done = 0.0
    for piece, height in zip(chromosome.pieces, heights, strict=True):
        turn, size = done / whole, height / whole
        done += height
        if isinstance(piece, Unknown):
            fill = "url(#homogeneous)" if piece.what == "hsr" else HATCH
            fills[fill].append(_sector(turn, turn + size, inner, outer))
        else:
            for fill, start, stop in band_fills(piece):
                first, last = sorted(turn + size * abs(at - piece.start.at) / piece.length for at in (start, stop))
                fills[fill].append(_sector(first, last, inner, outer))
            edge = centromere(piece.chromosome)
            if piece.low.at <= edge <= piece.high.at:
                marks.append(_waist(turn + size * abs(edge - piece.start.at) / piece.length, inner, outer))
        if not (isinstance(piece, Unknown) and piece.what == "r"):
            marks.append(_band_of_origin(turn, size, outer, origin(piece)))
        if len(heights) > 1 and done < whole:
            marks.append(_spoke(done / whole, inner, outer))
    if chromosome.segments:
        marks.append(_spoke(0.0, inner, outer))
    body = "".join(f'<path d="{"".join(shapes)}" fill="{fill}"/>' for fill, shapes in fills.items())
    edges = "".join(
        f'<circle r="{one:.1f}" fill="none" stroke="#333" stroke-width=".8"/>' for one in (inner, outer)
    )  # fmt: skip
    labels, width, bottom = _labels(chromosome, outer)
    side = max(outer + 16, width / 2)
    return Shape(svg=body + edges + "".join(marks) + labels, top=-outer - 14, bottom=bottom, left=side, right=side)


def _labels(chromosome: Chromosome, outer: float) -> tuple[str, float, float]:
    joins = chromosome_junctions(chromosome)
    several = len({segment.chromosome for segment in chromosome.segments}) > 1
    texts = []
    for join in joins:
        ends = [end for end in (join.left, join.right) if end is not None]
        names = [f"{end.chromosome if several else ''}{end.text}" for end in ends]
        texts.append("::".join(names if len(names) == 2 else [*names, "?"]))
    y = outer + 9
    out = [f'<path d="M0 {outer + 1:.1f}l-2.3 4h4.6z" fill="{MARK}"/>'] if texts else []
    for at, text in enumerate(texts):
        out.append(
            f'<text x="0" y="{y + 6 + 9 * at:.1f}" font-size="8" text-anchor="middle" fill="#222">{escape(text)}</text>'
        )
    width = max((text_width(text, 8) for text in texts), default=0.0)
    return "".join(out), width, y + 9 * len(texts)


def _point(turn: float, radius: float) -> str:
    angle = 2 * pi * turn + pi / 2
    return f"{radius * cos(angle):.1f} {radius * sin(angle):.1f}"


def _sector(start: float, stop: float, inner: float, outer: float) -> str:
    if stop - start > 0.999:  # an arc cannot end where it starts
        return _sector(start, start + 0.5, inner, outer) + _sector(start + 0.5, start + 0.999, inner, outer)
    large = int(stop - start > 0.5)
    return (
        f"M{_point(start, inner)}L{_point(start, outer)}A{outer:.1f} {outer:.1f} 0 {large} 1 {_point(stop, outer)}"
        f"L{_point(stop, inner)}A{inner:.1f} {inner:.1f} 0 {large} 0 {_point(start, inner)}Z"
    )


def _waist(turn: float, inner: float, outer: float) -> str:
    """Two notches at the centromere."""
    wide = 0.9 / outer
    outside = (
        f"M{_point(turn - wide / 2, outer + 0.6)}L{_point(turn, outer - 3)}L{_point(turn + wide / 2, outer + 0.6)}Z"
    )
    inside = (
        f"M{_point(turn - wide / 2, inner - 0.6)}L{_point(turn, inner + 2)}L{_point(turn + wide / 2, inner - 0.6)}Z"
    )
    return f'<path d="{outside}{inside}" fill="#fff" stroke="#333" stroke-width=".6"/>'


def _spoke(turn: float, inner: float, outer: float) -> str:
    return f'<path d="M{_point(turn, inner)}L{_point(turn, outer)}" stroke="{MARK}" stroke-width="1.4"/>'


def _band_of_origin(turn: float, size: float, outer: float, name: str) -> str:
    colour = COLOURS.get(name, COLOURS["?"])
    gap = min(0.004, size / 4)
    start, stop, radius = turn + gap, turn + min(size, 0.999) - gap, outer + 3.5
    large = int(stop - start > 0.5)
    arc = f"M{_point(start, radius)}A{radius:.1f} {radius:.1f} 0 {large} 1 {_point(stop, radius)}"
    x, y = _point(turn + size / 2, outer + 11).split()
    return (
        f'<path d="{arc}" fill="none" stroke="{colour}" stroke-width="3"/>'
        f'<text x="{x}" y="{float(y) + 3:.1f}" font-size="8.5" font-weight="700" text-anchor="middle" fill="{colour}">'
        f"{escape(name)}</text>"
    )


def is_round(chromosome: Chromosome) -> bool:
    """Whether a chromosome is drawn as a ring."""
    return chromosome.ring and any(isinstance(piece, Segment) or piece.what == "r" for piece in chromosome.pieces)
