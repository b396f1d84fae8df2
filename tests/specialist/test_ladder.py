from __future__ import annotations

import numpy as np

from consilium.specialist.ladder import Rung, choose_rung


def _rungs(gain: float, noise: float) -> tuple[Rung, Rung]:
    rng = np.random.default_rng(0)
    simple, disturbed = rng.gamma(2.0, 0.2, 100), rng.normal(size=100)
    tuned = simple - gain + noise * (disturbed - disturbed.mean())
    return Rung(name="frozen", losses=simple), Rung(name="tuned", losses=tuned)


def test_a_gain_within_one_standard_error_is_not_worth_it() -> None:
    found = choose_rung(_rungs(0.005, 0.3), np.arange(100))
    assert found.taken == "frozen"


def test_a_clear_gain_is_taken() -> None:
    found = choose_rung(_rungs(0.1, 0.1), np.arange(100))
    assert (found.taken, found.best) == ("tuned", "tuned")
    assert found.steps[0].behind > found.steps[0].error


def test_a_gain_on_few_patients_with_many_images_is_less_sure() -> None:
    simple, tuned = _rungs(0.02, 0.1)
    shifted = Rung(name="tuned", losses=tuned.losses + np.repeat(np.random.default_rng(1).normal(size=10) * 0.1, 10))
    alone, together = (
        max(step.error for step in choose_rung((simple, shifted), groups).steps)
        for groups in (np.arange(100), np.repeat(np.arange(10), 10))
    )
    assert together > 1.5 * alone


def test_the_simplest_wins_when_it_is_the_best_or_alone() -> None:
    assert choose_rung(_rungs(-0.2, 0.1), np.arange(100)).taken == "frozen"
    assert choose_rung(_rungs(0, 0)[:1], np.arange(100)).taken == "frozen"
