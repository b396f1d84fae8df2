"""What each hospital needed, hour by hour: cores as if no job had ever waited.

A job that waited is laid at the moment it was asked for and takes as long as it then ran. What ran when the machine was
full says little of the need; what was asked for says it (unconstrained demand, Talluri and van Ryzin 2004, chapter 9).
Jobs that only take what lies idle need no lease and are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.alliance.compute.job import Job, Urgency
from consilium.alliance.compute.lease_hours import HOURS
from consilium.errors import InputError

Measure = Literal["peak", "mean"]
"""Of an hour: the most cores at any moment (nobody waits), or core-hours (work gets done within the hour)."""

LEASED: tuple[Urgency, ...] = ("emergency", "clinical", "research")

Cores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Need:
    """Needs by hospital, week and hour of the week.

    Attributes:
        hospitals: names.
        weeks: the Monday of each week; whole weeks only.
        cores: (hospitals, weeks, 168) float64; NaN before a hospital's first whole week, and in the hour that the
            clock skips in spring.
        measure: what of an hour they are.
    """

    hospitals: tuple[str, ...]
    weeks: tuple[date, ...]
    cores: Cores
    measure: Measure = "peak"

    def between(self, first: int, last: int | None) -> Need:
        """Only some of the weeks, by place."""
        return replace(self, weeks=self.weeks[first:last], cores=self.cores[:, first:last])


def need_of(
    jobs: Iterable[Job],
    *,
    zone: tzinfo,
    now: float,
    measure: Measure = "peak",
    urgencies: Collection[Urgency] = LEASED,
) -> Need:
    """Needs from a history of jobs.

    Args:
        jobs: of any state.
        zone: whose clock the hours are of.
        now: seconds since 1970; the week that it is in is not whole and is left out.
        measure: what of an hour counts.
        urgencies: which jobs count.

    Raises:
        InputError: there is not one whole week.
    """
    counted = [one for one in jobs if one.request.urgency in urgencies and one.submitted > 0]
    if not counted:
        raise InputError("there are no jobs to plan from", way_out="Plan when there is a history of some weeks.")
    first = _monday(min(one.submitted for one in counted), zone, after=True)
    last = _monday(now, zone, after=False)
    weeks = tuple(first + timedelta(weeks=number) for number in range((last - first).days // 7))
    if not weeks:
        raise InputError(
            "there is no whole week of history", way_out="Plan when there are some weeks, Monday to Sunday."
        )
    hours = np.arange(_midnight(first, zone), _midnight(last, zone) + 1, 3600.0)
    places = [_place(second, first, zone) for second in hours[:-1]]
    usual = _usual_seconds(counted)
    hospitals = tuple(sorted({one.request.hospital for one in counted}))
    cores = np.full((len(hospitals), len(weeks), HOURS), np.nan)
    for number, hospital in enumerate(hospitals):
        own = [one for one in counted if one.request.hospital == hospital]
        spans = [(one.submitted, one.submitted + _seconds(one, now, usual), one.request.cores) for one in own]
        begins = _midnight(_monday(min(one.submitted for one in own), zone, after=True), zone)
        for (week, hour), second, value in zip(places, hours, by_hour(spans, hours, measure), strict=False):
            if second >= begins:
                cores[number, week, hour] = np.fmax(cores[number, week, hour], value)
    return Need(hospitals=hospitals, weeks=weeks, cores=cores, measure=measure)


def by_hour(spans: Sequence[tuple[float, float, float]], edges: Cores, measure: Measure) -> Cores:
    """Cores taken in each stretch of time.

    Args:
        spans: (from, until, cores), seconds.
        edges: (n + 1,) where stretches begin and end, rising.
        measure: what of a stretch counts.

    Returns:
        (n,) cores.
    """
    told = np.asarray([one for one in spans if one[1] > one[0]], np.float64).reshape(-1, 3)
    at = np.concatenate([told[:, 1], edges, told[:, 0]])
    step = np.concatenate([-told[:, 2], np.zeros(len(edges)), told[:, 2]])
    # At one moment, what ends has ended before the next begins.
    kind = np.repeat([0, 1, 2], [len(told), len(edges), len(told)])
    order = np.lexsort((kind, at))
    level = np.cumsum(step[order])
    marks = np.flatnonzero(kind[order] == 1)
    if measure == "peak":
        return np.asarray(np.maximum.reduceat(level, marks)[:-1])
    area = np.concatenate([level[:-1] * np.diff(at[order]), [0.0]])
    return np.asarray(np.add.reduceat(area, marks)[:-1] / np.diff(edges))


def _usual_seconds(jobs: Iterable[Job]) -> dict[tuple[str, str], float]:
    """Median run of a hospital's jobs of an urgency, for those that still wait."""
    runs: dict[tuple[str, str], list[float]] = {}
    for one in jobs:
        if one.state == "done" and one.started is not None and one.ended is not None:
            runs.setdefault((one.request.hospital, one.request.urgency), []).append(one.ended - one.started)
    return {key: median(values) for key, values in runs.items()}


def _seconds(job: Job, now: float, usual: dict[tuple[str, str], float]) -> float:
    """How long it held its cores, runs that were lost left out, or is held to need them."""
    if job.state == "waiting":
        return usual.get((job.request.hospital, job.request.urgency), 0.0)
    if job.started is None:
        return 0.0
    return max((job.ended if job.ended is not None else now) - job.started, 0.0)


def _monday(second: float, zone: tzinfo, *, after: bool) -> date:
    """The last Monday before a moment, or the first that begins after it."""
    day = datetime.fromtimestamp(second, zone).date()
    before = day - timedelta(days=day.weekday())
    return before + timedelta(weeks=1) if after and _midnight(before, zone) < second else before


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()


def _place(second: float, first: date, zone: tzinfo) -> tuple[int, int]:
    """Week and hour of the week that the clock shows."""
    local = datetime.fromtimestamp(second, UTC).astimezone(zone)
    return (local.date() - first).days // 7, local.weekday() * 24 + local.hour
