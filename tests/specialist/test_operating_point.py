from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from consilium.specialist.evidence.intervals import proportion, wilson
from consilium.specialist.evidence.operating_point import (
    Rule,
    choose_threshold,
    decisions,
    operating_point,
    overdispersion,
)
from consilium.specialist.head import out_of_fold
from consilium.specialist.splits import Folds, grouped_folds


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_youden_is_the_best_point_of_the_roc_curve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = np.arange(40) % 3 == 0
    scores = np.round(rng.normal(size=40) + positive, 1)
    called = scores >= choose_threshold(scores, positive, Rule())
    false, true, _ = roc_curve(positive, scores)
    assert called[positive].mean() - called[~positive].mean() == pytest.approx((true - false).max())


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([0.8, 0.9, 1.0]))
def test_a_demanded_sensitivity_is_reached_at_the_best_specificity(seed: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    positive = np.arange(40) % 3 == 0
    scores = rng.normal(size=40) + positive
    called = scores >= choose_threshold(scores, positive, Rule(name="sensitivity", least=least))
    assert called[positive].mean() >= least - 1e-9
    false, true, _ = roc_curve(positive, scores, drop_intermediate=False)
    assert called[~positive].mean() == pytest.approx(false[true >= least - 1e-9].min())


def _validated(seed: int = 0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    truth = np.arange(100) % 4 == 0
    features = rng.normal(size=(100, 10)).astype(np.float32)
    features[:, 0] += 2 * truth
    folds = grouped_folds(truth.astype(np.intp), np.arange(100), repeats=2)
    assert isinstance(folds, Folds)
    repeated = [out_of_fold(features, truth[:, None, None].astype(float), fold, "logistic") for fold in folds.assigned]
    return repeated, folds, truth


def test_thresholds_do_not_look_at_the_cases_that_they_judge() -> None:
    repeated, folds, truth = _validated()
    called = decisions(repeated, folds, truth, Rule())
    fold = folds.assigned[0]
    other = truth.copy()
    other[fold == 0] = ~other[fold == 0]
    first = decisions(repeated[:1], Folds(assigned=folds.assigned[:1], count=5), truth, Rule())
    second = decisions(repeated[:1], Folds(assigned=folds.assigned[:1], count=5), other, Rule())
    assert (first[0, fold == 0] == second[0, fold == 0]).all()
    assert called.shape == (2, 100)
    assert set(np.unique(called)) == {0.0, 1.0}


def test_folds_that_differ_more_than_chance_make_the_interval_wider() -> None:
    _, folds, _ = _validated()
    every = np.ones(100, np.bool_)
    # Right in two folds of five alone: the share of .4 varies by its whole, 20 cases a fold, chance .4 × .6 / 20.
    clumped = (folds.assigned < 2).astype(float)
    assert overdispersion(clumped, folds, every) == pytest.approx(10 / 9 * 20)
    rng = np.random.default_rng(0)
    by_chance = [overdispersion((rng.random((2, 100)) < 0.7).astype(float), folds, every) for _ in range(200)]
    assert 1 <= np.mean(by_chance) < 1.3
    assert overdispersion(np.ones((2, 100)), folds, every) == 1.0


def test_a_further_effect_counts_as_fewer_cases() -> None:
    plain = proportion(np.arange(100) % 4 > 0, np.arange(100))
    wider = proportion(np.arange(100) % 4 > 0, np.arange(100), effect=4.0)
    expected = wilson(75 / 4, 25)
    assert (wider.low, wider.high) == pytest.approx((expected.low, expected.high))
    assert wider.value == plain.value


def test_predictive_values_are_those_of_bayes_rule_at_the_stated_prevalence() -> None:
    repeated, folds, truth = _validated()
    point = operating_point(repeated, folds, truth, np.arange(100), Rule(), prevalence=0.01)
    se, sp = point.sensitivity.value, point.specificity.value
    assert point.ppv.value == pytest.approx(0.01 * se / (0.01 * se + 0.99 * (1 - sp)))
    assert point.npv.value == pytest.approx(0.99 * sp / (0.99 * sp + 0.01 * (1 - se)))
    assert 0 <= point.ppv.low < point.ppv.value < point.ppv.high <= 1
    own = operating_point(repeated, folds, truth, np.arange(100), Rule())
    assert own.prevalence == 0.25 and own.prevalence_of_data
    assert 0 < own.threshold < 1


def test_one_half_is_one_half() -> None:
    repeated, folds, truth = _validated()
    called = decisions(repeated, folds, truth, Rule(name="half"))
    assert (called == np.stack([out.logits[:, 0, 0] >= 0 for out in repeated])).all()
