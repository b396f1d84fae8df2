"""The order in which ISCN lists things: items, breakpoints, lines (ISCN 2024, 4.3, 4.5.3, 5.1)."""

from __future__ import annotations

from dataclasses import replace
from functools import cmp_to_key
from typing import NamedTuple

from consilium.cytogenetics.iscn.tree import (
    Breakpoint,
    Counted,
    Incomplete,
    Item,
    Line,
    Point,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Variant,
    Whole,
)

CHROMOSOMES = ("X", "Y", *(str(number) for number in range(1, 23)))
"""Sex chromosomes first, then the autosomes by number (4.3b)."""

_RANK = {name: rank for rank, name in enumerate(CHROMOSOMES)}
_UNIDENTIFIED = {"r": 1, "mar": 2, "ace": 3, "min": 3, "dmin": 4}

SYMMETRIC = frozenset({"t", "dic", "dic r", "trc", "trc r"})
"""Changes told lowest chromosome first (5.4.1i); in `ins` the recipient leads, in `psu dic` the active centromere."""

FROM_PTER = frozenset({"del", "inv", "r"})
"""Changes of one chromosome whose breakpoints are told from pter to qter (5.5.2b, 5.5.10a, 5.5.16)."""


class Place(NamedTuple):
    """Where an item stands in its line; smaller comes first.

    Attributes:
        group: 0 what has a chromosome, then der(?), unknown rings, markers, double minutes, inc (4.3f, 4.3g).
        chromosome: rank in `CHROMOSOMES` of the first it names.
        change: 0 gained, 1 lost, 2 structural (4.3c).
        acquired: 0 constitutional, 1 acquired, of the same change (4.3c).
        kind: abbreviation of the structural change, alphabetically (4.3d); of derivatives those of their changes too.
        partners: ranks of the other chromosomes (4.4.2).
        number: of a numbered marker or ring.
        breakpoint: the first, from pter to qter.
    """

    group: int
    chromosome: int = 0
    change: int = 0
    acquired: int = 0
    kind: str = ""
    partners: tuple[int, ...] = ()
    number: int = 0
    breakpoint: tuple[int, ...] = ()


def along(point: Point) -> tuple[int, ...] | None:
    """A sort key of places on one chromosome from pter to qter; None where the place is not known well enough."""
    text = point.text.lstrip("?")
    if text.startswith("cen"):
        return (0,)
    if not text or "?" in text:
        return None
    sign = -1 if text[0] == "p" else 1
    if text[1:] == "ter":
        return (sign * 100,)
    digits = [int(digit) for digit in text[1:] if digit.isdigit()]
    return (sign, *(sign * digit for digit in digits)) if digits else None


def before(first: Breakpoint, second: Breakpoint) -> bool | None:
    """Whether a breakpoint is nearer to pter than another one; None where that cannot be told (equal or uncertain)."""
    one, other = along(first.points[0]), along(second.points[0])
    if one is None or other is None:
        return None
    common = min(len(one), len(other))
    if one[:common] == other[:common]:
        return None
    return one < other


def rank(chromosome: str) -> int:
    """Place of a chromosome in `CHROMOSOMES`; "?" comes after all."""
    return _RANK.get(chromosome, len(CHROMOSOMES))


def place(item: Item) -> Place:
    """Where an item belongs in its line."""
    what = item.abnormality
    acquired = 0 if item.origins else 1
    if isinstance(what, Incomplete):
        return Place(group=6)
    if isinstance(what, Counted):
        return Place(group=1 + _UNIDENTIFIED[what.kind], number=what.index or 0)
    if isinstance(what, Whole):
        return Place(0, rank(what.chromosome), 1 if item.sign == "-" else 0, acquired)
    if isinstance(what, Variant):
        return Place(0, rank(what.chromosome), 2, acquired, what.region)
    leading = what.chromosomes[0].name
    at = _first_place(what)
    return Place(
        0 if leading in _RANK else 1,
        rank(leading),
        2,
        acquired,
        " ".join([what.kind, *(change.kind for change in what.then)]),
        tuple(rank(other) for other in _partners(what)),
        breakpoint=at or (),
    )


def _first_place(what: Rearrangement) -> tuple[int, ...] | None:
    for one in (what, *what.then[:1]):
        if one.breakpoints and one.breakpoints[0]:
            return along(one.breakpoints[0][0].points[0])
    return None


def _partners(what: Rearrangement) -> list[str]:
    own = {name.name for name in what.chromosomes}
    later = (name.name for change in what.then for name in change.chromosomes)
    return [name.name for name in what.chromosomes[1:]] + [name for name in later if name not in own]


def items(line: Line) -> tuple[tuple[Item, ...], ...]:
    """The items of a line in the order of ISCN; those that may stand either way keep theirs."""

    def by_first(one: tuple[Item, ...], other: tuple[Item, ...]) -> int:
        return compare(one[0], other[0])

    if len(line.items) < 2:
        return line.items
    return tuple(sorted(line.items, key=cmp_to_key(by_first)))


def compare(one: Item, other: Item) -> int:
    """-1 where an item comes before another one, 1 where after, 0 where the order is free."""
    first, second = place(one), place(other)
    mine, others = first.breakpoint, second.breakpoint
    common = min(len(mine), len(others))
    first, second = first._replace(breakpoint=mine[:common]), second._replace(breakpoint=others[:common])
    return (first > second) - (first < second)


def change(one: Rearrangement) -> Rearrangement:
    """A structural change with its chromosomes and breakpoints in the order of ISCN, meaning the same."""
    if one.then:
        one = replace(one, then=tuple(map(change, one.then)))
    names = [name.name for name in one.chromosomes]
    if one.kind in SYMMETRIC and len(names) > 1 and not one.strands and "?" not in names:
        one = _lowest_first(one)
    if one.kind in FROM_PTER and len(one.chromosomes) == 1 and len(one.breakpoints) == 1:
        on_it = one.breakpoints[0]
        if len(on_it) == 2 and before(on_it[1], on_it[0]):
            one = replace(one, breakpoints=((on_it[1], on_it[0]),))
    return one


def _lowest_first(one: Rearrangement) -> Rearrangement:
    """Two partners change places; of three and more each gives to the next, so only the start of the round may move."""
    ranks = [rank(name.name) for name in one.chromosomes]
    start = ranks.index(min(ranks))
    if one.kind not in ("t", "dic", "dic r") or (len(ranks) > 2 and one.kind != "t") or not start:
        return one
    if one.breakpoints and len(one.breakpoints) != len(ranks):
        return one
    return replace(
        one,
        chromosomes=one.chromosomes[start:] + one.chromosomes[:start],
        breakpoints=one.breakpoints[start:] + one.breakpoints[:start],
    )


def is_normal(line: Line) -> bool:
    """Whether a line is a normal female or male one, of any ploidy that fits (46,XX)."""
    return (
        not line.items
        and line.doubled is None
        and isinstance(line.base, Sex)
        and line.base.chromosomes in ("XX", "XY", "U")
        and line.count.low == 46
        and line.count.high is None
    )


def canonical(result: Result) -> Result:
    """The same result, with breakpoints, items and the normal line where ISCN wants them.

    Nothing else moves: the order of abnormal clones depends on what they descend from and on earlier studies, which a
    string does not tell; `validate` says where it looks wrong.
    """
    persons = []
    for lines in result.persons:
        sorted_lines = tuple(_sorted(line) for line in lines)
        refers = any(isinstance(line.base, Reference) for line in lines)
        normal = [line for line in sorted_lines if is_normal(line)]
        if len(normal) == 1 and not (refers and sorted_lines[0] == normal[0]):
            sorted_lines = (*(line for line in sorted_lines if not is_normal(line)), *normal)
        persons.append(sorted_lines)
    return replace(result, persons=tuple(persons), others=tuple(map(canonical, result.others)))


def _sorted(line: Line) -> Line:
    if not line.items and line.doubled is None:
        return line
    inner = replace(line, items=_turned(line.items))
    if inner.doubled is not None:
        ordered = items(replace(inner, items=_turned(inner.doubled.items)))
        inner = replace(inner, doubled=replace(inner.doubled, items=ordered))
    ordered = items(inner)
    return inner if ordered == inner.items else replace(inner, items=ordered)


def _turned(entries: tuple[tuple[Item, ...], ...]) -> tuple[tuple[Item, ...], ...]:
    return tuple(tuple(map(_with_changes_in_order, several)) for several in entries)


def _with_changes_in_order(item: Item) -> Item:
    what = item.abnormality
    if not isinstance(what, Rearrangement):
        return item
    ordered = change(what)
    return item if ordered is what else replace(item, abnormality=ordered)
