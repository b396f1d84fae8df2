"""Runs: the machine reads pictures of a case. What computes them is no business of this room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.database.database import now
from consilium.errors import InputError, NothingToDo
from consilium.laboratory.analysis.editable import check_editable
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.kinds import UNFINISHED, RunState
from consilium.laboratory.journal import Change
from consilium.laboratory.laboratory import Laboratory, profile_in
from consilium.laboratory.permissions import Worker

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.analysis.tables import ImageRow, RunRow
    from consilium.laboratory.tables import CaseRow


def ask_for_run(change: Change, case: CaseRow, images: Sequence[int] = ()) -> RunRow:
    """Ask that pictures of a case be read.

    Args:
        change: the transaction.
        case: whose.
        images: ids; when empty, all that no cell was read in and no run is about to read.

    Raises:
        NotAllowed: the person may not.
        NothingToDo: there is no such picture left.
        InputError: one is none of the case, or the case is closed.
    """
    from consilium.laboratory.analysis.tables import RunRow

    change.require("run.start")
    check_editable(case)
    there = {row.id: row for row in images_of(change.session, case)}
    if unknown := [one for one in images if one not in there]:
        raise InputError(f"{case.number} has no image {unknown[0]}", way_out="The page of the case lists its pictures.")
    wanted = list(dict.fromkeys(images)) or [one for one in there if one not in _read_or_about_to_be(change, case)]
    if not wanted:
        raise NothingToDo(
            "there is no picture that was not read",
            where=case.number,
            way_out="Add pictures, or name those to read again.",
        )
    row = RunRow(
        case_id=case.id, by=change.worker.name, asked=change.at, state="waiting", job="", images=sorted(wanted),
        message="", models=[], version_of_consilium="", record=None,
    )  # fmt: skip
    return change.add(row, "run.start")


def note_job(change: Change, run: RunRow, job: str) -> None:
    """Say by which number the compute engine knows a run."""
    change.edit(run, "run.start", job=job)


def note_state(change: Change, run: RunRow, state: RunState, *, message: str = "") -> None:
    """Say how far a run is; one that is over stays as it is."""
    if run.state in UNFINISHED:
        change.edit(run, "run.start", state=state, message=message[:2000])


def cancel_run(change: Change, run: RunRow, *, reason: str) -> None:
    """Let a run come to nothing; ending its job is the business of whoever started it.

    Raises:
        NotAllowed: the person may not.
        InputError: it is over.
    """
    change.require("run.cancel")
    if run.state not in UNFINISHED:
        raise InputError(f"{run.title} is {run.state} already")
    change.edit(run, "run.cancel", reason=reason, state="cancelled", message="it was cancelled")


def runs_of(session: Session, case: CaseRow) -> tuple[RunRow, ...]:
    """The runs of a case, the newest first."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import RunRow

    return tuple(session.scalars(select(RunRow).where(RunRow.case_id == case.id).order_by(RunRow.id.desc())))


def unfinished_runs(session: Session) -> tuple[RunRow, ...]:
    """The runs that are not over, of all cases."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import RunRow

    return tuple(session.scalars(select(RunRow).where(RunRow.state.in_(UNFINISHED)).order_by(RunRow.id)))


def images_of(session: Session, case: CaseRow) -> tuple[ImageRow, ...]:
    """The pictures of a case that count, in the order in which they came."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import ImageRow

    asked = select(ImageRow).where(ImageRow.case_id == case.id, ImageRow.withdrawn.is_(None)).order_by(ImageRow.id)
    return tuple(session.scalars(asked))


@contextmanager
def for_run(records: Laboratory, run_id: int) -> Iterator[tuple[Change, RunRow]]:
    """A transaction in which a run goes on, in the name of whoever asked for it.

    She was allowed to when she asked; that she works here no longer does not lose what the machine did since.
    """
    from consilium.laboratory.analysis.tables import RunRow

    with records.writing() as session:
        run = session.get_one(RunRow, run_id)
        worker = Worker(name=run.by, roles=frozenset({"technologist"}))
        yield Change(session=session, worker=worker, at=now(), profile=profile_in(session)), run


def exported_name(image: ImageRow) -> str:
    """What the file of a picture is called where the machine reads it: its number, so that no name goes along."""
    return f"image-{image.id:08d}.{image.kind}"


def export_images(session: Session, files: Files, run: RunRow, folder: Path) -> None:
    """Lay the pictures of a run out for the machine. Called again, it lays out what is missing.

    Raises:
        OutputError: one cannot be read.
    """
    from consilium.errors import OutputError
    from consilium.laboratory.analysis.tables import ImageRow

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for id_ in run.images:
            image = session.get_one(ImageRow, id_)
            place = folder / exported_name(image)
            if not place.exists():
                half = folder / f".{place.name}.half"
                half.write_bytes(files.read(image.sha256))
                half.replace(place)
    except OSError as problem:
        raise OutputError(
            f"the pictures of {run.title} cannot be laid out ({problem.strerror})", where=str(folder)
        ) from problem


def _read_or_about_to_be(change: Change, case: CaseRow) -> set[int]:
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import CellRow

    read = select(CellRow.image_id).where(CellRow.case_id == case.id, CellRow.withdrawn.is_(None))
    running = {one for run in runs_of(change.session, case) if run.state in UNFINISHED for one in run.images}
    return running | set(change.session.scalars(read))
