"""The worksheet of a case: what was done to each cell, what the cells say together, what is still missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consilium.karyotype.abnormal_count import unfinished
from consilium.karyotype.conclusion import Conclusion, conclude
from consilium.karyotype.count import modal_karyotype
from consilium.karyotype.editing.edited_metaphase import metaphase_of
from consilium.karyotype.editing.effort import Effort
from consilium.karyotype.guideline_checks import GuidelineCheck
from consilium.karyotype.metaphase import Case, Metaphase
from consilium.karyotype.request import Request
from consilium.laboratory.analysis.cells import ListedCell, OpenCells, cells_of
from consilium.laboratory.analysis.tally import request_of, tally
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


@dataclass(frozen=True, kw_only=True)
class Worksheet:
    """What stands on the worksheet of a case.

    Attributes:
        cells: the best first.
        acts: how many cells were counted, analysed, karyotyped.
        counts: of the counted cells, how many had each number of chromosomes.
        modal_count: the number that most of them had; None before any was counted.
        modal_karyotype: what most of the analysed cells show; empty before any was.
        excluded: smallest part of other cells that the counted ones exclude at 95 and at 99 %, by that percentage;
            empty where they are not all alike, or there are fewer than two.
        checks: what guidelines ask of the specimen, beside what was done.
        conclusion: what the analysed cells say together; None before any was.
        unfinished: names of chromosomes in them that lack the breakpoints which ISCN asks for.
        effort: interactions of the karyotyped cells.
        doubtful: objects of the karyotyped cells that somebody still has to look at.
    """

    cells: tuple[ListedCell, ...]
    acts: dict[str, int]
    counts: dict[int, int]
    modal_count: int | None
    modal_karyotype: str
    excluded: dict[int, float]
    checks: tuple[GuidelineCheck, ...]
    conclusion: Conclusion | None
    unfinished: tuple[str, ...]
    effort: Effort | None
    doubtful: int


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What the analysed cells of a case say together."""

    conclusion: Conclusion | None
    modal_karyotype: str
    unfinished: tuple[str, ...]


def worksheet(change: Change, cells: OpenCells, case: CaseRow) -> Worksheet:
    """The worksheet of a case as it is at this moment.

    Raises:
        NotAllowed: the person may not see records.
        OutputError: a reading is missing.
    """
    listed = cells_of(change, case)
    request = request_of(case)
    analysed = tuple(one for one in listed if one.has("analysed"))
    # A cell of as many commands that says the same is the same cell: a list is read in a moment, twenty cells are not.
    known = tuple((one.id, one.commands, one.karyotype, one.doubtful, one.image) for one in analysed)
    said = cells.said((case.id, request, known), lambda: _said(change, cells, case, analysed, request))
    mosaic = said.conclusion is not None and len(said.conclusion.lines) > 1
    added = tally(case, listed, mosaic=mosaic)
    counts = added.counts
    return Worksheet(
        cells=listed,
        acts=added.acts,
        counts=counts,
        modal_count=min(counts, key=lambda count: (-counts[count], abs(count - 46), count)) if counts else None,
        modal_karyotype=said.modal_karyotype,
        excluded=added.excluded,
        checks=added.checks,
        conclusion=said.conclusion,
        unfinished=said.unfinished,
        effort=added.effort,
        doubtful=added.doubtful,
    )


def _said(change: Change, cells: OpenCells, case: CaseRow, analysed: Sequence[ListedCell], request: Request) -> _Said:
    read = edited_case(change, cells, case, analysed)
    return _Said(
        conclusion=conclude(read, request) if read.cells else None,
        modal_karyotype=read.modal_karyotype,
        unfinished=unfinished(one.written for cell in read.cells for one in cell.chromosomes if one.written),
    )


def edited_case(change: Change, cells: OpenCells, case: CaseRow, listed: Sequence[ListedCell]) -> Case:
    """Cells as people left them, as a case; nothing is drawn of it, so their pictures are blank.

    Args:
        change: a look.
        cells: that this process has open.
        case: whose.
        listed: which cells; they count as analysed by a person.
    """
    return case_of(case.number, tuple(_metaphase(change, cells, one) for one in listed))


def case_of(number: str, read: Sequence[Metaphase]) -> Case:
    """Cells as people left them, as a case: what the worksheet and a report conclude from.

    Args:
        number: of the case.
        read: its cells, best first.
    """
    modal, disagreeing = modal_karyotype(read)
    if any(one.written for cell in read for one in cell.chromosomes):
        # Votes over whole chromosomes cannot speak of derivatives: here what most cells say as a whole counts.
        votes = Counter(cell.karyotype for cell in read)
        modal = min(votes, key=lambda written: (-votes[written], written))
        disagreeing = tuple(cell.image for cell in read if cell.karyotype != modal)
    return Case(
        name=number,
        cells=tuple(read),
        failures=(),
        modal_karyotype=modal,
        disagreeing=disagreeing,
    )


def _metaphase(change: Change, cells: OpenCells, one: ListedCell) -> Metaphase:
    from consilium.laboratory.analysis.tables import CellRow

    opened = cells.open(change.session, change.session.get_one(CellRow, one.id))
    blank = np.broadcast_to(np.uint8(255), (opened.cell.height, opened.cell.width))
    return metaphase_of(opened.cell, blank, analysed=one.has("analysed"), says=opened.says)
