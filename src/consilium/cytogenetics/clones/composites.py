"""Composite karyotypes: cells that share changes, but in which no clones can be told apart (ISCN 2024, 6.3.5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from consilium.cytogenetics.clones.change import Change, Changes, acquired
from consilium.cytogenetics.clones.clonality import CELLS_FOR_A_GAIN, CELLS_FOR_A_LOSS, KNOWN, Finding
from consilium.cytogenetics.clones.grouping import CellLine, Groups, Reason, likely_stem
from consilium.cytogenetics.clones.setting import Observed


def composites(
    groups: Groups,
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
    groups: Groups,
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
            groups.cells[min(lines, key=lambda one: likely_stem(one, groups.size(one)))].append(k)
        else:
            reasons[k] = "single_combination"
    return None


def _stem(family: Sequence[int], groups: Groups, shown: Mapping[int, Changes]) -> Changes:
    """The largest firm line that all cells of a family extend; empty where there is none."""
    lines = [
        one for one in groups.cells if one and groups.size(one) > 1 and all(one <= shown[k] for k in family)
    ]  # fmt: skip
    return min(lines, key=lambda one: likely_stem(one, groups.size(one)), default=frozenset[Change]())


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
        if findings[change].rule in KNOWN
        or len(cells) >= (CELLS_FOR_A_LOSS if change.kind == "loss" else CELLS_FOR_A_GAIN)
    }  # fmt: skip
    for change, cells in carriers.items():
        if change.kind == "loss" and len(cells) == 2 and any(
            cells <= carriers[other] and 2 * len(cells) > len(carriers[other])
            for other in kept if other.kind in ("gain", "structural") and other not in stem
        ):  # fmt: skip
            kept.add(change)
    return frozenset(kept) | stem
