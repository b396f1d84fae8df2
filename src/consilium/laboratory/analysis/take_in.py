"""The result of `consilium karyotype` comes into the records: all of it in one transaction, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilium.errors import InputError, OutputError
from consilium.karyotype.editing.log import Folded
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.editing.told import told
from consilium.karyotype.record import check_record
from consilium.karyotype.write import CASE_FILE
from consilium.laboratory.analysis.cells import OpenCell
from consilium.laboratory.analysis.commands import state_of
from consilium.laboratory.analysis.editable import check_editable
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.kinds import UNFINISHED
from consilium.laboratory.analysis.runs import exported_name
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.analysis.tables import CellRow, ImageRow, RunRow
    from consilium.laboratory.tables import CaseRow

LARGEST_RECORD = 256 * 1024 * 1024
"""Bytes of a case.json; one of 500 cells has about sixty million."""


@dataclass(frozen=True, kw_only=True)
class ReadCell:
    """A cell of a result: which picture, its place by quality, its reading as it is kept, and what it says."""

    image: int
    number: int
    reading: str
    opened: OpenCell


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of a run, read and kept; only the records do not know it yet."""

    record: dict[str, Any]
    kept: str
    cells: tuple[ReadCell, ...]
    message: str


def result_of(session: Session, files: Files, run: RunRow, folder: Path) -> Result:
    """Read the output of a run: all that takes time, so that the transaction after it does not.

    Args:
        session: to look with.
        files: where readings are kept.
        run: whose output it is.
        folder: with case.json, as `consilium karyotype --out` wrote it; its pictures are called as `exported_name`
            says, or as they came.

    Raises:
        InputError: the folder has no case of this version, or one of other pictures.
        OutputError: a reading cannot be kept.
    """
    record = read_record(folder)
    named = _images_by_name(session, run)
    cells = []
    for number, entry in enumerate(record["cells"], start=1):
        image = named.get(entry["image"])
        if image is None:
            raise InputError(
                "the result speaks of a picture that is none of this run", where=run.title,
                way_out="Take in the folder that this run wrote.",
            )  # fmt: skip
        reading = entry | {"image": image.name}
        cell = read_cell(reading, checked=True)
        if (cell.width, cell.height) != (image.width, image.height):
            raise InputError(f"the result is of another picture than {image.title}", where=run.title)
        opened = OpenCell(folded=Folded(reading=cell), says=told(cell))
        kept = files.keep_packed(_canonical(reading))
        cells.append(ReadCell(image=image.id, number=number, reading=kept, opened=opened))
    failures = [f"{_called(named, one['image'])}: {one['message']}" for one in record["failures"]]
    return Result(
        record=record, kept=files.keep_packed(_canonical(record)), cells=tuple(cells),
        message="; ".join(failures)[:2000],
    )  # fmt: skip


def take_in(
    change: Change, files: Files, case: CaseRow, run: RunRow, folder: Path, *, result: Result | None = None
) -> tuple[CellRow, ...]:
    """Bring the output of a run into the records.

    A picture whose cell somebody has edited, or counted, analysed or karyotyped, keeps that cell; any other cell of it
    is withdrawn for the new one. Taken in once, a run is done, and taking it in again does nothing.

    Args:
        change: the transaction.
        files: where readings are kept.
        case: of the run.
        run: it is waiting or running; afterwards it is done.
        folder: see `result_of`.
        result: what is in the folder, where it was read before the transaction.

    Returns:
        The new cells.

    Raises:
        InputError: the folder has no case of this version, or one of other pictures; or the case is closed.
        OutputError: a reading cannot be kept.
    """
    from consilium.laboratory.analysis.tables import ImageRow

    if run.state not in UNFINISHED:
        return ()
    check_editable(case)
    found = result_of(change.session, files, run, folder) if result is None else result
    rows = []
    for one in found.cells:
        image = change.session.get_one(ImageRow, one.image)
        if image.withdrawn is None and _make_room(change, image, run):
            rows.append(_cell(change, case, run, one))
    change.edit(
        run, "run.start", state="done", models=found.record["models"], message=found.message, record=found.kept,
        version_of_consilium=found.record["consilium_version"][:32],
    )  # fmt: skip
    return tuple(rows)


def read_record(folder: Path) -> dict[str, Any]:
    """The case.json of a folder.

    Raises:
        InputError: there is none of this version.
    """
    path = folder / CASE_FILE
    try:
        if path.stat().st_size > LARGEST_RECORD:
            raise InputError("this case.json is larger than any can be", where=CASE_FILE)
        record = json.loads(path.read_bytes(), parse_constant=_no_number)
        check_record(record)
    except (OSError, ValueError, RecursionError, OutputError) as problem:
        told_ = problem.what if isinstance(problem, OutputError) else type(problem).__name__
        raise InputError(
            f"the machine left no result that can be read ({told_})"[:300], where=CASE_FILE,
            way_out="Read the pictures again.",
        ) from problem  # fmt: skip
    found: dict[str, Any] = record
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _canonical(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _images_by_name(session: Session, run: RunRow) -> dict[str, ImageRow]:
    """The pictures of a run by what their files may be called."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import ImageRow

    rows = list(session.scalars(select(ImageRow).where(ImageRow.id.in_(run.images))))
    return {one.name: one for one in rows} | {exported_name(one): one for one in rows}


def _make_room(change: Change, image: ImageRow, run: RunRow) -> bool:
    """Whether a new cell of a picture may come; older ones that nobody worked on are withdrawn for it."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import ActRow, CellRow, CellStateRow

    for row in change.session.scalars(
        select(CellRow).where(CellRow.image_id == image.id, CellRow.withdrawn.is_(None))
    ):  # fmt: skip
        edited = change.session.get_one(CellStateRow, row.id).commands > 0
        if edited or change.session.scalar(select(ActRow.id).where(ActRow.cell_id == row.id).limit(1)) is not None:
            return False
        change.withdraw(row, "cell.withdraw", reason=f"read again in {run.title}")
    return True


def _cell(change: Change, case: CaseRow, run: RunRow, one: ReadCell) -> CellRow:
    from consilium.laboratory.analysis.tables import CellRow, CellStateRow

    cell = one.opened.cell
    row = change.add(
        CellRow(
            case_id=case.id, run_id=run.id, image_id=one.image, number=one.number, quality=cell.quality.score,
            band_level=cell.quality.band_level, synthetic=cell.synthetic, inverted=cell.inverted, width=cell.width,
            height=cell.height, reading=one.reading,
        ),
        "run.start",
    )  # fmt: skip
    change.session.add(CellStateRow(cell_id=row.id, **state_of(one.opened)))
    change.session.flush()
    return row


def _called(named: dict[str, ImageRow], image: str) -> str:
    found = named.get(image)
    return found.title if found is not None else "a picture"
