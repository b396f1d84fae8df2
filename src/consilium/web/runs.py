"""Runs of a case on the compute engine: started, watched, ended, and their results taken into the records.

The keeper is a thread of the workstation. It remembers nothing: which runs are not over stands in the records, and what
became of their jobs is known to the engine; so a workstation that was killed goes on where it was when it starts again,
and two of them do a thing once.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.alliance.compute.engines import FOLDER, engine_in
from consilium.alliance.compute.job import Job, Request
from consilium.alliance.compute.permitted import PermittedEngine
from consilium.alliance.permissions import Person
from consilium.alliance.roster import Roster
from consilium.errors import ConsiliumError, InputError
from consilium.laboratory.analysis.runs import export_images, for_run, note_job, note_state, unfinished_runs
from consilium.laboratory.analysis.take_in import result_of, take_in
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.tables import CaseRow
from consilium.settings import home_folder
from consilium.web.analysis import Analysis

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.alliance.compute.folder_engine import FolderEngine
    from consilium.laboratory.analysis.tables import CellRow, RunRow

LOG = logging.getLogger("consilium.web.runs")

LOOK_EVERY = 1.0
"""Seconds between two looks at jobs that are not over."""

ASK_EVERY = 15.0
"""Seconds after which the records are asked whether another workstation started a run."""

CORES, MEMORY_MB = 2, 2048

PARTLY_DONE = 3
"""Exit status of `consilium karyotype` where some pictures could not be used: a result like any other."""

THIS_INSTALLATION = (sys.executable, "-m", "consilium")

_LINE = re.compile(r"^\[(\d{1,5})/(\d{1,5})\] (.*)$", re.MULTILINE)
_LINES = 5


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
        done: pictures that were read.
        total: of so many.
        lines: the last ones that it wrote about pictures.
    """

    done: int
    total: int
    lines: tuple[str, ...]


class Runs:
    """The runs of a workstation.

    Args:
        records: of the laboratory.
        bench: files, open cells, pictures.
        command: the program that reads pictures, before its verb.
    """

    def __init__(self, records: Laboratory, bench: Analysis, *, command: Sequence[str] = THIS_INSTALLATION) -> None:
        self.records, self.bench, self.command = records, bench, tuple(command)
        self._folder = bench.files.folder / "runs"
        self._wake = threading.Event()
        self._over = threading.Event()
        self._submitting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._started = 0

    def start(self) -> None:
        """Watch what is not over, until `stop` was called as often."""
        self._started += 1
        if self._started > 1:
            return
        self._over.clear()
        self._wake.clear()
        self._thread = threading.Thread(target=self._keep, name="consilium-runs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer; jobs go on."""
        self._started -= 1
        if self._started > 0:
            return
        self._over.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None

    def submit(self, run_id: int, *, maybe_there: bool = False) -> None:
        """Hand a run to the engine, if it is not there yet.

        Args:
            run_id: which.
            maybe_there: a workstation may have died after it handed it in and before it noted the number of the job.

        Raises:
            ConsiliumError: it cannot; the run has failed, and says why.
        """
        with self._submitting:
            try:
                with self.records.reading() as session:
                    run = _run(session, run_id)
                    if run.state != "waiting" or run.job:
                        return
                    case = session.get_one(CaseRow, run.case_id)
                    export_images(session, self.bench.files, run, self._of(run_id) / "images")
                job = (self._handed_in(run_id) if maybe_there else None) or self._hand_in(run, case)
            except ConsiliumError as problem:
                self._failed(run_id, str(problem))
                raise
            with for_run(self.records, run_id) as (change, row):
                wanted = row.state == "waiting" and row.job in ("", str(job.number))
                if wanted:
                    note_job(change, row, str(job.number))
            if not wanted:
                # It was cancelled, or another workstation handed it in at the same moment.
                self._engine().cancel(job.number)
        self._wake.set()

    def cancel_job(self, run: RunRow) -> None:
        """End the job of a run that was cancelled."""
        if run.job:
            self._engine().cancel(int(run.job))
        shutil.rmtree(self._of(run.id) / "images", ignore_errors=True)

    def progress(self, run: RunRow) -> Progress | None:
        """How far a run is; None where the engine cannot tell."""
        if not run.job:
            return None
        try:
            text = "".join(self._engine().output(int(run.job)))
        except ConsiliumError:
            return None
        found = _LINE.findall(text)
        done = max((int(one[0]) for one in found), default=0)
        return Progress(done=done, total=len(run.images), lines=tuple(one[2] for one in found[-_LINES:]))

    def look(self) -> int:
        """Look at every run that is not over, and take in what is done; how many are still not over."""
        with self.records.reading() as session:
            unfinished = unfinished_runs(session)
        for run in unfinished:
            try:
                self._look_at(run)
            except ConsiliumError as problem:
                # The next look tries again: an engine or database that is down comes back.
                LOG.warning("%s: %s", run.title, problem)
        with self.records.reading() as session:
            return len(unfinished_runs(session))

    def _keep(self) -> None:
        while not self._over.is_set():
            live = 0
            try:
                live = self.look()
            except Exception:
                LOG.exception("runs cannot be looked at")
            self._wake.wait(LOOK_EVERY if live else ASK_EVERY)
            self._wake.clear()

    def _look_at(self, run: RunRow) -> None:
        if not run.job:
            self.submit(run.id, maybe_there=True)
            return
        job = self._engine().job(int(run.job))
        if job.state == "running" and run.state == "waiting":
            with for_run(self.records, run.id) as (change, row):
                note_state(change, row, "running")
        elif job.state == "done" or (job.state == "failed" and job.exit_status == PARTLY_DONE):
            self._take_in(run)
        elif job.state == "cancelled":
            self._failed(run.id, "its job was cancelled")
        elif job.state == "failed":
            self._failed(run.id, self._why(job))

    def _take_in(self, run: RunRow) -> None:
        out = self._of(run.id) / "out"
        try:
            # What takes time is done before the transaction, since nobody else writes during one.
            with self.records.reading() as session:
                result = result_of(session, self.bench.files, run, out)
            with for_run(self.records, run.id) as (change, row):
                case = change.session.get_one(CaseRow, row.case_id)
                cells = take_in(change, self.bench.files, case, row, out, result=result)
        except InputError as problem:
            self._failed(run.id, str(problem))
            return
        shutil.rmtree(self._of(run.id), ignore_errors=True)
        self._draw(cells)

    def _draw(self, cells: Sequence[CellRow]) -> None:
        """Draw what the first reader would wait for."""
        for row in cells:
            with self.records.reading() as session:
                opened = self.bench.cells.open(session, row)
                self.bench.pictures.thumbnail(session, row)
                self.bench.pictures.drawn(session, row, opened.cell.objects)

    def _failed(self, run_id: int, message: str) -> None:
        with for_run(self.records, run_id) as (change, row):
            note_state(change, row, "failed", message=message)
        shutil.rmtree(self._of(run_id) / "images", ignore_errors=True)

    def _why(self, job: Job) -> str:
        """What a job said last, which is why it failed."""
        lines = "".join(self._engine().output(job.number)).strip().splitlines()
        return "; ".join([job.reason, *lines[-3:]])[:1000]

    def _handed_in(self, run_id: int) -> Job | None:
        """The job of a run that was handed in by a workstation that died before it noted the number."""
        folder = str(self._of(run_id))
        found = [one for one in self._engine().jobs() if one.request.folder == folder]
        return found[-1] if found else None

    def _hand_in(self, run: RunRow, case: CaseRow) -> Job:
        from consilium.alliance.compute.storage_quota import refuse_without_room
        from consilium.alliance.ledger import append

        person = _person(run.by)
        home = home_folder()
        refuse_without_room(person.hospital, home / FOLDER / "quotas.json")
        folder = self._of(run.id)
        words = [
            *self.command, "karyotype", str(folder / "images"), "--out", str(folder / "out"), "--case", case.number,
            "--no-pdf", *_specimen(case),
        ]  # fmt: skip
        request = Request(
            command=tuple(words), folder=str(folder), hospital=person.hospital, person=person.name,
            name=f"{case.number}, run {run.id}", cores=min(CORES, os.cpu_count() or 1), memory_mb=MEMORY_MB,
            urgency="emergency" if case.urgency == "urgent" else "clinical",
        )  # fmt: skip
        job = PermittedEngine(self._engine(), person).submit(request)
        append(
            home / "ledger.jsonl", who=person.name, what="job.submit", on=f"job {job.number}",
            details={"hospital": request.hospital, "urgency": request.urgency, "cores": request.cores},
        )  # fmt: skip
        return job

    def _of(self, run_id: int) -> Path:
        return (self._folder / str(run_id)).absolute()

    def _engine(self) -> FolderEngine:
        return engine_in(home_folder())


def _run(session: Session, run_id: int) -> RunRow:
    from consilium.laboratory.analysis.tables import RunRow

    return session.get_one(RunRow, run_id)


def _person(name: str) -> Person:
    """Whoever asked for a run, as a person of the alliance."""
    return Roster(home_folder() / "roster.json").person(name)


def _specimen(case: CaseRow) -> list[str]:
    """What the machine is told of the specimen; no name of a patient."""
    from consilium.laboratory.analysis.tally import request_of

    told = request_of(case)
    return [
        *(["--specimen", told.specimen] if told.specimen else []),
        *(["--sex", told.sex] if told.sex else []),
    ]
