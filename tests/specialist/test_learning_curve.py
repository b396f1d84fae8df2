from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.evidence.learning_curve import _law, learning_curve
from consilium.specialist.splits import Folds, grouped_folds


def test_the_law_carries_a_power_law_on() -> None:
    sizes = np.array([25.0, 50, 75, 100])
    at_all, doubled = _law((0.9 - 1.5 * sizes**-0.8)[None], sizes, 200)[0]
    assert at_all == pytest.approx(0.9 - 1.5 * 100**-0.8, abs=1e-6)
    assert doubled == pytest.approx(0.9 - 1.5 * 200**-0.8, abs=1e-4)


def test_a_falling_curve_is_carried_on_flat() -> None:
    at_all, doubled = _law(np.array([[0.8, 0.78, 0.76, 0.74]]), np.array([25.0, 50, 75, 100]), 200)[0]
    assert at_all == pytest.approx(doubled) == pytest.approx(0.77)


def test_the_law_stays_below_one() -> None:
    _, doubled = _law(np.array([[0.7, 0.85, 0.95, 0.999]]), np.array([25.0, 50, 75, 100]), 200)[0]
    assert doubled <= 1


def _curve(apart: float, width: int, cases: int = 120) -> str:
    rng = np.random.default_rng(4)
    truth = np.arange(cases) % 2
    features = rng.normal(size=(cases, width)).astype(np.float32)
    features[:, 0] += np.float32(apart) * truth
    folds = grouped_folds(truth, np.arange(cases), repeats=2)
    assert isinstance(folds, Folds)
    found = learning_curve(
        features, truth[:, None, None].astype(float), truth, np.arange(cases), folds, "logistic", repeats=2
    )
    assert [size.patients for size in found.sizes] == sorted(size.patients for size in found.sizes)
    assert found.sizes[-1].patients == pytest.approx(cases * 0.8)
    assert found.gain.low <= found.gain.value <= found.gain.high
    return found.verdict


def test_where_everything_is_told_more_cases_would_not_help() -> None:
    assert _curve(8.0, 1) == "more cases would not help"


def test_where_the_curve_is_noisy_it_cannot_be_said() -> None:
    assert _curve(0.3, 30, 60) == "cannot be said"
