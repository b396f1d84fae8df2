"""Ten hospitals that do not exist: jobs drawn by hour of the week, to try plans on where no history is at hand.

Everything in here is made up, and whatever is measured on it says so: it shows how a rule behaves when needs have a
daily shape, chance, and weeks that differ; it is no estimate for real hospitals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np

from consilium.alliance.compute.job import Job, Request, Urgency

WORLDS: Mapping[str, str] = {
    "steady": "weeks differ by chance alone",
    "uneven": "whole weeks are busier or quieter together, by a factor of about 1.25",
    "growing": "needs grow by 4 % a week",
    "holiday": "one week in seven has the needs of Sundays",
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a hospital works.

    Attributes:
        urgency: of its jobs.
        begin, end: of its day, hours; a night where the end is before the beginning.
        busy, quiet: jobs an hour then and else.
        weekend: factor on Saturdays and Sundays.
        minutes: median run.
        cores: sizes of jobs, drawn evenly.
    """

    urgency: Urgency
    begin: int
    end: int
    busy: float
    quiet: float
    weekend: float
    minutes: float
    cores: tuple[int, ...]

    def rate(self, moment: datetime) -> float:
        """Jobs an hour."""
        inside = self.begin <= moment.hour < self.end or (
            self.end < self.begin and not self.end <= moment.hour < self.begin
        )
        return (self.busy if inside else self.quiet) * (self.weekend if moment.weekday() >= 5 else 1.0)


KINDS: Mapping[str, Kind] = {
    "imaging": Kind(
        urgency="clinical", begin=8, end=18, busy=14.0, quiet=1.0, weekend=0.35, minutes=9.0, cores=(2, 2, 4)
    ),
    "decision": Kind(urgency="clinical", begin=9, end=17, busy=40.0, quiet=2.0, weekend=0.2, minutes=2.0, cores=(1, 2)),
    "training": Kind(urgency="research", begin=18, end=6, busy=1.2, quiet=0.1, weekend=0.8, minutes=70.0, cores=(4, 8)),
    "emergency": Kind(urgency="emergency", begin=7, end=23, busy=5.0, quiet=2.5, weekend=1.0, minutes=6.0, cores=(2,)),
}


def jobs_of(world: str, *, weeks: int, begin: datetime, zone: tzinfo, seed: int) -> list[Job]:
    """A history of ten hospitals.

    Args:
        world: one of `WORLDS`.
        weeks: how many.
        begin: a Monday, midnight.
        zone: whose clock the hospitals work by.
        seed: of everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    kinds = list(KINDS.values())
    jobs: list[Job] = []
    for number in range(10):
        kind, size = kinds[number % len(kinds)], float(rng.uniform(0.5, 1.5))
        for week in range(weeks):
            factor = size
            factor *= float(rng.lognormal(0, 0.22)) if world == "uneven" else 1.0
            factor *= 1.04**week if world == "growing" else 1.0
            quiet = world == "holiday" and week % 7 == 3
            for hour in range(168):
                moment = (begin + timedelta(weeks=week, hours=hour)).replace(tzinfo=zone)
                worked = moment + timedelta(days=6 - moment.weekday()) if quiet else moment
                for _ in range(rng.poisson(kind.rate(worked) * factor)):
                    jobs.append(_job(f"hospital_{number}", kind, moment, rng, len(jobs) + 1))
    return jobs


def _job(hospital: str, kind: Kind, hour: datetime, rng: np.random.Generator, number: int) -> Job:
    submitted = hour.timestamp() + float(rng.uniform(0, 3600))
    started = submitted + float(rng.exponential(300))
    seconds = float(rng.lognormal(np.log(kind.minutes * 60), 0.7))
    cores = int(rng.choice(kind.cores))
    request = Request(
        command=("simulated",), folder="/", hospital=hospital, person="nobody", cores=cores, urgency=kind.urgency
    )
    return Job(
        number=number, request=request, state="done", submitted=submitted, started=started, ended=started + seconds,
        exit_status=0, tries=1, core_seconds=seconds * cores,
    )  # fmt: skip
