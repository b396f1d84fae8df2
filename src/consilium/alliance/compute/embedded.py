"""The embedded engine: jobs on this machine, nothing to install but a wheel. For one hospital, or one laptop.

What is asked for is written into folders (`job_folder.py`); a process that starts by itself and ends by itself
(`embedded_server.py`) hands them to HyperQueue (Beránek et al. 2024, SoftwareX 27). No call here needs that process to
answer, so a call never hangs, and a job that was taken is not lost when machine or process die.
"""

from __future__ import annotations

import importlib.util
import os
import sys

from consilium.alliance.compute.engine import Capacity, Lease
from consilium.alliance.compute.folder_engine import FolderEngine
from consilium.alliance.compute.job import Job, Request
from consilium.alliance.compute.machine import machine_cores, machine_memory_mb
from consilium.errors import EngineError, MissingExtra

_START_WITHIN = 20.0


class EmbeddedEngine(FolderEngine):
    """See `Engine`."""

    module = "consilium.alliance.compute.embedded_server"

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


def _need_hyperqueue() -> None:
    if importlib.util.find_spec("hyperqueue") is None:
        raise MissingExtra(
            "jobs are run by HyperQueue, which is not installed",
            way_out=f"{os.path.basename(sys.executable)} -m pip install 'consilium[compute]'",  # noqa: PTH119
        )
