"""The embedded engine: jobs on this machine, nothing to install but a wheel. For one hospital, or one laptop.

What is asked for is written into folders (`job_folder.py`); a process that starts by itself and ends by itself
(`embedded_server.py`) hands them to HyperQueue (Beránek et al. 2024, SoftwareX 27). No call here needs that process to
answer, so a call never hangs, and a job that was taken is not lost when machine or process die.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import subprocess
import sys
import time

from consilium.alliance.compute.embedded_server import LOCK, RECORD, STOP
from consilium.alliance.compute.engine import Capacity, Lease
from consilium.alliance.compute.folder_engine import FolderEngine
from consilium.alliance.compute.job import Job, Request
from consilium.alliance.compute.machine import machine_cores, machine_memory_mb
from consilium.errors import EngineError, MissingExtra

_START_WITHIN = 20.0


class EmbeddedEngine(FolderEngine):
    """See `Engine`."""

    @property
    def name(self) -> str:
        """What people call it."""
        return "embedded"

    def submit(self, request: Request) -> Job:
        """See `Engine.submit`."""
        _need_hyperqueue()
        cores, memory_mb = machine_cores(), machine_memory_mb()
        if request.cores > cores or request.memory_mb > memory_mb or request.gpus:
            raise EngineError(
                f"the job needs {request.cores} cores, {request.memory_mb} MB and {request.gpus} graphics cards",
                where="the embedded engine",
                way_out=f"It has {cores} cores, {memory_mb} MB and none: ask for less, or use a cluster.",
            )
        folder = self.taken(request)
        self.start()
        return folder.job()

    def set_lease(self, lease: Lease) -> None:
        """See `Engine.set_lease`; this engine has none."""
        raise EngineError(
            f"a lease for {lease.hospital!r} cannot be kept: this engine serves one machine and does not divide it",
            where="the embedded engine",
            way_out="Leases need the engine slurm.",
        )

    def capacity(self) -> Capacity:
        """See `Engine.capacity`."""
        live = self.jobs(live=True)
        running = [one for one in live if one.state == "running"]
        return Capacity(
            cores=machine_cores(), memory_mb=machine_memory_mb(), gpus=0,
            cores_held=sum(one.request.cores for one in running),
            memory_held_mb=sum(one.request.memory_mb for one in running), gpus_held=0,
            running=len(running), waiting=len(live) - len(running),
        )  # fmt: skip

    def start(self) -> None:
        """See that the process behind it runs; it is started apart from this one and outlives it.

        Raises:
            EngineError: it does not start.
        """
        if self._serving():
            return
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self._home / "server.log"
        with log.open("ab") as stream:
            # It forks once more: its child is nobody's here, and no call leaves a process behind that it has to reap.
            subprocess.run(
                [sys.executable, "-m", "consilium.alliance.compute.embedded_server", str(self._home)],
                stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True, check=False,
            )  # fmt: skip
        deadline = time.monotonic() + _START_WITHIN
        while time.monotonic() < deadline:
            if (self._home / RECORD).exists() and self._serving():
                return
            time.sleep(0.05)
        raise EngineError(
            f"the process behind the embedded engine did not start in {_START_WITHIN:g} s",
            where=str(log),
            way_out="Its last lines say why. The job is kept and runs as soon as it does.",
        )

    def stop(self) -> bool:
        """End the process behind it and what runs; jobs wait until somebody starts it again. Whether it ran.

        Raises:
            EngineError: it does not end.
        """
        if not self._serving():
            return False
        (self._home / STOP).touch()
        deadline = time.monotonic() + _START_WITHIN
        while time.monotonic() < deadline:
            if not self._serving():
                return True
            time.sleep(0.05)
        raise EngineError(
            "the process behind the embedded engine does not end",
            where=str(self._home / RECORD),
            way_out=f"End process {self.server() or '?'} by hand.",
        )

    def server(self) -> int | None:
        """The process behind it; None where none runs."""
        try:
            pid = int(json.loads((self._home / RECORD).read_text(encoding="utf-8"))["pid"])
        except (OSError, ValueError, KeyError):
            return None
        return pid if self._serving() else None

    def _serving(self) -> bool:
        try:
            with (self._home / LOCK).open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False


def _need_hyperqueue() -> None:
    if importlib.util.find_spec("hyperqueue") is None:
        raise MissingExtra(
            "jobs are run by HyperQueue, which is not installed",
            way_out=f"{os.path.basename(sys.executable)} -m pip install 'consilium[compute]'",  # noqa: PTH119
        )
