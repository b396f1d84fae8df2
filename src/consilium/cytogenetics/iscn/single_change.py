"""A single change applied to a chromosome, or to a derivative that other changes made before.

Each rule gets what the change tells, the pieces it is applied to, and which of the chromosomes named these are; it
gives the pieces after it, or says why it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from consilium.cytogenetics.iscn.chromosomes import (
    Pieces,
    Segment,
    Unknown,
    arm_of,
    arm_pieces,
    distal,
    opened_twice,
    openings,
    turned,
    without_distal,
)
from consilium.cytogenetics.iscn.places import Place, centromere, resolve
from consilium.cytogenetics.iscn.told import Told, Unreadable, told
from consilium.cytogenetics.iscn.tree import Rearrangement

MOST_PIECES = 200
"""Of one chromosome: mirror images of mirror images would have no end."""

UNCHANGED = frozenset({"fra", "neo", "upd"})
"""Kinds that leave the chromosome's bands as they are."""


def applied(change: Rearrangement, pieces: Pieces, which: int) -> tuple[Pieces, bool]:
    """Apply one change to a chromosome or derivative.

    Args:
        change: a single change.
        pieces: what it is applied to.
        which: which of the chromosomes that the change names this one is.

    Returns:
        The new pieces, and whether they are a ring.

    Raises:
        Unreadable: it cannot be applied.
    """
    if len(pieces) > MOST_PIECES:
        raise Unreadable(f"it has more than {MOST_PIECES} parts")
    if change.kind in UNCHANGED:
        return pieces, False
    if change.kind == "r":
        return _ring(told(change), pieces), True
    try:
        rule = _RULES[change.kind]
    except KeyError:
        raise Unreadable(f"{change.kind!r} has no reading in bands") from None
    return rule(told(change), pieces, which), False


def _translocated(said: Told, pieces: Pieces, which: int) -> Pieces:
    donor = said.names[which - 1]
    came: Pieces = (distal(said.one(which - 1)),) if donor != "?" else (Unknown(),)
    if said.names[which] == "?":
        return _onto_unknown(pieces, came)
    kept = _kept(pieces, said.one(which))
    return (*kept[0], *came) if kept[1] else (*turned(came), *kept[0])


def _inserted(said: Told, pieces: Pieces, which: int) -> Pieces:
    if len(said.names) == 1:
        into, first, second = said.three()
        low, high = sorted((first, second), key=lambda place: place.at)
        rest = without(pieces, low, high)
        return _put(rest, into, into, (Segment(first, second),))
    donor = (which - 1) % len(said.names)
    if said.names[donor] == "?" and len(said.names) == 2:
        moved: Pieces = (Unknown(),) if which == 0 else ()
    else:
        given = said.on(donor)
        moved = (Segment(*given),) if len(given) == 2 else ()
    if said.names[which] == "?":
        return _onto_unknown(pieces, moved)
    own = said.on(which)
    if len(own) not in (1, 2):
        raise Unreadable("an insertion has one or two breakpoints on each chromosome")
    low, high = sorted((own[0], own[-1]), key=lambda place: place.at)
    return _put(pieces, low, high, moved)


def _onto_unknown(pieces: Pieces, came: Pieces) -> Pieces:
    """Join pieces to a chromosome of unknown origin: to its other end where one is taken (ISCN 2024, 5.5.3i)."""
    free = isinstance(pieces[-1], Unknown) and pieces[-1].centric
    return (*pieces, *came) if free else (*turned(came), *pieces)


def _put(pieces: Pieces, low: Place, high: Place, moved: Pieces) -> Pieces:
    """Put pieces between two places, in their order from pter to qter of the chromosome they come to."""
    if low.at == high.at:
        found = openings(pieces, low)
        if not found:
            raise Unreadable(f"{low.chromosome}{low.text} is no longer there")
        left, right = found[0]
    else:
        cut = opened_twice(pieces, low, high)
        if cut is None:
            raise Unreadable(f"{low.chromosome}{low.text} to {high.text} is no longer there")
        left, _, right = cut
    beside = left[-1] if left else right[0]
    against = isinstance(beside, Segment) and beside.inverted
    return (*left, *(turned(moved) if against else moved), *right)


def _deleted(said: Told, pieces: Pieces, which: int) -> Pieces:
    places = said.on(which)
    if not places and said.arms[which]:
        places = (resolve(said.names[which], said.arms[which] + "?"),)
    if len(places) == 1:
        return _kept(pieces, places[0])[0]
    low, high = said.pair(which)
    return without(pieces, low, high)


def _duplicated(said: Told, pieces: Pieces, which: int) -> Pieces:
    return _repeated(said, pieces, which, 2)


def _triplicated(said: Told, pieces: Pieces, which: int) -> Pieces:
    return _repeated(said, pieces, which, 3)


def _quadruplicated(said: Told, pieces: Pieces, which: int) -> Pieces:
    return _repeated(said, pieces, which, 4)


def _repeated(said: Told, pieces: Pieces, which: int, times: int) -> Pieces:
    first, second = said.two(which)
    low, high = sorted((first, second), key=lambda place: place.at)
    before, within, after = _cut(pieces, low, high)
    if first.at <= second.at:
        return _run_together((*before, *within * times, *after))
    # Every other copy is turned: "dup(1)(q25q22)", "trp(1)(q32q21)" (ISCN 2024, 5.5.5, 5.5.20).
    copies = [turned(within) if number % 2 else within for number in range(times)]
    return _run_together((*before, *(piece for copy in copies for piece in copy), *after))


def _run_together(pieces: Pieces) -> Pieces:
    """Make one of stretches that follow each other as in the normal chromosome."""
    made: list[Segment | Unknown] = []
    for piece in pieces:
        last = made[-1] if made else None
        if (
            isinstance(piece, Segment) and isinstance(last, Segment)
            and last.stop == piece.start and last.inverted == piece.inverted
        ):  # fmt: skip
            made[-1] = Segment(last.start, piece.stop)
        else:
            made.append(piece)
    return tuple(made)


def _inverted(said: Told, pieces: Pieces, which: int) -> Pieces:
    before, within, after = _cut(pieces, *said.pair(which))
    return (*before, *turned(within), *after)


def _added(said: Told, pieces: Pieces, which: int) -> Pieces:
    kept, at_end = _kept(pieces, said.one(which))
    return (*kept, Unknown()) if at_end else (Unknown(), *kept)


def _homogeneous(said: Told, pieces: Pieces, which: int) -> Pieces:
    region = (Unknown("hsr"),)
    if said.names[which] == "?":
        return _onto_unknown(pieces, region)
    if len(said.names) == 1:
        place = said.one(which)
        return _put(pieces, place, place, region)
    for at in range(1, len(pieces)):
        sides = {piece.chromosome for piece in pieces[at - 1 : at + 1] if isinstance(piece, Segment)}
        if sides == set(said.names):
            ends = (pieces[at - 1], pieces[at])
            texts = {ends[0].stop.at, ends[1].start.at}  # type: ignore[union-attr]  # both are segments here
            if texts == {said.one(0).at, said.one(1).at}:
                return (*pieces[:at], *region, *pieces[at:])
    raise Unreadable("the junction that the region lies at is not found")


def mirrored_arm(said: Told, pieces: Pieces, which: int) -> Pieces:
    """One arm of a chromosome or derivative and its mirror image, joined at the centromere (ISCN 2024, 5.5.11).

    Raises:
        Unreadable: the arm is not told or not there.
    """
    home = said.names[which]
    places = said.on(which)
    arm = arm_of(places[0]) if places else said.arms[which]
    if home == "?" or not arm:
        raise Unreadable("which arm the isochromosome has is not told")
    side = arm_pieces(pieces, home, arm)
    if side is None:
        raise Unreadable("the arm is not there")
    middle = resolve(home, f"{arm}10")
    first = side[0]
    assert isinstance(first, Segment)
    side = (Segment(middle, first.stop), *side[1:])
    return (*turned(side), *side)


def _isodicentric(said: Told, pieces: Pieces, which: int) -> Pieces:
    kept, at_end = _kept(pieces, said.one(which))
    return (*kept, *turned(kept)) if at_end else (*turned(kept), *kept)


def _inverted_duplicated(said: Told, pieces: Pieces, which: int) -> Pieces:
    if len(said.on(which)) == 1:
        return _isodicentric(said, pieces, which)
    low, high = said.pair(which)
    before, within, after = _cut(pieces, low, high)
    return _run_together((*before, *within, *turned(within), *after))


def _split(said: Told, pieces: Pieces, which: int) -> Pieces:
    place = said.one(which)
    return (distal(place),) if arm_of(place) == "q" else (distal(place).turned(),)


def _ring(said: Told, pieces: Pieces) -> Pieces:
    if len(said.names) == 1:
        home = said.names[0]
        if home == "?":
            return pieces
        if not said.places:
            # Where the ends broke is not known: somewhere on either arm.
            edge, start, end = centromere(home), resolve(home, "pter"), resolve(home, "qter")
            return (Segment(replace(start, text="p?", stop=edge), replace(end, text="q?", start=edge)),)
        return _cut(pieces, *said.pair(0))[1]
    if not said.places:
        raise Unreadable("the breakpoints of the ring are not told")
    made: list[Segment | Unknown] = []
    for at, name in enumerate(said.names):
        if name == "?":
            made.append(Unknown())
        else:
            made.append(Segment(*(said.two(at))))
    return tuple(made)


def _kept(pieces: Pieces, place: Place) -> tuple[Pieces, bool]:
    if not arm_of(place):
        raise Unreadable(f"on which arm of chromosome {place.chromosome} the breakpoint lies is not told")
    found = without_distal(pieces, place)
    if found is None or not found[0]:
        raise Unreadable(f"{place.chromosome}{place.text} is no longer there")
    return found


def without(pieces: Pieces, low: Place, high: Place) -> Pieces:
    """What is left where a stretch between two places, from pter to qter, is taken out.

    Raises:
        Unreadable: they are not both there.
    """
    before, _, after = _cut(pieces, low, high)
    return (*before, *after)


def _cut(pieces: Pieces, low: Place, high: Place) -> tuple[Pieces, Pieces, Pieces]:
    cut = opened_twice(pieces, low, high)
    if cut is None:
        raise Unreadable(f"{low.chromosome}{low.text} to {high.text} is no longer there")
    return cut


_RULES: Mapping[str, Callable[[Told, Pieces, int], Pieces]] = {
    "t": _translocated, "ins": _inserted, "dir ins": _inserted, "inv ins": _inserted, "del": _deleted,
    "dup": _duplicated, "dir dup": _duplicated, "inv dup": _inverted_duplicated, "trp": _triplicated,
    "qdp": _quadruplicated, "inv": _inverted, "add": _added, "hsr": _homogeneous, "i": mirrored_arm,
    "idic": _isodicentric, "psu idic": _isodicentric, "fis": _split,
}  # fmt: skip
