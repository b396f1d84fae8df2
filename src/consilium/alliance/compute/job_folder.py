"""The folder of one job: what was asked for, how far it came, what it wrote. The same for every engine.

    request.json   what was asked for; there from the start
    scheduler.json where a scheduler has it
    tries.json     every start, oldest first
    ended.json     how it ended; once it is there, nothing changes any more
    cancel         somebody wants it to end
    output.log     what the command wrote, all tries
    lock           held while a try runs: a process that dies lets go of it, whatever killed it

Every file appears whole or not at all, so the state of a job can be told from the folder alone, at any moment and after
any crash.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consilium.alliance.compute.job import Job, Request, request_of
from consilium.errors import EngineError, InputError

JOBS = "jobs"
"""The folder of all jobs in the one of an engine."""

MOST_TRIES = 4
"""Lost starts after which a job is given up: what brings down a machine four times is likely the job. Starts that were
handed back, because somebody else had a right to the cores, do not count."""

HANDED_BACK = "handed back"
LOST = "lost"

_LOOKS = 3
_HINT = ".newest"
_SURELY_LATER = 2_000_000_000
_OF_A_TRY = {"started", "ended", "how", "terms"}
_OF_AN_END = {"state", "time", "exit_status", "reason"}


@dataclass(frozen=True)
class JobFolder:
    """The folder of a job; its name is the job's number."""

    path: Path

    @property
    def number(self) -> int:
        """By which the job is called."""
        return int(self.path.name)

    @property
    def output(self) -> Path:
        """What the command wrote."""
        return self.path / "output.log"

    def over(self) -> bool:
        """Whether it ended."""
        return (self.path / "ended.json").exists()

    def cancelled(self) -> bool:
        """Whether somebody wants it to end."""
        return (self.path / "cancel").exists()

    def request(self) -> Request:
        """What was asked for.

        Raises:
            EngineError: the file is damaged.
        """
        try:
            return request_of(self._document("request.json") or {})
        except InputError as problem:
            raise EngineError(
                f"the request of job {self.path.name} is damaged ({problem.what})",
                where=str(self.path),
                way_out="Submit it again.",
            ) from problem

    def job(self) -> Job:
        """The job as it is now."""
        request = self.request()
        submitted = self._document("submitted.json") or {}
        tries, held, ended = self._now()
        spent = [(_seconds(one, ended), one) for one in tries]
        known: dict[str, Any] = {
            "number": self.number, "request": request, "submitted": float(submitted.get("time") or 0.0),
            "started": tries[-1]["started"] if tries else None, "tries": len(tries),
            "preempted": sum(one["how"] == HANDED_BACK for one in tries),
            "core_seconds": request.cores * sum(seconds for seconds, _ in spent),
            "borrowed_core_seconds": request.cores
            * sum(s for s, one in spent if one["terms"] in ("borrow", "idle") and one["how"] != HANDED_BACK),
            "lost_core_seconds": request.cores * sum(s for s, one in spent if one["how"] == HANDED_BACK),
        }  # fmt: skip
        if ended:
            return Job(
                state=ended["state"], ended=ended["time"], exit_status=ended["exit_status"], reason=ended["reason"],
                **known,
            )  # fmt: skip
        if held:
            return Job(state="running", **known)
        return Job(state="waiting", reason=_why_again(tries) or str(self.scheduler().get("refused", "")), **known)

    def _now(self) -> tuple[list[dict[str, Any]], bool, dict[str, Any] | None]:
        """Its tries, whether one runs, how it ended: looks that fit together, although it may go on between them."""
        for _ in range(_LOOKS):
            tries, held, ended = self.tries(), self.held(), self._document("ended.json")
            ended = ended if ended and set(ended) >= _OF_AN_END else None
            begun = bool(tries) and not tries[-1]["how"]
            if ended or held == begun:
                break
        return tries, held and begun, ended

    def held(self) -> bool:
        """Whether a try runs now."""
        try:
            with (self.path / "lock").open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @contextmanager
    def try_of_its_own(self, *, wait: float = 0.0) -> Iterator[bool]:
        """Hold the lock; false where somebody else does, and goes on doing so for `wait` seconds."""
        deadline = time.monotonic() + wait
        with (self.path / "lock").open("ab") as stream:
            while True:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        yield False
                        return
                    time.sleep(0.05)
                else:
                    break
            yield True

    def ask_to_cancel(self) -> None:
        """Leave word that it is to end."""
        (self.path / "cancel").touch(mode=0o600)

    def tries(self) -> list[dict[str, Any]]:
        """Every start, oldest first.

        Each has `started`, `ended` (None while it runs, or where nobody could tell), `how` it ended ("" while it runs),
        and the `terms` on which it had its cores ("own", "borrow", "urgent", "idle"; "" where there are none).
        """
        found = self._read("tries.json")
        whole = isinstance(found, list) and all(isinstance(one, dict) and set(one) >= _OF_A_TRY for one in found)
        return found if whole else []

    def tell_started(self, *, terms: str = "") -> int:
        """Note a new try; which one it is."""
        tries = [{**one, "how": one["how"] or LOST} for one in self.tries()]
        self.write("tries.json", [*tries, {"started": time.time(), "ended": None, "how": "", "terms": terms}])
        return len(tries) + 1

    def lost_tries(self) -> int:
        """How often its machine was lost while it ran."""
        return sum(one["how"] == LOST for one in self.tries())

    def tell_handed_back(self) -> None:
        """Note that the newest try gave its cores back before its end."""
        tries = self.tries()
        if tries:
            self.write("tries.json", [*tries[:-1], {**tries[-1], "ended": time.time(), "how": HANDED_BACK}])

    def tell_ended(self, state: str, *, exit_status: int | None = None, reason: str = "") -> None:
        """Note how it ended."""
        self.write("ended.json", {"state": state, "time": time.time(), "exit_status": exit_status, "reason": reason})

    def scheduler(self) -> dict[str, Any]:
        """Where a scheduler has it, or why it does not take it (`refused`); empty where none was asked."""
        return self._document("scheduler.json") or {}

    def write(self, name: str, document: Any) -> None:
        """Write a file whole or not at all."""
        half = self.path / f".{name}.{os.getpid()}"
        with half.open("w", encoding="utf-8") as stream:
            json.dump(document, stream, ensure_ascii=False)
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(self.path / name)

    def _document(self, name: str) -> dict[str, Any] | None:
        found = self._read(name)
        return found if isinstance(found, dict) else None

    def _read(self, name: str) -> Any:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None


def _seconds(one: dict[str, Any], ended: dict[str, Any] | None) -> float:
    """How long a try that ended held its cores; 0 where nobody could tell."""
    end = one["ended"] or (ended["time"] if ended and not one["how"] else None)
    return max(float(end) - float(one["started"]), 0.0) if end else 0.0


def _why_again(tries: list[dict[str, Any]]) -> str:
    if not tries:
        return ""
    if tries[-1]["how"] == HANDED_BACK:
        return "it gave borrowed cores back; it starts again"
    return "its machine was lost; it starts again"


def new_folder(jobs: Path, request: Request) -> JobFolder:
    """Make the folder of a new job under the next free number.

    Args:
        jobs: the folder of all jobs.
        request: what is asked for.

    Raises:
        OSError: it cannot be written.
    """
    jobs.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = jobs / f".new-{os.getpid()}-{time.monotonic_ns()}"
    half.mkdir(mode=0o700)
    folder = JobFolder(half)
    try:
        folder.write("request.json", request.as_document())
        folder.write("submitted.json", {"time": time.time()})
    except OSError:
        shutil.rmtree(half, ignore_errors=True)
        raise
    number = _newest(jobs) + 1
    while True:
        try:
            half.rename(jobs / str(number))
        except OSError:  # another process took the number
            if not (jobs / str(number)).exists():
                raise
            number += 1
        else:
            with contextlib.suppress(OSError):
                (jobs / _HINT).write_text(str(number))
            return JobFolder(jobs / str(number))


def _newest(jobs: Path) -> int:
    """A number that was given already, most likely the newest: reading ten thousand names takes longer than a job."""
    try:
        return max(0, int((jobs / _HINT).read_text()))
    except (OSError, ValueError):
        return max((int(one.name) for one in jobs.iterdir() if one.name.isdigit()), default=0)


def folders(jobs: Path) -> list[JobFolder]:
    """The folders of all jobs, by number."""
    if not jobs.is_dir():
        return []
    return sorted((JobFolder(one) for one in jobs.iterdir() if one.name.isdigit()), key=lambda one: one.number)


class Unfinished:
    """The jobs that are not over, looked at again and again by the process behind an engine.

    Args:
        jobs: the folder of all jobs.
    """

    def __init__(self, jobs: Path) -> None:
        self._jobs = jobs
        self._over: set[int] = set()
        self._live: dict[int, JobFolder] = {}
        self._read = -1

    def now(self) -> list[JobFolder]:
        """Them, by number. The folder of all is read only when it has changed: it may hold the jobs of years."""
        changed = self._jobs.stat().st_mtime_ns if self._jobs.is_dir() else 0
        # A change in the instant of the last reading has the same time.
        if changed != self._read or time.time_ns() - changed < _SURELY_LATER:
            self._read = changed
            new = (one for one in folders(self._jobs) if one.number not in self._over)
            self._live = {one.number: self._live.get(one.number, one) for one in new}
        for number in [number for number, one in self._live.items() if one.over()]:
            self._over.add(number)
            del self._live[number]
        return list(self._live.values())
