"""Plans keep what hospitals own, fit into what there is, and do on later weeks what they say."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest

from consilium.alliance.compute.lease_backtest import judged, plan_levels, simple_ways
from consilium.alliance.compute.lease_file import LeaseFile
from consilium.alliance.compute.lease_plan import propose, risk_of
from consilium.alliance.compute.need import Need
from consilium.errors import InputError

HOUR = np.arange(168) % 24
DAY, NIGHT = (np.where((HOUR >= 8) & (HOUR < 18), high, low) for high, low in ((16.0, 2.0), (2.0, 12.0)))


def need(weeks: int, seed: int = 0, **more: np.ndarray) -> Need:
    rates = {"day": DAY, "night": NIGHT, **more}
    rng = np.random.default_rng(seed)
    cores = np.stack([rng.poisson(rate, (weeks, 168)) for rate in rates.values()]).astype(np.float64)
    mondays = tuple(date(2026, 1, 5) + timedelta(weeks=one) for one in range(weeks))
    return Need(hospitals=tuple(rates), weeks=mondays, cores=cores)


def test_prices_say_the_risk() -> None:
    assert risk_of(lease=1, shortage=20) == pytest.approx(0.05)
    assert risk_of(lease=1, shortage=20, salvage=0.5) == pytest.approx(1 - 19 / 19.5)
    for lease, shortage, salvage in ((2.0, 1.0, 0.0), (1.0, 1.0, 0.0), (1.0, 2.0, 1.0), (1.0, 2.0, -1.0)):
        with pytest.raises(InputError, match="no best risk"):
            risk_of(lease=lease, shortage=shortage, salvage=salvage)


def test_the_stated_risk_is_the_cheapest() -> None:
    # What the newsvendor's rule is for: with these prices no other risk costs less on average.
    price, lack = 1.0, 8.0
    risk = risk_of(lease=price, shortage=lack)
    later = need(200, seed=9)

    def cost(other: float) -> float:
        level = plan_levels(propose(need(40), capacity=500, risk=other, switch=0, levels=168, draws=0), later)
        lacking = np.maximum(later.cores - level[:, None], 0).mean(1).sum()
        return float(price * level.sum() + lack * lacking)

    costs = {other: cost(other) for other in (risk / 8, risk / 3, risk, 3 * risk, 5 * risk)}
    assert min(costs, key=lambda one: costs[one]) == risk


def test_on_later_weeks_it_is_short_as_rarely_as_stated_and_cheaper_than_peaks() -> None:
    first, later = need(8), need(30, seed=1)
    plan = propose(first, capacity=100, risk=0.05, draws=0)
    told = judged(plan_levels(plan, later), later)
    ways = {name: judged(cores, later) for name, cores in simple_ways(first).items()}
    assert told.shortage <= 0.05 and told.low <= told.shortage <= told.high
    assert told.cores < 0.75 * ways["own peak"].cores
    assert told.shortage < 0.3 * ways["hourly mean"].shortage
    assert ways["own mean"].unmet > 0.2 > told.unmet
    assert not plan.scarce and all(one.short == 0 for one in plan.hospitals)


def test_where_there_is_too_little_each_keeps_its_own_and_it_is_said() -> None:
    plan = propose(need(8), capacity=22, risk=0.05, owned={"day": 4, "night": 10, "new": 2}, draws=0)
    by_name = {one.hospital: one for one in plan.hospitals}
    together = np.sum([one.cores for one in plan.hospitals], axis=0)
    assert (together <= 22).all() and plan.scarce
    assert (by_name["day"].cores >= 4).all() and (by_name["night"].cores >= 10).all()
    assert by_name["new"].forecast is None and set(by_name["new"].cores.tolist()) == {2}
    assert by_name["day"].short > 0
    assert set(np.flatnonzero(by_name["day"].cores < by_name["day"].wanted)) <= set(plan.scarce)


def test_leases_say_what_the_plan_says() -> None:
    plan = propose(need(8), capacity=60, risk=0.05, owned={"day": 3}, draws=0)
    for one in plan.hospitals:
        cores = np.zeros(168, int)
        for lease in one.leases():
            assert not cores[list(lease.hours)].any()
            cores[list(lease.hours)] = lease.cores
        assert (cores == one.cores).all()
        assert len(one.leases()) <= 4 + 1
    told = json.loads(json.dumps(plan.as_document()))
    assert [one["hospital"] for one in told["hospitals"]] == ["day", "night"]
    assert told["hospitals"][0]["history"] == "enough" and told["scarce_hours"] == []
    assert len(told["leases"]) == len(plan.leases())


def test_without_enough_history_there_is_no_plan() -> None:
    with pytest.raises(InputError, match="no hospital has 2 whole weeks"):
        propose(need(1), capacity=60, risk=0.05)
    with pytest.raises(InputError, match="no later week"):
        judged(np.zeros((2, 168)), need(0))


def test_simple_levels_cost_more_and_free_ones_are_free() -> None:
    free = propose(need(8), capacity=100, risk=0.05, levels=168, switch=0, draws=0)
    few = propose(need(8), capacity=100, risk=0.05, draws=0)
    for exact, raised in zip(free.hospitals, few.hospitals, strict=True):
        assert (exact.cores == exact.wanted).all()
        assert (raised.cores >= exact.cores).all()
        assert raised.cores.sum() < 1.25 * exact.cores.sum()


def test_a_plan_can_be_agreed_on(tmp_path: object) -> None:
    from pathlib import Path

    from consilium.alliance.compute.lease_file import Agreed

    plan = propose(need(8), capacity=60, risk=0.05, draws=0)
    file = LeaseFile(Path(str(tmp_path)) / "leases.json")
    file.replace(Agreed(leases=plan.leases()))
    kept = {(one.hospital, one.cores, one.hours) for one in file.agreed().leases}
    assert kept == {(one.hospital, one.cores, one.hours) for one in plan.leases()}
