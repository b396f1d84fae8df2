"""A job: what is to be run for whom, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal, get_args

from consilium.errors import InputError

Urgency = Literal["emergency", "clinical", "research", "idle"]
"""Most urgent first: a patient waits now, a patient waits, nobody waits, only what would lie idle."""

State = Literal["waiting", "running", "done", "failed", "cancelled"]

URGENCIES: tuple[Urgency, ...] = get_args(Urgency)
LIVE: frozenset[State] = frozenset({"waiting", "running"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        command: program and arguments; run as it is, by no shell.
        folder: where it is run.
        hospital: on whose account.
        person: who asks.
        name: what people call it.
        cores: processor cores.
        memory_mb: memory that it is held to need, in MiB.
        gpus: graphics cards.
        urgency: see `Urgency`.
        deadline: until when it should be done, ISO 8601 with a time zone; empty for none. It is told, not enforced.
    """

    command: tuple[str, ...]
    folder: str
    hospital: str
    person: str
    name: str = ""
    cores: int = 1
    memory_mb: int = 1024
    gpus: int = 0
    urgency: Urgency = "research"
    deadline: str = ""

    def __post_init__(self) -> None:
        if not self.command or any("\0" in part for part in self.command):
            raise InputError("there is no command to run", way_out="Put it after --, as in: submit -- consilium ...")
        if self.cores < 1 or self.memory_mb < 1 or self.gpus < 0:
            raise InputError("a job needs a core and some memory at least", way_out="Give more of both than 0.")
        if self.urgency not in URGENCIES:
            raise InputError(f"there is no urgency {self.urgency!r}", way_out=f"One of {', '.join(URGENCIES)}.")
        if self.deadline:
            try:
                aware = datetime.fromisoformat(self.deadline).tzinfo is not None
            except ValueError:
                aware = False
            if not aware:
                raise InputError(
                    f"{self.deadline!r} is no time with a time zone", way_out="Write 2026-11-30T18:00+08:00."
                )

    def as_document(self) -> dict[str, Any]:
        """The request as JSON values."""
        return {**asdict(self), "command": list(self.command)}


def request_of(document: Mapping[str, Any]) -> Request:
    """The request that `as_document` told.

    Raises:
        InputError: it is not one.
    """
    known = {one.name for one in fields(Request)}
    try:
        return Request(**{**{k: v for k, v in document.items() if k in known}, "command": tuple(document["command"])})
    except (KeyError, TypeError, AttributeError) as problem:
        raise InputError(f"not a request for a job ({problem})") from problem


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as an engine knows it.

    Attributes:
        number: by which it is called.
        request: what was asked for.
        state: what became of it.
        submitted, started, ended: seconds since 1970, UTC; None where that has not come. `started` is of the last try.
        exit_status: of the command; 128 plus the signal that ended it.
        reason: why it failed or waits, in words; empty where there is nothing to say.
        tries: how often it was started; more than once where a machine was lost or cores were handed back.
        core_seconds: cores times the seconds they were held, over all tries of which the end is known.
        preempted: how many of the tries gave their cores back to somebody with a right to them.
        borrowed_core_seconds: of `core_seconds`, those on cores that others had no use for, and that were kept.
        lost_core_seconds: of `core_seconds`, those of tries that were handed back.
    """

    number: int
    request: Request
    state: State
    submitted: float
    started: float | None = None
    ended: float | None = None
    exit_status: int | None = None
    reason: str = ""
    tries: int = 0
    core_seconds: float = 0.0
    preempted: int = 0
    borrowed_core_seconds: float = 0.0
    lost_core_seconds: float = 0.0

    @property
    def late(self) -> bool:
        """Whether it ended, or is not over, after its deadline; False without one."""
        if not self.request.deadline:
            return False
        import time

        return (self.ended or time.time()) > datetime.fromisoformat(self.request.deadline).timestamp()

    def as_document(self) -> dict[str, Any]:
        """The job as JSON values."""
        return {**asdict(self), "request": self.request.as_document(), "late": self.late}
