"""How many chromosomes a line must have, from its entries alone: no chromosome is built for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from consilium.cytogenetics.iscn.tree import Counted, Item, Line, Range, Rearrangement, Reference, Sex, Whole
from consilium.errors import InputError

AUTOSOME_PAIRS = 22

UNCOUNTED = frozenset({"dmin", "ace", "min"})
"""Acentric: they stand in the karyotype, not in the count (ISCN 2024, 5.5.12h)."""

ONE_OF_MANY = frozenset(
    {"der", "dic", "dic r", "psu dic", "der psu dic", "dicr", "trc", "trc r", "psu trc", "rob", "rec", "psu"}
)
"""Changes that make one chromosome of all those named (ISCN 2024, 5.4.1k)."""

_NEAR = ((34, 1), (57, 2), (80, 3), (103, 4), (126, 5), (149, 6), (172, 7), (195, 8))
# Highest count of each level (ISCN 2024, Table 6).

Span = tuple[int, int]


class NoMeaning(InputError):
    """A well-formed line from which no chromosomes can be told: it refers to a clone that is not there."""


def count(line: Line, before: Sequence[Line] = ()) -> Range:
    """The chromosome number that the entries of a line imply.

    Whole chromosomes and "+"/"-" count one each, times their copies; a structural change replaces as many normal
    homologues as it has derivatives; a dicentric or whole-arm derivative replaces two (ISCN 2024, 5.4.1k). Double
    minutes and acentric fragments are not counted (5.5.12h). The sex chromosomes written are those that look normal:
    an abnormal X or Y comes to them (4.3a), "-X" is already missing among them; where "c" stands behind them they are
    the constitutional ones, all of them (5.1f). Of a composite karyotype each entry may be absent (6.3.5).

    Args:
        line: one line. Of a doubled one ("50(25,X,...)x2") the number is that of the whole cell.
        before: the lines of the same person that stand before it, in order; needed for "idem", "sl" and "sdl".

    Returns:
        The least and the greatest number; `high` is None where they are equal. "inc" changes nothing here, though it
        means that the cell may have others.

    Raises:
        NoMeaning: it refers to a clone that `before` does not hold.
    """
    low, high = _count(line, before)
    if line.doubled is not None:
        copies = line.doubled.copies
        low, high = low * copies.low, high * _top(copies)
        later = _changes(replace(line, items=line.doubled.items))
        low, high = low + later[0], high + later[1]
    low, high = max(min(low, high), 0), max(low, high, 0)
    return Range(low, high if high != low else None)


def counts(lines: Sequence[Line]) -> tuple[Range, ...]:
    """`count` of each line of one person.

    Raises:
        NoMeaning: as `count`.
    """
    return tuple(count(line, lines[:at]) for at, line in enumerate(lines))


def level(line: Line, before: Sequence[Line] = ()) -> int:
    """The ploidy level against which a line tells gains and losses: 2 for "<2n>" and where nothing else is plain.

    Where it is not written, a count beyond near-diploid tells it (ISCN 2024, Table 6: "69,XXY" is triploid); a count
    below is that of a haploid set only where the entries come nearer to it so. A line that starts from another has that
    one's level, times its copies.

    Args:
        line: one line.
        before: the lines of the same person that stand before it; without them one that starts from another is judged
            by its count.

    Raises:
        NoMeaning: it refers to a clone that `before` does not hold, where there is any.
    """
    if line.ploidy is not None:
        return line.ploidy
    if isinstance(line.base, Reference) and before:
        at = clone_referred_to(line, before)
        copies = line.base.copies.low if line.base.copies else 1
        return level(before[at], before[:at]) * copies
    written = line.count.low
    near = next((number for most, number in _NEAR if written <= most), 8)
    if near > 1 or isinstance(line.base, Reference):
        return near
    changes = _changes(line)
    misses = []
    for number in (2, 1):
        sex = _sex(line.base, number)
        low, high = (sex[at] + changes[at] + AUTOSOME_PAIRS * number for at in (0, 1))
        misses.append(max(low - _top(line.count), written - high, 0))
    return 1 if misses[1] < misses[0] else 2


def clone_referred_to(line: Line, before: Sequence[Line]) -> int:
    """Where the clone that a line starts from stands among the lines before it.

    "idem" is the first clone; "sl" the stemline, the first line; "sl2" the second line that is told in full; "sdl2" the
    second sideline, a line that itself starts from another, in order of appearance (ISCN 2024, 6.3.4).

    Raises:
        NoMeaning: there is no such clone before it.
    """
    base = line.base
    assert isinstance(base, Reference)
    wants_sideline = base.kind == "sdl"
    found = [at for at, one in enumerate(before) if isinstance(one.base, Reference) == wants_sideline]
    if base.kind == "idem" or (base.kind == "sl" and base.index in (None, 1)):
        found = list(range(len(before)))[:1]
    index = base.index or 1
    if base.kind == "idem":
        index = 1
    if index > len(found):
        told = base.kind + ("" if base.index is None else str(base.index))
        raise NoMeaning(
            f"{told!r} stands for a clone that is not there",
            where=f"character {base.span.start + 1}",
            way_out="Write the clone it refers to before it, or this one in full.",
        )
    return found[index - 1]


def _count(line: Line, before: Sequence[Line]) -> Span:
    changes = _changes(line)
    if isinstance(line.base, Reference):
        at = clone_referred_to(line, before)
        stem = count(before[at], before[:at])
        low, high = stem.low, _top(stem)
        if line.base.copies is not None:
            low, high = low * line.base.copies.low, high * _top(line.base.copies)
    else:
        number = level(line)
        sex = _sex(line.base, number)
        low, high = sex[0] + AUTOSOME_PAIRS * number, sex[1] + AUTOSOME_PAIRS * number
    return low + changes[0], high + changes[1]


def _sex(base: Sex | Reference | None, number: int) -> Span:
    if base is None:  # no sex chromosome is normal: "46,t(X;Y)..."
        return 0, 0
    assert isinstance(base, Sex)
    if base.chromosomes in ("U", "?"):
        return number, number
    told = len(base.chromosomes)
    return (told, max(told, number)) if base.doubtful else (told, told)


def _changes(line: Line) -> Span:
    composite = line.cells is not None and line.cells.composite
    low = high = 0
    for alternatives in line.items:
        each = [_change(item, line.base) for item in alternatives]
        least, most = min(one[0] for one in each), max(one[1] for one in each)
        if composite or alternatives[-1].cells is not None:
            least, most = min(least, 0), max(most, 0)
        low, high = low + least, high + most
    return low, high


def _change(item: Item, base: Sex | Reference | None) -> Span:
    copies = (item.copies.low, _top(item.copies)) if item.copies else (1, 1)
    least, most = _one(item, base)
    each = (least * copies[0], least * copies[1], most * copies[0], most * copies[1])
    return min(each), max(each)


def _one(item: Item, base: Sex | Reference | None) -> Span:
    what = item.abnormality
    if isinstance(what, Whole):
        if item.sign == "-":
            told = what.chromosome in "XY" and not isinstance(base, Reference) and not (base and base.constitutional)
            return (0, 0) if told else (-1, -1)
        return (1, 1) if item.sign else (0, 0)
    if isinstance(what, Counted):
        if what.kind in UNCOUNTED:
            return 0, 0
        low, high = (what.number.low, _top(what.number)) if what.number else (1, 1)
        return (-high, -low) if item.sign == "-" else (low, high)
    if isinstance(what, Rearrangement):
        return _structural(what, item.sign, base)
    sex_region = getattr(what, "chromosome", "") in ("X", "Y") and isinstance(base, Sex)
    return (0, 1) if sex_region else (0, 0)


def _structural(what: Rearrangement, sign: str, base: Sex | Reference | None) -> Span:
    named = [one.name for one in what.chromosomes]
    made = derivatives(what)
    if sign == "+":
        return made, made
    if sign == "-":
        return (-made, -made) if made == 1 else (-made, 0)
    unknown = named.count("?") if made == 1 else 0
    sex = sum(name in ("X", "Y") for name in named)
    autosomes = len(named) - sex - unknown
    if made == 1 and unknown == len(named):
        autosomes, unknown = 1, unknown - 1
    if made == 1 and not _one_of_many(what):  # "r(1;3)", "del(1;3)": one centromere or more, nobody tells
        return made - len(named), made - min(len(named), 1)
    if isinstance(base, Reference) or (base is not None and base.constitutional):
        return made - autosomes - sex - unknown, made - autosomes - sex
    return made - autosomes - unknown, made - autosomes


def derivatives(what: Rearrangement) -> int:
    """How many chromosomes a change leaves: of a translocation, an insertion, a telomeric association all it names."""
    several = what.kind in ("t", "tas") or what.kind.endswith("ins")
    return len(what.chromosomes) if several else 1


def _one_of_many(what: Rearrangement) -> bool:
    return what.kind in ONE_OF_MANY or len(what.chromosomes) == 1


def _top(number: Range) -> int:
    return number.low if number.high is None else number.high
