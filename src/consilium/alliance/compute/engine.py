"""What an engine is: the one interface through which jobs are run, whatever scheduler runs them.

An engine decides when a job runs and keeps it from being lost; what should run, for whom and how urgently is decided
before. Every engine passes the same contract (`tests/alliance/compute/contract.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from consilium.alliance.compute.job import Job, Request


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What there is, and what is taken.

    Attributes:
        cores, memory_mb, gpus: in all.
        cores_held, memory_held_mb, gpus_held: by jobs that run.
        running, waiting: jobs.
    """

    cores: int
    memory_mb: int
    gpus: int
    cores_held: int
    memory_held_mb: int
    gpus_held: int
    running: int
    waiting: int


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Cores and cards that a hospital is sure of.

    Attributes:
        hospital: whose.
        cores, memory_mb, gpus: how much.
        hours: of the week in which it holds, 0 (Monday, midnight to one) to 167; all of them where left out.
    """

    hospital: str
    cores: int
    memory_mb: int = 0
    gpus: int = 0
    hours: tuple[int, ...] = tuple(range(168))


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a hospital used in a month.

    Attributes:
        hospital: whose.
        month: "2026-11", in which the jobs ended, UTC.
        jobs: that ended.
        failed: of those.
        core_hours: cores times the hours they were held.
        gpu_hours: the same of graphics cards.
    """

    hospital: str
    month: str
    jobs: int
    failed: int
    core_hours: float
    gpu_hours: float


class Engine(Protocol):
    """Runs jobs. All calls raise `EngineError` where the engine cannot be reached."""

    @property
    def name(self) -> str:
        """What people call it."""

    def submit(self, request: Request) -> Job:
        """Take a job; when this returns, it is not lost any more.

        Raises:
            EngineError: it can never run here; the message says what is too much.
        """

    def cancel(self, number: int) -> Job:
        """End a job, or see that it never starts; one that is over stays as it is.

        Raises:
            InputError: there is no such job.
        """

    def job(self, number: int) -> Job:
        """One job.

        Raises:
            InputError: there is no such job.
        """

    def jobs(self, *, hospital: str | None = None, live: bool = False) -> Sequence[Job]:
        """Jobs by number: those of a hospital, or only those that wait or run."""

    def output(self, number: int, *, follow: bool = False) -> Iterator[str]:
        """What a job wrote, piece by piece; with `follow`, until it is over.

        Raises:
            InputError: there is no such job.
        """

    def usage(self) -> Sequence[Usage]:
        """What each hospital used, by month."""

    def set_lease(self, lease: Lease) -> None:
        """Make sure that a hospital has what the lease says.

        Raises:
            EngineError: this engine serves one hospital and has no leases.
        """

    def capacity(self) -> Capacity:
        """What there is, and what is taken."""
