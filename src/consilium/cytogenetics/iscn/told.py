"""What a change tells, with its breakpoints found on the ideogram."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from consilium.cytogenetics.iscn.places import CHROMOSOMES, Place, centromere, resolve_breakpoint
from consilium.cytogenetics.iscn.tree import Arm, Rearrangement


class Unreadable(Exception):  # never leaves the room: it becomes an `Unread` of the line
    """A change from which no chromosome can be built; the argument is the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A change with its places.

    Attributes:
        kind: as in the tree.
        names: of the chromosomes, in the order written; "?" where unknown.
        arms: those written behind the chromosomes.
        places: for each chromosome those on it, in the order written; empty where none are told.
    """

    kind: str
    names: tuple[str, ...]
    arms: tuple[Arm, ...]
    places: tuple[tuple[Place, ...], ...]

    def on(self, which: int) -> tuple[Place, ...]:
        """The places on a chromosome, in the order written; empty where none are told."""
        return self.places[which] if self.places else ()

    def one(self, which: int) -> Place:
        """The only place on a chromosome.

        Raises:
            Unreadable: there is none, or more.
        """
        places = self.on(which)
        if len(places) != 1:
            raise Unreadable(f"one breakpoint on chromosome {self.names[which]} is wanted, {len(places)} are told")
        return places[0]

    def two(self, which: int) -> tuple[Place, Place]:
        """Both places on a chromosome, in the order written.

        Raises:
            Unreadable: there are fewer, or more.
        """
        places = self.on(which)
        if len(places) != 2:
            raise Unreadable(f"two breakpoints on chromosome {self.names[which]} are wanted, {len(places)} are told")
        return places[0], places[1]

    def pair(self, which: int) -> tuple[Place, Place]:
        """Both places on a chromosome, from pter to qter.

        Raises:
            Unreadable: as `two`.
        """
        first, second = self.two(which)
        return (first, second) if first.at <= second.at else (second, first)

    def three(self) -> tuple[Place, Place, Place]:
        """The three places of an insertion within one chromosome: where to, and both ends of the segment.

        Raises:
            Unreadable: there are fewer, or more.
        """
        places = self.on(0)
        if len(places) != 3:
            raise Unreadable(f"three breakpoints are wanted, {len(places)} are told")
        return places[0], places[1], places[2]

    def all_centromeric(self) -> bool:
        """Whether every breakpoint is p10 or q10."""
        points = [place for on_one in self.places for place in on_one]
        ends = all(len(on_one) == 1 for on_one in self.places) and len(self.places) == len(self.names)
        return ends and all(place.text in ("p10", "q10") for place in points)


def told(change: Rearrangement) -> Told:
    """Find the breakpoints of a change.

    Where several lie in one band they are spread over it evenly, in the order written (ISCN 2024, 5.5.2b: a deletion
    within a band repeats the band).

    Raises:
        Unreadable: as many groups of breakpoints as chromosomes are wanted.
        UnknownBand: a band does not exist.
    """
    names = tuple(one.name for one in change.chromosomes)
    arms = tuple(one.arm for one in change.chromosomes)
    groups = change.breakpoints
    if groups and len(groups) != len(names):
        if len(names) != 1 or change.kind not in ("der", "dic", "psu dic"):
            raise Unreadable(f"{len(names)} chromosomes are named, breakpoints are told on {len(groups)}")
        names, arms = names * len(groups), arms * len(groups)
    places = tuple(
        _spread(tuple(resolve_breakpoint(name, point) for point in on_one)) if name in CHROMOSOMES else ()
        for name, on_one in zip(names, groups, strict=False)
    )
    return Told(kind=change.kind, names=names, arms=arms, places=places)


def _spread(places: tuple[Place, ...]) -> tuple[Place, ...]:
    if len(places) < 2:
        return places
    often = Counter((place.at, place.start, place.stop) for place in places)
    seen: Counter[tuple[int, int, int]] = Counter()
    out = []
    for place in places:
        band = place.at, place.start, place.stop
        seen[band] += 1
        if often[band] > 1 and place.stop > place.start and place.at != centromere(place.chromosome):
            place = replace(place, at=place.start + (place.stop - place.start) * seen[band] // (often[band] + 1))
        out.append(place)
    return tuple(out)
