from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from consilium.specialist.evidence.intervals import (
    auc,
    auc_influence,
    auc_interval,
    bootstrap,
    logit_interval,
    paired_difference,
    proportion,
    wilson,
)


def _brute_delong(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUCs and covariance of several scores (m, n), pair by pair (DeLong et al. 1988, equations 4 to 6)."""
    above, below = scores[:, positive], scores[:, ~positive]
    won = (above[:, :, None] > below[:, None]) + 0.5 * (above[:, :, None] == below[:, None])
    of_positive, of_negative = won.mean(2), won.mean(1)
    covariance = np.cov(of_positive) / positive.sum() + np.cov(of_negative) / (~positive).sum()
    return won.mean((1, 2)), covariance


def _obuchowski(scores: np.ndarray, positive: np.ndarray, groups: np.ndarray) -> float:
    """Variance of the AUC of clustered cases, as in Obuchowski 1997, equations 3 to 7."""
    above, below = scores[positive], scores[~positive]
    won = (above[:, None] > below[None]) + 0.5 * (above[:, None] == below[None])
    theta, m, n = won.mean(), len(above), len(below)
    patients = np.unique(groups)
    v10 = np.array([won.mean(1)[groups[positive] == p].sum() for p in patients])
    v01 = np.array([won.mean(0)[groups[~positive] == p].sum() for p in patients])
    m_i = np.array([(groups[positive] == p).sum() for p in patients])
    n_i = np.array([(groups[~positive] == p).sum() for p in patients])
    i10, i01, i = (m_i > 0).sum(), (n_i > 0).sum(), len(patients)
    s10 = i10 / ((i10 - 1) * m) * np.square(v10 - m_i * theta).sum()
    s01 = i01 / ((i01 - 1) * n) * np.square(v01 - n_i * theta).sum()
    s11 = i / (i - 1) * ((v10 - m_i * theta) * (v01 - n_i * theta)).sum()
    return float(s10 / m + s01 / n + 2 * s11 / (m * n))


def _scored(seed: int, cases: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = np.arange(cases) % 3 == 0
    return np.round(rng.normal(size=cases) + positive, 1), positive


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(8, 60))
def test_auc_and_variance_are_those_of_delong_pair_by_pair(seed: int, cases: int) -> None:
    scores, positive = _scored(seed, cases)
    other = np.random.default_rng(seed + 1).normal(size=cases)
    groups = np.arange(cases)
    aucs, covariance = _brute_delong(np.stack([scores, other]), positive)
    first, second = auc_influence(scores, positive, groups), auc_influence(other, positive, groups)
    assert (first.value, second.value) == pytest.approx(aucs.tolist())
    assert first.value == pytest.approx(roc_auc_score(positive, scores))
    assert first.value == pytest.approx(auc(scores, positive))
    assert first.variance(groups) == pytest.approx(covariance[0, 0])
    difference = paired_difference(first, second, groups)
    expected = 1.959964 * np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert (difference.high - difference.low) / 2 == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_several_images_of_a_patient_get_obuchowskis_variance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(60), 3)
    positive = rng.random(180) < np.repeat(rng.choice([0.1, 0.9], 60), 3)
    scores = np.repeat(rng.normal(size=60), 3) + 0.5 * rng.normal(size=180) + positive
    found = auc_influence(scores, positive, groups).variance(groups)
    assert found == pytest.approx(_obuchowski(scores, positive, groups), rel=0.03)
    assert found > auc_influence(scores, positive, np.arange(180)).variance(np.arange(180))


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_order_scale_and_side_do_not_matter(seed: int) -> None:
    scores, positive = _scored(seed)
    groups = np.arange(len(scores))
    plain = auc_interval(scores, positive, groups)
    order = np.random.default_rng(seed).permutation(len(scores))
    assert auc_interval(scores[order], positive[order], groups) == plain or np.allclose(
        [plain.value, plain.low, plain.high],
        [getattr(auc_interval(scores[order], positive[order], groups), name) for name in ("value", "low", "high")],
    )
    bent = auc_interval(np.exp(2 * scores) - 7, positive, groups)
    assert (bent.value, bent.low, bent.high) == pytest.approx((plain.value, plain.low, plain.high))
    swapped = auc_interval(-scores, ~positive, groups)
    assert (swapped.value, swapped.low, swapped.high) == pytest.approx((plain.value, plain.low, plain.high))
    mirrored = auc_interval(scores, ~positive, groups)
    assert (mirrored.value, mirrored.low, mirrored.high) == pytest.approx(
        (1 - plain.value, 1 - plain.high, 1 - plain.low)
    )


def test_a_perfect_auc_still_has_an_interval() -> None:
    positive = np.arange(30) < 10
    found = auc_interval(positive.astype(float), positive, np.arange(30))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025**0.1)


def test_the_logit_interval_stays_inside() -> None:
    found = logit_interval(0.98, 0.02**2, 20, "x")
    assert 0.5 < found.low < 0.98 < found.high < 1


# Published: Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3; and the reference's own figures.
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (18, 20, 0.699, 0.972),
    ],
)
def test_wilson_is_the_published_one(successes: int, trials: int, low: float, high: float) -> None:
    found = wilson(successes, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-4)


def test_images_of_one_patient_do_not_count_as_many() -> None:
    successes = np.repeat(np.arange(40) % 4 > 0, 5).astype(float)
    alone, together = proportion(successes, np.arange(200)), proportion(successes, np.repeat(np.arange(40), 5))
    patients = wilson(30, 40)
    assert alone.high - alone.low < 0.6 * (together.high - together.low)
    assert (together.low, together.high) == pytest.approx((patients.low, patients.high), abs=0.02)
    sure = proportion(np.ones(50), np.repeat(np.arange(10), 5))
    assert sure.low == pytest.approx(wilson(10, 10).low)


def test_the_bootstrap_of_a_mean_is_about_two_standard_errors_wide_and_repeats() -> None:
    values = np.random.default_rng(1).normal(size=200)

    def mean(weights: np.ndarray) -> float:
        return float(weights @ values / weights.sum())

    found = bootstrap(mean, np.arange(200), draws=1500, seed=2)
    error = values.std() / np.sqrt(200)
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert found == bootstrap(mean, np.arange(200), draws=1500, seed=2)


def test_the_bootstrap_draws_patients_together() -> None:
    values = np.repeat(np.random.default_rng(1).normal(size=40), 5)

    def mean(weights: np.ndarray) -> float:
        return float(weights @ values / weights.sum())

    alone, together = (bootstrap(mean, groups, draws=500) for groups in (np.arange(200), np.repeat(np.arange(40), 5)))
    assert together.high - together.low > 1.7 * (alone.high - alone.low)


def test_the_accelerated_bootstrap_covers_a_skewed_mean_better_than_two_errors_would() -> None:
    rng = np.random.default_rng(7)
    held = []
    for _ in range(150):
        values = rng.exponential(size=40)
        found = bootstrap(lambda w, v=values: float(w @ v / w.sum()), np.arange(40), draws=300)  # type: ignore[misc]
        held.append(found.low <= 1 <= found.high)
    assert 0.87 < np.mean(held) < 0.99
