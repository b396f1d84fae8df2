"""Rules of one line: its number of chromosomes, sex chromosomes, signs, copies, and the order of its items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from consilium.cytogenetics.iscn.count import NoMeaning, count, level
from consilium.cytogenetics.iscn.mend import mended, told, without_item, without_sign
from consilium.cytogenetics.iscn.names import head
from consilium.cytogenetics.iscn.order import compare, items, place
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import (
    Counted,
    Incomplete,
    Item,
    Line,
    Range,
    Rearrangement,
    Reference,
    Sex,
    Variant,
    Whole,
)
from consilium.cytogenetics.iscn.validate_together import judge_together, own_chromosome
from consilium.cytogenetics.iscn.write import item as write_item
from consilium.cytogenetics.iscn.write import line as write_line

_NEAREST_LEVEL = ((34, 1), (57, 2), (80, 3), (103, 4), (126, 5), (149, 6), (172, 7), (195, 8))


def judge_line(text: str, line: Line, before: Sequence[Line], *, counted: bool) -> Iterator[Finding]:
    """The rules that one line breaks.

    Args:
        text: the whole string, for suggestions.
        line: the line.
        before: the lines of the same person before it.
        counted: some line of the result has its number of cells, as every neoplastic one has.
    """
    composite = line.cells is not None and line.cells.composite
    yield from _ranges(text, line)
    sex = list(_sex(text, line, counted=counted))
    yield from sex
    # Where the sex chromosomes are wrong, the number that follows from them says nothing more.
    untold = any(finding.rule in ("sex-missing", "sex-lost") for finding in sex)
    yield from _number(text, line, before, composite=composite or untold)
    for several in (*line.items, *(line.doubled.items if line.doubled else ())):
        for item in several:
            yield from _signs(text, line, item)
    if not composite:
        yield from judge_together(text, line)
    yield from _order(text, line)
    yield from _cells(text, line)


def _ranges(text: str, line: Line) -> Iterator[Finding]:
    numbers = [line.count, *([line.doubled.count] if line.doubled else ())]
    copies = [line.doubled.copies] if line.doubled else []
    if isinstance(line.base, Reference) and line.base.copies is not None:
        copies.append(line.base.copies)
    for several in line.items:
        for item in several:
            if isinstance(item.abnormality, Counted) and item.abnormality.number is not None:
                numbers.append(item.abnormality.number)
                if item.abnormality.number == Range(0):
                    yield Finding("copies", item.abnormality.number.span, (("number", "0"),))
            if item.copies is not None:
                copies.append(item.copies)
    for number in copies:
        if number.low < 2:
            yield Finding("copies", number.span, (("number", str(number.low)),))
    for number in (*numbers, *copies):
        written = text[number.span.start : number.span.end]
        if number.high is not None and number.high <= number.low:
            yield Finding("range", number.span, (("text", written),))
        if "-" in written and written[0] != "-":
            today = mended(text, number.span, written.replace("-", "~"))
            yield Finding("interval-sign", number.span, (("text", written.replace("-", "~")),), today)


def _sex(text: str, line: Line, *, counted: bool) -> Iterator[Finding]:
    if isinstance(line.base, Reference):
        return
    concerned = [item for several in line.items for item in several if names_sex(item)]
    if line.base is None and not concerned:
        yield Finding("sex-missing", line.count.span)
        return
    base = Sex("") if line.base is None else line.base
    told_as = "".join(sorted(base.chromosomes))
    if line.base is not None and set(base.chromosomes) <= {"X", "Y"} and told_as != base.chromosomes:
        written = text[base.span.start : base.span.end].replace(base.chromosomes, told_as)
        yield Finding("sex-unusual", base.span, (("text", base.chromosomes),), mended(text, base.span, written))
    elif base.chromosomes and set(base.chromosomes) == {"Y"} and not any(_names(item, "X") for item in concerned):
        yield Finding("sex-unusual", base.span, (("text", base.chromosomes),))
    signed = [item for item in concerned if isinstance(item.abnormality, Whole)]
    altered = [
        item
        for item in concerned
        if isinstance(item.abnormality, Rearrangement)
        and item.sign == "+"
        and (line.base is None or own_chromosome(item.abnormality))
    ]
    if base.constitutional and base.chromosomes in ("XX", "XY"):
        today = mended(text, base.span, base.chromosomes)
        yield Finding("constitutional-normal", base.span, (("text", base.chromosomes),), today)
    if base.constitutional or base.chromosomes in ("U", "?"):
        have = Counter(base.chromosomes)
        for item in signed:
            chromosome = item.abnormality.chromosome  # type: ignore[union-attr]
            if base.constitutional and item.sign == "-" and not have[chromosome]:
                yield Finding("sex-lost", item.span, (("chromosome", chromosome), ("text", base.chromosomes)))
        return
    if signed and not counted and line.base is not None:
        whole = base.chromosomes + "".join(
            item.abnormality.chromosome for item in signed if item.sign == "+" and isinstance(item.abnormality, Whole)
        )
        today = "".join(sorted(whole))
        item = signed[0]
        edited = text
        for one in reversed(signed):
            edited = without_item(edited, one)
        yield Finding("sex-sign", item.span, (("today", today),), mended(edited, base.span, today))
    elif altered and not counted:
        item = altered[0]
        yield Finding("sex-sign", item.span, (("today", told(text, item)[1:]),), without_sign(text, item))
    lost = [item for item in signed if item.sign == "-"]
    gained = sum(item.sign == "+" for item in signed)
    replaced = sum(
        _sex_named(item.abnormality)
        for item in concerned
        if isinstance(item.abnormality, Rearrangement) and not item.sign
    )
    if altered and counted and len(base.chromosomes) + len(lost) + replaced < level(line):
        item = altered[0]
        today = without_sign(text, item)
        yield Finding("minus-needless", item.span, (("today", today),), today)
    if lost and len(base.chromosomes) + len(lost) + replaced - gained > max(level(line), 1):
        item = lost[-1]
        chromosome = item.abnormality.chromosome  # type: ignore[union-attr]
        yield Finding("sex-lost", item.span, (("chromosome", chromosome), ("text", base.chromosomes)))


def _sex_named(what: Rearrangement) -> int:
    return sum(one.name in ("X", "Y") for one in what.chromosomes)


def _names(item: Item, chromosome: str) -> bool:
    what = item.abnormality
    if isinstance(what, Whole | Variant):
        return what.chromosome == chromosome
    return isinstance(what, Rearrangement) and any(one.name == chromosome for one in what.chromosomes)


def names_sex(item: Item) -> bool:
    """Whether an item is about X or Y."""
    return _names(item, "X") or _names(item, "Y")


def _number(text: str, line: Line, before: Sequence[Line], *, composite: bool) -> Iterator[Finding]:
    outer = line.doubled.count if line.doubled else line.count
    if line.ploidy is not None:
        near = next((number for most, number in _NEAREST_LEVEL if outer.low <= most), 8)
        if near != line.ploidy:
            said = (("count", str(outer.low)), ("near", str(near)), ("level", str(line.ploidy)))
            yield Finding("ploidy", outer.span, said)
    incomplete = any(isinstance(item.abnormality, Incomplete) for several in line.items for item in several)
    if composite or incomplete:
        return
    if line.doubled is not None:
        inner = replace(line, doubled=None)
        yield from _compared(text, inner, line.count, before)
        copies = line.doubled.copies
        own = count(replace(line, items=line.doubled.items, base=Sex("U"), ploidy=1, doubled=None)).low - 23
        if outer.high is None and copies.high is None and outer.low != line.count.low * copies.low + own:
            implied = str(line.count.low * copies.low + own)
            values = (("written", str(outer.low)), ("implied", implied))
            yield Finding("count", outer.span, values, mended(text, outer.span, implied))
        return
    yield from _compared(text, line, outer, before)


def _compared(text: str, line: Line, written: Range, before: Sequence[Line]) -> Iterator[Finding]:
    try:
        implied = count(line, before)
    except NoMeaning:
        return
    high = implied.low if implied.high is None else implied.high
    top = written.low if written.high is None else written.high
    # A whole chromosome without its sign (rule "sign") may be gained or lost.
    unsigned = sum(isinstance(several[0].abnormality, Whole) and not several[0].sign for several in line.items)
    if implied.low - unsigned <= top and written.low <= high + unsigned:
        return
    replaced = [
        item
        for several in line.items
        for item in several
        if isinstance(item.abnormality, Rearrangement) and not item.sign and _sex_named(item.abnormality)
    ]
    base = line.base
    if isinstance(base, Sex) and not base.constitutional and replaced:
        left = base.chromosomes
        for item in replaced:
            for one in item.abnormality.chromosomes:  # type: ignore[union-attr]
                left = left.replace(one.name, "", 1) if one.name in ("X", "Y") else left
        surplus = len(base.chromosomes) - len(left)
        if surplus and written.low == implied.low - surplus:
            today = mended(text, base.span, left) if left else None
            yield Finding("sex-replaced", base.span, (), today)
            return
    said = (("written", text[written.span.start : written.span.end]), ("implied", _said(implied)))
    today = mended(text, written.span, _said(implied)) if implied.high is None else None
    yield Finding("count", written.span, said, today)


def _said(number: Range) -> str:
    return str(number.low) if number.high is None else f"{number.low}~{number.high}"


def _signs(text: str, line: Line, item: Item) -> Iterator[Finding]:
    what = item.abnormality
    written = told(text, item)
    if isinstance(what, Whole):
        if not item.sign:
            yield Finding("sign", item.span, (("text", written),))
        if item.copies is not None and item.copies.high is None and item.copies.low > 1:
            one = write_item(replace(item, copies=None))
            today = ",".join([one] * item.copies.low)
            yield Finding("copies-normal", item.span, (("today", today),), mended(text, item.span, today))
    elif isinstance(what, Variant):
        rule = "unbanded" if what.region in ("p", "q") else "heteromorphism"
        yield Finding(rule, item.span, (("text", written),), without_item(text, item) if rule != "unbanded" else None)
    elif isinstance(what, Counted):
        if what.kind == "dmin":
            if item.sign == "+" or (item.sign and not isinstance(line.base, Reference)):
                yield Finding("sign-dmin", item.span, (), mended(text, item.span, written.lstrip("+-")))
        elif what.kind in ("ace", "min"):
            yield Finding("acentric", item.span, (), without_item(text, item))
        elif not item.sign:
            yield Finding("sign-unidentified", item.span, (("text", written),), mended(text, item.span, "+" + written))


_ORDER_RULES = {
    0: "order-unidentified", 1: "order-chromosome", 2: "order-change", 3: "order-constitutional", 4: "order-alphabet",
    5: "order-alphabet", 6: "order-unidentified", 7: "order-pter",
}  # fmt: skip


def _order(text: str, line: Line) -> Iterator[Finding]:
    for one in (line, *([replace(line, items=line.doubled.items)] if line.doubled else ())):
        for former, later in pairwise(one.items):
            if compare(former[0], later[0]) <= 0:
                continue
            first, second = place(former[0]), place(later[0])
            part = next((at for at in range(7) if first[at] != second[at]), 7)
            # A suggestion orders the whole line at once.
            today = None
            ordered = items(line)
            if line.doubled is None and _told_later(line.items) == _told_later(ordered):
                today = mended(text, line.span, write_line(replace(line, items=ordered)))
            yield Finding(_ORDER_RULES[part], later[0].span, (("text", told(text, later[0])),), today)
            return


def _told_later(entries: Sequence[Sequence[Item]]) -> set[str]:
    """Changes without breakpoints that an entry after them tells: to get such an order, breakpoints had to move."""
    untold: set[str] = set()
    later: set[str] = set()
    for what in (several[0].abnormality for several in entries):
        for one in (what, *what.then) if isinstance(what, Rearrangement) else ():
            if one.breakpoints or one.strands:
                later |= {head(one)} & untold
            else:
                untold.add(head(one))
    return later


def _cells(text: str, line: Line) -> Iterator[Finding]:
    if line.cells is not None:
        if line.cells.number == 0:
            yield Finding("cells-zero", line.cells.span)
        if line.cells.composite and line.cells.number == 1:
            yield Finding("composite-one", line.cells.span)
    for several in line.items:
        for item in several:
            if item.cells is None:
                continue
            if line.cells is None or not line.cells.composite:
                yield Finding("cells-item", item.cells.span, (), mended(text, item.cells.span, ""))
            elif item.cells.number > line.cells.number:
                bare = text[item.span.start : item.cells.span.start]
                values = (("text", bare), ("item", str(item.cells.number)), ("line", str(line.cells.number)))
                yield Finding("cells-composite", item.cells.span, values)
