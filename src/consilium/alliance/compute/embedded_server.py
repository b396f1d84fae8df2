"""The process behind the embedded engine: it owns a HyperQueue cluster and hands it the jobs.

`python -m consilium.alliance.compute.embedded_server HOME`. One runs for a folder; it ends by itself when there has
been nothing to do for a while. What it knows is in the folders of the jobs: whoever starts after a crash goes on from
there.
HyperQueue decides by urgency and cores; memory, which its Python interface cannot express, is held here.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from consilium.alliance.compute import server_process
from consilium.alliance.compute.job import URGENCIES
from consilium.alliance.compute.job_folder import JOBS, MOST_TRIES, JobFolder, Unfinished
from consilium.alliance.compute.machine import machine_cores, machine_memory_mb

_LOOK = 0.1
_IDLE = 600.0


class _Cluster:
    """HyperQueue, and which jobs it has."""

    def __init__(self, folder: Path, cores: int) -> None:
        from hyperqueue import LocalCluster
        from hyperqueue.cluster import WorkerConfig

        self._cluster = LocalCluster(server_dir=str(folder), worker_config=WorkerConfig(cores=cores))
        self._client = self._cluster.client()

    def submit(self, job: JobFolder) -> int:
        """Hand a job over; its number there."""
        from hyperqueue import Job
        from hyperqueue.ffi.protocol import ResourceRequest

        request = job.request()
        task = Job(name=job.path.name)
        task.program(
            [sys.executable, "-m", "consilium.alliance.compute.run_job", str(job.path)],
            env=dict(os.environ), cwd=str(job.path), stdout=str(job.path / "runner.log"),
            stderr=str(job.path / "runner.log"), resources=ResourceRequest(cpus=request.cores),
            priority=len(URGENCIES) - URGENCIES.index(request.urgency),
        )  # fmt: skip
        return int(self._client.submit(task).id)

    def failed(self, numbers: Iterable[int]) -> set[int]:
        """Which of these ended without having run to their end: a runner always exits with 0."""
        return {number for number, tasks in self._client.connection.get_failed_tasks(list(numbers)).items() if tasks}

    def stop(self) -> None:
        self._cluster.stop()


@dataclass(frozen=True, kw_only=True)
class _Handed:
    """A job that HyperQueue has: its number there, and the memory it is held to need."""

    there: int
    memory_mb: int


def serve(home: Path, *, cores: int, memory_mb: int, idle: float) -> None:
    """Hand jobs to HyperQueue until there is nothing to do.

    Args:
        home: folder of the engine.
        cores: of the machine that jobs may have.
        memory_mb: of the machine that jobs may have, MiB.
        idle: seconds without a job after which to end.
    """
    with server_process.only_one(home) as mine:
        if not mine:
            return
        cluster = _Cluster(home / "hyperqueue", cores)
        server_process.tell(home, {"cores": cores, "memory_mb": memory_mb})
        try:
            _hand_on(home, cluster, memory_mb, idle)
        finally:
            cluster.stop()


def _hand_on(home: Path, cluster: _Cluster, memory_mb: int, idle: float) -> None:
    unfinished = Unfinished(home / JOBS)
    handed: dict[int, _Handed] = {}
    broken: dict[int, int] = {}
    busy = time.monotonic()
    while not server_process.told_to_stop(home):
        live = unfinished.now()
        if live:
            busy = time.monotonic()
        elif time.monotonic() - busy > idle:
            return
        handed = {one.number: handed[one.number] for one in live if one.number in handed}
        failed = cluster.failed(one.there for one in handed.values())
        for job in live:
            if job.number in handed and handed[job.number].there in failed and not job.over():
                del handed[job.number]
                broken[job.number] = broken.get(job.number, 0) + 1
                if broken[job.number] > MOST_TRIES:
                    job.tell_ended("failed", reason=f"it could not be run: see {job.path / 'runner.log'}")
        for job in sorted((one for one in live if one.number not in handed), key=_order):
            need = min(job.request().memory_mb, memory_mb)
            if job.over() or job.held():  # a try of an earlier server may not be gone yet
                continue
            if job.cancelled():
                job.tell_ended("cancelled", reason="cancelled before it started")
            elif sum(one.memory_mb for one in handed.values()) + need <= memory_mb:
                handed[job.number] = _Handed(there=cluster.submit(job), memory_mb=need)
            else:
                break  # the most urgent goes first, whatever smaller one would fit
        time.sleep(_LOOK)


def _order(job: JobFolder) -> tuple[int, int]:
    return URGENCIES.index(job.request().urgency), job.number


def main() -> None:
    """Serve the folder named on the command line, in a process apart."""
    server_process.leave()
    home = Path(sys.argv[1])
    cores = int(os.environ.get("CONSILIUM_CORES", "0")) or machine_cores()
    serve(home, cores=cores, memory_mb=machine_memory_mb(), idle=float(os.environ.get("CONSILIUM_IDLE", _IDLE)))


if __name__ == "__main__":
    main()
