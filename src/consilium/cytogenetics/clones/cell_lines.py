"""Which cells make up a clone: cells grouped by their clonal changes, chance losses forgiven, the rest set aside.

The sets of clonal changes form a partial order by inclusion; its smallest sets are stemlines, the others extend them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from consilium.cytogenetics.clones.cell import Cell
from consilium.cytogenetics.clones.change import Change, Changes, acquired
from consilium.cytogenetics.clones.clonality import CELLS_FOR_A_GAIN, CELLS_FOR_A_LOSS, Finding
from consilium.cytogenetics.clones.setting import Observed, Setting
from consilium.cytogenetics.iscn.tree import Rearrangement, Whole

MOST_RANDOM_LOSSES = 3
"""More chromosomes than these are not taken for lost by chance in a cell that is counted."""

LARGER_LINE = 4
"""A constitutional line is taken for chance losses of another only where that one has so many times its cells."""

Reason = Literal["random_loss", "single_cell", "single_combination", "broken", "incomplete", "one_culture"]
"""Why a finding, or a cell, is not in the string:

    random_loss         a loss, or a missing gain, taken for chance; the cell counts to its line
    single_cell         a gain or structural change that is not clonal; a cell without any clonal change is not counted
    single_combination  clonal changes in a combination that only this cell has
    broken              too many chromosomes lost by chance: the cell is not counted
    incomplete          the cell could not be analysed wholly and fits several lines or none: it is not counted
    one_culture         pseudomosaicism
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAside:
    """What was seen in a cell and is not in the string.

    Attributes:
        cell: its name.
        seen: changes that the cell shows and its line does not have.
        missing: changes that its line has and the cell does not show.
        reason: why.
        counted: whether the cell counts to a line nevertheless.
    """

    cell: str
    seen: tuple[Change, ...]
    missing: tuple[Change, ...]
    reason: Reason
    counted: bool


@dataclass(kw_only=True, slots=True)
class CellLine:
    """Cells that count as one line, before it has its place.

    Attributes:
        changes: what all of them have; in a composite, what some of them have.
        cells: their indices.
        composite: no clones could be told apart in them.
        incomplete: none of them could be analysed wholly.
    """

    changes: Changes
    cells: list[int]
    composite: bool = False
    incomplete: bool = False


@dataclass(slots=True)
class _Groups:
    """Complete cells by the clonal changes they show."""

    cells: dict[Changes, list[int]]

    def move(self, source: Changes, target: Changes) -> None:
        self.cells.setdefault(target, []).extend(self.cells.pop(source))

    def size(self, changes: Changes) -> int:
        return len(self.cells.get(changes, ()))

    def ordered(self) -> list[Changes]:
        """The most complex first."""
        return sorted(self.cells, key=lambda one: (-len(one), set_key(one)))

    def with_all(self, changes: Changes) -> int:
        """Cells that have at least these changes."""
        return sum(len(cells) for one, cells in self.cells.items() if changes <= one)


def set_key(changes: Changes) -> tuple[tuple[object, ...], ...]:
    """The place of a set among sets, whatever order it was made in."""
    return tuple(sorted(change.key for change in changes))


def cell_lines(
    observed: Observed, findings: Mapping[Change, Finding], setting: Setting
) -> tuple[list[CellLine], list[SetAside]]:
    """Sort the cells of a case into lines.

    Returns:
        The lines in no particular order, and what was set aside, by cell.
    """
    shown = [frozenset(c for c in changes if findings[c].clonal) for changes in observed.changes]
    reasons: dict[int, Reason] = {}
    groups = _Groups(defaultdict(list))
    for k, cell in enumerate(observed.cells):
        if cell.incomplete:
            continue
        if not shown[k] and (reason := _not_normal(observed.changes[k], findings)):
            reasons[k] = reason
        else:
            groups.cells[shown[k]].append(k)
    groups.cells = dict(groups.cells)
    _merge_unsupported_losses(groups, findings)
    composites: list[CellLine] = []
    if setting.neoplastic:
        protected = {one for one in groups.cells if one and all(findings[c].rule in _KNOWN for c in one)}
        loose = _absorb(groups, observed.changes, protected, most=1, times=2)
        composites = _composites(groups, loose, protected, observed, findings, reasons)
    else:
        _absorb(groups, observed.changes, set(), most=CELLS_FOR_A_LOSS - 1, times=LARGER_LINE)
        _drop_single_cells(groups, findings, reasons)
    lines = [CellLine(changes=one, cells=sorted(cells)) for one, cells in groups.cells.items() if cells]
    lines += composites
    lines += _incomplete_cells(lines, observed.cells, shown, findings, reasons)
    return lines, _set_aside(lines, observed, findings, reasons)


_KNOWN = ("previous_study", "confirmed", "constitutional", "doubled")


def _not_normal(changes: Changes, findings: Mapping[Change, Finding]) -> Reason | None:
    """Why a cell without clonal changes does not count as normal; None where it does."""
    losses = sum(change.kind == "loss" for change in changes)
    if any(findings[change].rule == "one_culture" for change in changes):
        return "one_culture"
    if losses < len(changes):
        return "single_cell"
    return "broken" if losses > MOST_RANDOM_LOSSES else None


def _merge_unsupported_losses(groups: _Groups, findings: Mapping[Change, Finding]) -> None:
    """A line that only losses set apart needs enough cells of its own; else they count to the line without them."""
    for one in groups.ordered():
        if one not in groups.cells or not one:
            continue
        parents = [other for other in {*groups.cells, frozenset[Change]()} if other < one]
        parent = min(parents, key=lambda other: (-len(other), -groups.size(other), set_key(other)))
        apart = one - parent
        if any(change.kind != "loss" or findings[change].rule in _KNOWN for change in apart):
            continue
        support = groups.with_all(one)
        shared = support == 2 and _most_have_it(one, parent, groups)
        if support < CELLS_FOR_A_LOSS and not shared and findings[min(apart, key=_key)].rule != "every_cell":
            groups.move(one, parent)


def _most_have_it(one: Changes, parent: Changes, groups: _Groups) -> bool:
    return any(
        change.kind in ("gain", "structural") and 2 * groups.with_all(one) > groups.with_all(frozenset({change}))
        for change in parent
    )


def _key(change: Change) -> tuple[object, ...]:
    return change.key


def lost_by_chance(shows: Changes, everything: Changes, line: Changes) -> int | None:
    """How many chromosomes a cell must have lost to be one of a line; None where losses do not explain it.

    Args:
        shows: clonal changes of the cell.
        everything: all its changes.
        line: changes of the line.
    """
    losses = [change for change in everything - line if change.kind == "loss"]
    if any(change.kind != "loss" for change in shows - line):
        return None
    lost = len(losses)
    spare = [change.item.abnormality for change in losses if change.item is not None]
    for change in line - shows:
        if change.item is None or change.constitutional:
            return None
        if change.kind == "gain":
            lost += 1
            continue
        # The abnormal chromosome itself may be the one that was lost; the cell then seems to lack a normal one.
        abnormality = change.item.abnormality
        if not isinstance(abnormality, Rearrangement) or len(abnormality.chromosomes) != 1:
            return None
        whole = Whole(abnormality.chromosomes[0].name)
        if whole not in spare:
            return None
        spare.remove(whole)
    return lost


def _absorb(
    groups: _Groups, changes: Sequence[Changes], protected: set[Changes], *, most: int, times: int
) -> dict[Changes, int]:
    """Let cells that a larger line explains by chance losses count to it.

    Returns:
        How many cells each line took up whose gains were missing.
    """
    moves: list[tuple[Changes, Changes]] = []
    for one in groups.ordered():
        if groups.size(one) > most or one in protected or (not one and most == 1):
            continue
        targets = []
        for line in groups.cells:
            if groups.size(line) < times * groups.size(one) or not line - one:
                continue
            lost = [lost_by_chance(one, changes[k], line) for k in groups.cells[one]]
            if all(number is not None and number <= MOST_RANDOM_LOSSES for number in lost):
                targets.append((max(filter(None, lost), default=0), -groups.size(line), set_key(line), line))
        if targets:
            moves.append((one, min(targets, key=lambda target: target[:3])[3]))
    loose: defaultdict[Changes, int] = defaultdict(int)
    for one, line in moves:
        loose[line] += groups.size(one)
        groups.move(one, line)
    return loose


def _drop_single_cells(groups: _Groups, findings: Mapping[Change, Finding], reasons: dict[int, Reason]) -> None:
    """A constitutional line has two cells at least, unless its changes are known or it is the only one."""
    for one in groups.ordered():
        known = one and all(findings[change].rule in (*_KNOWN, "every_cell") for change in one)
        if groups.size(one) == 1 and len(groups.cells) > 1 and not known:
            reasons.update(dict.fromkeys(groups.cells.pop(one), "single_combination"))


def _composites(
    groups: _Groups,
    loose: Mapping[Changes, int],
    protected: set[Changes],
    observed: Observed,
    findings: Mapping[Change, Finding],
    reasons: dict[int, Reason],
) -> list[CellLine]:
    """Take the cells out that no clones can be told apart in, and combine them (ISCN 2024, 6.3.5)."""
    shown = {k: frozenset(c for c in changes if findings[c].clonal) for k, changes in enumerate(observed.changes)}
    left_over: list[int] = []
    for one in groups.ordered():
        size = groups.size(one)
        if size and 2 * loose.get(one, 0) > size:
            left_over += groups.cells.pop(one)
    firm = [one for one in groups.cells if groups.size(one) > 1]
    single = []
    for one in groups.ordered():
        if groups.size(one) == 1 and one and one not in protected:
            if any(one < line for line in firm):
                single.append(one)
            else:
                left_over += groups.cells.pop(one)
    lines = []
    for family in _families(left_over, shown):
        line = _composite(family, single, groups, protected, observed, findings, shown, reasons)
        if line is not None:
            lines.append(line)
    return lines


def _families(cells: Sequence[int], shown: Mapping[int, Changes]) -> list[list[int]]:
    """Cells that share changes, directly or through others."""
    families: list[tuple[set[Change], list[int]]] = []
    for k in sorted(cells):
        changes, members = set(acquired(shown[k])), [k]
        apart = []
        for others, theirs in families:
            if changes & others:
                changes |= others
                members += theirs
            else:
                apart.append((others, theirs))
        families = [*apart, (changes, members)]
    return [sorted(members) for _, members in families]


def _composite(
    family: list[int],
    single: list[Changes],
    groups: _Groups,
    protected: set[Changes],
    observed: Observed,
    findings: Mapping[Change, Finding],
    shown: Mapping[int, Changes],
    reasons: dict[int, Reason],
) -> CellLine | None:
    """One composite of a family; cells that stay alone go back to the line they extend, or are set aside."""
    together = frozenset[Change]().union(*(shown[k] for k in family))
    stem = _stem(family, groups, shown)
    near = [
        one for one in groups.cells if one and one != stem and one not in protected and (one - stem) & (together - stem)
    ]
    near = [one for one in near if stem <= one]
    few = [one for one in near if one in single]
    firm = [one for one in near if one not in single]
    if len(family) >= 2 or stem:
        for one in few if len(family) + len(few) >= 2 else []:
            family += groups.cells.pop(one)
        if len(family) >= sum(groups.size(one) for one in firm):
            for one in firm:
                family += groups.cells.pop(one)
    kept = _clonal_within(family, stem, shown, findings)
    members = [k for k in family if shown[k] & kept - stem]
    for k in set(family) - set(members):
        if stem:
            groups.cells[stem].append(k)
        else:
            reasons[k] = "single_combination"
    if len(members) >= 2:
        return CellLine(changes=kept, cells=sorted(members), composite=True)
    for k in members:
        lines = [one for one in groups.cells if one and one <= shown[k]]
        if lines:
            groups.cells[min(lines, key=lambda one: (-len(one), -groups.size(one), set_key(one)))].append(k)
        else:
            reasons[k] = "single_combination"
    return None


def _stem(family: Sequence[int], groups: _Groups, shown: Mapping[int, Changes]) -> Changes:
    """The largest firm line that all cells of a family extend; empty where there is none."""
    lines = [
        one for one in groups.cells if one and groups.size(one) > 1 and all(one <= shown[k] for k in family)
    ]  # fmt: skip
    return min(lines, key=lambda one: (-len(one), set_key(one)), default=frozenset[Change]())


def _clonal_within(
    family: Sequence[int], stem: Changes, shown: Mapping[int, Changes], findings: Mapping[Change, Finding]
) -> Changes:
    """What stays clonal among the cells of a composite (ISCN 2024, 6.3.5b)."""
    carriers: defaultdict[Change, set[int]] = defaultdict(set)
    for k in family:
        for change in shown[k]:
            carriers[change].add(k)
    kept = {
        change for change, cells in carriers.items()
        if findings[change].rule in _KNOWN or len(cells) >= (CELLS_FOR_A_LOSS if change.kind == "loss" else 2)
    }  # fmt: skip
    for change, cells in carriers.items():
        if change.kind == "loss" and len(cells) == 2 and any(
            cells <= carriers[other] and 2 * len(cells) > len(carriers[other])
            for other in kept if other.kind in ("gain", "structural") and other not in stem
        ):  # fmt: skip
            kept.add(change)
    return frozenset(kept) | stem


def _incomplete_cells(
    lines: list[CellLine],
    cells: Sequence[Cell],
    shown: Sequence[Changes],
    findings: Mapping[Change, Finding],
    reasons: dict[int, Reason],
) -> list[CellLine]:
    """Give incomplete cells to the one line with their changes; several that fit no line make one of their own."""
    waiting: defaultdict[Changes, list[int]] = defaultdict(list)
    for k, cell in enumerate(cells):
        if not cell.incomplete:
            continue
        same = [line for line in lines if line.changes == shown[k] and not line.composite]
        more = [line for line in lines if line.changes > shown[k]]
        if not shown[k] or (more and not same):
            reasons[k] = "incomplete"
        elif same:
            same[0].cells.append(k)
        else:
            waiting[shown[k]].append(k)
    made = []
    for changes, members in waiting.items():
        needed = CELLS_FOR_A_LOSS if all(change.kind == "loss" for change in changes) else CELLS_FOR_A_GAIN
        if len(members) >= needed or all(findings[change].rule in (*_KNOWN, "every_cell") for change in changes):
            made.append(CellLine(changes=changes, cells=members, incomplete=True))
        else:
            reasons.update(dict.fromkeys(members, "incomplete"))
    return made


def _set_aside(
    lines: Sequence[CellLine],
    observed: Observed,
    findings: Mapping[Change, Finding],
    reasons: Mapping[int, Reason],
) -> list[SetAside]:
    """Everything that a cell shows and its line does not, or the other way round."""
    line_of = {k: line for line in lines for k in line.cells}
    aside = []
    for k, cell in enumerate(observed.cells):
        line = line_of.get(k)
        has = line.changes if line else frozenset[Change]()
        seen = observed.changes[k] - has
        missing = frozenset[Change]() if line is None or line.composite else has - observed.changes[k]
        if line is not None and not seen and not missing:
            continue
        more = [change for change in seen if change.kind != "loss"]
        clonal = any(findings[change].clonal for change in more)
        why: Reason = "random_loss" if not more else "single_combination" if clonal else "single_cell"
        aside.append(
            SetAside(
                cell=cell.name, seen=tuple(sorted(seen, key=_key)), missing=tuple(sorted(missing, key=_key)),
                reason=reasons.get(k, why), counted=line is not None,
            )
        )  # fmt: skip
    return aside
