from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.evidence.conformal import abstention, conformal, realised_coverage, threshold_of


def _predicted(cases: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, cases)
    logits = rng.normal(size=(cases, 3))
    logits[np.arange(cases), truth] += 1.5
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True), truth


def test_the_threshold_is_the_rank_that_the_promise_needs() -> None:
    scores = np.arange(1, 21) / 20
    assert threshold_of(scores) == 0.1  # floor(21 × .1) = 2nd smallest
    assert threshold_of(scores[:9]) == scores[0]
    assert threshold_of(scores[:8]) == 0.0


def test_new_cases_are_covered_as_promised_on_average_and_within_the_told_range() -> None:
    covered = []
    for seed in range(300):
        predicted, truth = _predicted(180, seed)
        own = predicted[truth == 0, 0][:40]
        new, new_truth = _predicted(3000, 10_000 + seed)
        covered.append((new[new_truth == 0, 0] >= threshold_of(own)).mean())
    assert np.mean(covered) >= 0.9
    low, high = realised_coverage(40)
    assert np.mean((np.array(covered) < low) | (np.array(covered) > high)) == pytest.approx(0.1, abs=0.06)


@pytest.mark.parametrize(("cases", "low", "high"), [(40, 0.817, 0.965), (100, 0.848, 0.945), (200, 0.864, 0.933)])
def test_the_range_is_that_of_the_reference(cases: int, low: float, high: float) -> None:
    assert realised_coverage(cases) == pytest.approx((low, high), abs=0.012)


def test_sets_are_judged_on_folds_that_their_thresholds_do_not_come_from() -> None:
    predicted, truth = _predicted(300, 1)
    found = conformal(predicted, truth, np.arange(300), np.arange(300) % 5)
    for one in found.classes:
        assert one.covered.low <= 0.9 <= one.covered.high
    assert 1 < found.mean_size < 3
    assert 0 <= found.empty < 0.2


def test_leaving_doubtful_cases_out_makes_the_rest_right() -> None:
    predicted, truth = _predicted(300, 2)
    curve = abstention(predicted, truth)
    assert [round(one.kept, 2) for one in curve] == [round(k / 10, 2) for k in range(10, 0, -1)]
    assert curve[0].right.value == pytest.approx((predicted.argmax(1) == truth).mean())
    assert curve[-1].right.value > curve[0].right.value
    assert [one.confidence for one in curve] == sorted(one.confidence for one in curve)
