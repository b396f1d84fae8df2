"""What was done to the cells of a case, in figures: all that a list of cells tells, so no cell is opened for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consilium.cytogenetics.guidelines import mosaicism_excluded
from consilium.errors import InputError
from consilium.karyotype.editing.effort import Effort, effort
from consilium.karyotype.guideline_checks import GuidelineCheck, guideline_checks
from consilium.karyotype.request import SEXES, Request, Sex
from consilium.laboratory.analysis.cells import ListedCell
from consilium.laboratory.analysis.kinds import CELL_ACTS

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What was counted, analysed, karyotyped.

    Attributes:
        acts: how many cells, by act.
        counts: of the counted cells, how many had each number of chromosomes.
        excluded: smallest part of other cells that the counted ones exclude at 95 and at 99 %, by that percentage;
            empty where they are not all alike, or there are fewer than two.
        checks: what guidelines ask of the specimen, beside what was done.
        effort: interactions of the karyotyped cells; None where there are none.
        doubtful: objects of the karyotyped cells that somebody still has to look at.
    """

    acts: dict[str, int]
    counts: dict[int, int]
    excluded: dict[int, float]
    checks: tuple[GuidelineCheck, ...]
    effort: Effort | None
    doubtful: int


def tally(case: CaseRow, listed: Sequence[ListedCell], *, cultures: int | None = None, mosaic: bool = False) -> Tally:
    """Add up the cells of a case.

    Args:
        case: whose; its specimen says which guideline.
        listed: its cells.
        cultures: independent ones that were made of its specimens; None where nobody told.
        mosaic: whether the cells show several lines, beyond what their counts tell.
    """
    request = request_of(case)
    acts: dict[str, int] = {act: sum(one.has(act) for one in listed) for act in CELL_ACTS}
    counts = Counter(one.count for one in listed if one.has("counted"))
    karyotyped = [one for one in listed if one.has("karyotyped")]
    levels = [one.band_level for one in listed if one.has("analysed") and one.band_level]
    return Tally(
        acts=acts,
        counts=dict(sorted(counts.items())),
        excluded=excluded(counts),
        checks=guideline_checks(
            request.specimen, counted=acts["counted"], analysed=acts["analysed"], karyotyped=acts["karyotyped"],
            band_level=round(float(np.median(levels))) if levels else None,
            mosaic=(mosaic or len(counts) > 1) and not request.looks_for_acquired, cultures=cultures,
        ),
        effort=effort([one.interactions for one in karyotyped]),
        doubtful=sum(one.doubtful for one in karyotyped),
    )  # fmt: skip


def excluded(counts: Counter[int]) -> dict[int, float]:
    """The part of other cells that counted ones, all alike, exclude: by percentage of confidence."""
    if len(counts) != 1 or counts.total() < 2:
        return {}
    return {percent: mosaicism_excluded(counts.total(), percent / 100) for percent in (95, 99)}


def request_of(case: CaseRow) -> Request:
    """What the records tell of a case's specimen, as the conclusion asks for it; no name of a patient."""
    sex: Sex = next((one for one in SEXES if one == case.patient.sex), "")
    try:
        return Request(specimen=case.specimen, sex=sex)
    except InputError:
        # A laboratory may take specimens for which no guideline has figures.
        return Request(sex=sex)
