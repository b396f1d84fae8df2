"""One look at an alliance: its jobs, machines and disks at this moment, and what is wrong with them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from consilium.alliance.compute.engine import Engine
from consilium.alliance.compute.health import Node, alarms, state_of
from consilium.alliance.compute.metrics import Seen
from consilium.alliance.compute.storage_quota import filled, read_quotas


def look(engine: Engine, quotas: Path) -> Seen:
    """What is to be seen at this moment, of all hospitals.

    Args:
        engine: that runs the jobs.
        quotas: file of what hospitals may fill; it need not exist.

    Raises:
        EngineError: the engine cannot be reached.
        InputError: the quotas cannot be read.
    """
    machines: Any = getattr(engine, "nodes", tuple)()  # an engine of one machine has none
    nodes = [Node(name=one.name, cores=one.cores, state=state_of(one.state)) for one in machines]
    seen = Seen(
        jobs=engine.jobs(), capacity=engine.capacity(), alarms=(), nodes=nodes,
        storage=[filled(one) for one in read_quotas(quotas)],
    )  # fmt: skip
    found = alarms(seen.jobs, seen.capacity, now=time.time(), nodes=nodes, storage=seen.storage)
    return replace(seen, alarms=found)
