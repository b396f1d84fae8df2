from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from consilium.specialist.penalised import STRENGTHS, basis_of, losses, path, probabilities


def _data(cases: int, width: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(cases + width)
    truth = rng.integers(0, classes, cases)
    features = rng.normal(size=(cases, width)) @ np.diag(1 / np.sqrt(np.arange(1, width + 1)))
    features[:, :classes] += 0.8 * np.eye(classes)[truth]
    return features.astype(np.float32), truth


@pytest.mark.parametrize(("cases", "width"), [(60, 300), (150, 12)])
def test_the_components_are_those_of_the_standardised_features(cases: int, width: int) -> None:
    features, _ = _data(cases, width)
    basis = basis_of(features)
    assert np.allclose(basis.scores.T @ basis.scores, np.diag(basis.spread), atol=1e-5 * basis.spread[0])
    assert np.allclose(basis.scores.mean(0), 0, atol=1e-4)
    assert np.allclose(basis.project(features), basis.scores, atol=1e-3)
    assert np.square(basis.rows).sum(1).mean() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("cases", "width"), [(60, 300), (150, 12)])
def test_logistic_paths_are_those_of_scikit_learn(cases: int, width: int) -> None:
    features, truth = _data(cases, width)
    basis = basis_of(features)
    for strength, (intercept, coefficients) in zip(
        STRENGTHS, path(basis, truth[:, None, None].astype(float), "logistic"), strict=True
    ):
        reference = LogisticRegression(C=strength, tol=1e-9, max_iter=10_000).fit(basis.rows.astype(float), truth)
        expected = reference.decision_function(basis.rows)
        found = basis.scores @ coefficients[:, 0, 0] + intercept[0, 0]
        assert np.abs(found - expected).max() < 0.02 * max(np.abs(expected).max(), 1)


def test_softmax_paths_are_those_of_scikit_learn() -> None:
    features, truth = _data(120, 40, 3)
    basis = basis_of(features)
    for strength, (intercept, coefficients) in zip(
        STRENGTHS[:4], path(basis, np.eye(3)[truth][:, None], "softmax"), strict=False
    ):
        reference = LogisticRegression(C=strength, tol=1e-9, max_iter=10_000).fit(basis.rows.astype(float), truth)
        logits = (basis.scores @ coefficients[:, 0] + intercept[0])[:, None]
        found = probabilities(logits, "softmax")[:, 0]
        assert np.abs(found - reference.predict_proba(basis.rows)).max() < 5e-3


def test_squares_are_ridge_regression() -> None:
    features, _ = _data(80, 200)
    values = features[:, 0] * 2 + 5
    basis = basis_of(features)
    for strength, (intercept, coefficients) in zip(
        STRENGTHS, path(basis, values[:, None, None].astype(float), "squares"), strict=True
    ):
        reference = Ridge(alpha=1 / strength).fit(basis.rows.astype(float), values)
        found = basis.scores @ coefficients[:, 0, 0] + intercept[0, 0]
        assert np.allclose(found, reference.predict(basis.rows), atol=1e-3)


def test_problems_side_by_side_are_problems_alone() -> None:
    features, truth = _data(70, 100)
    basis = basis_of(features)
    other = np.roll(truth, 5)
    together = path(basis, np.stack([truth, other], 1)[:, :, None].astype(float), "logistic")
    alone = path(basis, other[:, None, None].astype(float), "logistic")
    for (_, both), (_, one) in zip(together, alone, strict=True):
        assert np.allclose(both[:, 1], one[:, 0], atol=0.05 * max(np.abs(one).max(), 1))


def test_a_feature_that_does_not_vary_changes_nothing() -> None:
    features, truth = _data(50, 10)
    wider = np.column_stack([features, np.full(50, 3.0, np.float32)])
    basis = basis_of(wider)
    assert np.allclose(basis.rows[:, -1], 0)
    assert np.isfinite(path(basis, truth[:, None, None].astype(float), "logistic")[-1][1]).all()


def test_losses_are_negative_log_probabilities() -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(size=(20, 1, 3)) * 4, np.eye(3)[rng.integers(0, 3, 20)][:, None]
    assert np.allclose(losses(logits, truth, "softmax"), -np.log((probabilities(logits, "softmax") * truth).sum(-1)))
    single = logits[:, :, :1]
    assert np.allclose(
        losses(single, np.ones_like(single), "logistic"), -np.log(probabilities(single, "logistic")[..., 0])
    )
