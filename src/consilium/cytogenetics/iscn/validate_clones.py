"""Rules of several lines: clonality, cell numbers, the order of clones, stemlines and sidelines, persons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from consilium.cytogenetics.iscn.count import NoMeaning, clone_referred_to
from consilium.cytogenetics.iscn.lineage import INHERITED, Clone, abnormalities, bare_name, named, short_name
from consilium.cytogenetics.iscn.order import canonical, is_normal
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
)
from consilium.cytogenetics.iscn.validate_order import judge_order
from consilium.cytogenetics.iscn.write import item as write_item
from consilium.cytogenetics.iscn.write import line as write_line
from consilium.cytogenetics.iscn.write import write


def judge_clones(text: str, result: Result, known: Collection[str]) -> Iterator[Finding]:
    """The rules that the lines of a result break together.

    Args:
        text: the whole string.
        result: what it says.
        known: abnormalities shown before or by another technique, for which one cell is enough.
    """
    names = {named(one) for one in known}
    for reading in result.readings:
        yield from _judge_reading(text, result, reading, names)


def _judge_reading(text: str, result: Result, reading: Result, known: set[str]) -> Iterator[Finding]:
    lines = [line for person in reading.persons for line in person]
    if reading.prefix and len(lines) < 2:
        start = reading.span.start
        yield Finding("mosaic-one", Span(start, start + len(reading.prefix)), (("prefix", reading.prefix),))
    yield from _cell_numbers(text, reading, lines)
    yield from _references(text, reading)
    for person in reading.persons:
        if len(person) == 1 and person[0].cells is None and not isinstance(person[0].base, Reference):
            continue  # nothing to compare it with, and no cells to make it a clone
        try:
            clones = [Clone(line, abnormalities(line, person[:at])) for at, line in enumerate(person)]
        except NoMeaning:
            continue
        yield from _clonality(text, clones, known, shown=bool(result.techniques))
        yield from _normal(text, result, person)
        # A sex chromosome too many or missing without a sign or c is constitutional: then the larger line is first.
        odd = any(name.startswith("sex ") for clone in clones for name in clone.has)
        mosaic = odd or reading.prefix.startswith("mos")
        yield from judge_order(clones, known, mosaic=mosaic)


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
                acquired = (isinstance(what, Counted) and what.kind == "dmin") or (
                    isinstance(what, Rearrangement) and what.kind == "hsr"
                )
                if isinstance(what, Incomplete) and line.cells is None:
                    yield Finding("incomplete", item.span)
                if acquired and line.cells is None:
                    said = text[item.span.start : item.span.end]
                    yield Finding("cells-acquired", item.span, (("text", said),))
                part = isinstance(what, Rearrangement) and any(one.origin == "c" for one in (what, *what.then))
                if ({"c", "?c"} & set(item.origins) or part) and line.cells is None:
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
                have = abnormalities(origin, person[:at])
            except NoMeaning:
                yield Finding("reference-unknown", base.span, (("text", said),))
                continue
            if not abnormalities(line, person[:at]):
                yield Finding("reference-normal", line.span)
            names = {short_name(item) for item in have.values()}
            for several in line.items:
                item = several[0]
                name = short_name(item) if isinstance(item.abnormality, Rearrangement) else "+" + bare_name(item)[1:]
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


def _clonality(text: str, clones: list[Clone], known: set[str], *, shown: bool) -> Iterator[Finding]:
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
        if set(item.origins) & INHERITED or name in unsure or named(name) in known or name in known:
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
    for line in person if len(person) > 1 else ():
        written = write_line(replace(line, cells=None))
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
