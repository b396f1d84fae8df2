"""What engines have in common that keep each job in a folder: all that can be told without asking a scheduler.

A job that was taken is in its folder before any scheduler hears of it, so it is not lost whatever dies; a call that
only looks never waits for a process to answer.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from consilium.alliance.compute import server_process
from consilium.alliance.compute.engine import Capacity, Lease, Usage
from consilium.alliance.compute.job import LIVE, Job, Request
from consilium.alliance.compute.job_folder import JOBS, JobFolder, folders, new_folder
from consilium.alliance.compute.usage import usage_of
from consilium.errors import InputError, OutputError

_PIECE = 1 << 16


class FolderEngine(ABC):
    """The calls of `Engine` that a folder answers.

    Args:
        home: folder of the engine; made where there is none.
    """

    module: ClassVar[str]
    """What the process runs that hands jobs on."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._over: dict[str, Job] = {}  # of a job that is over nothing changes any more: it is read once

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call it."""

    @abstractmethod
    def submit(self, request: Request) -> Job:
        """See `Engine.submit`."""

    @abstractmethod
    def set_lease(self, lease: Lease) -> None:
        """See `Engine.set_lease`."""

    @abstractmethod
    def capacity(self) -> Capacity:
        """See `Engine.capacity`."""

    def start(self) -> None:
        """See that the process that hands jobs on is at work.

        Raises:
            EngineError: it does not start.
        """
        server_process.start(self._home, self.module)

    def stop(self) -> bool:
        """End the process that hands jobs on; what is not over goes on when somebody starts it again. Whether it ran.

        Raises:
            EngineError: it does not end.
        """
        return server_process.stop(self._home)

    def server(self) -> int | None:
        """The process that hands jobs on; None where none runs."""
        return server_process.process(self._home)

    def taken(self, request: Request) -> JobFolder:
        """Write a job down; from here on it is not lost.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            return new_folder(self._home / JOBS, request)
        except OSError as problem:
            raise OutputError(
                f"the job cannot be written ({problem})", where=str(self._home), way_out="Make room, then call again."
            ) from problem

    def cancel(self, number: int) -> Job:
        """See `Engine.cancel`."""
        folder = self.folder(number)
        if not folder.over():
            folder.ask_to_cancel()
            self.start()
        return folder.job()

    def job(self, number: int) -> Job:
        """See `Engine.job`."""
        return self.folder(number).job()

    def jobs(self, *, hospital: str | None = None, live: bool = False) -> Sequence[Job]:
        """See `Engine.jobs`."""
        found = [
            one for one in folders(self._home / JOBS) if not (live and (one.path.name in self._over or one.over()))
        ]
        every = (self._read(one) for one in found)
        return [
            one
            for one in every
            if (hospital is None or one.request.hospital == hospital) and (not live or one.state in LIVE)
        ]

    def _read(self, folder: JobFolder) -> Job:
        name = folder.path.name
        if name in self._over:
            return self._over[name]
        job = folder.job()
        if job.ended is not None:
            self._over[name] = job
        return job

    def output(self, number: int, *, follow: bool = False) -> Iterator[str]:
        """See `Engine.output`."""
        folder = self.folder(number)
        at = 0
        while True:
            over = folder.over()
            if folder.output.exists():
                with folder.output.open("rb") as stream:
                    stream.seek(at)
                    while piece := stream.read(_PIECE):
                        at += len(piece)
                        yield piece.decode("utf-8", errors="replace")
            if over or not follow:
                return
            time.sleep(0.1)

    def usage(self) -> Sequence[Usage]:
        """See `Engine.usage`."""
        return usage_of(self.jobs())

    def folder(self, number: int) -> JobFolder:
        """The folder of a job.

        Raises:
            InputError: there is none.
        """
        folder = JobFolder(self._home / JOBS / str(number))
        if not folder.path.is_dir():
            raise InputError(f"there is no job {number}", way_out="`consilium compute list` names them.")
        return folder
