"""The detailed system: a strand tells the pieces of its chromosome directly (ISCN 2024, 4.3.2, 5.4.2.2)."""

from __future__ import annotations

from dataclasses import replace

from consilium.cytogenetics.iscn.chromosomes import Piece, Pieces, Segment, Unknown, arm_of
from consilium.cytogenetics.iscn.places import CHROMOSOMES, resolve
from consilium.cytogenetics.iscn.told import Unreadable
from consilium.cytogenetics.iscn.tree import Landmark, Strand
from consilium.cytogenetics.iscn.tree import Piece as WrittenPiece


def strand_pieces(strand: Strand, home: str, kind: str) -> tuple[Pieces, bool]:
    """Build a chromosome from its strand.

    Args:
        strand: as the tree has it.
        home: the chromosome that places without a chromosome are on.
        kind: of the change; what is lost or doubled within one band ("q13::q13") is so where it is "del" or "dup".

    Returns:
        The pieces, and whether they are a ring ("::" at both ends).

    Raises:
        Unreadable: a piece cannot be built.
        UnknownBand: a band does not exist.
    """
    made: list[Piece] = []
    last = home
    for written in strand.pieces:
        if written.start.chromosome in CHROMOSOMES:
            last = written.start.chromosome
        made.append(_piece(written, last))
    ring = len(strand.breaks) > 1 and strand.breaks[0] == strand.breaks[-1] == "::"
    return tuple(_within_one_band(made, kind)), ring


def _piece(written: WrittenPiece, last: str) -> Piece:
    start, end = written.start, written.end
    if start.point.text == "hsr":
        return Unknown("hsr")
    unknown = [one for one in (start, end) if one is not None and (one.chromosome == "?" or one.point.text == "?")]
    if unknown or last not in CHROMOSOMES:
        return Unknown(centric=any(one is not None and one.point.text == "cen" for one in (start, end)))
    if end is None:
        if start.point.text not in ("p", "q"):
            raise Unreadable(f"{start.point.text!r} alone tells no stretch")
        edge, tip = resolve(last, start.point.text + "10"), resolve(last, start.point.text + "ter")
        return Segment(tip, edge) if start.point.text == "p" else Segment(edge, tip)
    other = end.chromosome or last
    if other != last:
        raise Unreadable(f"no stretch runs from chromosome {last} to chromosome {other}")
    first, second = resolve(last, _text(start)), resolve(last, _text(end))
    if first.at == second.at and first.start < first.stop:
        # Within one band: its two thirds, from pter to qter.
        third = (first.stop - first.start) // 3
        return Segment(replace(first, at=first.start + third), replace(second, at=second.stop - third))
    return Segment(first, second)


def _text(end: Landmark) -> str:
    return end.point.text


def _within_one_band(made: list[Piece], kind: str) -> list[Piece]:
    out = list(made)
    for at in range(1, len(out)):
        before, after = out[at - 1], out[at]
        if not (isinstance(before, Segment) and isinstance(after, Segment)) or before.stop != after.start:
            continue
        place = before.stop
        if before.inverted != after.inverted or place.start == place.stop or not arm_of(place):
            continue
        step = (place.stop - place.start) // 6 * {"del": -1, "dup": 1}.get(kind, 0) * (-1 if before.inverted else 1)
        out[at - 1] = Segment(before.start, replace(place, at=place.at + step))
        out[at] = Segment(replace(place, at=place.at - step), after.stop)
    return out
