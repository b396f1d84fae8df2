"""How plans would have done: made from the first weeks, judged on the later ones, which had no part in them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.alliance.compute.lease_hours import HOURS
from consilium.alliance.compute.lease_plan import LeasePlan
from consilium.alliance.compute.need import Need
from consilium.errors import InputError

_DRAWS = 1000

Cores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a way to give cores would have meant.

    Attributes:
        shortage: share of the hours of hospitals in which more was needed than given.
        low, high: 95 % interval of it, from drawing the judged weeks with replacement.
        cores: mean over the week that all hospitals had together; what is paid for.
        unmet: share of the needed core-hours beyond what was given.
        weeks: judged.
    """

    shortage: float
    low: float
    high: float
    cores: float
    unmet: float
    weeks: int


def judged(given: Cores, need: Need, *, seed: int = 0) -> Judged:
    """Hold what hospitals are given against what they needed.

    Args:
        given: (hospitals, 168) or (hospitals, 1) cores.
        need: of weeks that had no part in it.
        seed: of the draws.

    Raises:
        InputError: there is no week to judge by.
    """
    if not need.weeks or np.isnan(need.cores).all():
        raise InputError("there is no later week to judge a plan by", way_out="Plan from fewer weeks.")
    level = np.broadcast_to(given, (len(need.hospitals), HOURS))[:, None]
    known = ~np.isnan(need.cores)
    lack = np.where(known, np.maximum(need.cores - level, 0.0), 0.0)
    short, hours = (lack > 0).sum((0, 2)).astype(np.float64), known.sum((0, 2)).astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(hours), np.full(len(hours), 1 / len(hours)), size=_DRAWS)
    low, high = np.percentile((drawn @ short) / np.maximum(drawn @ hours, 1.0), [2.5, 97.5])
    return Judged(
        shortage=float(short.sum() / hours.sum()), low=float(low), high=float(high),
        cores=float(level.mean(2).sum()), unmet=float(lack.sum() / max(np.nansum(need.cores), 1e-9)),
        weeks=len(need.weeks),
    )  # fmt: skip


def plan_levels(plan: LeasePlan, need: Need) -> Cores:
    """(hospitals, 168) cores of a plan, in the order of a need."""
    by_name = {one.hospital: one.cores for one in plan.hospitals}
    return np.stack([by_name[name] for name in need.hospitals]).astype(np.float64)


def simple_ways(need: Need) -> dict[str, Cores]:
    """What people do without a plan, (hospitals, 168) or (hospitals, 1) whole cores each.

    "own peak": each buys for the most it ever needed; "own mean": for its mean; "hourly mean": the mean of each hour of
    the week; "hourly peak": the most seen in each.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a hospital without a whole week
        ways = {
            "own peak": np.nanmax(need.cores, (1, 2), keepdims=True)[:, 0],
            "own mean": np.nanmean(need.cores, (1, 2), keepdims=True)[:, 0],
            "hourly mean": np.nanmean(need.cores, 1),
            "hourly peak": np.nanmax(need.cores, 1),
        }
    return {name: np.ceil(np.nan_to_num(cores)) for name, cores in ways.items()}
