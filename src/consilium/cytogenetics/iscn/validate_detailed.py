"""Rules of the detailed system: pieces, their ends and what they make together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from consilium.cytogenetics.iscn.mend import mended
from consilium.cytogenetics.iscn.order import along
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import (
    Landmark,
    Piece,
    Rearrangement,
    Strand,
)
from consilium.cytogenetics.iscn.validate_breakpoints import CENTROMERIC, judge_band


def judge_detailed(text: str, what: Rearrangement) -> Iterator[Finding]:
    """The rules that a change told by its pieces breaks."""
    heads = [one.name for one in what.chromosomes]
    if len(what.strands) != len(heads) and (what.kind == "t" or (what.kind == "ins" and len(heads) > 1)):
        values = (("found", str(len(heads))), ("parts", str(len(what.strands))))
        yield Finding("breakpoints-parted", what.span, values)
    marks = [mark for strand in what.strands for mark in _marks(strand)]
    numbered = [mark for mark in marks if mark.chromosome]
    places = [mark for mark in marks if mark.point.arm]
    if len(heads) > 1 or {mark.chromosome for mark in numbered} - set(heads):
        bare = next((mark for mark in places if not mark.chromosome), None)
        if bare is not None:
            said = text[bare.span.start : bare.span.end]
            yield Finding("detailed-chromosome", bare.span, (("text", said),))
            return
    elif numbered and what.kind not in ("der", "dic", "psu dic", "t", "tas"):
        said = text[numbered[0].span.start : numbered[0].span.end]
        today = text
        for mark in reversed(numbered):
            today = mended(today, mark.span, mark.point.text)
        yield Finding("detailed-chromosome", numbered[0].span, (("text", said),), today)
    for mark in places:
        chromosome = mark.chromosome or heads[0]
        written = mark.point.text.partition("~")[0]
        if chromosome != "?" and not written.endswith("ter"):
            yield from judge_band("detailed-band", chromosome, written, mark.point.span)
    ring = what.kind in ("r", "dic r", "trc r")
    for strand in what.strands:
        outer, inner = {strand.breaks[0], strand.breaks[-1]}, set(strand.breaks[1:-1])
        alone = any(piece.end is None and {"-", "~"} & set(piece.start.point.text) for piece in strand.pieces)
        if alone or inner - {"::"} or ("::" in outer and len(outer) > 1) or (ring and outer != {"::"}):
            yield Finding("detailed-join", strand.span, (("text", text[strand.span.start : strand.span.end]),))
        else:
            yield from _ends(text, strand)
    if not _makes(what):
        yield Finding(
            "detailed-kind", what.span, (("kind", what.kind), ("text", text[what.span.start : what.span.end]))
        )


def _makes(what: Rearrangement) -> bool:
    """Whether the pieces are those of the change that they are said to be, as far as that follows from its name."""
    heads = [one.name for one in what.chromosomes]
    if what.kind in ("t", "ins") and len(what.strands) == len(heads) > 1:
        # Every broken end is joined once: each breakpoint stands twice.
        broken = Counter(
            (mark.chromosome, "cen" if mark.point.text in CENTROMERIC else mark.point.text)
            for strand in what.strands
            for mark in _marks(strand)
            if not mark.point.text.endswith("ter")
        )
        return all(times % 2 == 0 for times in broken.values())
    strand = what.strands[0]
    if what.kind in ("dic", "psu dic") and len(what.strands) == 1 and "?" not in heads:
        return not Counter(heads) - _centromeres(strand)
    if len(what.strands) != 1 or len(heads) != 1 or "?" in heads:
        return True
    ends = [(piece.start.point, _last(piece).point) for piece in strand.pieces]
    named = {mark.chromosome or heads[0] for mark in _marks(strand)}
    if heads[0] not in named:
        return False
    whole = {point.text for point in ends[0]} == {"pter", "qter"} and len(ends) == 1
    if whole and what.kind != "neo" and not strand.pieces[0].via:
        return False
    known = [(along(start), along(end)) for start, end in ends]
    if named != set(heads) or any(place is None for pair in known for place in pair):
        return True
    flat = [place for pair in known for place in pair if place is not None]
    in_order = all(one <= other or _part(one, other) for one, other in pairwise(flat))
    if what.kind == "del":
        return in_order
    if what.kind in ("dup", "trp", "qdp"):
        return not in_order or any(_part(one, other) for one, other in pairwise(flat))
    if what.kind == "inv" and len(ends) == 3:
        (_, first), (second, third), (fourth, _) = ends
        return first == third and second == fourth and not flat[2] < flat[1]
    if what.kind in ("i", "idic", "psu idic") and len(ends) == 2:
        return ends[0] == ends[1][::-1]
    return True


def _centromeres(strand: Strand) -> Counter[str]:
    """How many pieces of each chromosome have its centromere, or end at it."""
    found: Counter[str] = Counter()
    for piece in strand.pieces:
        points = (piece.start.point, _last(piece).point)
        if {point.arm for point in points} == {"p", "q"} or any(point.text in CENTROMERIC for point in points):
            found[piece.start.chromosome] += 1
    return found


def received(what: Rearrangement) -> tuple[frozenset[str], ...]:
    """Of which other chromosomes each strand of a change has a piece."""
    return tuple(
        frozenset(mark.chromosome for mark in _marks(strand) if mark.chromosome) - {name.name}
        for strand, name in zip(what.strands, what.chromosomes, strict=False)
    )


def _part(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    common = min(len(one), len(other))
    return one[:common] == other[:common]


def _marks(strand: Strand) -> Iterator[Landmark]:
    for piece in strand.pieces:
        yield piece.start
        yield from piece.via
        if piece.end is not None:
            yield piece.end


def _ends(text: str, strand: Strand) -> Iterator[Finding]:
    first, last = strand.pieces[0].start, _last(strand.pieces[-1])
    for mark, sign in ((first, strand.breaks[0]), (last, strand.breaks[-1])):
        known = along(mark.point) is not None and mark.point.arm
        if not sign and known and not mark.point.text.endswith("ter"):
            yield Finding("detailed-end", mark.span, (("text", text[mark.span.start : mark.span.end]),))


def _last(piece: Piece) -> Landmark:
    return piece.end if piece.end is not None else piece.start
