"""Pictures of a case are read by the machine: a run of the laboratory becomes a job of the compute engine.

The records know which runs are asked for and which job each is; the engine knows how far a job is. A thread holds the
two together. It keeps nothing in memory that counts: when the server is killed, the next one goes on where this one was.
"""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from consilium.errors import ConsiliumError, InputError
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.runs import export_images, for_run, note_job, note_state, unfinished_runs
from consilium.laboratory.analysis.take_in import take_in
from consilium.laboratory.laboratory import Laboratory

if TYPE_CHECKING:
    from consilium.alliance.compute.engine import Engine
    from consilium.alliance.compute.job import Job
    from consilium.laboratory.analysis.tables import RunRow

LOG = logging.getLogger("consilium.web.readings")

BUSY_SECONDS, IDLE_SECONDS = 0.5, 15.0
"""How often runs are looked at while there are some, and while there are none; a new one is seen at once."""

MEMORY_MB = 1500
"""Of a job: the models and a few pictures at a time."""

_PROGRESS = re.compile(r"^\[(\d+)/(\d+)\] ", re.MULTILINE)
_TAKEN_IN = (0, 3)
"""Exit statuses of `consilium karyotype` with a result: done, and done but for some pictures."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: pictures that are read, of how many."""

    done: int
    total: int


class Readings:
    """The runs of a laboratory on a compute engine.

    Args:
        records: of the laboratory.
        files: where pictures lie.
        folder: where pictures are laid out for jobs, and results come.
        engine: makes the engine; it is asked for when the first run is.
    """

    def __init__(self, records: Laboratory, files: Files, folder: Path, engine: Callable[[], Engine]) -> None:
        self._records, self._files, self._folder, self._engine = records, files, folder, engine
        self._wake, self._over, self._turn = Event(), Event(), Lock()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Look after runs from now on, those of an earlier server first."""
        self._thread = Thread(target=self._watch, name="readings", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look after them no longer; jobs go on, and what they find is taken in by the next server."""
        self._over.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def wake(self) -> None:
        """A run was asked for."""
        self._wake.set()

    def look_after(self) -> int:
        """Bring every run that is not over one step on; how many there are."""
        with self._turn:
            with self._records.reading() as session:
                waiting = [(run.id, run.job) for run in unfinished_runs(session)]
            for run_id, job in waiting:
                try:
                    self._step(run_id, job)
                except ConsiliumError as problem:
                    LOG.warning("run %s: %s", run_id, problem)
                    if isinstance(problem, InputError):
                        self._fail(run_id, str(problem))
            return len(waiting)

    def progress(self, run: RunRow) -> Progress:
        """How far a run is."""
        total = len(run.images)
        if run.state == "done":
            return Progress(done=total, total=total)
        if not run.job:
            return Progress(done=0, total=total)
        try:
            found = _PROGRESS.findall("".join(self._engine().output(int(run.job))))
        except ConsiliumError:
            found = []
        return Progress(done=min(int(found[-1][0]), total) if found else 0, total=total)

    def end_job(self, job: str) -> None:
        """End the job of a run that was cancelled."""
        if job:
            self._engine().cancel(int(job))

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                pause = BUSY_SECONDS if self.look_after() else IDLE_SECONDS
            except Exception:
                # Whatever it was, the next look may find it gone; runs stay as they are.
                LOG.exception("runs could not be looked after")
                pause = IDLE_SECONDS
            self._wake.wait(pause)
            self._wake.clear()

    def _step(self, run_id: int, job: str) -> None:
        if not job:
            self._submit(run_id)
            return
        found = self._engine().job(int(job))
        if found.state == "running":
            self._note_running(run_id)
        elif found.state in ("done", "failed") and found.exit_status in _TAKEN_IN:
            self._take_in(run_id, found)
        elif found.state in ("failed", "cancelled"):
            self._fail(run_id, self._last_words(found))

    def _submit(self, run_id: int) -> None:
        """Hand a run to the engine. Killed in between, it is handed in again: two results, of which one is taken."""
        from consilium.alliance.compute.job import Request
        from consilium.alliance.compute.machine import machine_cores
        from consilium.alliance.roster import ALONE

        place = self._folder / f"run-{run_id}"
        with self._records.reading() as session:
            from consilium.laboratory.analysis.tables import RunRow

            run = session.get_one(RunRow, run_id)
            export_images(session, self._files, run, place / "images")
            person = run.by
        cores = min(2, machine_cores())
        command = (
            sys.executable, "-m", "consilium.cli.main", "karyotype", str(place / "images"), "--out",
            str(place / f"result-{secrets.token_hex(4)}"), "--no-pdf", "--workers", "1",
        )  # fmt: skip
        job = self._engine().submit(
            Request(
                command=command, folder=str(place), hospital=ALONE, person=person, name=f"reading {run_id}",
                cores=cores, memory_mb=MEMORY_MB, urgency="clinical",
            )
        )  # fmt: skip
        with for_run(self._records, run_id) as (change, run):
            note_job(change, run, str(job.number))

    def _note_running(self, run_id: int) -> None:
        """Note that the machine is at it, once: a look at a run that goes on writes nothing."""
        from consilium.laboratory.analysis.tables import RunRow

        with self._records.reading() as session:
            waits = session.get_one(RunRow, run_id).state == "waiting"
        if waits:
            with for_run(self._records, run_id) as (change, run):
                note_state(change, run, "running")

    def _take_in(self, run_id: int, job: Job) -> None:
        from consilium.laboratory.tables import CaseRow

        result = Path(job.request.command[job.request.command.index("--out") + 1])
        with for_run(self._records, run_id) as (change, run):
            take_in(change, self._files, change.session.get_one(CaseRow, run.case_id), run, result)
        shutil.rmtree(self._folder / f"run-{run_id}", ignore_errors=True)

    def _fail(self, run_id: int, message: str) -> None:
        with for_run(self._records, run_id) as (change, run):
            note_state(change, run, "failed", message=message)

    def _last_words(self, job: Job) -> str:
        lines = [line for line in "".join(self._engine().output(job.number)).splitlines() if line.strip()]
        return " ".join((job.reason, lines[-1] if lines else "")).strip()[:500] or "the job ended without a result"


def engine_of(home: Path) -> Engine:
    """The compute engine that the hospitals agreed on, or this machine's own."""
    from consilium.alliance.compute.agreement import Agreement

    if Agreement.of(home).engine == "slurm":
        from consilium.alliance.compute.slurm import SlurmEngine

        return SlurmEngine(home)
    from consilium.alliance.compute.embedded import EmbeddedEngine

    return EmbeddedEngine(home)
