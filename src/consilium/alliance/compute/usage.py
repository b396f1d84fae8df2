"""What was used, added up from jobs that ended: by hospital and month."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from consilium.alliance.compute.engine import Usage
from consilium.alliance.compute.job import Job


def usage_of(jobs: Iterable[Job]) -> tuple[Usage, ...]:
    """Usage by hospital and the month (UTC) in which the jobs ended, in that order.

    Args:
        jobs: of any state; those that wait or run do not count yet.
    """
    rows: dict[tuple[str, str], list[float]] = {}
    for job in jobs:
        if job.ended is None:
            continue
        month = datetime.fromtimestamp(job.ended, UTC).strftime("%Y-%m")
        row = rows.setdefault((job.request.hospital, month), [0, 0, 0.0, 0.0])
        row[0] += 1
        row[1] += job.state == "failed"
        row[2] += job.core_seconds / 3600
        row[3] += job.core_seconds / job.request.cores * job.request.gpus / 3600
    return tuple(
        Usage(hospital=hospital, month=month, jobs=int(row[0]), failed=int(row[1]), core_hours=row[2], gpu_hours=row[3])
        for (hospital, month), row in sorted(rows.items())
    )
