from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from consilium.specialist.evidence.calibration import calibration, calibration_slope


def _told(cases: int, stretch: float, shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=cases) * 1.5
    positive = rng.random(cases) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-(stretch * logits + shift))), positive


def test_right_probabilities_have_slope_one_and_intercept_zero() -> None:
    predicted, positive = _told(4000, 1.0, 0.0)
    found = calibration(predicted, positive, np.arange(4000))
    assert found.slope.low < 1 < found.slope.high
    assert found.intercept.low < 0 < found.intercept.high
    assert found.slope.high - found.slope.low < 0.2
    assert found.ece_if_right[0] <= found.ece <= found.ece_if_right[1]
    assert found.brier.value == pytest.approx(brier_score_loss(positive, predicted))


def test_stretched_probabilities_are_seen() -> None:
    predicted, positive = _told(2000, 2.0, 0.0)
    found = calibration(predicted, positive, np.arange(2000))
    assert found.slope.high < 0.7
    assert found.ece > found.ece_if_right[1]


def test_shifted_probabilities_are_seen() -> None:
    predicted, positive = _told(2000, 1.0, 1.0)
    found = calibration(predicted, positive, np.arange(2000))
    assert found.intercept.high < -0.7


def test_the_slope_is_that_of_an_unpenalised_logistic_regression() -> None:
    predicted, positive = _told(300, 1.3, 0.4)
    logits = np.log(predicted / (1 - predicted))
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(logits[:, None], positive)
    assert calibration_slope(logits, positive, np.arange(300)).value == pytest.approx(reference.coef_[0, 0], rel=1e-3)


def test_the_error_of_a_perfect_model_is_not_zero_with_200_cases() -> None:
    # The reference: .073 with 10 bins of equal width; bins of equal numbers are alike.
    predicted, positive = _told(200, 1.0, 0.0)
    low, high = calibration(predicted, positive, np.arange(200)).ece_if_right
    assert 0.02 < low < 0.073 < high < 0.15


def test_slope_intervals_hold_the_truth() -> None:
    held = []
    for seed in range(200):
        predicted, positive = _told(150, 0.7, 0.0, seed)
        slope = calibration_slope(np.log(predicted / (1 - predicted)), positive, np.arange(150))
        held.append(slope.low <= 1 / 0.7 <= slope.high)
    assert 0.9 <= np.mean(held) <= 0.99


def test_separated_cases_have_no_slope() -> None:
    positive = np.arange(40) < 20
    found = calibration(np.where(positive, 0.9, 0.1) + np.linspace(0, 0.01, 40), positive, np.arange(40))
    assert np.isnan(found.slope.value) and np.isinf(found.slope.high)


def test_the_curve_holds_every_case_once() -> None:
    predicted, positive = _told(203, 1.0, 0.0)
    curve = calibration(predicted, positive, np.arange(203)).curve
    assert sum(one.cases for one in curve) == 203
    assert [one.predicted for one in curve] == sorted(one.predicted for one in curve)
