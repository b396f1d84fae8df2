"""Ploidy class and number of abnormalities: what "complex karyotype" is told by.

Rules: ISCN 2024, 6.3.7 with Table 6, 6.5 with Tables 7 and 8. Disease-specific scores count in their own ways; they are
not here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from consilium.cytogenetics.iscn.count import UNCOUNTED, clone_referred_to, level
from consilium.cytogenetics.iscn.derive import First, first_mentions, with_breakpoints
from consilium.cytogenetics.iscn.names import bare
from consilium.cytogenetics.iscn.tree import Counted, Item, Line, Range, Rearrangement, Reference, Result, Whole
from consilium.cytogenetics.iscn.write import abnormality as write_abnormality

_SETS = ("haploid", "diploid", "triploid", "tetraploid", "pentaploid", "hexaploid", "heptaploid", "octaploid")
_HAPLOID = 23

COUNTS_TWO = frozenset({"trp", "qdp", "ider", "rob", "dic", "psu dic", "der psu dic", "dicr", "trc"})
"""Kinds that count two wherever they stand; a derivative of two or more chromosomes does so too (Table 7)."""

COUNTS_NOT = frozenset({"fra", "upd"})
"""Kinds that are no structural abnormality of the clone."""


def ploidy_classes(number: Range) -> tuple[str, ...]:
    """The ploidy classes of a chromosome number or an interval of numbers, from the lowest on.

    "near-haploid" and so on is the class with both halves: see `near_ploidy`. The exact multiple of 23 is named alone
    ("diploid"); whether it is a pseudodiploid one depends on the chromosomes.

    Args:
        number: chromosomes; beyond 195 everything is "polyploid".
    """
    top = number.low if number.high is None else number.high
    low, high = sorted((number.low, min(top, 10_000)))
    return tuple(dict.fromkeys(_class(one) for one in range(low, min(high, 200) + 1))) or ("polyploid",)


def near_ploidy(number: int) -> str:
    """The level that a number is near: "near-haploid" to 34, "near-diploid" to 57, ... (Table 6)."""
    found = _nearest_set(number)
    return "polyploid" if found is None else f"near-{_SETS[found]}"


def _nearest_set(number: int) -> int | None:
    if number <= 34:
        return 0
    return next((at for at in range(1, len(_SETS)) if number <= _HAPLOID * (at + 1) + 11), None)


def _class(number: int) -> str:
    found = _nearest_set(number)
    if found is None:
        return "polyploid"
    middle = _HAPLOID * (found + 1)
    if number == middle:
        return _SETS[found]
    return ("hypo" if number < middle else "hyper") + _SETS[found]


def abnormality_counts(result: Result) -> tuple[tuple[int, ...], ...]:
    """The abnormalities of each line, inherited ones of "idem", "sl" and "sdl" included; by person.

    Raises:
        NoMeaning: a line refers to a clone that is not there.
    """
    return tuple(tuple(sum(one.values()) for one in _of_person(lines)) for lines in result.persons)


def abnormality_count(result: Result) -> int:
    """The distinct acquired abnormalities of all clones of the first person, each counted once.

    Constitutional ones ("c", "mat", "dn" ..., sex chromosomes written with "c") do not count; an entry without such a
    letter is taken for acquired. A second copy of a
    rearranged chromosome counts one, a whole chromosome that a whole-arm derivative leaves to be named none; the two
    sides of a balanced translocation told as derivatives count once (Table 8).

    Raises:
        NoMeaning: a line refers to a clone that is not there.
    """
    if not result.persons:
        return 0
    every: Counter[str] = Counter()
    for one in _of_person(result.persons[0]):
        every |= one
    return sum(every.values())


def _of_person(lines: Sequence[Line]) -> list[Counter[str]]:
    items = [item for line in lines for alternatives in line.items for item in alternatives]
    first = first_mentions([item.abnormality for item in items if isinstance(item.abnormality, Rearrangement)])
    out: list[Counter[str]] = []
    for at, line in enumerate(lines):
        counted: Counter[str] = Counter()
        if isinstance(line.base, Reference):
            counted |= out[clone_referred_to(line, lines[:at])]
            if line.base.copies is not None and line.base.copies.low > 1:
                counted["polyploidy"] = 1
        elif level(line) > 2 or (line.doubled is not None and line.doubled.copies.low > 1 and level(line) > 1):
            counted["polyploidy"] = 1
        _add(counted, [alternatives[0] for alternatives in line.items], first)
        out.append(counted)
    return out


def _add(counted: Counter[str], items: Sequence[Item], first: First) -> None:
    acquired = [item for item in items if set(item.origins) <= {"?c"}]  # what is not known to be inherited (Table 7)
    changes = [item for item in acquired if isinstance(item.abnormality, Rearrangement) and item.sign != "-"]
    balanced = _balanced_translocations([item.abnormality for item in changes])  # type: ignore[misc]
    left_over = {
        one.name
        for item in changes
        if isinstance(item.abnormality, Rearrangement) and not item.sign and item.abnormality.kind == "der"
        if len(item.abnormality.chromosomes) > 1
        for one in item.abnormality.chromosomes
    }
    for item in acquired:
        what = item.abnormality
        copies = item.copies.low if item.copies else 1
        if isinstance(what, Whole):
            opposite = {"+": "-", "-": "+"}.get(item.sign, "") + what.chromosome
            for _ in range(copies):
                if counted[opposite] > 0:
                    counted[opposite] -= 1  # "+3" in a sideline of a stemline with "-3" gives it back
                elif item.sign == "+" and what.chromosome in left_over:
                    left_over.discard(what.chromosome)
                else:
                    counted[item.sign + what.chromosome] += 1
        elif isinstance(what, Counted):
            name = what.kind + ("" if what.index is None else str(what.index))
            number = 1 if what.kind in UNCOUNTED or what.number is None else what.number.low
            counted[("-" if item.sign == "-" else "") + name] += number * copies
        elif isinstance(what, Rearrangement):
            _add_change(counted, item, with_breakpoints(what, first), balanced)
    for name in [name for name, number in counted.items() if number <= 0]:
        del counted[name]


def _add_change(counted: Counter[str], item: Item, what: Rearrangement, balanced: frozenset[str]) -> None:
    name, copies = write_abnormality(what), item.copies.low if item.copies else 1
    if item.sign == "-":
        counted["-" + bare(what)] += copies
        return
    if what.kind in COUNTS_NOT:
        return
    again = [one.kind for one in what.then] == ["t"] and bare(what.then[0]) in {bare_name(one) for one in counted}
    if item.sign == "+" and (counted[name] or again):
        counted[name] += copies  # one more copy of what is there
        return
    inner = [one for one in what.then if one.kind == "t" and bare(one) in balanced]
    if what.kind == "der" and inner:
        for one in inner:
            counted[write_abnormality(one)] = max(counted[write_abnormality(one)], 1)
        others = [one for one in what.then if one not in inner]
        for kind in dict.fromkeys(one.kind for one in others):
            one = next(one for one in others if one.kind == kind)
            counted[f"{name}: {kind}"] = max(counted[f"{name}: {kind}"], _weight(one))
        return
    counted[name] += _weight(what) + copies - 1


def bare_name(name: str) -> str:
    """A written change without its breakpoints' brackets: "t(9;22)" of "t(9;22)(q34;q11.2)"."""
    return name.partition(")(")[0] + ")" if ")(" in name else name


def _weight(what: Rearrangement) -> int:
    if what.kind in COUNTS_TWO:
        return 2
    if what.kind == "t" or what.kind.endswith("ins") or what.kind == "tas":
        return 1
    named = {one.name for change in (what, *what.then) for one in change.chromosomes}
    named |= {
        end.chromosome
        for strand in what.strands
        for piece in strand.pieces
        for end in (piece.start, piece.end)
        if end is not None and end.chromosome
    }
    several = len(named) > 1 or len(what.chromosomes) > 1
    return 2 if several and what.kind in ("der", "r", "rec", "hsr", "add") else 1


def _balanced_translocations(changes: Sequence[Rearrangement]) -> frozenset[str]:
    """Those of which every derivative is told: "der(2)...t(2;11)..." and "der(11)t(2;11)"."""
    heads: dict[str, set[str]] = {}
    wanted: dict[str, set[str]] = {}
    for change in changes:
        # A derivative of several chromosomes that the person was born with counts as each of them (6.4g).
        if change.kind == "der" and (len(change.chromosomes) == 1 or change.origin):
            for one in change.then:
                if one.kind == "t":
                    heads.setdefault(bare(one), set()).update(name.name for name in change.chromosomes)
                    wanted[bare(one)] = {name.name for name in one.chromosomes}
    return frozenset(name for name, told in heads.items() if len(wanted[name]) > 1 and wanted[name] <= told)
