"""From what single cells show to clones and the karyotype in ISCN 2024."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from consilium.cytogenetics.clones.cell import Cell
from consilium.cytogenetics.clones.cell_lines import SetAside, cell_lines
from consilium.cytogenetics.clones.clonality import Finding, find_clonal
from consilium.cytogenetics.clones.families import Clone, in_order
from consilium.cytogenetics.clones.iscn_result import result_of
from consilium.cytogenetics.clones.setting import Setting, observe
from consilium.cytogenetics.iscn.tree import Result
from consilium.cytogenetics.iscn.write import write
from consilium.errors import NothingToDo


@dataclass(frozen=True, kw_only=True, slots=True)
class ClonalKaryotype:
    """The karyotype of a case, and how it came about.

    Attributes:
        result: the tree; `write` makes the string of it.
        clones: its lines in their order.
        findings: every change that any cell shows, clonal or not, with its rule.
        set_aside: what cells show and the string does not say, by cell.
    """

    result: Result
    clones: tuple[Clone, ...]
    findings: tuple[Finding, ...]
    set_aside: tuple[SetAside, ...]

    def __str__(self) -> str:
        return write(self.result)


def clonal_karyotype(
    cells: Sequence[Cell], setting: Setting, *, style: Literal["sl", "idem"] = "sl"
) -> ClonalKaryotype:
    """Find the clones of a case and write its karyotype (ISCN 2024, 4.5, 5.1, 6.3, 6.4).

    It is a prompt for the person who signs, never the last word.

    Args:
        cells: the metaphases, in any order.
        setting: what is known of the case.
        style: how sidelines refer to their stemline (ISCN 2024, 6.3.4); the two are never mixed.

    Raises:
        InputError: the cells contradict each other or the setting (see `observe`).
        NothingToDo: no cell is normal and no change is clonal, so there is nothing to write.
    """
    observed = observe(cells, setting)
    findings = find_clonal(observed, setting)
    lines, aside = cell_lines(observed, findings, setting)
    if not lines:
        raise NothingToDo(
            "no change is clonal and no cell is normal",
            way_out="Analyse more cells, or confirm what was found by another technique.",
        )
    clones = in_order(lines, observed, setting)
    written = frozenset(change for clone in clones for change in clone.changes)
    return ClonalKaryotype(
        result=result_of(clones, observed, setting, style),
        clones=clones,
        findings=tuple(
            replace(one, rule="scattered") if one.clonal and one.change not in written else one
            for one in findings.values()
        ),
        set_aside=tuple(aside),
    )
