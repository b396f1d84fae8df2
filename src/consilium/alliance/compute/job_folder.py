"""The folder of one job of the embedded engine: what was asked for, how far it came, what it wrote.

    request.json   what was asked for; there from the start
    started.json   the newest try
    ended.json     how it ended; once it is there, nothing changes any more
    cancel         somebody wants it to end
    output.log     what the command wrote, all tries
    lock           held while a try runs: a process that dies lets go of it, whatever killed it

Every file appears whole or not at all, so the state of a job can be told from the folder alone, at any moment and after
any crash.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consilium.alliance.compute.job import Job, Request, request_of
from consilium.errors import EngineError, InputError

MOST_TRIES = 4
"""Starts after which a job is given up: what brings down a machine four times is likely the job."""


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
        started, ended = self._document("started.json"), self._document("ended.json")
        known: dict[str, Any] = {
            "number": self.number, "request": request, "submitted": float(submitted.get("time", 0.0)),
            "started": started["time"] if started else None, "tries": started["try"] if started else 0,
        }  # fmt: skip
        if ended:
            return Job(
                state=ended["state"], ended=ended["time"], exit_status=ended["exit_status"], reason=ended["reason"],
                core_seconds=ended["core_seconds"], **known,
            )  # fmt: skip
        if self.held():
            return Job(state="running", **known)
        return Job(state="waiting", reason="its machine was lost; it starts again" if started else "", **known)

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
    def try_of_its_own(self) -> Iterator[bool]:
        """Hold the lock; false where somebody else does."""
        with (self.path / "lock").open("ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def ask_to_cancel(self) -> None:
        """Leave word that it is to end."""
        (self.path / "cancel").touch(mode=0o600)

    def tell_started(self) -> int:
        """Note a new try; which one it is."""
        before = self._document("started.json") or {"try": 0}
        number = int(before["try"]) + 1
        self.write("started.json", {"time": time.time(), "try": number})
        return number

    def tell_ended(self, state: str, *, exit_status: int | None = None, reason: str = "") -> None:
        """Note how it ended."""
        started = self._document("started.json")
        held = time.time() - started["time"] if started else 0.0
        told = {
            "state": state, "time": time.time(), "exit_status": exit_status, "reason": reason,
            "core_seconds": max(held, 0.0) * self.request().cores,
        }  # fmt: skip
        self.write("ended.json", told)

    def write(self, name: str, document: dict[str, Any]) -> None:
        """Write a file whole or not at all."""
        half = self.path / f".{name}.{os.getpid()}"
        with half.open("w", encoding="utf-8") as stream:
            json.dump(document, stream, ensure_ascii=False)
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(self.path / name)

    def _document(self, name: str) -> dict[str, Any] | None:
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None


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
    folder.write("request.json", request.as_document())
    folder.write("submitted.json", {"time": time.time()})
    number = max((int(one.name) for one in jobs.iterdir() if one.name.isdigit()), default=0) + 1
    while True:
        try:
            half.rename(jobs / str(number))
        except OSError:  # another process took the number
            if not (jobs / str(number)).exists():
                raise
            number += 1
        else:
            return JobFolder(jobs / str(number))


def folders(jobs: Path) -> list[JobFolder]:
    """The folders of all jobs, by number."""
    if not jobs.is_dir():
        return []
    return sorted((JobFolder(one) for one in jobs.iterdir() if one.name.isdigit()), key=lambda one: one.number)
