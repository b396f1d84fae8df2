"""The account of differential privacy is exact, the noise is what it asks for, a patient weighs no more than one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from consilium.alliance.joint_training.answer import Answerer
from consilium.alliance.joint_training.differential_privacy import (
    SENSITIVITY,
    delta_of,
    epsilon_of,
    mu_of,
    sigma_of,
)
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_cases import counts_of
from consilium.alliance.joint_training.study import Privacy
from consilium.alliance.joint_training.training import Ask, Scaling, Training
from consilium.errors import InputError
from tests.alliance.joint_training.places import WIDTH, hospital_cases, study

PUBLIC = Scaling(mean=np.zeros(WIDTH), scale=np.full(WIDTH, np.sqrt(WIDTH)))


def private(epsilon: float, **more: object) -> object:
    return study(privacy=Privacy(epsilon=epsilon), strengths=(1.0,), **more)


@pytest.mark.parametrize(("mu", "epsilon"), [(0.5, 0.5), (1.0, 1.0), (2.0, 3.0)])
def test_delta_is_the_integral_it_stands_for(mu: float, epsilon: float) -> None:
    """Most by which one normal density exceeds e^epsilon times the other, integrated by hand."""
    places = np.linspace(-30, 30, 2_000_001)
    excess = np.maximum(norm.pdf(places, mu) - np.exp(epsilon) * norm.pdf(places, 0), 0)
    assert delta_of(mu, epsilon) == pytest.approx(np.trapezoid(excess, places), rel=1e-5)


@given(st.floats(0.05, 20), st.floats(1e-8, 0.05), st.integers(1, 200))
def test_what_is_spent_is_what_was_promised(epsilon: float, delta: float, releases: int) -> None:
    sigma = sigma_of(epsilon, delta, releases)
    spent = epsilon_of(sigma, delta, releases)
    assert spent <= epsilon
    assert spent == pytest.approx(epsilon, rel=1e-5)
    assert mu_of(epsilon, delta) == pytest.approx(SENSITIVITY * np.sqrt(releases) / sigma, rel=1e-6)


def test_one_known_figure() -> None:
    # Of the classic bound, sqrt(2 ln(1.25 / delta)) / epsilon, the exact one is always less.
    sigma = sigma_of(1.0, 1e-5, 1) / SENSITIVITY
    assert 3.70 < sigma < 3.75 < np.sqrt(2 * np.log(1.25e5))


def test_no_patient_moves_the_sum_by_more_than_the_sensitivity() -> None:
    of = private(1.0)
    cases = hospital_cases(seed=2)
    # Several pictures a patient, some of them monstrous.
    rng = np.random.default_rng(0)
    whole = {
        site: replace(
            one, patients=one.patients // 3, tested=one.patients // 3 % 4 == 0,
            features=one.features * rng.choice([1, 1e4], (len(one.features), 1)),
            chosen_on=np.zeros(len(one.patients), np.bool_),
        )
        for site, one in cases.items()
    }  # fmt: skip
    counts = {site: counts_of(one, 3) for site, one in whole.items()}
    training = Training(study=of, counts=counts, public=PUBLIC)
    assert training.descent is not None
    training.descent = replace(training.descent, ahead=rng.standard_normal(training.descent.ahead.shape) * 10)

    class Silent:
        def normal(self, _mean: float, _sigma: float, shape: tuple[int, ...]) -> np.ndarray:
            return np.zeros(shape)

    one = whole["site-1"]
    ask = Ask(kind="fit")
    all_in = Answerer(site="site-1", cases=one, noise=Silent()).answer(training, ask)  # type: ignore[arg-type]
    longest = 0.0
    for patient in np.unique(one.patients):
        left = one.patients != patient
        without = replace(one, **{name: getattr(one, name)[left] for name in vars(one)})
        moved = Answerer(site="site-1", cases=without, noise=Silent()).answer(training, ask)  # type: ignore[arg-type]
        longest = max(longest, float(np.linalg.norm(all_in - moved)))
    assert 0.5 < longest <= SENSITIVITY


def test_the_noise_has_the_spread_that_was_accounted_for() -> None:
    of = private(2.0)
    cases = hospital_cases()
    counts = {site: counts_of(one, 3) for site, one in cases.items()}
    training = Training(study=of, counts=counts, public=PUBLIC)
    answers = [
        Answerer(site="site-1", cases=cases["site-1"], noise=np.random.default_rng(seed)).answer(
            training, Ask(kind="fit")
        )
        for seed in range(200)
    ]
    expected = sigma_of(2.0, 1e-3, of.rounds)
    assert np.std(answers, axis=0).mean() == pytest.approx(expected, rel=0.02)


def test_nothing_but_noisy_sums_and_test_counts_is_asked_for() -> None:
    of = private(3.0)
    training = train(of, hospital_cases(sizes=(200, 200, 200)), public=PUBLIC, seed=1)
    assert training.taken == of.rounds + 1
    assert training.means is None
    known = training.gate().known
    assert known.shape == (1, WIDTH) and not known.any()


def test_more_privacy_costs_more() -> None:
    cases = hospital_cases(sizes=(300, 300, 300))
    rows = np.concatenate([one.features for one in cases.values()])
    classes = np.concatenate([one.classes for one in cases.values()])

    def right(epsilon: float) -> float:
        found = [
            (
                train(private(epsilon, rounds=12), cases, public=PUBLIC, seed=seed).head().predict(rows).argmax(1)
                == classes
            ).mean()
            for seed in range(3)
        ]
        return float(np.mean(found))

    assert right(0.05) + 0.1 < right(50.0)


def test_without_public_figures_there_is_no_differential_privacy() -> None:
    with pytest.raises(InputError, match="public figures"):
        train(private(1.0), hospital_cases())
