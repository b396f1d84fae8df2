from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from consilium.errors import UnusableDataset
from consilium.specialist.evidence.operating_point import Rule
from consilium.specialist.evidence.validate import Fitted, Plan, validated
from consilium.specialist.evidence.validation import Validation, as_document

QUICK = Plan(repeats=2, shuffles=20, curve=False)


def _cases(cases: int = 90, classes: int = 2, apart: float = 1.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % classes
    features = rng.normal(size=(cases, 40)).astype(np.float32)
    features[:, :classes] += np.float32(apart) * np.eye(classes, dtype=np.float32)[truth]
    return features, truth


@pytest.fixture(scope="module")
def binary() -> tuple[Validation, Fitted]:
    features, truth = _cases()
    rng = np.random.default_rng(5)
    validation, fitted = validated(
        features,
        truth,
        task="binary",
        names=("benign", "malignant"),
        described={"sex": ["f", "m"] * 45, "age": [str(age) for age in rng.integers(20, 90, 90)]},
        metadata={"width": rng.integers(300, 900, 90).tolist(), "kind": ["png", "jpg", "png"] * 30},
        others={"noise": rng.normal(size=(90, 5))},
        plan=replace(QUICK, curve=True, prevalence=0.1),
    )
    assert fitted is not None
    return validation, fitted


def test_every_part_of_a_binary_report_is_there(binary: tuple[Validation, Fitted]) -> None:
    validation, _ = binary
    assert [figures.label for figures in validation.figures] == ["malignant"]
    point = validation.figures[0].operating_point
    assert point is not None
    assert (point.prevalence, point.prevalence_of_data) == (0.1, False)
    assert point.ppv.value < point.sensitivity.value
    assert validation.macro_auc == validation.figures[0].auc
    assert validation.accuracy is not None and validation.accuracy.value > 0.6
    assert validation.accuracy_of_majority == 0.5
    assert validation.brier_of_prevalence == 0.25
    assert {one.name for one in validation.baselines} == {"metadata", "noise"}
    assert validation.shortcut is not None and validation.shortcut.alarm == "none"
    assert validation.checks is not None and set(validation.checks) == {"nearest cases", "nearest mean"}
    assert {one.column for one in validation.subgroups} == {"sex", "age"}
    assert validation.conformal is not None and len(validation.conformal.classes) == 2
    assert validation.gate is not None and validation.learning_curve is not None
    assert validation.permutation is not None and validation.permutation.p == pytest.approx(1 / 21)
    assert len(validation.predicted) == 90 and not validation.not_enough


def test_the_document_is_strict_json_and_repeats(binary: tuple[Validation, Fitted]) -> None:
    written = json.dumps(as_document(binary[0]), allow_nan=False)
    assert json.loads(written)["labels"] == ["benign", "malignant"]
    features, truth = _cases()
    first, second = (validated(features, truth, task="binary", plan=QUICK)[0] for _ in range(2))
    assert first == second


def test_the_final_model_predicts_new_cases(binary: tuple[Validation, Fitted]) -> None:
    _, fitted = binary
    features, truth = _cases(400, seed=9)
    assert ((fitted.head.predict(features)[:, 0] > 0.5) == truth).mean() > 0.7
    assert fitted.gate.turned_away(features).mean() < 0.2


def test_many_classes() -> None:
    features, truth = _cases(120, 3)
    validation, fitted = validated(features, truth, task="multiclass", names=("a", "b", "c"), plan=QUICK)
    assert fitted is not None
    assert [one.label for one in validation.figures] == ["a", "b", "c"]
    assert all(one.operating_point is None for one in validation.figures)
    assert validation.macro_auc is not None
    assert validation.macro_auc.value == pytest.approx(np.mean([one.auc.value for one in validation.figures]))
    assert np.allclose(np.sum(validation.predicted, 1), 1)


def test_several_labels_and_one_that_is_too_rare() -> None:
    features, truth = _cases(120, 3)
    labels = np.column_stack([truth == 0, truth == 1, np.arange(120) < 6]).astype(float)
    validation, fitted = validated(features, labels, task="multilabel", names=("a", "b", "rare"), plan=QUICK)
    assert fitted is not None
    assert validation.labels == ("a", "b")
    assert [one.found for one in validation.not_enough] == [6]
    assert all(one.operating_point is not None for one in validation.figures)
    assert fitted.head.predict(features).shape == (120, 2)


def test_a_single_label_that_may_be_there_or_not() -> None:
    features, truth = _cases(120)
    validation, fitted = validated(
        features, truth[:, None], task="multilabel", names=("a",), set_aside=np.arange(120) >= 90, plan=QUICK
    )
    assert fitted is not None and validation.external is not None
    assert set(validation.external.auc) == {"a"} and validation.external.accuracy is None
    assert validation.figures[0].operating_point is not None


def test_a_quantity() -> None:
    features, _ = _cases(80)
    values = features[:, 0] * 3 + 50
    validation, fitted = validated(features, values, task="regress", plan=QUICK)
    assert fitted is not None and validation.regression is not None
    assert validation.regression.r_squared.value > 0.8
    assert validation.regression.mean_absolute_error.value < validation.regression.absolute_error_of_mean
    wrong = np.abs(np.array(validation.predicted)[:, 0] - values)
    assert (wrong <= validation.regression.half_width).mean() >= 0.9


def test_too_few_patients_are_a_result_though_there_are_many_images() -> None:
    features, truth = _cases(80)
    groups = np.where(truth == 1, np.arange(80) % 9 // 1 * 2 + 1, np.arange(80) * 2)
    validation, fitted = validated(features, truth, groups, task="binary", names=("no", "yes"), plan=QUICK)
    assert fitted is None
    assert validation.figures == ()
    assert "yes" in str(validation.not_enough[0]) and validation.not_enough[0].found < 10
    json.dumps(as_document(validation), allow_nan=False)


def test_copies_stay_together_and_copies_of_test_cases_are_not_trained_on() -> None:
    features, truth = _cases(100)
    features[1], features[99] = features[3], features[5]  # one inside the training cases, one of a test case
    aside = np.arange(100) >= 80
    validation, _ = validated(features, truth, task="binary", set_aside=aside, plan=QUICK)
    assert validation.ledger is not None and validation.external is not None
    assert {(one.first, one.second) for one in validation.ledger.duplicates} == {(1, 3), (5, 99)}
    assert 5 not in validation.ledger.cases
    place = {case: index for index, case in enumerate(validation.ledger.cases)}
    for fold in validation.ledger.assigned:
        assert fold[place[1]] == fold[place[3]]
    assert validation.external.cases == 20


def test_copies_with_different_labels_are_told() -> None:
    features, truth = _cases(100)
    features[0] = features[1]
    validation, _ = validated(features, truth, task="binary", plan=QUICK)
    assert validation.ledger is not None
    assert [(one.first, one.second) for one in validation.ledger.contradictions] == [(0, 1)]


def test_what_is_set_aside_has_no_influence() -> None:
    features, truth = _cases(140)
    aside = np.arange(140) >= 100
    other = truth.copy()
    other[aside] = 1 - other[aside]
    first, _ = validated(features, truth, task="binary", set_aside=aside, plan=QUICK)
    second, _ = validated(features, other, task="binary", set_aside=aside, plan=QUICK)
    assert first.figures == second.figures
    assert first.external is not None and second.external is not None
    assert first.external.auc["1"].value == pytest.approx(1 - second.external.auc["1"].value)  # type: ignore[union-attr]


def test_meaningless_features_are_called_so() -> None:
    features, truth = _cases(80, apart=0.0, seed=3)
    validation, _ = validated(features, truth, task="binary", plan=replace(QUICK, shuffles=50))
    assert validation.macro_auc is not None and validation.permutation is not None
    assert validation.macro_auc.low < 0.5 < validation.macro_auc.high
    assert validation.permutation.p > 0.05


def test_metadata_that_tell_the_label_raise_the_alarm() -> None:
    features, truth = _cases(100)
    brightness = truth + 0.01 * np.arange(100)
    validation, _ = validated(features, truth, task="binary", metadata={"brightness": brightness.tolist()}, plan=QUICK)
    assert validation.shortcut is not None
    assert validation.shortcut.alarm == "no better than metadata"


def test_the_declared_rule_is_kept() -> None:
    features, truth = _cases(200)
    validation, _ = validated(
        features, truth, task="binary", plan=replace(QUICK, rule=Rule(name="sensitivity", least=0.95))
    )
    point = validation.figures[0].operating_point
    assert point is not None
    assert point.sensitivity.value == pytest.approx(0.95, abs=0.06)
    assert point.sensitivity.value > point.specificity.value


@pytest.mark.parametrize(
    ("features", "labels", "groups", "message"),
    [
        (np.zeros((4, 3)), np.zeros(3), None, "numbers of cases differ"),
        (np.zeros(4), np.zeros(4), None, "do not fit"),
        (np.full((4, 3), np.nan), np.zeros(4), None, "not finite"),
        (np.zeros((4, 3)), np.array([0, 1, 2, 0]), None, "labels do not fit"),
        (np.zeros((4, 3)), np.array([0, 1, 0.5, 0]), None, "labels do not fit"),
        (np.zeros((4, 3)), np.array([0, 1, np.nan, 0]), None, "label is not a finite"),
        (np.zeros((0, 3)), np.zeros(0), None, "or are 0"),
        (np.zeros((4, 3)), np.array([0, 1, 0, 1]), np.zeros(3), "numbers of cases differ"),
    ],
)
def test_what_does_not_fit_is_refused(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray | None, message: str
) -> None:
    with pytest.raises(UnusableDataset, match=message):
        validated(features, labels, groups, task="binary")


def test_a_patient_in_and_outside_the_test_cases_is_refused() -> None:
    features, truth = _cases(40)
    with pytest.raises(UnusableDataset, match="more than one part"):
        validated(features, truth, np.arange(40) // 4, task="binary", set_aside=np.arange(40) > 30)


def test_masks_are_for_another_head() -> None:
    with pytest.raises(UnusableDataset, match="segment"):
        validated(np.zeros((4, 3)), np.zeros(4), task="segment")
