"""What was used, added up from jobs that ended: by hospital and month."""

from __future__ import annotations

import csv
import io
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


USAGE_COLUMNS = ("hospital", "month", "jobs", "failed", "core_hours", "gpu_hours")


def usage_table(rows: Iterable[Usage]) -> list[tuple[str, ...]]:
    """Usage in words and numbers, in the order of `USAGE_COLUMNS`."""
    return [
        (one.hospital, one.month, str(one.jobs), str(one.failed), f"{one.core_hours:.4f}", f"{one.gpu_hours:.4f}")
        for one in rows
    ]


def usage_csv(rows: Iterable[Usage]) -> str:
    """Usage as a table for other programs."""
    page = io.StringIO()
    csv.writer(page, lineterminator="\n").writerows([USAGE_COLUMNS, *usage_table(rows)])
    return page.getvalue()
