from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.evidence.discrimination import within_folds
from consilium.specialist.evidence.permutation import permutation_test, shuffled_order
from consilium.specialist.head import out_of_fold
from consilium.specialist.splits import Folds, grouped_folds


def _fold(strata: np.ndarray, groups: np.ndarray, seed: int = 0) -> np.ndarray:
    folds = grouped_folds(strata, groups, repeats=1, seed=seed)
    assert isinstance(folds, Folds)
    return folds.assigned[0]


def test_labels_of_patients_are_shuffled_whole_and_within_folds() -> None:
    groups = np.repeat(np.arange(40), 3)
    truth = (np.arange(40) % 2)[groups]
    fold = _fold(truth, groups)
    order = shuffled_order(truth[:, None], groups, fold, np.random.default_rng(0))
    assert (fold[order] == fold).all()
    shuffled = truth[order]
    assert all(len(set(shuffled[groups == group].tolist())) == 1 for group in range(40))
    assert np.bincount(shuffled).tolist() == np.bincount(truth).tolist()
    assert not (shuffled == truth).all()


def test_mixed_patients_change_places_with_those_of_the_same_size() -> None:
    groups = np.r_[np.repeat(np.arange(20), 2), np.repeat(np.arange(20, 30), 4)]
    truth = np.arange(80) % 2
    fold = _fold(truth, groups)
    order = shuffled_order(truth[:, None], groups, fold, np.random.default_rng(0))
    assert sorted(order.tolist()) == list(range(80))
    assert (fold[order] == fold).all()
    sizes = np.bincount(groups)
    assert (sizes[groups[order]] == sizes[groups]).all()


@pytest.mark.parametrize("shape", [1, 3])
def test_the_observed_figure_is_that_of_the_validation(shape: int) -> None:
    rng = np.random.default_rng(2)
    truth = np.arange(90) % (shape if shape > 1 else 2)
    features = rng.normal(size=(90, 20)).astype(np.float32)
    features[:, 0] += truth
    targets = truth[:, None, None].astype(float) if shape == 1 else np.eye(3)[truth][:, None]
    fold = _fold(truth, np.arange(90))
    loss = "logistic" if shape == 1 else "softmax"
    found = permutation_test(features, targets, np.arange(90), fold, loss, shuffles=5)  # type: ignore[arg-type]
    if shape == 1:
        logits = out_of_fold(features, targets, fold, "logistic").logits[:, 0, 0]
        expected = within_folds(logits, truth == 1, fold, np.arange(90)).value
        assert found.observed == pytest.approx(expected, abs=0.005)
    assert 0.5 < found.observed <= 1


def test_p_is_uniform_when_features_tell_nothing() -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(30, 8)).astype(np.float32)
        truth = np.arange(30) % 2
        fold = _fold(truth, np.arange(30), seed)
        test = permutation_test(
            features, truth[:, None, None].astype(float), np.arange(30), fold, "logistic", shuffles=19, seed=seed
        )
        found.append(test.p)
    p = np.array(found)
    # 60 draws: a share of .05 to .5 has a standard error of .03 to .065; three of them are allowed.
    for level in (0.05, 0.25, 0.5):
        assert (p <= level + 1e-9).mean() == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 60))
