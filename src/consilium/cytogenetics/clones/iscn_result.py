"""Clones written as an ISCN result: counts, sex chromosomes, references to the stemline, numbers of cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from consilium.cytogenetics.clones.cell import ploidy_of
from consilium.cytogenetics.clones.change import (
    Change,
    Changes,
    acquired,
    added,
    item_key,
    read_item,
    sex_chromosomes_in,
)
from consilium.cytogenetics.clones.doubling import MOST_NEAR_HAPLOID, doubled, halved
from consilium.cytogenetics.clones.families import Clone
from consilium.cytogenetics.clones.setting import Observed, Setting, background_at
from consilium.cytogenetics.iscn.tree import (
    Cells,
    ChromosomeName,
    Counted,
    Doubled,
    Incomplete,
    Item,
    Line,
    Range,
    Rearrangement,
    Reference,
    Result,
    Sex,
)
from consilium.cytogenetics.iscn.validate_line import names_sex
from consilium.errors import InputError

Style = Literal["sl", "idem"]


def result_of(clones: Sequence[Clone], observed: Observed, setting: Setting, style: Style) -> Result:
    """Write clones, in the order given.

    Cell numbers stand in neoplasia always, else only where there is more than one line (ISCN 2024, 4.2.1c).
    """
    numbered = setting.neoplastic or len(clones) > 1
    references = _references(clones, style)
    lines = []
    for clone, reference in zip(clones, references, strict=True):
        base = clones[clone.parent] if reference is not None and clone.parent is not None else None
        line = _line(clone, base, reference, clones, observed, setting)
        cells = Cells(len(clone.cells), clone.composite) if numbered else None
        lines.append(replace(line, cells=cells))
    prefix = setting.prefix if not setting.neoplastic and len(clones) > 1 else ""
    return Result((_breakpoints_once(lines),), prefix)


def _references(clones: Sequence[Clone], style: Style) -> list[Reference | None]:
    """How each line refers to another (ISCN 2024, 6.3.4); None where it is written in full.

    "idem" is the first line of the result alone. A chain in which every line extends the one before is told by "sdl1",
    "sdl2"; where sidelines branch, all are told against the stemline, as "sdl" would then make it harder to read.
    """
    families = sorted({clone.family for clone in clones if clone.parent is not None})
    out: list[Reference | None] = []
    for clone in clones:
        if clone.parent is None or (style == "idem" and clone.parent != 0):
            out.append(None)
            continue
        copies = Range(clone.times) if clone.times > 1 else None
        if style == "idem":
            out.append(Reference("idem", None, copies))
            continue
        before = len(out) - clone.parent - 1
        if before and clone.times == 1 and clone.family == 1 and len(families) == 1 and _chain(clones, clone.family):
            out.append(Reference("sdl", before))
            continue
        index = clone.family if len(families) > 1 or clone.family != 1 else None
        out.append(Reference("sl", index, copies))
    return out


def _chain(clones: Sequence[Clone], family: int) -> bool:
    lines = [clone for clone in clones if clone.family == family]
    if any(line.composite or line.times > 1 or line.parent is None for line in lines[1:]):
        return False
    return all(acquired(frozenset(one.changes)) < acquired(frozenset(two.changes)) for one, two in pairwise(lines))


def _line(
    clone: Clone,
    base: Clone | None,
    reference: Reference | None,
    clones: Sequence[Clone],
    observed: Observed,
    setting: Setting,
) -> Line:
    changes = frozenset(clone.changes)
    count = Range(_count(changes, clone.level, observed))
    if clone.counts is not None:
        low, high = clone.counts
        count = Range(low, high if high > low else None)
    level = clone.level
    shown_level = level != 2 if setting.neoplastic else ploidy_of(count.low) != level
    ploidy = level if shown_level or ploidy_of(count.low) != level else None
    if reference is not None and base is not None:
        if reference.kind == "sdl" and reference.index is not None and clone.parent is not None:
            base = clones[clone.parent + reference.index]
        told = frozenset(base.changes)
        born = frozenset(change for change in changes if change.constitutional)
        rest = changes - (doubled(acquired(told), observed.sex) if clone.times > 1 else told) - born
        rest = frozenset(change for change in rest if change.item is not None)
        return Line(count, reference, _entries(rest, clone, observed, setting, Counter()))
    if setting.masked and (line := _doubled_line(clone, observed, setting)) is not None:
        return line
    sex, rest = _sex(clone, observed, setting)
    return Line(count, sex, _entries(rest, clone, observed, setting, background_at(level, observed)), ploidy=ploidy)


def _doubled_line(clone: Clone, observed: Observed, setting: Setting) -> Line | None:
    """A clone as the near-haploid one that it is twice, "50(25,X,+8,+21)x2" (ISCN 2024, 6.3.7h); None if it is not."""
    plain = not (clone.composite or clone.incomplete or observed.background or observed.sex.constitutional)
    parts = halved(frozenset(clone.changes), observed.sex) if plain and acquired(frozenset(clone.changes)) else None
    if parts is None:
        return None
    inner, later = parts
    count = 22 + 1 + sum(added(change.item) for change in inner)
    if count > MOST_NEAR_HAPLOID:
        return None
    # The X of the haploid set stands before the entries; where it is lost or altered it stands among them alone.
    gone = any(change.sex_chromosome == "X" and change.kind == "loss" for change in inner)
    altered = any("X" in sex_chromosomes_in(change.item) for change in inner)
    sex = None if gone or altered else Sex("X")
    nothing: Counter[Item] = Counter()
    outer = Range(_count(frozenset(clone.changes), clone.level, observed))
    doubled_ = Doubled(outer, Range(2), items=_entries(later, clone, observed, setting, nothing))
    return Line(Range(count), sex, _entries(inner, clone, observed, setting, nothing), doubled=doubled_)


def _count(changes: Changes, level: int, observed: Observed) -> int:
    """The chromosomes that the entries of a line add up to."""
    sex = sum(observed.sex.at(level).values())
    born = sum(added(item) * times for item, times in background_at(level, observed).items())
    return 22 * level + sex + born + sum(added(change.item) for change in changes)


def _sex(clone: Clone, observed: Observed, setting: Setting) -> tuple[Sex | None, Changes]:
    """The sex chromosomes as they are written, and the changes that remain to be written (ISCN 2024, 4.2.1b, 5.1f).

    None where no sex chromosome is normal: "46,t(X;4)...,t(Y;9)..." (5.5.18.1.1).

    Raises:
        InputError: more sex chromosomes are altered or lost than there are.
    """
    changes = frozenset(clone.changes)
    letters = observed.sex.at(clone.level)
    constitutional = observed.sex.constitutional
    for change in changes:
        if change.sex_chromosome and (change.constitutional or not setting.neoplastic):
            letters[change.sex_chromosome] += 1 if change.kind == "gain" else -1
            constitutional |= change.constitutional
    remaining = frozenset(
        change for change in changes
        if not (change.sex_chromosome and (change.constitutional or not setting.neoplastic)) and change.item is not None
    )  # fmt: skip
    # A constitutional complement is written whole, whatever was acquired on top (6.4g).
    if not constitutional:
        # Where some cells of a composite have the abnormal one and others do not, the normal ones stay (6.3.5e).
        everywhere = {
            change for change, number in zip(clone.changes, clone.carriers, strict=True) if number == len(clone.cells)
        } if clone.composite else changes  # fmt: skip
        for change in remaining:
            if change.kind == "loss" and change.sex_chromosome:
                letters[change.sex_chromosome] -= 1
            elif change in everywhere:
                letters.subtract(sex_chromosomes_in(change.item))
        for item in background_at(clone.level, observed).elements():
            letters.subtract(sex_chromosomes_in(item))
    written = "X" * letters["X"] + "Y" * letters["Y"]
    told = [*(change.item for change in remaining), *background_at(clone.level, observed)]
    if min(letters.values()) < 0 or (not written and not any(item is not None and names_sex(item) for item in told)):
        raise InputError(
            "more sex chromosomes are altered or lost in a clone than there are",
            where=", ".join(clone.cells), way_out="Look at the sex chromosomes of these cells, and at the sex told.",
        )  # fmt: skip
    if not written:
        return None, remaining
    return Sex(written, observed.sex.doubtful, constitutional), remaining


def _entries(
    changes: Changes, clone: Clone, observed: Observed, setting: Setting, background: Counter[Item]
) -> tuple[tuple[Item, ...], ...]:
    """The entries of a line in their order, equal ones together where ISCN 2024 has a number for them (5.5.12, 5.6)."""
    items: list[Item] = []
    counted = (
        dict(zip(clone.changes, clone.carriers, strict=True)) if clone.carriers and setting.composite_numbers else {}
    )
    together: Counter[tuple[Item, bool]] = Counter({(item, True): times for item, times in background.items()})
    for change in sorted(changes, key=lambda change: change.key):
        assert change.item is not None
        if change in counted:
            items.append(replace(_written(change, observed, setting), cells=Cells(counted[change])))
        else:
            together[change.item, change.constitutional] += 1
    for (item, born), times in together.items():
        entry = _written(Change(item, constitutional=born), observed, setting)
        if isinstance(item.abnormality, Counted):
            items.append(replace(entry, abnormality=_number(item.abnormality, times, clone, observed)))
        elif times > 1 and isinstance(item.abnormality, Rearrangement):
            items.append(replace(entry, copies=Range(times)))
        else:
            items += [entry] * times
    if clone.incomplete:
        items.append(Item(Incomplete()))
    return tuple((item,) for item in sorted(items, key=item_key))


def _written(change: Change, observed: Observed, setting: Setting) -> Item:
    """An entry with what is known of its origin (ISCN 2024, 4.2.1e, 6.4c)."""
    assert change.item is not None
    known = observed.written.get(change.item)
    if setting.neoplastic:
        if not change.constitutional:
            return change.item
        return replace(change.item, origins=known.origins if known is not None and known.origins else ("c",))
    return change.item if known is None else replace(change.item, origins=known.origins)


def _number(one: Counted, times: int, clone: Clone, observed: Observed) -> Counted:
    """How many of a kind: markers as often as they are there, double minutes as the cells show them."""
    if one.kind != "dmin":
        return one if times == 1 else replace(one, number=Range(times))
    told: list[Counted] = []
    for cell in observed.cells:
        if cell.name in clone.cells:
            for entry in cell.structural:
                item = read_item(entry) if isinstance(entry, str) else entry
                if isinstance(item.abnormality, Counted) and item.abnormality.kind == "dmin":
                    told.append(item.abnormality)
    low = [number.number.low for number in told if number.number is not None]
    if not low or len(low) < len(told):
        return one
    high = [number.number.high or number.number.low for number in told if number.number is not None]
    if any(number.bound == ">" for number in told):
        more = min(number - (one.bound != ">") for number, one in zip(low, told, strict=True))
        return replace(one, number=Range(more), bound=">")
    return replace(one, number=Range(min(low), max(high) if max(high) > min(low) else None))


def _breakpoints_once(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Leave breakpoints out where the same rearrangement has stood before (ISCN 2024, 4.2.1f, 4.6d).

    Where two of the same kind and chromosomes differ in their breakpoints, they stay everywhere.
    """
    told: dict[tuple[str, tuple[ChromosomeName, ...]], set[object]] = {}
    for line in lines:
        for entry in (*line.items, *(line.doubled.items if line.doubled else ())):
            for part in _parts(entry[0]):
                told.setdefault((part.kind, part.chromosomes), set()).add(part.breakpoints)
    seen: set[tuple[str, tuple[ChromosomeName, ...]]] = set()

    def once(item: Item) -> Item:
        parts = []
        for part in _parts(item):
            name = (part.kind, part.chromosomes)
            again = name in seen and len(told[name]) == 1 and not part.strands
            seen.add(name)
            parts.append(replace(part, breakpoints=()) if again else part)
        return replace(item, abnormality=replace(parts[0], then=tuple(parts[1:]))) if parts else item

    def each(line: Line) -> Line:
        inner = replace(line, items=tuple((once(entry[0]),) for entry in line.items))
        if line.doubled is None:
            return inner
        later = tuple((once(entry[0]),) for entry in line.doubled.items)
        return replace(inner, doubled=replace(line.doubled, items=later))

    return tuple(map(each, lines))


def _parts(item: Item) -> list[Rearrangement]:
    if not isinstance(item.abnormality, Rearrangement):
        return []
    return [replace(item.abnormality, then=()), *item.abnormality.then]
