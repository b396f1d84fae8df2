from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from consilium.specialist.evidence.discrimination import (
    cross_validated_auc,
    interval_of,
    mean_of,
    pairs_within,
    within_folds,
)
from consilium.specialist.evidence.intervals import Influence, auc_influence
from consilium.specialist.head import out_of_fold
from consilium.specialist.splits import Folds, grouped_folds


def _world(cases: int, apart: float, seed: int, width: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % 2
    features = rng.normal(size=(cases, width)).astype(np.float32)
    features[:, :5] += np.float32(apart) * truth[:, None]
    return features, truth


def test_one_fold_is_the_plain_auc() -> None:
    rng = np.random.default_rng(0)
    positive = np.arange(50) % 2 == 0
    scores = np.round(rng.normal(size=50) + positive, 1)
    plain, within = (
        auc_influence(scores, positive, np.arange(50)),
        within_folds(scores, positive, np.zeros(50, np.intp), np.arange(50)),
    )
    assert within.value == pytest.approx(plain.value)
    assert np.allclose(within.cases, plain.cases)


def test_only_pairs_of_the_same_fold_count() -> None:
    positive, fold = np.arange(40) % 2 == 0, np.arange(40) // 20
    scores = np.random.default_rng(1).normal(size=40) + positive
    expected = np.mean([roc_auc_score(positive[fold == part], scores[fold == part]) for part in (0, 1)])
    assert within_folds(scores, positive, fold, np.arange(40)).value == pytest.approx(expected)
    offset = scores + 100 * fold
    assert within_folds(offset, positive, fold, np.arange(40)).value == pytest.approx(expected)
    assert pairs_within(positive, fold) == 200


def test_the_part_in_training_is_the_derivative_of_the_ranked_pairs() -> None:
    # A case given twice has twice the weight in training: the rightly ranked pairs of the other folds, their step
    # smoothed, move as the derivative says.
    features, truth = _world(60, 0.5, 3)
    folds = grouped_folds(truth, np.arange(60), repeats=1)
    assert isinstance(folds, Folds)
    fold, targets = folds.assigned[0], truth[:, None, None].astype(float)
    out = out_of_fold(features, targets, fold, "logistic", strengths=(1.0,), roles=np.arange(60))
    assert out.training_role.shape == (60, 1, 1)

    def smooth_pairs(logits: np.ndarray, widths: list[float]) -> float:
        from scipy.special import ndtr

        total = 0.0
        for part in range(5):
            above = logits[(fold == part) & (truth == 1)]
            below = logits[(fold == part) & (truth == 0)]
            total += float(ndtr((above[:, None] - below[None]) / widths[part]).sum())
        return total

    from consilium.specialist.penalised import basis_of, path

    def refit(weights: np.ndarray) -> np.ndarray:
        logits = np.empty(60)
        for part in range(5):
            seen = fold != part
            basis = basis_of(features[seen])
            ((intercept, coefficients),) = path(basis, targets[seen], "logistic", (1.0,))
            state = np.r_[intercept[0], coefficients[:, 0, 0]]
            design = np.column_stack([np.ones(seen.sum()), basis.scores])
            penalty = np.r_[1e-9, np.ones(len(state) - 1)]
            for _ in range(20):
                guessed = 1 / (1 + np.exp(-design @ state))
                gradient = design.T @ (weights[seen] * (truth[seen] - guessed)) - penalty * state
                hessian = (design.T * (weights[seen] * guessed * (1 - guessed))) @ design + np.diag(penalty)
                state = state + np.linalg.solve(hessian, gradient)
            tested = basis.project(features[fold == part])
            logits[fold == part] = tested @ state[1:] + state[0]
        return logits

    base = refit(np.ones(60))
    assert np.allclose(base, out.logits[:, 0, 0], atol=0.02)
    widths = []
    for part in range(5):
        own = base[fold == part]
        kind = truth[fold == part] == 1
        within = np.r_[own[kind] - own[kind].mean(), own[~kind] - own[~kind].mean()]
        widths.append(1.06 * np.sqrt(2 * np.mean(within**2)) * 48**-0.2)
    step = 1e-3
    for case in (0, 7, 31):
        weights = np.ones(60)
        weights[case] += step
        moved = (smooth_pairs(refit(weights), widths) - smooth_pairs(base, widths)) / step
        assert out.training_role[case, 0, 0] == pytest.approx(moved, rel=0.05, abs=0.02)


def _interval_holds(cases: int, apart: float, draws: int) -> tuple[float, float]:
    """Share of intervals that hold the mean AUC, and the share of DeLong's that do."""
    held, held_by_delong = [], []
    for seed in range(draws):
        features, truth = _world(cases, apart, 1000 + seed)
        groups = np.arange(cases)
        folds = grouped_folds(truth, groups, seed=seed, repeats=1)
        assert isinstance(folds, Folds)
        repeated = [
            out_of_fold(features, truth[:, None, None].astype(float), fold, "logistic", roles=groups)
            for fold in folds.assigned
        ]
        positive = truth == 1
        influence = cross_validated_auc(repeated, folds, positive, groups, problem=0, column=0)
        tested = mean_of(
            [
                within_folds(out.logits[:, 0, 0], positive, fold, groups)
                for out, fold in zip(repeated, folds.assigned, strict=True)
            ]
        )
        held.append(interval_of(influence, positive, groups))
        held_by_delong.append(interval_of(tested, positive, groups))
    return (
        float(np.mean([one.low <= 0.5 <= one.high for one in held])),
        float(np.mean([one.low <= 0.5 <= one.high for one in held_by_delong])),
    )


def test_intervals_of_features_that_tell_nothing_hold_one_half() -> None:
    ours, delong = _interval_holds(40, 0.0, 40)
    assert ours >= 0.9
    assert delong < ours


def test_the_mean_of_figures_is_the_mean_of_their_parts() -> None:
    parts = [Influence(value=0.6, cases=np.array([0.1, -0.1])), Influence(value=0.8, cases=np.array([0.3, -0.1]))]
    found = mean_of(parts)
    assert found.value == pytest.approx(0.7)
    assert found.cases.tolist() == pytest.approx([0.2, -0.1])
