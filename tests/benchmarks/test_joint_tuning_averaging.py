"""The mean of weights hangs on who has how many cases and on nothing else; what cannot be such weights is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.joint_tuning_averaging import Limits, Update, averaged, refuse_update, screened

LENGTH = 50
LIMITS = Limits(rate=1e-3, passes=2, batch=10)
CASES = {"site-1": 40, "site-2": 7, "site-3": 100}
START = np.random.default_rng(0).standard_normal(LENGTH).astype(np.float32)


def honest(seed: int, far: float = 1e-3) -> np.ndarray:
    return START + np.random.default_rng(seed).uniform(-far, far, LENGTH).astype(np.float32)


def test_the_mean_is_weighted_by_cases() -> None:
    vectors = {site: honest(seed) for seed, site in enumerate(CASES, start=1)}
    expected = np.average(np.stack([*vectors.values()]).astype(np.float64), axis=0, weights=[*CASES.values()])
    assert np.abs(averaged(vectors, CASES) - expected).max() < 1e-6
    one = averaged({"site-2": vectors["site-2"]}, CASES)
    assert np.array_equal(one, vectors["site-2"])


@given(st.permutations(sorted(CASES)))
def test_in_which_order_they_answer_changes_nothing(order: list[str]) -> None:
    vectors = {site: honest(int(site[-1])) for site in order}
    assert np.array_equal(averaged(vectors, CASES), averaged({site: vectors[site] for site in sorted(order)}, CASES))


def _with(change: Any) -> np.ndarray:
    vector = honest(1).copy()
    vector[7] = change
    return vector


@pytest.mark.parametrize(
    ("vector", "cases", "why"),
    [
        (_with(np.nan), 40, "not finite"),
        (_with(np.inf), 40, "not finite"),
        (_with(START[7] + 1.0), 40, "huge norm"),
        (honest(1) * 1000, 40, "huge norm"),
        (honest(1)[:-1], 40, "wrong shape: 49 for 50"),
        (honest(1)[None], 40, "wrong shape: (1, 50)"),
        (honest(1).astype(np.float64), 40, "no vector"),
        (None, 40, "no vector"),
        (honest(1), 41, "absurd case counts"),
        (honest(1), 40_000_000, "absurd case counts"),
        (honest(1), True, "absurd case counts"),
        (honest(1), "40", "absurd case counts"),
    ],
)
def test_bad_updates_are_refused_and_named(vector: Any, cases: Any, why: str) -> None:
    updates = {
        "site-1": Update(vector=vector, cases=cases),
        "site-2": Update(vector=honest(2), cases=7),
        "site-3": Update(vector=honest(3), cases=100),
    }
    taken, refused = screened(updates, START, START, CASES, LIMITS)
    assert list(refused) == ["site-1"] and why in refused["site-1"]
    assert sorted(taken) == ["site-2", "site-3"]


def test_a_way_far_longer_than_the_others_is_refused_though_each_weight_could_have_gone_it() -> None:
    updates = {
        site: Update(vector=honest(1, far), cases=CASES[site])
        for site, far in (("site-1", 1e-2), ("site-2", 5e-5), ("site-3", 5e-5))
    }
    assert not refuse_update(updates["site-1"], START, START, 40, LIMITS)
    taken, refused = screened(updates, START, START, CASES, LIMITS)
    assert refused == {"site-1": "huge norm"} and len(taken) == 2


def test_being_drawn_back_to_the_start_is_not_refused() -> None:
    far = START + np.float32(0.5)
    back = Update(vector=(far + START) / 2, cases=7)
    assert not refuse_update(back, far, START, 7, LIMITS)
    assert refuse_update(back, far, far, 7, LIMITS) == "huge norm"
