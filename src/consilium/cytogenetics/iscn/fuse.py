"""Chromosomes made of several: dicentrics, whole-arm derivatives, telomeric associations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from consilium.cytogenetics.iscn.chromosomes import (
    Pieces,
    Segment,
    Unknown,
    arm_of,
    distal,
    turned,
    whole,
    without_distal,
)
from consilium.cytogenetics.iscn.places import Place, centromere, resolve
from consilium.cytogenetics.iscn.told import Told, Unreadable
from consilium.cytogenetics.iscn.tree import Rearrangement


def fused(change: Rearrangement, said: Told) -> tuple[Pieces, bool, bool]:
    """Join the chromosomes that a change names.

    A breakpoint p10 or q10 brings the arm written; any other the part with the centromere (ISCN 2024, 5.5.4, 5.5.18.2).
    One chromosome between two others has two breakpoints, in the order in which it lies (5.5.19).

    Returns:
        The pieces, whether they are a ring, and whether another reading is as good.

    Raises:
        Unreadable: breakpoints are missing.
    """
    if len(said.names) < 2:
        raise Unreadable(f"{said.kind!r} joins at least two chromosomes")
    if not said.places and any(name != "?" for name in said.names):
        raise Unreadable("breakpoints are not told")
    ring = said.kind == "dicr"
    made: list[Segment | Unknown] = []
    unsure = False
    for at, name in enumerate(said.names):
        inner = ring or 0 < at < len(said.names) - 1
        if name == "?":
            made.append(Unknown(centric=True))
        elif inner:
            first, second = said.two(at)
            made += _between(first, second, whole_ends=said.kind == "tas")
        else:
            pieces, doubtful = _end(said, at)
            unsure = unsure or doubtful
            made += pieces if at == 0 else turned(pieces)
    return tuple(made), ring, unsure


def _between(first: Place, second: Place, *, whole_ends: bool) -> Pieces:
    if whole_ends:
        return whole(first.chromosome) if first.at < second.at else turned(whole(first.chromosome))
    return (Segment(first, second),)


def _end(said: Told, which: int) -> tuple[Pieces, bool]:
    """What a chromosome brings, so that its broken end is the last."""
    place = said.one(which)
    arm = arm_of(place)
    if not arm:
        raise Unreadable(f"on which arm of chromosome {place.chromosome} the breakpoint lies is not told")
    if said.kind == "tas":
        pieces = whole(place.chromosome)
        return (pieces if arm == "q" else turned(pieces)), False
    old = said.kind in ("der", "rob") and place.text[1:].startswith("11")
    if place.at == centromere(place.chromosome) or old:
        edge = place if place.at == centromere(place.chromosome) else resolve(place.chromosome, arm + "10")
        return (distal(edge).turned(),), old
    kept = without_distal(whole(place.chromosome), place)
    assert kept is not None
    pieces, at_end = kept
    return (pieces if at_end else turned(pieces)), said.kind in ("der", "rob")


def joined_by_translocations(change: Rearrangement, translocations: Sequence[Told]) -> Pieces:
    """A derivative of several centromeres, joined by the translocations behind it: "der(5;7)t(3;5)...t(3;7)...".

    A chromosome named in the head brings what lies around its centromere, another the stretch between its breaks or
    beyond its only one (ISCN 2024, 5.5.3h).

    Raises:
        Unreadable: they do not make one chromosome.
    """
    heads = [one.name for one in change.chromosomes]
    breaks: dict[str, list[Place]] = defaultdict(list)
    joins: list[tuple[Place, Place]] = []
    for said in translocations:
        if len(said.names) != 2 or "?" in said.names:
            raise Unreadable("its translocations have two known chromosomes each")
        one, other = said.one(0), said.one(1)
        joins.append((one, other))
        breaks[one.chromosome].append(one)
        breaks[other.chromosome].append(other)
    if len(set(heads)) != len(heads) or not set(heads) <= set(breaks):
        raise Unreadable("its translocations do not join the chromosomes of its head")
    parts = {name: _part(name, places, name in heads) for name, places in breaks.items()}
    return _path(parts, joins)


def _part(name: str, places: list[Place], has_centromere: bool) -> Segment:
    edge = centromere(name)
    start, end = resolve(name, "pter"), resolve(name, "qter")
    if has_centromere:
        low = max((place for place in places if place.at < edge), key=lambda place: place.at, default=start)
        high = min((place for place in places if place.at > edge), key=lambda place: place.at, default=end)
        return Segment(low, high)
    if len(places) == 1:
        return distal(places[0])
    if len(places) == 2 and places[0].at != places[1].at:
        low, high = sorted(places, key=lambda place: place.at)
        return Segment(low, high)
    raise Unreadable(f"what chromosome {name} brings is not told")


def _path(parts: dict[str, Segment], joins: list[tuple[Place, Place]]) -> Pieces:
    linked: dict[Place, Place] = {}
    for one, other in joins:
        if one in linked or other in linked:
            raise Unreadable("a break is joined twice")
        linked[one], linked[other] = other, one
    if any(place not in (parts[place.chromosome].start, parts[place.chromosome].stop) for place in linked):
        raise Unreadable("its translocations do not make one chromosome")
    free = [
        part if part.start not in linked else part.turned()
        for part in parts.values()
        if (part.start in linked) != (part.stop in linked)
    ]
    if not free:
        raise Unreadable("its translocations do not make one chromosome")
    at: Segment | None = min(free, key=lambda part: (part.inverted, list(parts).index(part.chromosome)))
    made: list[Segment] = []
    while at is not None and len(made) < len(parts):
        made.append(at)
        after = linked.get(at.stop)
        if after is None:
            break
        following = parts[after.chromosome]
        at = following if following.start == after else following.turned()
    if len(made) != len(parts):
        raise Unreadable("its translocations do not make one chromosome")
    return tuple(made)
