"""What each hospital used and owes, by month: from the list of jobs, to the last cent.

A job counts in the month, by the clock of the alliance, in which it ended. A run that gave its cores back is shown as
lost and not billed: whoever borrowed gave way, and pays for what came of it. A run whose machine died has no known end
and is not counted at all. Shares of a sum that
is known are rounded so that they add up to it (largest remainder, Hamilton 1792).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from consilium.alliance.compute.job import Job
from consilium.alliance.compute.rates import Rates
from consilium.errors import InputError

_HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Share:
    """One hospital in one month.

    Attributes:
        hospital, month: whose, and "2026-11".
        jobs, failed: that ended, and of those failed.
        own_core_hours: that were its own.
        borrowed_core_hours: that were others' and lay idle.
        lost_core_hours: of runs that gave their cores back; not billed.
        gpu_hours: of graphics cards, lost ones left out.
        cost: what they cost.
    """

    hospital: str
    month: str
    jobs: int
    failed: int
    own_core_hours: Decimal
    borrowed_core_hours: Decimal
    lost_core_hours: Decimal
    gpu_hours: Decimal
    cost: Decimal


def shares(jobs: Iterable[Job], rates: Rates, *, zone: tzinfo) -> tuple[Share, ...]:
    """What each hospital used and owes, by month and hospital.

    Args:
        jobs: of any state; those that wait or run count when they have ended.
        rates: prices.
        zone: whose months.
    """
    rows: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        if job.ended is not None:
            month = datetime.fromtimestamp(job.ended, zone).strftime("%Y-%m")
            rows.setdefault((month, job.request.hospital), []).append(job)
    return tuple(_share(hospital, month, ended, rates) for (month, hospital), ended in sorted(rows.items()))


def parted(total: Decimal, weights: Sequence[Decimal], *, digits: int = 2) -> tuple[Decimal, ...]:
    """A sum in rounded parts that add up to it exactly, by weight.

    Args:
        total: not less than 0, of at most `digits` digits behind the point.
        weights: not less than 0; where all are 0 the parts are even.
        digits: behind the point of each part.

    Raises:
        InputError: something is less than nothing, or there is nobody to share.
    """
    unit = Decimal(1).scaleb(-digits)
    if total < 0 or any(one < 0 for one in weights) or not weights:
        raise InputError("a sum cannot be shared among nobody, or be less than nothing")
    if total != total.quantize(unit):
        raise InputError(f"{total} has more than {digits} digits behind the point", way_out="Round the sum first.")
    even = sum(weights) == 0
    asked = [Decimal(1)] * len(weights) if even else list(weights)
    exact = [total * one / sum(asked) for one in asked]
    down = [one.quantize(unit, ROUND_FLOOR) for one in exact]
    over = int((total - sum(down)) / unit)
    # The largest remainder first; of equal ones, the first in the list.
    order = sorted(range(len(exact)), key=lambda place: (down[place] - exact[place], place))
    for place in order[:over]:
        down[place] += unit
    return tuple(down)


def shared_bill(total: Decimal, used: Sequence[Share], rates: Rates) -> Mapping[str, Decimal]:
    """What each hospital pays of a bill for all, e.g. of the centre for a month, in proportion to its cost.

    Args:
        total: the bill.
        used: shares of the months that the bill is for.
        rates: by which they were priced; of which the digits count.
    """
    costs: dict[str, Decimal] = {}
    for one in used:
        costs[one.hospital] = costs.get(one.hospital, Decimal(0)) + one.cost
    parts = parted(total, list(costs.values()), digits=rates.digits)
    return dict(zip(costs, parts, strict=True))


def billed_seconds(job: Job) -> tuple[float, float, float]:
    """Core-seconds of a job that were its hospital's own, borrowed and kept, and lost: three parts of all of them."""
    lost = min(job.lost_core_seconds, job.core_seconds)
    kept = min(job.borrowed_core_seconds, job.core_seconds - lost)
    return job.core_seconds - lost - kept, kept, lost


def _share(hospital: str, month: str, jobs: Sequence[Job], rates: Rates) -> Share:
    own = borrowed = lost = cards = own_cards = Decimal(0)
    for job in jobs:
        # Seconds as the engine told them, exactly: sums in binary would drift from those of the list.
        mine, lent, gone = (Decimal(repr(one)) for one in billed_seconds(job))
        own, borrowed, lost = own + mine, borrowed + lent, lost + gone
        each = Decimal(job.request.gpus) / job.request.cores
        own_cards += mine * each
        cards += (mine + lent) * each
    unit = Decimal(1).scaleb(-rates.digits)
    price = rates.core_hour * (own + rates.borrowed * borrowed) / _HOUR
    price += rates.gpu_hour * (own_cards + rates.borrowed * (cards - own_cards)) / _HOUR
    return Share(
        hospital=hospital, month=month, jobs=len(jobs), failed=sum(one.state == "failed" for one in jobs),
        own_core_hours=own / _HOUR, borrowed_core_hours=borrowed / _HOUR, lost_core_hours=lost / _HOUR,
        gpu_hours=cards / _HOUR, cost=price.quantize(unit, ROUND_HALF_UP),
    )  # fmt: skip
