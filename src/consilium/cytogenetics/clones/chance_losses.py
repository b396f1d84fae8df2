"""Chromosomes lost by chance: which lines and cells they explain (ISCN 2024, 4.5.1b, 6.3.5c)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from consilium.cytogenetics.clones.change import Change, Changes
from consilium.cytogenetics.clones.clonality import CELLS_FOR_A_LOSS, KNOWN, Finding
from consilium.cytogenetics.clones.grouping import Groups, set_key
from consilium.cytogenetics.iscn.tree import Rearrangement, Whole

MOST_RANDOM_LOSSES = 3
"""More chromosomes than these are not taken for lost by chance in a cell that is counted."""

LARGER_LINE = 4
"""A constitutional line is taken for chance losses of another only where that one has so many times its cells."""


def merge_unsupported_losses(groups: Groups, findings: Mapping[Change, Finding]) -> None:
    """A line that only losses set apart needs enough cells of its own; else they count to the line without them."""
    for one in groups.ordered():
        if one not in groups.cells or not one:
            continue
        parents = [other for other in {*groups.cells, frozenset[Change]()} if other < one]
        parent = min(parents, key=lambda other: (-len(other), -groups.size(other), set_key(other)))
        apart = one - parent
        if any(change.kind != "loss" or findings[change].rule in KNOWN for change in apart):
            continue
        support = groups.with_all(one)
        shared = support == 2 and _most_have_it(one, parent, groups)
        every = any(findings[change].rule == "every_cell" for change in apart)
        if support < CELLS_FOR_A_LOSS and not shared and not every:
            groups.move(one, parent)


def _most_have_it(one: Changes, parent: Changes, groups: Groups) -> bool:
    return any(
        change.kind in ("gain", "structural") and 2 * groups.with_all(one) > groups.with_all(frozenset({change}))
        for change in parent
    )


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


def absorb(
    groups: Groups, changes: Sequence[Changes], protected: set[Changes], *, most: int, times: int
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
