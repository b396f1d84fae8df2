"""What each structural change makes of the normal chromosomes: its derivative chromosomes, built from bands.

Conventions, where ISCN 2024 leaves more than one reading: an inverted duplication follows the original on the way to
qter (5.5.5, the first of its two forms); a translocation of one homologue on the other keeps the centromere of the one
written first (5.5.3l); breakpoints p11 or q11 of a "der(A;B)" mean that whole arm. Such chromosomes are marked doubtful
where the readings differ in what the cell has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from consilium.cytogenetics.iscn.chromosomes import (
    Chromosome,
    Pieces,
    Segment,
    Unknown,
    arm_of,
    arm_pieces,
    distal,
    opened_twice,
    openings,
    turned,
    whole,
    without_distal,
)
from consilium.cytogenetics.iscn.fuse import fused, joined_by_translocations
from consilium.cytogenetics.iscn.names import bare, doubtful_change, key
from consilium.cytogenetics.iscn.places import CHROMOSOMES, Place, centromere, resolve
from consilium.cytogenetics.iscn.strands import strand_pieces
from consilium.cytogenetics.iscn.told import Told, Unreadable, told
from consilium.cytogenetics.iscn.tree import Rearrangement

FUSIONS = frozenset({"dic", "psu dic", "der psu dic", "dicr", "trc", "rob", "tas"})
"""Kinds that join the chromosomes named to one; "der" does so where it names several."""

CHAINS = FUSIONS | {"der", "ider", "rec"}
"""Kinds behind which other changes of the same chromosome may stand."""

UNCHANGED = frozenset({"fra", "neo", "upd"})
"""Kinds that leave the chromosome's bands as they are."""

First = Mapping[tuple[object, ...], Rearrangement]
"""Of each change the first mention with breakpoints (they need not be repeated, ISCN 2024, 4.2.1f)."""


def derivatives(change: Rearrangement, first: First) -> tuple[Chromosome, ...]:
    """Build the derivative chromosomes of a change, in the order in which it names their centromeres.

    Args:
        change: one entry of a line.
        first: where breakpoints of changes without any are found, by `names.key`.

    Raises:
        Unreadable: it cannot be built, with the reason.
        UnknownBand: a breakpoint lies in a band that does not exist.
    """
    change = with_breakpoints(change, first)
    doubtful = doubtful_change(change)
    if change.then and (change.strands or change.kind not in CHAINS):
        raise Unreadable("what stands behind it changes a chromosome that is told already")
    if change.strands:
        return _from_strands(change, doubtful)
    if change.kind == "t" or change.kind.endswith("ins"):
        return _each(change, doubtful)
    several = len(change.chromosomes) > 1 or len(change.breakpoints) > 1
    if change.kind in FUSIONS or (change.kind == "der" and several):
        return (_fusion(change, doubtful),)
    home = change.chromosomes[0].name
    if change.kind in ("der", "ider", "rec"):
        return (_chain(change, home, doubtful),)
    if len(change.chromosomes) > 1 and change.kind != "r":
        raise Unreadable(f"{change.kind!r} of more than one chromosome has no agreed reading")
    pieces, ring = applied(change, _start(home), 0)
    fragile = tuple(place for on_one in told(change).places for place in on_one) if change.kind in UNCHANGED else ()
    return (_made(bare(change), home, pieces, ring=ring, doubtful=doubtful, fragile=fragile),)


def with_breakpoints(change: Rearrangement, first: First) -> Rearrangement:
    """The change, and those in it, with the breakpoints or strands that were told where it was first mentioned."""
    if not (change.breakpoints or change.strands) and (earlier := first.get(key(change))) is not None:
        change = replace(change, breakpoints=earlier.breakpoints, strands=earlier.strands, then=earlier.then)
    return replace(change, then=tuple(with_breakpoints(one, first) for one in change.then)) if change.then else change


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
    if change.kind in UNCHANGED:
        return pieces, False
    if change.kind == "r":
        return _ring(told(change), pieces), True
    try:
        rule = _RULES[change.kind]
    except KeyError:
        raise Unreadable(f"{change.kind!r} has no reading in bands") from None
    return rule(told(change), pieces, which), False


def _start(name: str) -> Pieces:
    return whole(name) if name in CHROMOSOMES else (Unknown(centric=True),)


def _made(
    name: str,
    home: str,
    pieces: Pieces,
    *,
    ring: bool = False,
    doubtful: bool = False,
    counted: int = 1,
    fragile: tuple[Place, ...] = (),
) -> Chromosome:
    kept = tuple(piece for piece in pieces if isinstance(piece, Unknown) or piece.length)
    if not kept:
        raise Unreadable("nothing of it is left")
    return Chromosome(
        name=name, home=home, pieces=kept, ring=ring, doubtful=doubtful,
        counted=counted, fragile=fragile,
    )  # fmt: skip


def _each(change: Rearrangement, doubtful: bool) -> tuple[Chromosome, ...]:
    names = [one.name for one in change.chromosomes]
    if change.kind.endswith("ins") and len(names) == 1:
        pieces, _ = applied(change, _start(names[0]), 0)
        return (_made(bare(change), names[0], pieces, doubtful=doubtful),)
    said = told(change)
    if change.kind == "t" and len(names) < 2:
        raise Unreadable("a translocation names at least two chromosomes")
    if change.kind == "t" and len(names) == 2 and said.all_centromeric():
        return _whole_arms(change, said, doubtful)
    made = []
    for which, name in enumerate(names):
        pieces, _ = applied(change, _start(name), which)
        made.append(_made(f"der({name}){bare(change)}", name, pieces, doubtful=doubtful))
    return tuple(made)


def _whole_arms(change: Rearrangement, said: Told, doubtful: bool) -> tuple[Chromosome, ...]:
    # The arms written are joined with each other, and so are the other two (ISCN 2024, 5.5.18.2a).
    (one,), (other,) = said.places
    other_arm = {"p": "q10", "q": "p10"}
    rest = [resolve(place.chromosome, other_arm[arm_of(place)]) for place in (one, other)]
    rest.sort(key=arm_of)
    return tuple(
        _made(f"der({home}){bare(change)}", home, (distal(a).turned(), distal(b)), doubtful=doubtful)
        for home, a, b in ((one.chromosome, one, other), (other.chromosome, rest[0], rest[1]))
    )


def _fusion(change: Rearrangement, doubtful: bool) -> Chromosome:
    if change.kind == "der" and not change.breakpoints:
        translocations = [one for one in change.then if one.kind == "t"]
        pieces = joined_by_translocations(change, [told(one) for one in translocations])
        others = [one for one in change.then if one.kind != "t"]
        ring = False
    else:
        pieces, ring, unsure = fused(change, told(change))
        others, doubtful = list(change.then), doubtful or unsure
    for one in others:
        pieces, round_ = _on(one, pieces, change.chromosomes[0].name)
        ring = ring or round_
    counted = len(change.chromosomes) if change.kind == "tas" else 1
    home = next((one.name for one in change.chromosomes if one.name != "?"), "?")
    return _made(bare(change), home, pieces, ring=ring, doubtful=doubtful, counted=counted)


def _chain(change: Rearrangement, home: str, doubtful: bool) -> Chromosome:
    if change.kind == "rec":
        return _made(bare(change), home, _recombined(change, home), doubtful=doubtful)
    if change.kind == "der" and (change.breakpoints or not change.then):
        raise Unreadable("what the derivative was made by is not told")
    pieces, ring = _start(home), False
    for one in change.then:
        pieces, round_ = _on(one, pieces, home)
        ring = ring or round_
        doubtful = doubtful or (one.kind == "t" and len({name.name for name in one.chromosomes}) == 1)
    if change.kind == "ider":
        pieces = _mirrored_arm(replace(told(change), kind="i"), pieces, 0)
    return _made(bare(change), home, pieces, ring=ring, doubtful=doubtful)


def _on(change: Rearrangement, pieces: Pieces, home: str) -> tuple[Pieces, bool]:
    """Apply a change of a chain: to the home chromosome where it names that, else to what has come to it before."""
    names = [one.name for one in change.chromosomes]
    present = {piece.chromosome for piece in pieces if isinstance(piece, Segment)}
    order = [at for at, name in enumerate(names) if name == home]
    order += [at for at, name in enumerate(names) if name != home and (name in present or name == "?")]
    if not order:
        raise Unreadable(f"{bare(change)} names no chromosome that the derivative has")
    problem: Unreadable | None = None
    for which in order:
        try:
            return applied(change, pieces, which)
        except Unreadable as one:
            problem = problem or one
    raise problem or Unreadable("it has no reading")


def _recombined(change: Rearrangement, home: str) -> Pieces:
    kinds = [one.kind for one in change.then]
    if sorted(kinds) not in (["del", "ins"], ["dup", "ins"], ["dup", "inv"]) or len(change.then[1].chromosomes) != 1:
        raise Unreadable("this recombinant chromosome has no reading in bands; write it in the detailed system")
    crossed, rule = told(change.then[0]), told(change.then[1])
    if kinds == ["dup", "inv"]:
        low, high = rule.pair(0)
        arm = crossed.arms[0] or (arm_of(crossed.places[0][0]) if crossed.places and crossed.places[0] else "")
        start, end = resolve(home, "pter"), resolve(home, "qter")
        if arm == "p":
            return Segment(start, high), Segment(low, start)
        if arm == "q":
            return Segment(end, low), Segment(high, end)
        raise Unreadable("which arm is duplicated is not told")
    _, first, second = rule.three()
    low, high = sorted((first, second), key=lambda place: place.at)
    if kinds[0] == "del":
        return _without(whole(home), low, high)
    moved, _ = applied(change.then[1], whole(home), 0)
    return moved if not moved else _with_original(moved, low, high)


def _with_original(moved: Pieces, low: Place, high: Place) -> Pieces:
    # The segment inserted, and the one that never left.
    for at in range(1, len(moved)):
        before, after = moved[at - 1], moved[at]
        ends = (before.stop.at, after.start.at) if isinstance(before, Segment) and isinstance(after, Segment) else None
        if ends == (low.at, high.at):
            return (*moved[:at], Segment(low, high), *moved[at:])
    raise Unreadable("the place that the segment came from is not found")


def _from_strands(change: Rearrangement, doubtful: bool) -> tuple[Chromosome, ...]:
    names = [one.name for one in change.chromosomes]
    several = len(change.strands) > 1
    if several and len(change.strands) != len(names):
        raise Unreadable(f"{len(change.strands)} chromosomes are built of {len(names)} named")
    made = []
    for at, strand in enumerate(change.strands):
        home = names[at] if several else next((name for name in names if name != "?"), "?")
        pieces, ring = strand_pieces(strand, home, change.kind)
        name = f"der({home}){bare(change)}" if several else bare(change)
        counted = len(names) if change.kind == "tas" else 1
        made.append(_made(name, home, pieces, ring=ring, doubtful=doubtful, counted=counted))
    return tuple(made)


# Single changes ------------------------------------------------------------------------------------------------------


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
        rest = _without(pieces, low, high)
        return _put(rest, into, into, (Segment(first, second),))
    donor = (which - 1) % len(said.names)
    if said.names[donor] == "?" and len(said.names) == 2:
        moved: Pieces = (Unknown(),) if which == 0 else ()
    else:
        moved = (Segment(*said.places[donor]),) if len(said.places[donor]) == 2 else ()
    if said.names[which] == "?":
        return _onto_unknown(pieces, moved)
    own = said.places[which]
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
    places = said.places[which] if said.places else ()
    if not places and said.arms[which]:
        places = (resolve(said.names[which], said.arms[which] + "?"),)
    if len(places) == 1:
        return _kept(pieces, places[0])[0]
    low, high = said.pair(which)
    return _without(pieces, low, high)


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


def _mirrored_arm(said: Told, pieces: Pieces, which: int) -> Pieces:
    home = said.names[which]
    places = said.places[which] if said.places else ()
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
    if len(said.places[which]) == 1:
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


def _without(pieces: Pieces, low: Place, high: Place) -> Pieces:
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
    "qdp": _quadruplicated, "inv": _inverted, "add": _added, "hsr": _homogeneous, "i": _mirrored_arm,
    "idic": _isodicentric, "psu idic": _isodicentric, "fis": _split,
}  # fmt: skip


def first_mentions(changes: Sequence[Rearrangement]) -> dict[tuple[object, ...], Rearrangement]:
    """Of each change, and each within a chain, the first mention that tells breakpoints or strands.

    Args:
        changes: of all lines of a person, in the order written.
    """
    found: dict[tuple[object, ...], Rearrangement] = {}
    for change in changes:
        if change.breakpoints or change.strands:
            found.setdefault(key(change), change)
        for one in change.then:
            if one.breakpoints or one.strands:
                found.setdefault(key(one), one)
    return found
