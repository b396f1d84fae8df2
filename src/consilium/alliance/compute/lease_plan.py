"""Leases that cost least at a stated risk of a shortage.

An hour of a lease is bought before anybody knows the need: the newsvendor's problem (Arrow, Harris and Marschak 1951,
"Optimal inventory policy"). Cheapest is the quantile of the need at (shortage - lease) / (shortage - salvage): a price
for cores that are lacking says the risk, and a risk says what that price would have to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.forecast import DRAWS, HORIZON, LEAST_WEEKS, Forecast, forecast
from consilium.alliance.compute.lease_hours import HOURS, hours_in_words
from consilium.alliance.compute.lease_share import levelled, merged, shared
from consilium.alliance.compute.need import Measure, Need
from consilium.errors import InputError

SWITCH = 4.0
"""Core-hours that a change of leases may cost before hours are merged: a rule of ours, not measured."""

LEVELS = 4
"""Different numbers of cores that a hospital has in a week, so that people can keep them in mind; ours too."""

Cores = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What is proposed for one hospital.

    Attributes:
        hospital: its name.
        owned: cores that it brought in.
        forecast: its need; None where its history is too short, and it keeps what it owns.
        wanted: (168,) whole cores at the stated risk.
        cores: (168,) that the plan gives it.
        short: hours in which it gets fewer than wanted.
    """

    hospital: str
    owned: int
    forecast: Forecast | None
    wanted: Whole
    cores: Whole
    short: int

    def leases(self) -> tuple[Lease, ...]:
        """One lease a level of cores, with all its hours; none for hours without cores."""
        levels = sorted(set(self.cores.tolist()) - {0})
        return tuple(
            Lease(hospital=self.hospital, cores=level, hours=tuple(np.flatnonzero(self.cores == level).tolist()))
            for level in levels
        )


@dataclass(frozen=True, kw_only=True)
class LeasePlan:
    """A proposal for all hospitals.

    Attributes:
        risk: of an hour in which a hospital needs more than it has, by the forecast.
        capacity: cores of all together.
        weeks: Mondays of the first and last week of the history, ISO 8601.
        hospitals: by name.
        scarce: hours of the week in which all together want more than there is.
    """

    risk: float
    capacity: int
    weeks: tuple[str, str]
    hospitals: tuple[Planned, ...]
    scarce: tuple[int, ...]

    def leases(self) -> tuple[Lease, ...]:
        """All leases, by hospital and level."""
        return tuple(lease for one in self.hospitals for lease in one.leases())

    def as_document(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {
            "risk": self.risk, "capacity": self.capacity, "weeks": list(self.weeks), "scarce_hours": list(self.scarce),
            "hospitals": [_document(one) for one in self.hospitals],
            "leases": [
                {"hospital": one.hospital, "cores": one.cores, "hours": hours_in_words(one.hours)}
                for one in self.leases()
            ],
        }  # fmt: skip


def risk_of(*, lease: float, shortage: float, salvage: float = 0.0) -> float:
    """The risk that costs least.

    Args:
        lease: price of a leased core-hour.
        shortage: what a core-hour costs that is lacking, e.g. bought in a hurry elsewhere.
        salvage: what a leased core-hour brings that is not used, e.g. lent to others.

    Raises:
        InputError: the prices are not in the order salvage < lease < shortage.
    """
    if not 0 <= salvage < lease < shortage:
        raise InputError(
            f"there is no best risk for a lease at {lease:g}, a shortage at {shortage:g}, a salvage of {salvage:g}",
            way_out="A lack must cost more than a lease, and a lease more than what an unused one brings.",
        )
    return 1.0 - (shortage - lease) / (shortage - salvage)


def propose(
    need: Need,
    *,
    capacity: int,
    risk: float,
    owned: Mapping[str, int] | None = None,
    levels: int = LEVELS,
    switch: float = SWITCH,
    horizon: int = HORIZON,
    draws: int = DRAWS,
    seed: int = 0,
) -> LeasePlan:
    """Propose leases.

    Args:
        need: the history.
        capacity: cores of all together.
        risk: of an hour in which a hospital needs more than its lease.
        owned: cores that hospitals brought in and never go below, by hospital; whoever is not named brought none.
        levels: see `levelled`.
        switch: see `merged`; 0: the level may change every hour.
        horizon: weeks that the plan is for.
        draws: of the intervals.
        seed: of the draws.

    Raises:
        InputError: no hospital has two whole weeks of history, they own more than there is, or the risk is none.
    """
    owns = dict.fromkeys(need.hospitals, 0) | dict(owned or {})
    hospitals = sorted(owns)
    forecasts: dict[str, Forecast | None] = {}
    for name in hospitals:
        cores = need.cores[need.hospitals.index(name)] if name in need.hospitals else np.empty((0, HOURS))
        enough = (~np.isnan(cores).all(axis=1)).sum() >= LEAST_WEEKS
        forecasts[name] = forecast(cores, risk=risk, horizon=horizon, draws=draws, seed=seed) if enough else None
    if not any(forecasts.values()):
        raise InputError(
            f"no hospital has {LEAST_WEEKS} whole weeks of history",
            way_out="Share without leases until there are; a plan from less would be made up.",
        )
    own = [owns[name] for name in hospitals]
    wanted = np.stack([_whole(forecasts[name], owns[name], need.measure) for name in hospitals])
    given = np.array([shared(wanted[:, hour].tolist(), own, capacity) for hour in range(HOURS)]).T
    for place in range(len(hospitals)):
        room = capacity - given.sum(0) + given[place]
        given[place] = merged(levelled(given[place], room, most=levels), room, switch=switch)
    return LeasePlan(
        risk=risk, capacity=capacity, weeks=(need.weeks[0].isoformat(), need.weeks[-1].isoformat()),
        hospitals=tuple(
            Planned(
                hospital=name, owned=owns[name], forecast=forecasts[name], wanted=wanted[place], cores=given[place],
                short=int((given[place] < wanted[place]).sum()),
            )
            for place, name in enumerate(hospitals)
        ),
        scarce=tuple(np.flatnonzero(np.maximum(wanted, np.array(own)[:, None]).sum(0) > capacity).tolist()),
    )  # fmt: skip


def _whole(told: Forecast | None, owned: int, measure: Measure) -> Whole:
    """Whole cores at the stated risk; what the hospital owns where nothing can be told.

    Peaks are whole cores, and so is their quantile: what the estimate has beside it is noise, and the nearest whole
    number is it. Always to round up would pay for half a core an hour that the stated risk does not ask for.
    """
    if told is None:
        return np.full(HOURS, owned, np.int64)
    return np.asarray(np.floor(told.quantile + 0.5) if measure == "peak" else np.ceil(told.quantile), np.int64)


def _document(one: Planned) -> dict[str, Any]:
    told = one.forecast
    found: dict[str, Any] = {
        "hospital": one.hospital, "owned": one.owned, "cores": one.cores.tolist(), "wanted": one.wanted.tolist(),
        "hours_below_wanted": one.short, "weeks": told.weeks if told else 0,
        "history": "too short" if told is None else "provisional" if told.provisional else "enough",
    }  # fmt: skip
    if told is not None:
        found |= {name: np.round(getattr(told, name), 3).tolist() for name in ("mean", "quantile", "low", "high")}
        found |= {"trend_a_week": round(told.trend, 4), "hours_beyond_history": told.beyond}
    return found
