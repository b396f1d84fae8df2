from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.head import fit_head, out_of_fold
from consilium.specialist.penalised import STRENGTHS, Loss
from consilium.specialist.splits import Folds, grouped_folds


def _cases(seed: int = 0, cases: int = 80, width: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % 2
    features = rng.normal(size=(cases, width)).astype(np.float32)
    features[:, 0] += 2 * truth
    return features, truth


def _fold(truth: np.ndarray) -> np.ndarray:
    folds = grouped_folds(truth, np.arange(len(truth)), repeats=1)
    assert isinstance(folds, Folds)
    return folds.assigned[0]


@pytest.mark.parametrize("loss", ["logistic", "softmax", "squares"])
def test_the_shortened_nesting_is_plain_nesting(loss: Loss) -> None:
    # Done the long way: for each outer fold every inner fold is fitted anew, and each fit is a whole path.
    features, truth = _cases()
    targets = {
        "logistic": truth[:, None, None].astype(float),
        "softmax": np.eye(2)[truth][:, None],
        "squares": features[:, :1, None].astype(float),
    }[loss]
    fold = _fold(truth)
    found = out_of_fold(features, targets, fold, loss)
    from consilium.specialist.penalised import basis_of, losses, path

    def logits_of(seen: np.ndarray, tested: np.ndarray) -> list[np.ndarray]:
        basis = basis_of(features[seen])
        components = basis.project(features[tested])
        return [
            np.tensordot(components, coefficients, 1) + intercept
            for intercept, coefficients in path(basis, targets[seen], loss)
        ]

    for outer in range(5):
        worth = np.zeros(len(STRENGTHS))
        for inner in set(range(5)) - {outer}:
            tested = fold == inner
            for index, logits in enumerate(logits_of((fold != outer) & ~tested, tested)):
                worth[index] += losses(logits, targets[tested], loss).sum()
        assert found.chosen[outer, 0] == worth.argmin()
        expected = logits_of(fold != outer, fold == outer)[int(worth.argmin())]
        assert np.allclose(found.logits[fold == outer], expected, atol=1e-6)


def test_a_case_has_no_part_in_its_own_prediction() -> None:
    features, truth = _cases()
    fold = _fold(truth)
    plain = out_of_fold(features, truth[:, None, None].astype(float), fold, "logistic")
    changed = truth.copy()
    changed[fold == 0] = 1 - changed[fold == 0]
    other = out_of_fold(features, changed[:, None, None].astype(float), fold, "logistic")
    assert np.allclose(plain.logits[fold == 0], other.logits[fold == 0])
    assert not np.allclose(plain.logits[fold == 1], other.logits[fold == 1])


def test_inner_predictions_are_there_for_training_cases_alone() -> None:
    features, truth = _cases()
    fold = _fold(truth)
    out = out_of_fold(features, truth[:, None, None].astype(float), fold, "logistic")
    for part in range(5):
        assert np.isnan(out.inner[part][fold == part]).all()
        assert np.isfinite(out.inner[part][fold != part]).all()


def test_the_order_of_cases_does_not_matter() -> None:
    features, truth = _cases()
    fold, order = _fold(truth), np.random.default_rng(1).permutation(80)
    targets = truth[:, None, None].astype(float)
    plain = out_of_fold(features, targets, fold, "logistic")
    shuffled = out_of_fold(features[order], targets[order], fold[order], "logistic")
    assert np.allclose(shuffled.logits, plain.logits[order], atol=2e-3)


def test_swapped_labels_turn_the_sign() -> None:
    features, truth = _cases()
    fold = _fold(truth)
    plain = out_of_fold(features, truth[:, None, None].astype(float), fold, "logistic")
    swapped = out_of_fold(features, 1.0 - truth[:, None, None], fold, "logistic")
    assert np.allclose(plain.logits, -swapped.logits, atol=1e-6)


def test_the_final_head_predicts_as_its_components_do() -> None:
    features, truth = _cases()
    head = fit_head(features, truth[:, None, None].astype(float), "logistic", np.array([2]))
    assert head.strengths == (1.0,)
    predicted = head.predict(features)
    assert predicted.shape == (80, 1)
    assert ((predicted[:, 0] > 0.5) == truth).mean() > 0.8
    softmax = fit_head(features, np.eye(2)[truth][:, None], "softmax", np.array([2]))
    assert np.allclose(softmax.predict(features).sum(1), 1)


def test_cases_that_may_not_be_trained_on_change_nothing_but_their_own() -> None:
    features, truth = _cases()
    fold, used = _fold(truth), np.arange(80) < 60
    targets = truth[:, None, None].astype(float)
    part = out_of_fold(features, targets, fold, "logistic", used=used)
    changed = targets.copy()
    changed[~used] = 1 - changed[~used]
    assert np.allclose(out_of_fold(features, changed, fold, "logistic", used=used).logits, part.logits)


def test_the_part_in_training_of_two_classes_is_that_of_one() -> None:
    features, truth = _cases()
    fold = _fold(truth)
    one = out_of_fold(
        features, truth[:, None, None].astype(float), fold, "logistic", strengths=(2.0,), roles=np.arange(80)
    )
    two = out_of_fold(features, np.eye(2)[truth][:, None], fold, "softmax", strengths=(1.0,), roles=np.arange(80))
    for column in (0, 1):
        assert np.allclose(one.training_role[:, 0, 0], two.training_role[:, 0, column], rtol=0.05, atol=0.02)


def test_pictures_of_one_patient_that_are_alike_play_a_larger_part_than_the_fitted_errors_say() -> None:
    # The last ten cases are copies of the ten before them, once told to be of the same patients and once not.
    features, truth = _cases()
    features[70:], truth[70:] = features[60:70], truth[60:70]
    told = np.arange(80)
    told[70:] = told[60:70]
    fold = np.arange(80) % 5
    targets = truth[:, None, None].astype(float)
    alone = out_of_fold(features, targets, fold, "logistic", strengths=(10.0,), roles=np.arange(80)).training_role
    joined = out_of_fold(features, targets, fold, "logistic", strengths=(10.0,), roles=told).training_role
    assert np.array_equal(alone[:60], joined[:60])
    assert np.square(joined[60:]).sum() > 1.2 * np.square(alone[60:]).sum()
    # Two copies are fitted alike, so their errors grow alike.
    assert np.allclose(joined[60:70], joined[70:])
