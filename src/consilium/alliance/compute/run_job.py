"""Run one job: `python -m consilium.alliance.compute.run_job FOLDER`, started by the scheduler.

Watches the command, ends it when asked to, and writes down how it ended. Told to stop (SIGTERM) by a scheduler that
needs the cores, it notes that they were handed back. Whatever kills this process kills the command with it, so that a
job that starts again never runs twice at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from consilium.alliance.compute.job_folder import MOST_TRIES, JobFolder

_LOOK = 0.05
_TIME_TO_TIDY_UP = 15.0
_TIME_TO_HAND_BACK = 2.0
"""Seconds that a command has to end by itself when its cores are wanted: their owner is waiting."""

_FOR_THE_TRY_BEFORE = 10.0
_PR_SET_PDEATHSIG = 1


class _HandBack(Exception):
    """The scheduler wants the cores back."""


def run(folder: JobFolder, *, terms: str = "") -> None:
    """Run a job to its end, unless another process does.

    Args:
        folder: of the job.
        terms: on which it has its cores; see `JobFolder.tries`.
    """
    signal.signal(signal.SIGTERM, _hand_back)
    command = None
    with folder.try_of_its_own(wait=_FOR_THE_TRY_BEFORE) as mine:
        if not mine or folder.over():
            return
        if folder.cancelled():
            folder.tell_ended("cancelled", reason="cancelled before it started")
            return
        try:
            number = folder.tell_started(terms=terms)
            if folder.lost_tries() >= MOST_TRIES:
                folder.tell_ended("failed", reason=f"its machine was lost {MOST_TRIES} times while it ran")
                return
            command = _started(folder, number)
            if command is None:
                return
            status = _watched(command, folder)
        except _HandBack:
            _give_back(folder, command)
            return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is over; how it ended is still to be written
        if status == 0:
            folder.tell_ended("done", exit_status=0)
        elif folder.cancelled():
            folder.tell_ended("cancelled", exit_status=status, reason="cancelled")
        else:
            folder.tell_ended("failed", exit_status=status, reason=_why(status))


def _hand_back(number: int, frame: object) -> None:
    raise _HandBack


def _give_back(folder: JobFolder, command: subprocess.Popen[bytes] | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if command is not None and command.poll() is None:
        _signal(command, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            command.wait(timeout=_TIME_TO_HAND_BACK)
        _signal(command, signal.SIGKILL)
        command.wait()
    if folder.cancelled():
        folder.tell_ended("cancelled", reason="cancelled")
    else:
        folder.tell_handed_back()


def _started(folder: JobFolder, number: int) -> subprocess.Popen[bytes] | None:
    """The command as it begins; None where it cannot, which is noted."""
    request = folder.request()
    # A verb of Consilium acts in the name of whoever asked for the job, not of whoever started the engine.
    environment = {
        **os.environ, "OMP_NUM_THREADS": str(request.cores), "CONSILIUM_JOB": folder.path.name,
        "CONSILIUM_TRY": str(number), "CONSILIUM_PERSON": request.person,
    }  # fmt: skip
    with folder.output.open("ab") as stream:
        try:
            return subprocess.Popen(
                request.command, cwd=request.folder, env=environment, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_die_with(os.getpid()),
            )  # fmt: skip
        except OSError as problem:
            folder.tell_ended("failed", exit_status=127, reason=f"it cannot be started: {problem}")
            return None


def _watched(command: subprocess.Popen[bytes], folder: JobFolder) -> int:
    """Wait for the end; the exit status as a shell tells it."""
    asked = 0.0
    while (status := command.poll()) is None:
        time.sleep(_LOOK)
        if not folder.cancelled():
            continue
        if not asked:
            asked = time.monotonic()
            # What an interrupt does at the keyboard: every verb leaves no half-written result.
            _signal(command, signal.SIGINT)
        elif time.monotonic() - asked > _TIME_TO_TIDY_UP:
            _signal(command, signal.SIGKILL)
    return status if status >= 0 else 128 - status


def _signal(command: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(command.pid, number)


def _why(status: int) -> str:
    if status > 128:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(status - 128).name}"
    return f"exit status {status}"


def _die_with(parent: int):  # type: ignore[no-untyped-def]
    """A preparation of the child: it is killed when its parent is gone (prctl(2))."""
    library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        # An interrupt may be ignored where this runs in the background; the command is to hear it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if library is not None:
            library.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
            if os.getppid() != parent:
                os._exit(1)

    return prepare


if __name__ == "__main__":
    with contextlib.suppress(_HandBack):  # before it had begun
        run(JobFolder(Path(sys.argv[1])), terms=os.environ.get("SLURM_JOB_QOS", "").partition("_")[0])
