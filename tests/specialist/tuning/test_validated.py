"""A validation with two ways of making the model: whose figures, whose thresholds, whose features."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from consilium.specialist.dataset import Task
from consilium.specialist.evidence.validate import Fitted, Plan, validated
from consilium.specialist.evidence.validation import Validation
from consilium.specialist.head import OutOfFold
from consilium.specialist.penalised import Array, Loss
from consilium.specialist.tuning.nested import FROZEN, TUNED, Climbed, Finished, Mask, climb
from tests.specialist.tuning.made_up_tuner import MadeUpTuner

CASES = 120
PLAN = Plan(repeats=2, shuffles=9, curve=True)


class MadeUpRung:
    """As `nested.Second`; with `doubtful` no training part takes it, though it is taken at the end."""

    rounds = MadeUpTuner.rounds

    def __init__(self, features: np.ndarray, found: Array, *, doubtful: bool = False) -> None:
        self.features, self.found, self.doubtful = features, found, doubtful

    def climb(
        self, used: Mask, targets: Array, groups: np.ndarray, fold: np.ndarray, loss: Loss, frozen: OutOfFold
    ) -> Climbed:
        found = climb(MadeUpTuner(self.features[used], self.found[used]), targets, groups, fold, loss, frozen)
        return replace(found, inside=(FROZEN,) * 5, out=frozen) if self.doubtful else found

    def finish(self, used: Mask, targets: Array, loss: Loss, candidate: int) -> Finished:
        everything = np.ones(CASES, np.bool_)
        made = MadeUpTuner(self.features, self.found).train(everything, np.zeros((CASES, 1, 1)), loss, 0)
        return Finished(network=b"", fingerprint="f" * 64, images=made[candidate])


@cache
def shown(task: Task, *, tried: bool = True, doubtful: bool = False) -> tuple[Validation, Fitted]:
    rng = np.random.default_rng(8)
    features = rng.normal(size=(CASES, 10)).astype(np.float32)
    labels = rng.permutation(np.arange(CASES) % 2).astype(float)
    found = (labels - 0.5) * 3 + rng.normal(size=CASES)
    if task == "regress":
        labels = found + rng.normal(size=CASES)
    second = MadeUpRung(features, found, doubtful=doubtful) if tried else None
    names = () if task == "regress" else ("no", "yes")
    aside = np.arange(CASES) >= 80
    metadata = {"width": rng.normal(size=CASES).tolist()}
    validation, fitted = validated(
        features, labels, task=task, names=names, set_aside=aside, metadata=metadata, second=second, plan=PLAN
    )
    assert fitted is not None
    return validation, fitted


def test_figures_thresholds_and_the_last_test_are_of_the_tuned_model() -> None:
    validation, fitted = shown("binary")
    plain, _ = shown("binary", tried=False)
    assert validation.ways is not None and set(validation.ways.inside) == {TUNED} and validation.ways.rounds in (1, 2)
    assert validation.macro_auc is not None and plain.macro_auc is not None
    assert validation.macro_auc.value > 0.85 > 0.7 > plain.macro_auc.value
    assert fitted.tuned is not None and len(fitted.head.mean) == 20 == fitted.gate.known.shape[1]
    assert validation.external is not None and validation.external.auc["yes"].value > 0.85  # type: ignore[union-attr]
    assert validation.external.turned_away.value < 0.3
    against = {one.name: one.gain.value for one in validation.baselines}
    assert against[FROZEN] > 0.2
    assert validation.learning_curve is None and plain.learning_curve is not None
    assert validation.permutation == plain.permutation


def test_where_training_parts_chose_otherwise_figures_are_of_the_procedure_and_thresholds_of_the_model() -> None:
    sure, doubtful, plain = shown("binary")[0], shown("binary", doubtful=True)[0], shown("binary", tried=False)[0]
    assert doubtful.macro_auc is not None and doubtful.macro_auc.value < 0.7
    assert doubtful.conformal == sure.conformal and doubtful.conformal != plain.conformal
    points = [one.figures[0].operating_point for one in (sure, doubtful)]
    assert points[0] is not None and points[1] is not None and points[0].threshold == points[1].threshold
    assert points[0].sensitivity != points[1].sensitivity
    assert doubtful.ledger is not None and doubtful.ledger.repeats == 1


def test_a_quantity_has_the_interval_of_the_model_that_is_shipped() -> None:
    sure, doubtful, plain = (
        shown("regress")[0].regression,
        shown("regress", doubtful=True)[0].regression,
        shown("regress", tried=False)[0].regression,
    )
    assert sure is not None and doubtful is not None and plain is not None
    assert sure.half_width == doubtful.half_width < plain.half_width
    assert sure.r_squared.value > 0.3 > doubtful.r_squared.value


def test_several_labels_are_tuned_together() -> None:
    rng = np.random.default_rng(9)
    features = rng.normal(size=(CASES, 10)).astype(np.float32)
    first = rng.permutation(np.arange(CASES) % 2).astype(float)
    labels = np.column_stack([first, rng.permutation(first)])
    rung = MadeUpRung(features, (first - 0.5) * 3 + rng.normal(size=CASES))
    validation, fitted = validated(
        features, labels, task="multilabel", names=("a", "b"), second=rung, plan=replace(PLAN, curve=False)
    )
    assert fitted is not None and fitted.tuned is not None
    aucs = {one.label: one.auc.value for one in validation.figures}
    assert aucs["a"] > 0.85 and abs(aucs["b"] - 0.5) < 0.2
