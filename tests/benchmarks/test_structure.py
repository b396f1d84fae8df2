"""From the scores of cells to what is suspected, and the figures of one cell."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.structure import SPECIFICITY, Outcome, built_figures, evidence, figures, pooled, suspected, thresholds
from training.rearrangements import Plan, drawn

KNOWN = {"1": (0.0, 1.0), "2": (0.0, 1.0)}


def _plan() -> Plan:
    plan = drawn(0, np.random.default_rng(1), donors=[1])
    assert plan is not None
    return plan


def test_cells_put_together_are_a_case() -> None:
    assert pooled([{"1": [1.0], "2": [0.5]}, {"1": [3.0]}]) == {"1": [1.0, 3.0], "2": [0.5]}
    assert evidence({"1": [1.0, 3.0]}, KNOWN) == {"1": pytest.approx(2 * 2**0.5)}


def test_as_many_cells_as_show_it_choose_the_threshold() -> None:
    limits = (4.0, 3.0, 2.0)
    assert suspected({"1": [3.9]}, KNOWN, limits) == {}
    assert list(suspected({"1": [4.0]}, KNOWN, limits)) == ["1"]
    assert list(suspected({"1": [2.2, 2.2], "2": [5.0]}, KNOWN, limits)) == ["2", "1"]
    assert list(suspected({"1": [1.1] * 4}, KNOWN, limits)) == ["1"]


def test_thresholds_leave_as_many_normal_cases_alone_as_asked() -> None:
    rng = np.random.default_rng(3)
    cases = [[{"1": [float(x)], "2": [float(y)]} for x, y in rng.normal(size=(4, 2))] for _ in range(300)]
    limits = thresholds(cases, KNOWN)
    ones = [not suspected(cell, KNOWN, limits) for case in cases for cell in case]
    assert np.mean(ones) == pytest.approx(SPECIFICITY, abs=0.005)
    assert np.mean([not suspected(pooled(case), KNOWN, limits) for case in cases]) == pytest.approx(
        SPECIFICITY, abs=0.01
    )


def test_a_real_case_counts_as_named_where_a_changed_chromosome_is_suspected() -> None:
    limits = (4.0, 3.0, 2.0)
    real = {"a": ({"1": [5.0]}, "2"), "b": ({"1": [5.0], "2": [6.0]}, "2,9"), "c": ({"1": [0.0]}, "1")}
    normal = {"n": [{"1": [0.0]}, {"1": [4.5]}]}
    found = {one.name: one.estimate.value for one in figures(normal, real, KNOWN, limits, data="d")}
    assert found["structure_real_cases"] == pytest.approx(2 / 3)
    assert found["structure_real_named"] == pytest.approx(1 / 3)
    assert found["structure_specificity_one_cell"] == 0.5
    assert found["structure_specificity"] == 0.0, "both cells together are beyond the threshold of two"


def test_a_built_one_may_be_found_in_several_cells_and_not_in_one() -> None:
    built = [Outcome(case="n", plan=_plan(), found=True, named=True, in_one_cell=False)]
    found = {one.name: one.estimate.value for one in built_figures(built, data="d")}
    assert found["structure_sensitivity"] == 1.0 and found["structure_sensitivity_one_cell"] == 0.0
