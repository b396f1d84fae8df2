"""Forecasts hold their risk where the truth is known, and do not pretend where little is known."""

from __future__ import annotations

import numpy as np
import pytest

from consilium.alliance.compute.forecast import forecast
from consilium.errors import InputError

HOUR = np.arange(168) % 24
RATE = np.where((HOUR >= 8) & (HOUR < 18), 20.0, 4.0) * np.where(np.arange(168) >= 120, 0.4, 1.0)


def weeks(count: int, seed: int, growth: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(RATE * growth ** np.arange(count)[:, None]).astype(np.float64)


@pytest.mark.parametrize("risk", [0.02, 0.05, 0.2])
@pytest.mark.parametrize("history", [4, 8, 16])
def test_the_need_exceeds_the_quantile_as_often_as_stated(risk: float, history: int) -> None:
    shares, cores = [], []
    for seed in range(12):
        told = forecast(weeks(history, seed), risk=risk, draws=0)
        level = np.floor(told.quantile + 0.5)
        shares.append(float((weeks(50, 1000 + seed) > level).mean()))
        cores.append(level.mean())
    assert np.mean(shares) <= risk * 1.15
    # And it does not get there by giving everything: what the true quantile would give is known.
    from scipy.stats import poisson

    assert np.mean(cores) <= poisson.ppf(1 - risk, RATE).mean() * (1.2 if history == 4 else 1.12)


def test_the_interval_is_around_the_quantile_and_narrower_with_more_weeks() -> None:
    few, many = (forecast(weeks(count, 3), risk=0.05) for count in (4, 24))
    for told in (few, many):
        assert (told.low <= told.quantile).all() and (told.quantile <= told.high).all()
        assert not told.provisional
    assert (many.high - many.low).mean() < 0.7 * (few.high - few.low).mean()


def test_few_weeks_are_provisional_and_one_is_refused() -> None:
    told = forecast(weeks(3, 1), risk=0.05)
    assert told.provisional and told.weeks == 3
    assert told.quantile.mean() > forecast(weeks(12, 1), risk=0.05).quantile.mean()
    # Days alike are taken together: Monday and Friday have one middle.
    assert np.allclose(told.mean[:24], told.mean[96:120])
    for count in (0, 1):
        with pytest.raises(InputError, match=f"{count} whole weeks"):
            forecast(weeks(count, 1), risk=0.05)
    unknown = np.vstack([np.full((2, 168), np.nan), weeks(1, 1)])
    with pytest.raises(InputError, match="1 whole weeks"):
        forecast(unknown, risk=0.05)
    for risk in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="no risk"):
            forecast(weeks(8, 1), risk=risk)


def test_a_risk_smaller_than_the_history_can_tell_is_said() -> None:
    assert forecast(weeks(4, 1), risk=0.001, draws=0).beyond == 168
    assert forecast(weeks(12, 1), risk=0.05, draws=0).beyond == 0


def test_a_day_that_differs_keeps_its_own_middle_and_chance_does_not() -> None:
    cores = weeks(12, 5)
    apart = forecast(cores, risk=0.05, draws=0).mean
    cores[:, 24:48] *= 3.0  # Tuesdays
    told = forecast(cores, risk=0.05, draws=0).mean
    assert told[24 + 9] == pytest.approx(cores[:, 24 + 9].mean(), rel=0.1)
    monday, friday = apart[8:18], apart[104:114]
    raw = weeks(12, 5).mean(0)
    assert np.abs(monday - friday).mean() < np.abs(raw[8:18] - raw[104:114]).mean()


def test_growth_is_followed_and_chance_is_not_taken_for_it() -> None:
    growing = forecast(weeks(10, 2, growth=1.05), risk=0.05, draws=0)
    assert growing.trend == pytest.approx(1.05, abs=0.015)
    later = np.stack([weeks(14, seed, growth=1.05)[10:] for seed in range(20)])
    assert (later > growing.quantile).mean() <= 0.06
    seen = [forecast(weeks(10, seed), risk=0.05, draws=0).trend != 1 for seed in range(100)]
    assert np.mean(seen) <= 0.12


def test_nothing_ever_needed_and_hours_unknown() -> None:
    told = forecast(np.zeros((6, 168)), risk=0.05)
    assert told.quantile.max() == 0 and told.mean.max() == 0
    cores = weeks(6, 1)
    cores[2, 146] = np.nan
    cores[0] = np.nan
    told = forecast(cores, risk=0.05)
    assert told.weeks == 5 and np.isfinite(told.quantile).all() and np.isfinite(told.high).all()


def test_the_same_history_has_the_same_forecast() -> None:
    first, second = (forecast(weeks(6, 1), risk=0.05, seed=4) for _ in range(2))
    assert np.array_equal(first.high, second.high)
