"""From what single cells show to clones and the karyotype in ISCN 2024."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from consilium.cytogenetics.clones.cell import Cell
from consilium.cytogenetics.clones.cell_lines import SetAside, cell_lines
from consilium.cytogenetics.clones.clonality import Finding, find_clonal
from consilium.cytogenetics.clones.families import Clone, in_order, is_normal
from consilium.cytogenetics.clones.grouping import CellLine
from consilium.cytogenetics.clones.iscn_result import result_of
from consilium.cytogenetics.clones.setting import Observed, Setting, observe
from consilium.cytogenetics.iscn.tree import Result
from consilium.cytogenetics.iscn.write import write
from consilium.errors import NothingToDo

Note = Literal["sex_not_told", "sex_differs", "two_sexes", "one_culture_only"]
"""What the reader has to know about the whole case:

    sex_not_told      nobody told the sex: it was taken from the cells
    sex_differs       the cells show a Y and the sex told has none, or the other way round
    two_sexes         XX and XY lines side by side: another person's cells, a chimera, or mixed-up specimens
    one_culture_only  a mosaic in amniotic cells of one culture: true mosaicism cannot be told from pseudomosaicism
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClonalKaryotype:
    """The karyotype of a case, and how it came about.

    Attributes:
        result: the tree; `write` makes the string of it.
        clones: its lines in their order.
        findings: every change that any cell shows, clonal or not, with its rule.
        set_aside: what cells show and the string does not say, by cell.
        notes: what concerns the whole case.
    """

    result: Result
    clones: tuple[Clone, ...]
    findings: tuple[Finding, ...]
    set_aside: tuple[SetAside, ...]
    notes: tuple[Note, ...]

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
        notes=_notes(cells, lines, observed, setting),
    )


def _notes(cells: Sequence[Cell], lines: Sequence[CellLine], observed: Observed, setting: Setting) -> tuple[Note, ...]:
    notes: list[Note] = []
    if setting.sex is None:
        notes.append("sex_not_told")
    elif setting.sex and all(("Y" in cell.sex) != ("Y" in setting.sex) for cell in cells) and not setting.neoplastic:
        notes.append("sex_differs")
    normal = [line for line in lines if is_normal(line.changes, observed)]
    if len(normal) > 1:
        notes.append("two_sexes")
    cultures = {cell.culture for cell in cells} - {""}
    if setting.amniotic and len(lines) > 1 and len(cultures) == 1:
        notes.append("one_culture_only")
    return tuple(notes)
