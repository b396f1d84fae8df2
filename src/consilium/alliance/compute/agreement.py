"""What the hospitals agreed on, as far as a scheduler has to know it: which cluster, whose cores, who may borrow.

`engine.json` in the folder of the jobs says which engine they go to; where there is none, it is the embedded one.
Jobs keep their numbers and folders when the engine changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Literal

from consilium.alliance.compute.job import Request
from consilium.alliance.compute.lease_file import LeaseFile
from consilium.alliance.compute.lease_hours import held_at
from consilium.alliance.compute.slurm_commands import Node
from consilium.alliance.compute.terms import Right
from consilium.alliance.roster import ALONE, Roster
from consilium.errors import InputError, OutputError

_NAME = "engine.json"
_MAY_START_A_NODE = ("emergency", "clinical")


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Which engine, and on what terms.

    Attributes:
        engine: who runs jobs. conf: file that `SLURM_CONF` has to be; empty for the one of the system. partition:
        where jobs of Slurm go. cloud: partition of nodes that are started when the others do not suffice, and cost
        money: for jobs that a patient
            waits for. Empty for none.
        lending: whether what a hospital has no use for is lent to the others.
        roster: file with the hospitals; empty for none, and then all of the cluster is one hospital's.
        leases: file with what was agreed on by the hour; empty for none.
    """

    engine: Literal["embedded", "slurm"] = "embedded"
    conf: str = ""
    partition: str = "alliance"
    cloud: str = ""
    lending: bool = True
    roster: str = ""
    leases: str = ""

    @classmethod
    def of(cls, home: Path) -> Agreement:
        """The one of a folder of jobs.

        Raises:
            InputError: it is damaged.
        """
        try:
            found = json.loads((home / _NAME).read_text(encoding="utf-8"))
            known = {one.name for one in fields(cls)}
            return cls(**{name: value for name, value in found.items() if name in known})
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, AttributeError, TypeError) as problem:
            raise InputError(
                f"which engine runs the jobs cannot be read ({problem})",
                where=str(home / _NAME),
                way_out="`consilium alliance up --dev` or `consilium alliance down` writes it anew.",
            ) from problem

    def keep(self, home: Path) -> None:
        """Make it the one of a folder of jobs.

        Raises:
            OutputError: it cannot be written.
        """
        half = home / f".{_NAME}.half"
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            half.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
            half.replace(home / _NAME)
        except OSError as problem:
            raise OutputError(f"it cannot be written ({problem})", where=str(home / _NAME)) from problem

    def environment(self) -> Mapping[str, str]:
        """The environment in which the tools of Slurm find the cluster."""
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin", "/usr/sbin"])
        return {**os.environ, "PATH": path, **({"SLURM_CONF": self.conf} if self.conf else {})}

    def rights(self, nodes: list[Node], moment: datetime) -> dict[str, Right]:
        """What each hospital is sure of.

        In an hour for which it has leases, that is these; in any other, what it brings in.

        Args:
            nodes: of the cluster.
            moment: with a time zone.
        """
        hospitals = Roster(Path(self.roster)).hospitals() if self.roster else ()
        if not hospitals:
            return {ALONE: Right(cores=sum(one.cores for one in nodes), gpus=sum(one.gpus for one in nodes))}
        found = {one.id: Right(cores=one.cores, gpus=one.gpus) for one in hospitals}
        if self.leases:
            agreed = LeaseFile(Path(self.leases)).agreed()
            for lease in held_at(agreed.leases, moment, agreed.clock()):
                if lease.hospital in found:
                    found[lease.hospital] = Right(cores=lease.cores, gpus=lease.gpus)
        return found

    def partition_for(self, request: Request) -> str:
        """Where a job may run."""
        if self.cloud and request.urgency in _MAY_START_A_NODE:
            return f"{self.partition},{self.cloud}"
        return self.partition
