"""How many cores a hospital will need in each hour of the week, at a stated risk that they are too few.

A few weeks are too few to look up the 95th percentile of Monday, nine o'clock: each hour has been seen a handful of
times. So the middle of an hour leans on the same hour of like days (empirical Bayes, Efron and Morris 1973), and how
far needs stray from the middle is taken from the hours around it on like days. Deviations are those of weeks that had
no part in the middle that they are held against, and the rank of the quantile is the conformal one, ceil((n + 1)(1 -
risk)) (the jackknife; Barber et al. 2021, "Predictive inference with the jackknife+"). Nothing is promised by a
theorem here, since weeks are not exchangeable; `lease_backtest` says how it went. Where the weekly sums rise or fall
beyond chance (Kendall 1938), weeks are first brought to the level of the middle of the time planned for, along the
slope of Sen (1968).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.alliance.compute.lease_hours import HOURS
from consilium.errors import InputError

LEAST_WEEKS = 2
"""Fewer say nothing of how weeks differ: no forecast."""

FEW_WEEKS = 4
"""Fewer make a forecast that leans on like days entirely and is told as provisional."""

TREND_WEEKS = 6
"""Fewer are not asked for a trend."""

HORIZON = 4
"""Weeks that a plan is for, before it is made anew."""

MOST_TREND = 0.1
"""A week, as a factor's logarithm; what rises faster is a change of ways and no trend to be drawn out."""

DRAWS = 200
AROUND = 2
"""Hours before and after whose deviations count with those of an hour; chosen on simulated hospitals."""

_DAY_TYPES = (slice(0, 5), slice(5, 7))

Cores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Needs of one hospital by hour of the week, cores.

    Attributes:
        mean: (168,).
        quantile: (168,); the need stays at or below it but for the risk.
        low, high: (168,) 95 % interval of the quantile, from drawing weeks with replacement.
        weeks: it rests on.
        provisional: there are so few that it is a first guess.
        trend: by which factor the need grows a week; 1 where no trend is seen beyond chance.
        beyond: hours in which the risk is smaller than the history can tell; the largest deviation seen stands there.
    """

    mean: Cores
    quantile: Cores
    low: Cores
    high: Cores
    weeks: int
    provisional: bool
    trend: float
    beyond: int


def forecast(cores: Cores, *, risk: float, horizon: int = HORIZON, draws: int = DRAWS, seed: int = 0) -> Forecast:
    """Forecast one hospital.

    Args:
        cores: (weeks, 168); NaN where not observed.
        risk: of an hour in which more is needed, 0 to 1.
        horizon: weeks that the forecast is for.
        draws: of the interval; 0: none, it is then the quantile itself.
        seed: of the draws.

    Raises:
        InputError: there are fewer than two weeks, or the risk is none.
    """
    if not 0 < risk < 1:
        raise InputError(f"{risk:g} is no risk of a shortage", way_out="Give one between 0 and 1, such as 0.05.")
    seen = cores[~np.isnan(cores).all(axis=1)]
    if len(seen) < LEAST_WEEKS:
        raise InputError(
            f"{len(seen)} whole weeks of history say nothing of how weeks differ",
            way_out=f"Plan from {FEW_WEEKS} weeks on; from {LEAST_WEEKS} there is a provisional plan.",
        )
    few = len(seen) < FEW_WEEKS
    slope = _slope(seen)
    ahead = len(seen) - 1 + (horizon + 1) / 2 - np.arange(len(seen))
    seen = seen * np.exp(slope * ahead)[:, None]
    every = np.arange(len(seen))
    quantile, beyond = _quantile(seen, every, risk, few=few)
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(every, len(every)) for _ in range(draws)]
    # One week drawn again and again cannot be held against another.
    drawn = [one for one in drawn if len(set(one.tolist())) > 1]
    values = np.stack([quantile, *(_quantile(seen, one, risk, few=few)[0] for one in drawn)])
    low, high = np.percentile(values, [2.5, 97.5], axis=0)
    return Forecast(
        mean=_usual(seen, few=few)[0], quantile=quantile, low=np.minimum(low, quantile),
        high=np.maximum(high, quantile), weeks=len(seen), provisional=few, trend=float(np.exp(slope)), beyond=beyond,
    )  # fmt: skip


def _slope(cores: Cores) -> float:
    """Growth a week of the logarithm of the need; 0 where chance explains it."""
    if len(cores) < TREND_WEEKS:
        return 0.0
    from scipy.stats import kendalltau, theilslopes

    sums = np.nanmean(cores, axis=1)
    weeks = np.arange(len(sums))
    if (sums <= 0).any() or not kendalltau(weeks, sums).pvalue < 0.05:
        return 0.0
    return float(np.clip(theilslopes(np.log(sums), weeks).slope, -MOST_TREND, MOST_TREND))


def _quantile(cores: Cores, weeks: NDArray[np.intp], risk: float, *, few: bool) -> tuple[Cores, int]:
    """The quantile from some of the weeks, a week perhaps several times; and in how many hours it is beyond them."""
    chosen = cores[weeks]
    away = np.empty_like(chosen)
    for week in np.unique(weeks):
        out = weeks == week
        middle, scale = _usual(chosen[~out], few=few)
        away[out] = (chosen[out] - middle) / scale
    middle, scale = _usual(chosen, few=few)
    factor, beyond = np.empty(HOURS), 0
    days = away.reshape(-1, 7, 24)
    for like in _DAY_TYPES:
        for hour in range(24):
            around = [(hour + step) % 24 for step in range(-AROUND, AROUND + 1)]
            pool = days[:, like][:, :, around].ravel()
            pool = np.sort(pool[~np.isnan(pool)])
            rank = int(np.ceil((len(pool) + 1) * (1 - risk)))
            places = np.arange(*like.indices(7)) * 24 + hour
            beyond += len(places) * (rank > len(pool))
            factor[places] = pool[-1] if few else pool[min(rank, len(pool)) - 1]
    return np.asarray(np.maximum(middle + factor * scale, 0.0)), beyond


def _usual(cores: Cores, *, few: bool) -> tuple[Cores, Cores]:
    """Mean of each hour, drawn towards that of the same hour on like days, and how far needs stray; (168,) each.

    Jobs that come independently vary as the root of their mean, up to a factor. A variance of each hour's own is too
    noisy: with it plans cost more at the same shortage.
    """
    days = cores.reshape(-1, 7, 24)
    found = np.empty((7, 24))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an hour that no week has
        own = np.nanmean(days, axis=0)
        spread = np.nanvar(days, axis=0, ddof=1) / np.maximum((~np.isnan(days)).sum(0), 1)
        for like in _DAY_TYPES:
            mean = np.nanmean(own[like], axis=0)
            trust = 0.0 if few else _trust(own[like], spread[like])
            found[like] = mean + trust * np.where(np.isnan(own[like]), 0.0, own[like] - mean)
    middle = found.reshape(HOURS)
    return middle, np.asarray(np.sqrt(middle + 1.0))


def _trust(own: Cores, spread: Cores) -> float:
    """Which part of the difference between like days is no chance, 0 to 1: method of moments over all hours."""
    between = float(np.nansum(np.nanvar(own, axis=0, ddof=1)))
    within = float(np.nansum(np.nanmean(spread, axis=0)))
    return max(0.0, 1.0 - within / between) if between > 0 else 0.0
