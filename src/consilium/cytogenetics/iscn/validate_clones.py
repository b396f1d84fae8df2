"""Rules of several lines: clonality, cell numbers, the order of clones, stemlines and sidelines, persons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from consilium.cytogenetics.iscn.count import NoMeaning, clone_referred_to, level
from consilium.cytogenetics.iscn.order import canonical, compare, is_normal
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import (
    Counted,
    Incomplete,
    Item,
    Line,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Span,
    Whole,
)
from consilium.cytogenetics.iscn.validate_line import names_sex
from consilium.cytogenetics.iscn.write import abnormality, write
from consilium.cytogenetics.iscn.write import item as write_item

_COUNTS_TWICE = frozenset({"der", "ider", "trp", "qdp"})
_ONE_OF_TWO = frozenset({"dic", "psu dic", "trc", "dic r", "trc r"})
# Unbalanced changes of several chromosomes, triplications and isoderivatives count for two (Table 7).

_INHERITED = frozenset({"c", "mat", "pat", "inh", "dn", "dmat", "dpat", "dinh"})


@dataclass(frozen=True, slots=True)
class _Clone:
    """One line with what it has in full, references followed.

    Attributes:
        line: as written.
        has: its abnormalities, each under a name that is the same with and without breakpoints.
    """

    line: Line
    has: dict[str, Item]

    @property
    def cells(self) -> int:
        return self.line.cells.number if self.line.cells is not None else 0

    @property
    def acquired(self) -> set[str]:
        """Names of what it has beyond the constitutional."""
        return {name for name, item in self.has.items() if not set(item.origins) & _INHERITED}

    @property
    def constitutional(self) -> bool:
        """Whether it is abnormal by what is constitutional alone."""
        c = isinstance(self.line.base, Sex) and self.line.base.constitutional
        return (c or bool(self.has)) and not self.acquired

    @property
    def complexity(self) -> tuple[int, int]:
        """Number of abnormalities: one each, and as Table 7 counts them."""
        found = [self.has[name] for name in self.acquired]
        return len(found), sum(map(_counts_for, found))

    @property
    def composite(self) -> bool:
        return self.line.cells is not None and self.line.cells.composite


def _counts_for(item: Item) -> int:
    what = item.abnormality
    if isinstance(what, Rearrangement):
        return 2 if what.kind in _COUNTS_TWICE or (len(what.chromosomes) > 1 and what.kind in _ONE_OF_TWO) else 1
    return what.number.low if isinstance(what, Counted) and what.number and what.kind != "dmin" else 1


def judge_clones(text: str, result: Result, known: Collection[str]) -> Iterator[Finding]:
    """The rules that the lines of a result break together.

    Args:
        text: the whole string.
        result: what it says.
        known: abnormalities shown before or by another technique, for which one cell is enough.
    """
    lines = [line for person in result.persons for line in person]
    if result.prefix and len(lines) < 2:
        yield Finding("mosaic-one", Span(0, len(result.prefix)), (("prefix", result.prefix),))
    yield from _cell_numbers(text, result, lines)
    yield from _references(text, result)
    for person in result.persons:
        try:
            clones = [_Clone(line, _has(line, person[:at])) for at, line in enumerate(person)]
        except NoMeaning:
            continue
        yield from _clonality(text, clones, {named(one) for one in known}, shown=bool(result.techniques))
        yield from _normal(text, result, person)
        # A sex chromosome too many or missing without a sign or c is constitutional: then the larger line is first.
        odd = any(name.startswith("sex ") for clone in clones for name in clone.has)
        mosaic = odd or result.prefix.startswith("mos")
        yield from _order(clones, {named(one) for one in known}, mosaic=mosaic)


def named(written: str) -> str:
    """The name of an abnormality without breakpoints: "t(9;22)" of "t(9;22)(q34;q11.2)"."""
    head, bracket, rest = written.strip().partition("(")
    if not bracket:
        return head
    return head + bracket + rest.partition(")")[0] + ")"


def _name(item: Item) -> str:
    """What an abnormality is called without breakpoints."""
    what = item.abnormality
    if isinstance(what, Rearrangement):
        bare = replace(
            what, breakpoints=(), strands=(),
            then=tuple(replace(one, breakpoints=(), strands=()) for one in what.then),
        )  # fmt: skip
        return abnormality(bare)
    return item.sign + abnormality(what)


def _full_name(item: Item, before: Sequence[Line]) -> str:
    """What an abnormality is called with its breakpoints: its own, or those of the line where it was named first."""
    what = item.abnormality
    bare = _name(item)
    if not isinstance(what, Rearrangement) or abnormality(what) != bare:
        return bare if not isinstance(what, Rearrangement) else abnormality(what)
    for line in before:
        for several in line.items:
            if _name(several[0]) == bare:
                return abnormality(several[0].abnormality)
    return bare


def _short(item: Item) -> str:
    """The name by which an abnormality may be called later: its head alone."""
    what = item.abnormality
    if not isinstance(what, Rearrangement):
        return _name(item)
    return abnormality(replace(what, breakpoints=(), strands=(), then=()))


def _has(line: Line, before: Sequence[Line]) -> dict[str, Item]:
    have: dict[str, Item] = {}
    if isinstance(line.base, Reference):
        at = clone_referred_to(line, before)
        have = dict(_has(before[at], before[:at]))
        if line.base.copies is not None:
            have["doubled"] = Item(Incomplete(), span=line.base.span)
    elif isinstance(line.base, Sex) and not line.base.constitutional:
        have.update(_sex(line))
    if line.doubled is not None:
        have["doubled"] = Item(Incomplete(), span=line.doubled.span)
    restored = {
        one[0].abnormality.chromosome
        for one in line.items
        if isinstance(one[0].abnormality, Whole) and one[0].sign == "+"
    }
    times: Counter[str] = Counter()
    for several in (*line.items, *(line.doubled.items if line.doubled else ())):
        item = several[0]
        if isinstance(item.abnormality, Incomplete):
            continue
        if isinstance(line.base, Reference) and item.sign == "-" and isinstance(item.abnormality, Rearrangement):
            gone = next((name for name, one in have.items() if _short(one) == _short(item)), None)
            if gone is not None:
                lost = have.pop(gone)
                # What stood in the place of a normal chromosome leaves its place empty (6.3.4, example of "-inv").
                single = lost.abnormality.chromosomes[0].name if isinstance(lost.abnormality, Rearrangement) else ""
                if not lost.sign and len(item.abnormality.chromosomes) == 1 and single not in restored | {"?"}:
                    have["-" + single] = Item(Whole(single), "-", span=item.span)
                continue
        if isinstance(line.base, Reference) and item.sign and isinstance(item.abnormality, Whole):
            opposite = ("-" if item.sign == "+" else "+") + item.abnormality.chromosome
            if have.pop(opposite, None) is not None:
                continue
        name = _full_name(item, before)
        times[name] += 1
        have[name if times[name] == 1 else f"{name} #{times[name]}"] = item
    return have


def _sex(line: Line) -> dict[str, Item]:
    """A constitutional sex chromosome too many or missing, as the gain or loss that it is."""
    base = line.base
    assert isinstance(base, Sex)
    if base.chromosomes in ("U", "?") or level(line) != 2:
        return {}
    touched = any(names_sex(item) for several in line.items for item in several)
    if touched:
        return {}
    if len(base.chromosomes) == 1:
        return {"sex -": Item(Whole("X"), "-", span=base.span)}
    extra = "Y" if base.chromosomes.count("Y") > 1 else "X"
    return {f"sex {base.chromosomes}": Item(Whole(extra), "+", span=base.span)} if len(base.chromosomes) > 2 else {}


def _cell_numbers(text: str, result: Result, lines: list[Line]) -> Iterator[Finding]:
    missing = [line for line in lines if line.cells is None]
    if len(lines) > 1 and missing and not (len(missing) == len(lines) and len(result.persons) > 1):
        for line in missing:
            yield Finding("cells-missing", Span(line.span.end - 1, line.span.end))
        return
    for line in lines:
        for several in line.items:
            for item in several:
                what = item.abnormality
                acquired = (
                    isinstance(what, Incomplete)
                    or (isinstance(what, Counted) and what.kind == "dmin")
                    or (isinstance(what, Rearrangement) and what.kind == "hsr")
                )
                if acquired and line.cells is None:
                    said = text[item.span.start : item.span.end]
                    yield Finding("cells-acquired", item.span, (("text", said),))
                if "c" in item.origins and line.cells is None:
                    yield Finding("constitutional-c", item.span)
        if isinstance(line.base, Sex) and line.base.constitutional and line.cells is None:
            yield Finding("constitutional-c", line.base.span)


def _references(text: str, result: Result) -> Iterator[Finding]:
    bases = [line.base for person in result.persons for line in person if isinstance(line.base, Reference)]
    if {"idem"} < {base.kind for base in bases}:
        strange = next(base for base in bases if base.kind != "idem")
        yield Finding("reference-mixed", strange.span)
    for person in result.persons:
        for at, line in enumerate(person):
            base = line.base
            if not isinstance(base, Reference):
                for several in line.items:
                    if _altered_lost(several[0]):
                        written = text[several[0].span.start : several[0].span.end]
                        yield Finding("reference-removed", several[0].span, (("text", written),))
                continue
            said = text[base.span.start : base.span.end]
            if at == 0:
                yield Finding("reference-first", base.span, (("text", said),))
                continue
            try:
                origin = person[clone_referred_to(line, person[:at])]
                have = _has(origin, person[:at])
            except NoMeaning:
                yield Finding("reference-unknown", base.span, (("text", said),))
                continue
            if not _has(line, person[:at]):
                yield Finding("reference-normal", line.span)
            names = {_short(item) for item in have.values()}
            for several in line.items:
                item = several[0]
                name = _short(item) if isinstance(item.abnormality, Rearrangement) else "+" + _name(item)[1:]
                if _altered_lost(item) and name not in names and _grouped(item, have) is None:
                    written = text[item.span.start : item.span.end]
                    yield Finding("reference-removed", item.span, (("text", written),))


def _altered_lost(item: Item) -> bool:
    """Whether an altered chromosome or a marker is lost, which another clone has to have had."""
    what = item.abnormality
    return item.sign == "-" and isinstance(what, Rearrangement | Counted) and getattr(what, "kind", "") != "dmin"


def _grouped(item: Item, have: dict[str, Item]) -> Item | None:
    """A marker or a derivative that the clone has under a fuller name: "-mar" of "+2mar", "-der(9)" of "t(9;22)"."""
    what = item.abnormality
    for one in have.values():
        other = one.abnormality
        if isinstance(what, Counted) and isinstance(other, Counted) and what.kind == other.kind:
            if None in (what.index, other.index) or what.index == other.index:
                return one
            continue
        if isinstance(what, Rearrangement) and what.kind == "der" and isinstance(other, Rearrangement):
            part = {name.name for name in what.chromosomes} <= {name.name for name in other.chromosomes}
            if part:
                return one
    return None


def _clonality(text: str, clones: list[_Clone], known: set[str], *, shown: bool) -> Iterator[Finding]:
    if shown or not any(clone.line.cells is not None for clone in clones):
        return
    cells: defaultdict[str, int] = defaultdict(int)
    first: dict[str, Item] = {}
    unsure: set[str] = set()
    for clone in clones:
        for name, item in clone.has.items():
            if name == "doubled":
                continue
            first.setdefault(name, item)
            if clone.composite and item.cells is None:
                unsure.add(name)
            cells[name] += item.cells.number if item.cells is not None else clone.cells
    for name, item in first.items():
        if set(item.origins) & _INHERITED or name in unsure or named(name) in known or name in known:
            continue
        loss = item.sign == "-"
        enough = cells[name] >= (3 if loss else 2)
        if loss and cells[name] == 2:
            enough = any(
                other.sign != "-" and cells[partner] >= 2
                for clone in clones
                if name in clone.has
                for partner, other in clone.has.items()
            )
        if not enough and cells[name] > 0:
            said = text[item.span.start : item.span.end] or write_item(item)
            yield Finding("clonal", item.span, (("text", said), ("cells", str(cells[name]))))


def _normal(text: str, result: Result, person: Sequence[Line]) -> Iterator[Finding]:
    normal = [line for line in person if is_normal(line)]
    for former, later in pairwise(person):
        if is_normal(former) and not is_normal(later):
            yield Finding("normal-last", former.span, (), write(canonical(result)))
            break
    seen: set[str] = set()
    for line in person:
        written = write(Result(((replace(line, cells=None),),)))
        repeated = isinstance(line.base, Reference) and not line.items and line.base.copies is None
        if written in seen or repeated:
            altered = any(isinstance(several[0].abnormality, Rearrangement) for several in line.items)
            homologues = altered and not isinstance(line.base, Reference)
            yield Finding("line-twice" if homologues else "normal-twice", line.span)
        seen.add(written)
    for former, later in pairwise(normal):
        bases = [line.base.chromosomes if isinstance(line.base, Sex) else "" for line in (former, later)]
        if former.cells is None or later.cells is None or bases[0] == bases[1]:
            continue
        if former.cells.number < later.cells.number:
            yield Finding("order-size", later.span)
        elif bases == ["XY", "XX"] and former.cells.number == later.cells.number:
            yield Finding("order-sex", later.span)


def _order(clones: list[_Clone], known: set[str], *, mosaic: bool) -> Iterator[Finding]:
    abnormal = [clone for clone in clones if not is_normal(clone.line)]
    if any(clone.line.cells is None for clone in abnormal):
        return
    related_before: set[str] = set()
    for former, later in pairwise(abnormal):
        shared = former.acquired & later.acquired
        refers = isinstance(later.line.base, Reference)
        related_before |= shared
        larger_first = former.cells >= later.cells
        span = later.line.span
        if former.constitutional and later.acquired:
            yield Finding("constitutional-late", former.line.span)
            return
        if former.acquired and not later.acquired:
            continue
        # A group of related clones stands before unrelated ones, whatever their sizes (6.3.3.3a); one that was known
        # before stands first (6.3.3.3b).
        free = bool(former.acquired & related_before) or any(named(name) in known for name in former.acquired)
        if shared or refers:
            if mosaic:
                if not larger_first:
                    yield Finding("order-size", span)
                    return
                continue
            more = [one > other for one, other in zip(former.complexity, later.complexity, strict=True)]
            if all(more):
                yield Finding("order-complexity", span)
                return
            tie = former.complexity == later.complexity
        elif not larger_first and not free:
            yield Finding("order-size", span)
            return
        else:
            tie = former.cells == later.cells and not free
        if tie and _out_of_order(former, later):
            yield Finding("order-tie", span)
            return


def _out_of_order(former: _Clone, later: _Clone) -> bool:
    mine = [(name, item) for name, item in former.has.items() if name not in later.has]
    others = [(name, item) for name, item in later.has.items() if name not in former.has]
    for (name, one), (other_name, other) in zip(mine, others, strict=False):
        if name.startswith("sex ") and other_name.startswith("sex ") and one.sign != other.sign:
            return one.sign == "-"  # whether 45,X lost an X or a Y is not told: gain before loss
        order = compare(one, other)
        if order:
            return order > 0
    return False
