"""The Slurm engine: jobs of many hospitals on one cluster.

A job is written into its folder (`folder_engine.py`); the process behind the engine (`slurm_server.py`) hands it to
Slurm and keeps what the hospitals agreed on. The cluster is a private one (`slurm_cluster.py`) or that of a computing
centre, where this service has one user, the right to manage accounts, and a folder that all nodes see and can lock
files in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from consilium.alliance.compute.agreement import Agreement
from consilium.alliance.compute.engine import Capacity, Lease
from consilium.alliance.compute.folder_engine import FolderEngine
from consilium.alliance.compute.job import Job, Request
from consilium.alliance.compute.lease_file import LeaseFile
from consilium.alliance.compute.slurm_commands import Node, Slurm
from consilium.errors import EngineError


class SlurmEngine(FolderEngine):
    """See `Engine`."""

    module = "consilium.alliance.compute.slurm_server"

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._agreement = Agreement.of(home)
        self._slurm = Slurm(self._agreement.environment())

    @property
    def name(self) -> str:
        """What people call it."""
        return "slurm"

    def submit(self, request: Request) -> Job:
        """See `Engine.submit`."""
        nodes = self._slurm.nodes()
        if not any(_holds(one, request) for one in nodes):
            largest = max(nodes, key=lambda one: (one.cores, one.memory_mb), default=None)
            raise EngineError(
                f"the job needs {request.cores} cores, {request.memory_mb} MB and {request.gpus} graphics cards",
                where="the cluster",
                way_out="Its largest node has "
                + (f"{largest.cores} cores, {largest.memory_mb} MB and {largest.gpus}" if largest else "nothing")
                + ": ask for less.",
            )
        if not self._agreement.lending and self._agreement.roster:
            self._within_its_right(request, nodes)
        folder = self.taken(request)
        self.start()
        return folder.job()

    def set_lease(self, lease: Lease) -> None:
        """See `Engine.set_lease`; it holds within seconds, in the hours that it is for."""
        if not self._agreement.leases:
            raise EngineError(
                "no file of leases was agreed on", where="the cluster", way_out="`consilium alliance up` names one."
            )
        LeaseFile(Path(self._agreement.leases)).set(lease)

    def capacity(self) -> Capacity:
        """See `Engine.capacity`. A node that is down or switched off counts as nothing."""
        nodes = [one for one in self._slurm.nodes() if one.works]
        live = self.jobs(live=True)
        running = [one for one in live if one.state == "running"]
        return Capacity(
            cores=sum(one.cores for one in nodes), memory_mb=sum(one.memory_mb for one in nodes),
            gpus=sum(one.gpus for one in nodes), cores_held=sum(one.cores_held for one in nodes),
            memory_held_mb=sum(one.request.memory_mb for one in running),
            gpus_held=sum(one.request.gpus for one in running), running=len(running),
            waiting=len(live) - len(running),
        )  # fmt: skip

    def nodes(self) -> list[Node]:
        """The machines of the cluster, for whoever runs it."""
        return self._slurm.nodes()

    def _within_its_right(self, request: Request, nodes: list[Node]) -> None:
        right = self._agreement.rights(nodes, datetime.now(UTC)).get(request.hospital)
        if right is None or not right.holds(request.cores, request.gpus):
            raise EngineError(
                f"the job needs {request.cores} cores and {request.hospital} has {right.cores if right else 0}",
                where="the cluster",
                way_out="Nothing is lent here: ask for less.",
            )


def _holds(node: Node, request: Request) -> bool:
    return (
        request.cores <= node.cores and request.memory_mb <= node.memory_mb and request.gpus <= node.gpus
        and not node.lost
    )  # fmt: skip
