"""The places of a drawn karyogram: what stands in each, and how wide it is with its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from consilium.cytogenetics.iscn.chromosomes import Chromosome, detailed
from consilium.cytogenetics.iscn.draw_wording import WORDS, Language
from consilium.cytogenetics.iscn.ideogram import HALF, MARK, Shape, linear_shape, normal_shape, text_width
from consilium.cytogenetics.iscn.mean import Extra
from consilium.cytogenetics.iscn.places import CHROMOSOMES
from consilium.cytogenetics.iscn.ring_drawing import is_round, ring_shape

NAME_SIZE, NAME_LINE = 9.0, 10.5
"""Of the names beneath abnormal chromosomes: size and distance of their rows, in pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One chromosome's place: what is drawn and what stands beneath."""

    svg: str
    top: float
    bottom: float
    left: float
    right: float
    names: tuple[str, ...] = ()

    @property
    def width(self) -> float:
        """Pixels, with the name beneath."""
        return self.to_left + self.to_right

    @property
    def to_left(self) -> float:
        """From the left edge to the axis."""
        return max(self.left, self._half_name)

    @property
    def to_right(self) -> float:
        """From the axis to the right edge."""
        return max(self.right, self._half_name)

    @property
    def _half_name(self) -> float:
        return max((text_width(name, NAME_SIZE) for name in self.names), default=0.0) / 2 + 1


def slot_of(chromosome: Chromosome, lang: Language) -> Slot:
    """A chromosome in its place; beneath an abnormal one its short form, a change a row."""
    if chromosome.normal:
        ideogram = normal_shape(chromosome.name)
        use = f'<use href="#ideogram-{chromosome.name}"/>'
        return Slot(svg=use, top=ideogram.top, bottom=ideogram.bottom, left=HALF, right=HALF)
    if not chromosome.read:
        return _not_read(chromosome, lang)
    shape: Shape = ring_shape(chromosome) if is_round(chromosome) else linear_shape(chromosome)
    name = WORDS[lang]["undisclosed"] if chromosome.home == "U" else chromosome.name
    lines = _name_lines(name)
    if chromosome.doubtful:
        lines = (*lines[:-1], lines[-1] + " ?")
    told = f"<title>{escape(chromosome.name)}: {escape(detailed(chromosome))}</title>" if chromosome.segments else ""
    return Slot(
        svg=told + shape.svg, top=shape.top, bottom=shape.bottom, left=shape.left + 2, right=shape.right + 2,
        names=lines,
    )  # fmt: skip


def _not_read(chromosome: Chromosome, lang: Language) -> Slot:
    """In the place of a chromosome whose change could not be read: its normal form, pale, in a frame."""
    name = chromosome.home if chromosome.home in CHROMOSOMES else "X"
    shape = normal_shape(name)
    pale = f'<g opacity=".3">{shape.svg}</g>' if chromosome.home == name else ""
    frame = (
        f'<rect x="{-HALF - 3:.1f}" y="{shape.top - 3:.1f}" width="{2 * HALF + 6:.1f}" '
        f'height="{shape.bottom - shape.top + 6:.1f}" fill="none" stroke="{MARK}" stroke-dasharray="4 3"/>'
    )
    return Slot(
        svg=pale + frame, top=shape.top - 3, bottom=shape.bottom + 3, left=HALF + 4, right=HALF + 4,
        names=(*_name_lines(chromosome.name), WORDS[lang]["not_read"]),
    )  # fmt: skip


def _name_lines(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^()]*\([^)]*\)|[^()]+", name)) or (name,)


def marked(slots: Sequence[Slot], gained: int, name: str) -> list[Slot]:
    """The slots, with "+8" beneath those normal chromosomes that are more than expected: the last of them."""
    ordinary = [at for at, slot in enumerate(slots) if not slot.names]
    more = set(ordinary[len(ordinary) - gained :]) if gained > 0 else set()
    return [replace(slot, names=(f"+{name}",)) if at in more else slot for at, slot in enumerate(slots)]


def empty_slot(name: str) -> Slot:
    """The place of a homologue that is lost, or part of another chromosome."""
    shape = normal_shape(name)
    height = shape.bottom - shape.top
    frame = (
        f'<rect x="{-HALF:.1f}" y="{shape.top:.1f}" width="{2 * HALF:.1f}" height="{height:.1f}" rx="6" fill="none" '
        'stroke="#9aa4b2" stroke-dasharray="3 3"/>'
    )
    return Slot(svg=frame, top=shape.top, bottom=shape.bottom, left=HALF, right=HALF)


def extra_slot(extra: Extra) -> Slot:
    """Double minutes and other acentric fragments: a few dots, whatever their number."""
    number = extra.number
    many = "" if number is None else str(number.low) + ("" if number.high is None else f"~{number.high}")
    many = ">" + many if extra.more_than else many
    pairs = ((-2, -8), (2, -8), (-6, 0), (-2, 0), (5, 3), (9, 3))
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="1.6" fill="#444"/>' for x, y in pairs)
    return Slot(svg=dots, top=-12.0, bottom=8.0, left=10.0, right=12.0, names=(f"{many} {extra.kind}".strip(),))
