"""Structurally altered chromosomes for the renderer: from an ISCN string to what each chromosome consists of."""

from __future__ import annotations

from dataclasses import dataclass

from consilium.cytogenetics.iscn.chromosomes import Chromosome, Segment, detailed
from consilium.cytogenetics.iscn.mean import mean
from consilium.cytogenetics.iscn.parse import parse
from consilium.errors import InputError
from consilium.karyotype.metaphase import CLASSES, UNSURE
from consilium.karyotype.render_straight import Stretch

UNKNOWN_UNITS = 2500
"""How long material of unknown origin is drawn, in units of the ideogram: about the long arm of chromosome 21."""

_DARKNESS = {"hsr": 0.62}
_USUAL_DARKNESS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Altered:
    """A structurally altered chromosome of a cell.

    Attributes:
        name: "der(9)t(9;22)", "mar".
        label: whose centromere it has, one of `CLASSES`, or `UNSURE`.
        stretches: what it consists of, from the end that is pter in a normal one.
        composition: the same in the detailed system of ISCN.
        ring: its ends are joined.
    """

    name: str
    label: str
    stretches: tuple[Stretch, ...]
    composition: str
    ring: bool = False


def chromosomes_of(text: str, *, line: int = 0) -> list[str | Altered]:
    """The chromosomes that a cell of an ISCN string has.

    Args:
        text: any ISCN string; double minutes and acentric fragments are not drawn.
        line: which cell line.

    Returns:
        Labels of the normal ones and the altered ones, by chromosome; what is of unknown origin last.

    Raises:
        NotISCN: the string is not well formed.
        InputError: there is no such line, or a change cannot be told in bands.
    """
    lines = mean(parse(text)).lines
    if not 0 <= line < len(lines):
        raise InputError(f"there is no cell line {line + 1}", where=text, way_out=f"The string has {len(lines)}.")
    cell = lines[line]
    if cell.unread:
        raise InputError(f"{cell.unread[0].text} cannot be drawn: {cell.unread[0].why}", where=text)
    return [one.name if one.normal else _altered(one) for one in cell.chromosomes]


def _altered(one: Chromosome) -> Altered:
    stretches = tuple(
        Stretch(label=piece.chromosome, start=piece.start.at, stop=piece.stop.at)
        if isinstance(piece, Segment)
        else Stretch(label="", start=0, stop=UNKNOWN_UNITS, darkness=_DARKNESS.get(piece.what, _USUAL_DARKNESS))
        for piece in one.pieces
        if not isinstance(piece, Segment) or piece.length > 0
    )
    return Altered(
        name=one.name, label=one.home if one.home in CLASSES else UNSURE, stretches=stretches,
        composition=detailed(one), ring=one.ring,
    )  # fmt: skip
