from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from consilium.specialist.evidence.discrimination import cross_validated_auc
from consilium.specialist.head import out_of_fold
from consilium.specialist.splits import Folds, grouped_folds
from consilium.specialist.tuning.nested import FROZEN, TUNED, Climbed, Step, climb, parts_of
from tests.specialist.tuning.made_up_tuner import MadeUpTuner, Shelf

CASES = 80


@cache
def shown() -> tuple[np.ndarray, np.ndarray, np.ndarray, Folds]:
    """Features that tell nothing, labels, patients with two cases each, folds."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(CASES // 2), 2)
    labels = np.repeat(rng.permutation(np.arange(CASES // 2) % 2), 2)
    folds = grouped_folds(labels, groups, repeats=1)
    assert isinstance(folds, Folds)
    return rng.normal(size=(CASES, 12)).astype(np.float32), labels.astype(float)[:, None, None], groups, folds


def climbed(tuner: MadeUpTuner, shelf: Shelf | None = None, steps: list[Step] | None = None) -> Climbed:
    features, targets, groups, folds = shown()
    frozen = out_of_fold(features, targets, folds.assigned[0], "logistic", roles=groups)
    told = steps if steps is not None else []
    return climb(tuner, targets, groups, folds.assigned[0], "logistic", frozen, store=shelf, on_step=told.append)


def auc(found: Climbed) -> float:
    _, targets, groups, folds = shown()
    return cross_validated_auc([found.out], folds, targets[:, 0, 0] > 0.5, groups, problem=0, column=0).value


def helpful() -> MadeUpTuner:
    features, targets, _, _ = shown()
    noise = np.random.default_rng(5).normal(size=CASES)
    return MadeUpTuner(features, (targets[:, 0, 0] - 0.5) * 3 + noise)


def test_what_training_brings_to_light_is_taken() -> None:
    found = climbed(helpful())
    assert found.is_tuned and found.choice.best == TUNED
    assert set(found.inside) == {TUNED} and auc(found) > 0.85
    assert np.array_equal(found.out.logits, found.tuned.logits)
    frozen, tuned = found.choice.steps
    assert found.nested == pytest.approx(tuned.loss) and frozen.behind > frozen.error > 0
    assert (found.distances > 0).all()


def test_a_network_that_only_remembers_is_not_taken_and_promises_nothing() -> None:
    features, _, _, _ = shown()
    found = climbed(MadeUpTuner(features, np.zeros(CASES), remembers=True))
    assert not found.is_tuned and found.choice.taken == FROZEN
    assert abs(auc(found) - 0.5) < 0.2
    assert set(found.inside) == {FROZEN} and found.nested == pytest.approx(found.choice.steps[0].loss)


def test_each_network_leaves_out_one_fold_or_two_and_no_patient_is_divided() -> None:
    tuner, steps = helpful(), list[Step]()
    climbed(tuner, steps=steps)
    _, _, groups, folds = shown()
    fold = folds.assigned[0]
    left_out = [sorted(set(fold[~mask].tolist())) for mask in tuner.masks]
    assert all(mask[fold == part].all() or not mask[fold == part].any() for mask in tuner.masks for part in range(5))
    assert sorted(map(len, left_out)) == [1] * 5 + [2] * 10
    assert len({tuple(one) for one in left_out}) == 15 == parts_of(5) == len(steps)
    assert not any(set(groups[mask]) & set(groups[~mask]) for mask in tuner.masks)


def test_a_test_fold_has_no_part_in_what_is_said_of_it() -> None:
    features, targets, groups, folds = shown()
    fold = folds.assigned[0]
    changed = targets.copy()
    changed[fold == 2] = 1 - changed[fold == 2]
    tuner = MadeUpTuner(features, np.asarray((targets[:, 0, 0] - 0.5) * 3))
    said = []
    for labels in (targets, changed):
        frozen = out_of_fold(features, labels, fold, "logistic", roles=groups)
        said.append(climb(tuner, labels, groups, fold, "logistic", frozen).out.logits[fold == 2])
    assert np.allclose(said[0], said[1])


def test_an_interrupted_climb_goes_on_and_says_the_same() -> None:
    shelf, stopped = Shelf(), helpful()
    stopped.stop_after = 7
    with pytest.raises(KeyboardInterrupt):
        climbed(stopped, shelf)
    resumed, steps = helpful(), list[Step]()
    found = climbed(resumed, shelf, steps)
    assert len(resumed.masks) == 15 - 7 and sum(step.kept for step in steps) == 7
    whole = climbed(helpful())
    assert np.array_equal(found.out.logits, whole.out.logits) and found.choice == whole.choice


def test_labels_that_changed_are_not_taken_from_the_store() -> None:
    shelf = Shelf()
    climbed(helpful(), shelf)
    features, targets, groups, folds = shown()
    other = helpful()
    frozen = out_of_fold(features, 1 - targets, folds.assigned[0], "logistic")
    climb(other, 1 - targets, groups, folds.assigned[0], "logistic", frozen, store=shelf)
    assert len(other.masks) == 15


def test_a_quantity_and_several_classes_climb_too() -> None:
    features, targets, groups, folds = shown()
    fold = folds.assigned[0]
    rng = np.random.default_rng(6)
    values = rng.normal(size=(CASES, 1, 1))
    tuner = MadeUpTuner(features, values[:, 0, 0] + 0.1 * rng.normal(size=CASES))
    frozen = out_of_fold(features, values, fold, "squares")
    found = climb(tuner, values, groups, fold, "squares", frozen)
    assert found.is_tuned and np.corrcoef(found.out.logits[:, 0, 0], values[:, 0, 0])[0, 1] > 0.9
    classes = np.eye(3)[(targets[:, 0, 0] + (groups % 2)).astype(int)][:, None]
    tuner = MadeUpTuner(features, classes[:, 0] @ np.array([-2.0, 0.0, 2.0]) + 0.3 * rng.normal(size=CASES))
    found = climb(tuner, classes, groups, fold, "softmax", out_of_fold(features, classes, fold, "softmax"))
    assert found.is_tuned and (found.out.logits[:, 0].argmax(1) == classes[:, 0].argmax(1)).mean() > 0.6
