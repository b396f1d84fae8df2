"""Which cells make up a clone: cells grouped by their clonal changes, chance losses forgiven, the rest set aside.

The sets of clonal changes form a partial order by inclusion; its smallest sets are stemlines, the others extend them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consilium.cytogenetics.clones.cell import Cell
from consilium.cytogenetics.clones.chance_losses import (
    LARGER_LINE,
    MOST_RANDOM_LOSSES,
    absorb,
    merge_unsupported_losses,
)
from consilium.cytogenetics.clones.change import Change, Changes
from consilium.cytogenetics.clones.clonality import CELLS_FOR_A_GAIN, CELLS_FOR_A_LOSS, KNOWN, Finding
from consilium.cytogenetics.clones.composites import composites
from consilium.cytogenetics.clones.grouping import CellLine, Groups, Reason
from consilium.cytogenetics.clones.setting import Observed, Setting


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


def cell_lines(
    observed: Observed, findings: Mapping[Change, Finding], setting: Setting
) -> tuple[list[CellLine], list[SetAside]]:
    """Sort the cells of a case into lines.

    Returns:
        The lines in no particular order, and what was set aside, by cell.
    """
    shown = [frozenset(c for c in changes if findings[c].clonal) for changes in observed.changes]
    reasons: dict[int, Reason] = {}
    groups = Groups(defaultdict(list))
    for k, cell in enumerate(observed.cells):
        if cell.incomplete:
            continue
        if not shown[k] and (reason := _not_normal(observed.changes[k], findings)):
            reasons[k] = reason
        else:
            groups.cells[shown[k]].append(k)
    groups.cells = dict(groups.cells)
    merge_unsupported_losses(groups, findings)
    combined: list[CellLine] = []
    if setting.neoplastic:
        protected = {one for one in groups.cells if one and all(findings[c].rule in KNOWN for c in one)}
        loose = absorb(groups, observed.changes, protected, most=1, times=2)
        combined = composites(groups, loose, protected, observed, findings, reasons)
    else:
        absorb(groups, observed.changes, set(), most=CELLS_FOR_A_LOSS - 1, times=LARGER_LINE)
        _drop_single_cells(groups, findings, reasons)
    lines = [CellLine(changes=one, cells=sorted(cells)) for one, cells in groups.cells.items() if cells]
    lines += combined
    lines += _incomplete_cells(lines, observed.cells, shown, findings, reasons)
    return lines, _set_aside(lines, observed, findings, reasons)


def _not_normal(changes: Changes, findings: Mapping[Change, Finding]) -> Reason | None:
    """Why a cell without clonal changes does not count as normal; None where it does."""
    losses = sum(change.kind == "loss" for change in changes)
    if any(findings[change].rule == "one_culture" for change in changes):
        return "one_culture"
    if losses < len(changes):
        return "single_cell"
    return "broken" if losses > MOST_RANDOM_LOSSES else None


def _drop_single_cells(groups: Groups, findings: Mapping[Change, Finding], reasons: dict[int, Reason]) -> None:
    """A constitutional line has two cells at least, unless its changes are known or it is the only one."""
    for one in groups.ordered():
        known = one and all(findings[change].rule in KNOWN | {"every_cell"} for change in one)
        if groups.size(one) == 1 and len(groups.cells) > 1 and not known:
            reasons.update(dict.fromkeys(groups.cells.pop(one), "single_combination"))


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
        if len(members) >= needed or all(findings[change].rule in (*KNOWN, "every_cell") for change in changes):
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


def _key(change: Change) -> tuple[object, ...]:
    return change.key
