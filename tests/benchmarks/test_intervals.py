from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.intervals import case_numbers, estimate, exact_binomial, fraction, ratio


def test_rows_of_a_case_share_its_number() -> None:
    numbers, count = case_numbers(["b", "a", "b"])
    assert count == 2
    assert numbers.tolist() == [1, 0, 1]


def test_a_ratio_is_pooled_over_the_rows_not_averaged_over_them() -> None:
    value = ratio(["a", "b"], [9, 0], [10, 2])
    assert value.value == pytest.approx(9 / 12)
    assert value.n == 2


def test_cells_of_one_case_are_drawn_together() -> None:
    # Four cells, two cases: drawing cases gives only 0, 1/2 and 1; drawing cells would give quarters too.
    value = fraction(["a", "a", "b", "b"], [True, True, False, False])
    assert (value.value, value.low, value.high, value.n) == (0.5, 0.0, 1.0, 2)


def test_the_interval_of_a_proportion_is_about_two_standard_errors_wide() -> None:
    cases = [str(index) for index in range(400)]
    value = fraction(cases, [index % 4 != 0 for index in range(400)])
    error = math.sqrt(0.75 * 0.25 / 400)
    assert value.low == pytest.approx(0.75 - 1.96 * error, abs=0.01)
    assert value.high == pytest.approx(0.75 + 1.96 * error, abs=0.01)


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    values = np.arange(20.0)

    def mean(weights: np.ndarray) -> float:
        return float(weights @ values / weights.sum())

    assert estimate(mean, 20, seed=1) == estimate(mean, 20, seed=1)
    assert estimate(mean, 20, seed=1).low != estimate(mean, 20, seed=2).low


def test_what_is_not_defined_is_nan_and_no_case_is_none() -> None:
    assert math.isnan(ratio(["a"], [0], [0]).value)
    empty = fraction([], [])
    assert math.isnan(empty.value)
    assert empty.n == 0


def test_draws_in_which_the_figure_is_not_defined_do_not_count() -> None:
    value = ratio(["a", "b"], [1, 0], [2, 0])
    assert (value.value, value.low, value.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(3, 3, 0.29240, 1.0), (0, 3, 0.0, 0.70760), (5, 10, 0.18709, 0.81291)]
)
def test_the_exact_binomial_interval_is_the_tabulated_one(successes: int, trials: int, low: float, high: float) -> None:
    assert exact_binomial(successes, trials) == pytest.approx((low, high), abs=1e-4)
