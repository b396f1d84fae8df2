"""Lines become families with a stemline, and get their order (ISCN 2024, 4.5.3, 6.3.3, 6.3.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from consilium.cytogenetics.clones.cell import ploidy_of
from consilium.cytogenetics.clones.change import Change, Changes, acquired, complexity, level_of
from consilium.cytogenetics.clones.doubling import doubled
from consilium.cytogenetics.clones.grouping import CellLine, likely_stem, set_key
from consilium.cytogenetics.clones.setting import Observed, Setting

Role = Literal["stemline", "sideline", "clone", "constitutional", "normal"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Clone:
    """One line of the result.

    Attributes:
        role: what it is among the others; "clone" where it has no kin, or its family has no stemline.
        changes: what it has changed, in the order of a line.
        cells: names of its cells.
        family: lines with the same number are related; 0 for those without acquired changes.
        parent: index of the stemline it extends; None where there is none.
        times: how often it has the stemline's chromosomes: 2 where it was doubled.
        composite: no clones could be told apart in its cells (ISCN 2024, 6.3.5).
        carriers: in a composite, how many cells have each of `changes`.
        counts: in a composite or an incomplete one, the lowest and the highest chromosome count.
        incomplete: none of its cells could be analysed wholly (ISCN 2024, 6.3.6).
    """

    role: Role
    changes: tuple[Change, ...]
    cells: tuple[str, ...]
    family: int = 0
    parent: int | None = None
    times: int = 1
    composite: bool = False
    carriers: tuple[int, ...] = ()
    counts: tuple[int, int] | None = None
    incomplete: bool = False

    @property
    def level(self) -> int:
        """Its ploidy level, 2 for diploid."""
        return level_of(self.changes)


def in_order(lines: Sequence[CellLine], observed: Observed, setting: Setting) -> tuple[Clone, ...]:
    """Make clones of lines, in the order in which they are written."""
    if not setting.neoplastic:
        ordered = sorted(lines, key=lambda line: (is_normal(line.changes, observed), *_by_size(line, observed)))
        roles: list[Role] = ["normal" if is_normal(line.changes, observed) else "clone" for line in ordered]
        return tuple(_clone(line, observed, role=role) for line, role in zip(ordered, roles, strict=True))
    clones: list[Clone] = []
    families = _families([line for line in lines if acquired(line.changes)], observed)
    for number, (stem, family) in enumerate(families, start=1):
        first = len(clones)
        for line in family:
            if stem is None or line is stem:
                role: Role = "clone" if stem is None or len(family) == 1 else "stemline"
                clones.append(_clone(line, observed, role=role, family=number))
            else:
                times = level_of(line.changes) // level_of(stem.changes)
                parent = first if _told_against(stem, line) else None
                times = times if parent is not None else 1
                clones.append(_clone(line, observed, role="sideline", family=number, parent=parent, times=times))
    unchanged = [line for line in lines if not acquired(line.changes)]
    for line in sorted(unchanged, key=lambda line: (not line.changes, *_by_size(line, observed))):
        born = bool(line.changes or observed.background or observed.sex.constitutional)
        clones.append(_clone(line, observed, role="constitutional" if born else "normal"))
    return tuple(clones)


def _told_against(stem: CellLine, line: CellLine) -> bool:
    """Whether a line can refer to the stemline: it has it once or twice, and what is constitutional is the same."""
    times = level_of(line.changes) / level_of(stem.changes)
    born, theirs = line.changes - acquired(line.changes), stem.changes - acquired(stem.changes)
    return born == theirs if times == 1 else times == 2 and not born and not theirs


def is_normal(changes: Changes, observed: Observed) -> bool:
    """Whether nothing but a usual complement of sex chromosomes is left: XX and XY are both normal."""
    if any(not change.sex_chromosome or change.level != 2 for change in changes):
        return False
    sex = observed.sex.at(2)
    for change in changes:
        sex[change.sex_chromosome] += 1 if change.kind == "gain" else -1
    return (sex["X"], sex["Y"]) in ((2, 0), (1, 1))


def _by_size(line: CellLine, observed: Observed) -> tuple[object, ...]:
    """The largest first; on ties by chromosome, then gain, loss, structural change (ISCN 2024, 4.5.3k, 6.3.3.2)."""
    # A usual complement that is not the one compared with (XX of an XY/XX chimera) has changes; XX still goes first.
    male = observed.sex.at(2)["Y"] + sum(
        1 if change.kind == "gain" else -1 for change in line.changes if change.sex_chromosome == "Y"
    )
    normal = is_normal(line.changes, observed)
    return (
        -len(line.cells),
        male if normal else 0,
        () if normal else set_key(acquired(line.changes)),
        set_key(line.changes),
    )


def _clone(
    line: CellLine, observed: Observed, *, role: Role, family: int = 0, parent: int | None = None, times: int = 1
) -> Clone:
    changes = tuple(sorted(line.changes, key=lambda change: change.key))
    cells = sorted(line.cells)
    carriers: tuple[int, ...] = ()
    counts = None
    if line.composite:
        carriers = tuple(sum(change in observed.changes[k] for k in cells) for change in changes)
    if line.composite or line.incomplete:
        numbers = [observed.cells[k].chromosomes for k in cells]
        # A cell that lost so much that its count is of another level tells nothing about the range (6.3.5e).
        usual = [number for number in numbers if ploidy_of(number) == level_of(changes)] or numbers
        counts = (min(usual), max(usual))
    return Clone(
        role=role, changes=changes, cells=tuple(observed.cells[k].name for k in cells), family=family, parent=parent,
        times=times, composite=line.composite, carriers=carriers, counts=counts, incomplete=line.incomplete,
    )  # fmt: skip


_Family = tuple[CellLine | None, list[CellLine]]
"""Its stemline, where it has one, and its lines in their order, the stemline first."""


def _families(lines: Sequence[CellLine], observed: Observed) -> list[_Family]:
    """Related lines by complexity; families with sidelines first, then single clones by size (ISCN 2024, 6.3.3)."""
    lines = sorted(lines, key=lambda line: set_key(line.changes))
    extended = {
        k: [j for j, other in enumerate(lines) if j != k and _extends(line, other, observed)]
        for k, line in enumerate(lines)
    }
    roots = [k for k in extended if not extended[k]]
    family_of = {k: k for k in roots}
    for k in roots:
        for j in roots:
            if j < k and _kin(lines[j], lines[k]):
                old, new = family_of[k], family_of[j]
                family_of = {one: new if family == old else family for one, family in family_of.items()}
    members: defaultdict[int, list[int]] = defaultdict(list)
    for k in roots:
        members[family_of[k]].append(k)
    for k in extended:
        if k not in family_of:
            own = [j for j in _reached(k, extended) if j in family_of]
            best = min(own, key=lambda j: likely_stem(lines[j].changes, len(lines[j].cells)))
            members[family_of[best]].append(k)
    made: list[_Family] = []
    for family in members.values():
        first = [k for k in family if k in family_of]
        stem = lines[first[0]] if len(first) == 1 and not lines[first[0]].composite else None
        made.append((stem, sorted((lines[k] for k in family), key=lambda line: _by_complexity(line, stem, observed))))
    return sorted(made, key=lambda family: _family_place(family, observed))


def _reached(k: int, extended: Mapping[int, Sequence[int]]) -> set[int]:
    """All that a line extends, directly or through others: a tetraploid clone may come of a haploid one by 2n."""
    reached: set[int] = set()
    waiting = [k]
    while waiting:
        new = set(extended[waiting.pop()]) - reached
        reached |= new
        waiting += new
    return reached


def _extends(line: CellLine, other: CellLine, observed: Observed) -> bool:
    """Whether a line has all that another has, once or doubled, and more."""
    if other.composite:
        return False
    mine, theirs = acquired(line.changes), acquired(other.changes)
    if level_of(mine) == level_of(theirs):
        return theirs < mine
    twice = doubled(theirs, observed.sex)
    # Two sets without a change are what a normal cell has as well.
    return level_of(mine) == 2 * level_of(theirs) and bool(twice) and twice <= mine


def _kin(one: CellLine, other: CellLine) -> bool:
    items = [{change.item for change in acquired(line.changes)} - {None} for line in (one, other)]
    return bool(items[0] & items[1])


def _by_complexity(line: CellLine, stem: CellLine | None, observed: Observed) -> tuple[object, ...]:
    """The stemline, then by the number of abnormalities (table 7), then by chromosome (ISCN 2024, 6.3.3.1)."""
    number = sum(complexity(change) for change in line.changes)
    if stem is not None and level_of(line.changes) == 2 * level_of(stem.changes):
        number = sum(complexity(change) for change in line.changes - doubled(acquired(stem.changes), observed.sex))
        number += sum(complexity(change) for change in stem.changes)
    return (line is not stem, line.composite, number, set_key(acquired(line.changes)), set_key(line.changes))


def _family_place(family: _Family, observed: Observed) -> tuple[object, ...]:
    _, lines = family
    earlier = any(change.item in observed.previous for line in lines for change in line.changes)
    return (not earlier, len(lines) == 1, -len(lines[0].cells), set_key(acquired(lines[0].changes)))
