"""What each structural change makes of the normal chromosomes: its derivative chromosomes, built from bands.

Conventions, where ISCN 2024 leaves more than one reading: an inverted duplication follows the original on the way to
qter (5.5.5, the first of its two forms); a translocation of one homologue on the other keeps the centromere of the one
written first (5.5.3l); breakpoints p11 or q11 of a "der(A;B)" mean that whole arm. Such chromosomes are marked doubtful
where the readings differ in what the cell has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from consilium.cytogenetics.iscn.chromosomes import (
    Chromosome,
    Pieces,
    Segment,
    Unknown,
    arm_of,
    distal,
    whole,
)
from consilium.cytogenetics.iscn.fuse import fused, joined_by_translocations
from consilium.cytogenetics.iscn.names import bare, doubtful_change, key
from consilium.cytogenetics.iscn.places import CHROMOSOMES, Place, resolve
from consilium.cytogenetics.iscn.single_change import UNCHANGED, applied, mirrored_arm, without
from consilium.cytogenetics.iscn.strands import strand_pieces
from consilium.cytogenetics.iscn.told import Told, Unreadable, told
from consilium.cytogenetics.iscn.tree import Rearrangement

FUSIONS = frozenset({"dic", "psu dic", "der psu dic", "dicr", "trc", "rob", "tas"})
"""Kinds that join the chromosomes named to one; "der" does so where it names several."""

CHAINS = FUSIONS | {"der", "ider", "rec"}
"""Kinds behind which other changes of the same chromosome may stand."""

First = Mapping[tuple[object, ...], Rearrangement | None]
"""Of each change the first mention with breakpoints (they need not be repeated, ISCN 2024, 4.2.1f); None where another
mention tells others, so that nobody can know which of them is meant."""


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
    for one in (change, *change.then):
        if not (one.breakpoints or one.strands) and key(one) in first and first[key(one)] is None:
            raise Unreadable(f"{bare(one)} is told with different breakpoints, and here with none")
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
        pieces = mirrored_arm(replace(told(change), kind="i"), pieces, 0)
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
        arm = crossed.arms[0] or (arm_of(crossed.on(0)[0]) if crossed.on(0) else "")
        start, end = resolve(home, "pter"), resolve(home, "qter")
        if arm == "p":
            return Segment(start, high), Segment(low, start)
        if arm == "q":
            return Segment(end, low), Segment(high, end)
        raise Unreadable("which arm is duplicated is not told")
    _, first, second = rule.three()
    low, high = sorted((first, second), key=lambda place: place.at)
    if kinds[0] == "del":
        return without(whole(home), low, high)
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


def first_mentions(changes: Sequence[Rearrangement]) -> First:
    """Of each change, and each within a chain, the first mention that tells breakpoints or strands.

    Args:
        changes: of all lines of a person, in the order written.
    """
    found: dict[tuple[object, ...], Rearrangement | None] = {}
    # What has an origin of its own within a derivative is a chromosome by itself in other cells (ISCN 2024, 6.4g).
    alone = [replace(change, then=(), origin="") for change in changes if change.origin]
    for one in (one for change in (*changes, *alone) for one in (change, *change.then)):
        if one.breakpoints or one.strands:
            earlier = found.setdefault(key(one), one)
            if earlier is not None and (earlier.breakpoints, earlier.strands) != (one.breakpoints, one.strands):
                found[key(one)] = None
    return found
