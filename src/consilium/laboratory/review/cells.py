"""The cells of a case as they are by now, from the records and the files beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consilium.karyotype.editing.edited_metaphase import metaphase_of
from consilium.laboratory.analysis.cells import ListedCell, OpenCells
from consilium.laboratory.analysis.cells import cells_of as listed_cells
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.journal import Change
from consilium.laboratory.review.cell_now import CellNow
from consilium.laboratory.review.content import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from consilium.laboratory.tables import CaseRow


def cells_of(change: Change, opened: OpenCells, case: CaseRow) -> tuple[CellNow, ...]:
    """All cells of a case that count, best first.

    Raises:
        NotAllowed: the person may not see records.
        OutputError: a file of the laboratory is missing or was changed.
    """
    listed = listed_cells(change, case)
    names = called(listed)
    return tuple(_cell_now(change, opened, one, names[one.id]) for one in listed)


def called(listed: tuple[ListedCell, ...]) -> dict[int, str]:
    """By id, what a report calls each cell: its picture; with the cell's number where a picture was read twice."""
    often = Counter(one.image for one in listed)
    return {one.id: one.image if often[one.image] == 1 else f"{one.image} ({one.id})" for one in listed}


def _cell_now(change: Change, opened: OpenCells, one: ListedCell, name: str) -> CellNow:
    from consilium.laboratory.analysis.tables import CellRow

    found = opened.open(change.session, change.session.get_one(CellRow, one.id))
    # Nothing is drawn of it here, so any grey will do.
    blank = np.broadcast_to(np.uint8(255), (found.cell.height, found.cell.width))
    metaphase = metaphase_of(found.cell, blank, analysed=one.has("analysed"), says=found.says)
    return CellNow(
        id=one.id,
        name=name,
        version=found.folded.version,
        metaphase=replace(metaphase, image=name),
        acts=frozenset(act.act for act in one.acts),
        doubtful=found.says.doubtful,
        labels={each.id: each.label for each in found.cell.objects},
        interactions=found.folded.interactions,
    )


def pixels_of(session: Session, files: Files, cell_id: int) -> NDArray[np.uint8]:
    """The picture of a cell, (H, W) uint8."""
    from consilium.laboratory.analysis.images import read_content
    from consilium.laboratory.analysis.tables import CellRow, ImageRow

    image = session.get_one(ImageRow, session.get_one(CellRow, cell_id).image_id)
    return read_content(files.read(image.sha256), image.name)[1]


def models_of(session: Session, case: CaseRow) -> tuple[Model, ...]:
    """The models that read the cells that count, each once."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import CellRow, RunRow

    runs = select(CellRow.run_id).where(CellRow.case_id == case.id, CellRow.withdrawn.is_(None))
    told = {
        Model(name=one["name"], version=one["version"], sha256=one["sha256"])
        for models in session.scalars(select(RunRow.models).where(RunRow.id.in_(runs)))
        for one in models
    }
    return tuple(sorted(told, key=lambda one: (one.name, one.version, one.sha256)))
