"""The week of an alliance, hour by hour: what hospitals are sure of, and what they used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

import numpy as np

from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.job import Job
from consilium.alliance.compute.lease_hours import HOURS
from consilium.alliance.compute.need import Cores, by_hour
from consilium.alliance.roster import Hospital

WEEKS = 4
"""Weeks before now that are looked at."""


def sure_by_hour(hospitals: Sequence[Hospital], leases: Iterable[Lease]) -> dict[str, Cores]:
    """Cores that each hospital is sure of: its leases in the hours that have some, else what it brings in.

    Args:
        hospitals: of the alliance.
        leases: that are agreed on.

    Returns:
        (168,) by hospital, from Monday midnight.
    """
    leased: dict[str, Cores] = {}
    for lease in leases:
        hours = leased.setdefault(lease.hospital, np.full(HOURS, np.nan))
        place = list(lease.hours)
        hours[place] = np.nan_to_num(hours[place]) + lease.cores
    found = {}
    for one in hospitals:
        hours = leased.get(one.id, np.full(HOURS, np.nan))
        found[one.id] = np.where(np.isnan(hours), float(one.cores), hours)
    return found


def used_by_hour(jobs: Sequence[Job], *, zone: tzinfo, now: float, weeks: int = WEEKS) -> dict[str, Cores]:
    """Cores that each hospital held, on average over the last weeks, by hour of the week.

    A job counts from when its last try started to its end, or to now.

    Args:
        jobs: of any state.
        zone: whose clock the hours are of.
        now: seconds since 1970.
        weeks: so many before now.

    Returns:
        (168,) by hospital, from Monday midnight; those that ran nothing are not among them.
    """
    edges = np.arange(now - weeks * HOURS * 3600.0, now + 1.0, 3600.0)
    places = np.array([_hour(second, zone) for second in (edges[:-1] + edges[1:]) / 2])
    spans: dict[str, list[tuple[float, float, float]]] = {}
    for job in jobs:
        if job.started is not None and (job.ended or now) > edges[0]:
            begin, end = max(job.started, edges[0]), min(job.ended or now, edges[-1])
            spans.setdefault(job.request.hospital, []).append((begin, end, float(job.request.cores)))
    count = np.bincount(places, minlength=HOURS)
    return {
        hospital: np.bincount(places, weights=by_hour(told, edges, "mean"), minlength=HOURS) / np.maximum(count, 1)
        for hospital, told in spans.items()
    }


def by_class(jobs: Iterable[Job]) -> Mapping[tuple[str, str], tuple[int, int]]:
    """How many jobs wait and run, by hospital and urgency: (waiting, running)."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one in jobs:
        key = (one.request.hospital, one.request.urgency)
        waiting, running = found.get(key, (0, 0))
        found[key] = (waiting + (one.state == "waiting"), running + (one.state == "running"))
    return {key: told for key, told in found.items() if any(told)}


def _hour(second: float, zone: tzinfo) -> int:
    local = datetime.fromtimestamp(second, UTC).astimezone(zone)
    return local.weekday() * 24 + local.hour
