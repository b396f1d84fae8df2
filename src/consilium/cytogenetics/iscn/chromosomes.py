"""Chromosomes as lists of pieces, and what can be done with them: cut, turn, insert, mirror.

A piece is a stretch of a known chromosome or something unknown. It lies in the derivative from its `start` to its
`stop`: a stretch that runs from a greater to a smaller place is turned round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from consilium.cytogenetics.iscn.places import Place, centromere, resolve
from consilium.cytogenetics.iscn.tree import Arm


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one chromosome, from one place to another as it lies in the derivative."""

    start: Place
    stop: Place

    @property
    def chromosome(self) -> str:
        """Where it comes from: "1".."22", "X" or "Y"."""
        return self.start.chromosome

    @property
    def inverted(self) -> bool:
        """Whether it runs from qter towards pter."""
        return self.start.at > self.stop.at

    @property
    def low(self) -> Place:
        """The end that is nearer to pter."""
        return self.stop if self.inverted else self.start

    @property
    def high(self) -> Place:
        """The end that is nearer to qter."""
        return self.start if self.inverted else self.stop

    @property
    def length(self) -> int:
        """ISCN units."""
        return self.high.at - self.low.at

    def turned(self) -> Segment:
        """The same stretch the other way round."""
        return Segment(self.stop, self.start)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Material whose origin is not told.

    Attributes:
        what: "?" unknown, "hsr" homogeneously staining region, "mar", "r", "U" an undisclosed sex chromosome.
        centric: it has the centromere, or one of them.
    """

    what: str = "?"
    centric: bool = False

    def turned(self) -> Unknown:
        """The same the other way round."""
        return self


Piece = Segment | Unknown
Pieces = tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chromosome:
    """One chromosome of a cell.

    Attributes:
        name: "9" for a normal one, else the short form without breakpoints, "der(9)t(9;22)"; "mar1".
        home: whose centromere it has: "1".."22", "X", "Y", or "?".
        pieces: from the end that is pter in a normal one, in order; of a ring from one of its junctions on.
        normal: nothing about it is changed.
        ring: its ends are joined.
        counted: as how many it counts; more than 1 in a telomeric association (ISCN 2024, 5.5.17e).
        fragile: fragile sites and neocentromeres on it.
        doubtful: a "?", "~" or "or" stands in what it was made from, or it could be read in two ways.
        read: False where its change could not be read; its pieces are then those of the normal chromosome.
    """

    name: str
    home: str
    pieces: Pieces
    normal: bool = False
    ring: bool = False
    counted: int = 1
    fragile: tuple[Place, ...] = ()
    doubtful: bool = False
    read: bool = True

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The pieces of known origin."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Segment))


def detailed(chromosome: Chromosome) -> str:
    """A chromosome as the detailed system writes it, without name and brackets (ISCN 2024, 4.3.2).

    Chromosome numbers stand where there is more than one chromosome of origin, or something unknown; ":" at an end that
    is broken, "::" at both ends of a ring.
    """
    origins = {segment.chromosome for segment in chromosome.segments}
    several = len(origins) > 1 or len(chromosome.pieces) > len(chromosome.segments)

    def end(place: Place) -> str:
        return f"{place.chromosome if several else ''}{place.text}"

    texts = [
        f"{end(piece.start)}->{end(piece.stop)}"
        if isinstance(piece, Segment)
        else "hsr" if piece.what == "hsr" else "?"
        for piece in chromosome.pieces
    ]  # fmt: skip
    inner = "::".join(texts)
    if chromosome.ring:
        return f"::{inner}::"
    first, last = chromosome.pieces[0], chromosome.pieces[-1]
    before = ":" if isinstance(first, Segment) and not _is_end(first.start) else ""
    after = ":" if isinstance(last, Segment) and not _is_end(last.stop) else ""
    return before + inner + after


def _is_end(place: Place) -> bool:
    return place.text in ("pter", "qter")


@cache
def normal(name: str) -> Chromosome:
    """The normal chromosome of a name, "1".."22", "X" or "Y"."""
    return Chromosome(name=name, home=name, pieces=whole(name), normal=True)


@cache
def whole(name: str) -> Pieces:
    """A chromosome from pter to qter as pieces."""
    return (Segment(resolve(name, "pter"), resolve(name, "qter")),)


def arm_of(place: Place) -> Arm:
    """The arm that a place is on: at the centromere the arm that is written; empty where none is told."""
    edge = centromere(place.chromosome)
    if not place.text.strip("?"):
        return ""
    if place.at == edge:
        letter = place.text.lstrip("?")[:1]
        return letter if letter in ("p", "q") else ""  # type: ignore[return-value]
    return "p" if place.at < edge else "q"


def distal(place: Place) -> Segment:
    """The stretch of a normal chromosome from a place to the end of that arm."""
    return Segment(place, resolve(place.chromosome, "pter" if arm_of(place) == "p" else "qter"))


def turned(pieces: Pieces) -> Pieces:
    """The same pieces seen from the other end."""
    return tuple(piece.turned() for piece in reversed(pieces))


def openings(pieces: Pieces, place: Place) -> list[tuple[Pieces, Pieces]]:
    """Every way to cut a chromosome at a place: what is left of the cut and what is right of it.

    Where no stretch holds the place itself, an end that may be the same break ("p34" and "p34.1") is taken for it.
    """
    held = [(at, piece) for at, piece in enumerate(pieces) if isinstance(piece, Segment)]
    held = [(at, piece) for at, piece in held if piece.chromosome == place.chromosome]
    cuts: dict[tuple[int, bool], tuple[Pieces, Pieces]] = {}
    for at, piece in held:
        if piece.low.at < place.at < piece.high.at:
            left, right = Segment(piece.start, place), Segment(place, piece.stop)
            cuts[at, True] = ((*pieces[:at], left), (right, *pieces[at + 1 :]))
        elif place.at in (piece.start.at, piece.stop.at):
            cut = at if place.at == piece.start.at else at + 1
            cuts[cut, False] = (pieces[:cut], pieces[cut:])
    if cuts:
        return list(cuts.values())
    for at, piece in held:
        for end, cut in ((piece.start, at), (piece.stop, at + 1)):
            if end.start <= place.stop and place.start <= end.stop and end.start < end.stop:
                cuts[cut, False] = (pieces[:cut], pieces[cut:])
    return list(cuts.values())


def without_distal(pieces: Pieces, place: Place) -> tuple[Pieces, bool] | None:
    """Cut a chromosome and drop the part without the centromere.

    Returns:
        The part kept, and whether the cut is its last end (else its first); None where it cannot be cut there.
    """
    found = openings(pieces, place)
    if not found:
        return None
    cuts = [
        (right_is_distal, left, right)
        for left, right in found
        for right_is_distal in [_drops_right(left, right, place)]
    ]
    # Of several cuts at one place that which takes least away: material inserted there stays.
    at_end, left, right = min(cuts, key=lambda cut: len(cut[2] if cut[0] else cut[1]))
    return (left, True) if at_end else (right, False)


def opened_twice(pieces: Pieces, first: Place, second: Place) -> tuple[Pieces, Pieces, Pieces] | None:
    """Cut a chromosome at two places.

    Returns:
        What lies before, between and after; None where it cannot be cut at both.
    """
    for left, right in openings(pieces, first):
        after = openings(right, second)
        if after:
            return left, *after[0]
        before = openings(left, second)
        if before:
            return *before[-1], right
    return None


def arm_pieces(pieces: Pieces, home: str, arm: Arm) -> Pieces | None:
    """One arm of a chromosome or derivative, from the centromere outwards; None where it is not there."""
    for left, right in openings(pieces, resolve(home, "cen")):
        for side in (right, turned(left)):
            first = side[0] if side else None
            ours = isinstance(first, Segment) and first.chromosome == home and first.length > 0
            if ours and isinstance(first, Segment) and ("p" if first.inverted else "q") == arm:
                return side
    return None


def centric(pieces: Pieces) -> int:
    """2 where a whole centromere is within, 1 where a stretch ends at one, 0 where there is none."""
    return max((_centric(piece) for piece in pieces), default=0)


def centromeres(chromosome: Chromosome) -> int:
    """How many centromeres a chromosome has; arms that meet at their centromeres count as one."""
    whole_ones = sum(_centric(piece) == 2 for piece in chromosome.pieces)
    return whole_ones + sum(1 for _ in _joined_at_centromeres(chromosome.pieces))


def _joined_at_centromeres(pieces: Pieces) -> Iterator[int]:
    at = 0
    while at < len(pieces):
        if _centric(pieces[at]) == 1:
            yield at
            after = pieces[at + 1] if at + 1 < len(pieces) else None
            at += 1 if after is not None and _centric(after) == 1 else 0
        at += 1


def _centric(piece: Piece) -> int:
    if isinstance(piece, Unknown):
        return 2 if piece.centric else 0
    edge = centromere(piece.chromosome)
    if piece.low.at < edge < piece.high.at:
        return 2
    return 1 if edge in (piece.low.at, piece.high.at) else 0


def _drops_right(left: Pieces, right: Pieces, place: Place) -> bool:
    edge = centromere(place.chromosome)
    kept_left, kept_right = centric(left), centric(right)
    if place.at != edge and kept_left != kept_right:
        return kept_left > kept_right
    # At a centromere, or between two: the side that runs outwards on the arm written.
    beside = right[0] if right else None
    if isinstance(beside, Segment) and beside.chromosome == place.chromosome:
        return ("p" if beside.inverted else "q") == arm_of(place)
    inner = left[-1] if left else None
    if isinstance(inner, Segment):
        return ("p" if inner.inverted else "q") == arm_of(place)
    return True
