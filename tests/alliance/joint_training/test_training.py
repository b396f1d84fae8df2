"""The head of a study is that of the cases in one place; who is away, encrypted or in another order changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from consilium.alliance.joint_training.evaluation import pooled
from consilium.alliance.joint_training.problems import choices, final
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_cases import SiteCases
from consilium.alliance.joint_training.training import Ask, Sum, Training, following, schedule
from consilium.errors import InputError
from consilium.specialist.head import fit_head
from tests.alliance.joint_training.places import hospital_cases, study


def together(cases: dict[str, SiteCases]) -> tuple[np.ndarray, np.ndarray]:
    own = [(one.features[~one.tested], one.classes[~one.tested]) for one in cases.values()]
    return np.concatenate([one for one, _ in own]), np.concatenate([one for _, one in own])


def logits_apart(first: np.ndarray, second: np.ndarray) -> float:
    """Largest difference, of what a softmax tells apart."""
    if first.shape[1] > 1:
        first, second = first - first.mean(1, keepdims=True), second - second.mean(1, keepdims=True)
    return float(np.abs(first - second).max())


@pytest.mark.parametrize("labels", [2, 3])
def test_it_is_the_head_of_one_place(labels: int) -> None:
    cases = hospital_cases(labels=labels)
    of = study(labels=labels, strengths=(1.0,), rounds=300)
    found = train(of, cases).head()
    features, classes = together(cases)
    one_hot = np.eye(labels)[classes]
    truth = one_hot[:, None, 1:] if labels == 2 else one_hot[:, None]
    expected = fit_head(features, truth, found.loss, np.array([0]), (1.0,))
    assert logits_apart(found.logits(features), expected.logits(features)) < 0.02
    assert expected.logits(features).std() > 0.5


def test_it_is_the_head_of_another_library() -> None:
    cases = hospital_cases(labels=2)
    found = train(study(labels=2, strengths=(1.0,), rounds=400), cases).head()
    features, classes = together(cases)
    rows = (features - found.mean) / found.scale
    other = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(rows, classes)
    assert np.abs(rows @ other.coef_.T + other.intercept_ - found.logits(features)).max() < 0.02


def test_averaging_heads_of_single_hospitals_is_not_that_head() -> None:
    cases = hospital_cases(labels=2)
    of = study(labels=2, strengths=(10.0,), rounds=300, contribution="shapley")
    training = train(of, cases)
    features, _ = together(cases)
    alone = [
        training.head(number).logits(features) for number, one in enumerate(training.problems) if len(one.sites) == 1
    ]
    assert logits_apart(np.mean(alone, axis=0), training.head().logits(features)) > 0.3


def test_heads_of_groups_are_those_of_their_cases_alone() -> None:
    cases = hospital_cases()
    of = study(strengths=(1.0,), rounds=600, contribution="shapley")
    training = train(of, cases)
    assert [len(one.sites) for one in training.problems] == [3, 2, 2, 2, 1, 1, 1]
    group = training.problems[2].sites
    rows, classes = together({site: one for site, one in cases.items() if site in group})
    scaled = (rows - training.head().mean) / training.head().scale
    other = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(scaled, classes)
    found = training.head(2).logits(rows)
    assert logits_apart(found, scaled @ other.coef_.T + other.intercept_) < 0.05


def test_a_hospital_that_was_away_for_a_while_is_in_the_head_of_all() -> None:
    cases, of = hospital_cases(), study(strengths=(1.0,), rounds=300)

    def away(site: str, ask: Ask) -> bool:
        return site == "site-2" and ask.kind == "fit" and 2 <= ask.round < 12

    features, _ = together(cases)
    there, gone = train(of, cases).head(), train(of, cases, away=away).head()
    assert logits_apart(there.logits(features), gone.logits(features)) < 0.02


def test_without_the_largest_hospital_steps_stay_bounded() -> None:
    cases = hospital_cases(sizes=(40, 400, 40))
    of = study(strengths=(10.0,), rounds=100)
    training = train(of, cases, away=lambda site, ask: site == "site-2" and ask.kind == "fit" and ask.round > 1)
    assert np.isfinite(training.head().weights).all()
    rows, classes = together({site: one for site, one in cases.items() if site != "site-2"})
    assert (training.head().logits(rows).argmax(1) == classes).mean() > 0.8


def test_the_penalty_is_chosen_on_cases_that_were_left_out() -> None:
    cases = hospital_cases()
    of = study(strengths=(1e-4, 1.0), choice_rounds=40)
    assert train(of, cases).strength == 1.0
    # Where labels tell nothing, the strongest penalty is best.
    rng = np.random.default_rng(5)
    noise = {site: replace(one, classes=rng.permutation(one.classes)) for site, one in cases.items()}
    assert train(of, noise).strength == 1e-4


def test_rounds_end_when_the_heads_have_arrived() -> None:
    of = study(strengths=(1.0,), rounds=1000)
    assert train(of, hospital_cases()).taken < 200


def test_the_course_of_a_study() -> None:
    of = study()
    kinds = [one.kind for one in schedule(of)]
    assert kinds[:2] == ["moments", "extent"] and kinds[-1] == "evaluate"
    assert following(of, Ask(kind="choose", round=0), arrived=True) == Ask(kind="judge")
    assert following(of, Ask(kind="evaluate"), arrived=False) is None
    assert len(choices(of)) == 2
    assert len(final(study(5, contribution="shapley"), 1.0)) == 31
    assert len(final(study(5, contribution="leave_one_out"), 1.0)) == 6


@pytest.mark.parametrize("spoil", ["short", "nan", "huge"])
def test_a_sum_that_is_broken_stops_it(spoil: str) -> None:
    cases = hospital_cases()
    of = study(strengths=(1.0,))
    good = train(of, cases)
    training = Training(study=of, counts=good.counts)
    length = training.length(Ask(kind="moments"))
    sites = tuple(cases)
    training.take(Sum(ask=Ask(kind="moments"), sites=sites, vector=np.ones(length)))
    training.take(Sum(ask=Ask(kind="extent"), sites=sites, vector=np.ones(training.length(Ask(kind="extent")))))
    vector = np.zeros(training.length(Ask(kind="fit")))
    if spoil == "short":
        vector = vector[1:]
    else:
        vector[3] = np.nan if spoil == "nan" else 1e12
    with pytest.raises(InputError, match="is broken"):
        training.take(Sum(ask=Ask(kind="fit"), sites=sites, vector=vector))


def test_pooled_figures_are_those_of_the_cases() -> None:
    from sklearn.metrics import roc_auc_score

    cases = hospital_cases(sizes=(200, 200, 200))
    training = train(study(), cases)
    assert training.tally is not None
    figures, worth = pooled(training.tally, 3, 1)
    tested = [(one.features[one.tested], one.classes[one.tested]) for one in cases.values()]
    features, classes = np.concatenate([one for one, _ in tested]), np.concatenate([one for _, one in tested])
    told = training.head().predict(features)
    for label in range(3):
        estimate = figures.auc[label]
        assert estimate is not None
        assert abs(estimate.value - roc_auc_score(classes == label, told[:, label])) < 0.003
        assert estimate.low < estimate.value < estimate.high
        # In the conformal set of its own label are nine cases of ten.
        inside = (told[classes == label, label] >= figures.thresholds[label]).mean()
        assert 0.88 < inside <= 1.0
    assert figures.accuracy.value == pytest.approx((told.argmax(1) == classes).mean())
    assert worth[0] == pytest.approx(np.mean([one.value for one in figures.auc if one]))
    assert (training.gate().distance(features) <= figures.reach).mean() == pytest.approx(0.95, abs=0.03)
