from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibration import expected_calibration_error, reliability
from benchmarks.naming import COLUMNS, by_code, confusion, measure
from consilium.karyotype.metaphase import UNSURE


@pytest.fixture
def cell(make, rod):
    """True 1 1 2 2 3; the second 1 is called 2 (flagged), a 2 is unsure (flagged twice), 3 missed, one false."""
    found = [
        rod(0, "1"),
        rod(1, "2", flags=["low_confidence"]),
        rod(2, "2", flags=["crossing"]),
        rod(3, UNSURE, flags=["unsure_class", "crossing"]),
        rod(7, "4"),
    ]
    return make(["1", "1", "2", "2", "3"], found)


def test_confusion_counts_every_object_once(cell) -> None:
    counts = confusion([cell])
    assert counts.sum() == 6
    assert counts[0, 0] == counts[0, 1] == counts[1, 1] == 1
    assert counts[1, COLUMNS.index(UNSURE)] == 1
    assert counts[2, COLUMNS.index("missed")] == 1
    assert counts[-1, 3] == 1


def test_what_the_flags_catch(cell, make, rod) -> None:
    other = make(["1", "1"], [rod(0, "1"), rod(1, "3")], name="2", case="2")
    section = measure({"consilium": [cell, other]}, data="made")
    got = {figure.name: figure.estimate.value for figure in section.figures}
    assert got["errors_flagged"] == pytest.approx(2 / 3)
    assert got["false_flagged"] == 0.0
    assert got["chromosomes_flagged"] == pytest.approx(3 / 7)
    assert got["missed_in_flagged_cells"] == 0.0


def test_each_flag_has_its_cost_and_its_gain(cell) -> None:
    codes = by_code([cell])
    assert codes["low_confidence"] == {
        "chromosomes": 1,
        "share_of_all": 1 / 5,
        "wrong": 1,
        "share_of_wrong": 1 / 2,
        "wrong_caught_by_it_alone": 1,
    }
    assert (codes["crossing"]["chromosomes"], codes["crossing"]["wrong"]) == (2, 1)
    assert codes["crossing"]["wrong_caught_by_it_alone"] == 0


def test_calibration_error_by_hand() -> None:
    # Two bins of 15: [0.6, 0.667) confidence 0.62 right 1 of 2, and the last, 0.95, right 2 of 2.
    confidence = np.asarray([0.62, 0.62, 0.95, 0.95])
    right = np.asarray([1.0, 0.0, 1.0, 1.0])
    value = expected_calibration_error(confidence, right, ["a", "a", "b", "b"])
    assert value.value == pytest.approx(0.5 * abs(0.62 - 0.5) + 0.5 * abs(0.95 - 1.0))


def test_confident_and_always_right_has_no_calibration_error() -> None:
    assert expected_calibration_error(np.ones(5), np.ones(5), list("abcde")).value == 0.0


def test_the_reliability_diagram_has_groups_of_equal_size() -> None:
    points = reliability(np.asarray([0.9, 0.5, 0.6, 1.0]), np.asarray([1.0, 0.0, 1.0, 1.0]), groups=2)
    assert points == [[pytest.approx(0.55), 0.5, 2.0], [pytest.approx(0.95), 1.0, 2.0]]
