from __future__ import annotations

import math

import pytest

from benchmarks.detection import figures, map50, measure
from benchmarks.judged import judge
from benchmarks.reading import Reading
from consilium.karyotype.metaphase import UNSURE


def values(cells) -> dict[str, float]:
    return {f.name: f.estimate.value for f in figures(cells, data="", method="consilium", subset="all")}


def test_a_perfect_reading_has_every_figure_at_its_best(make, normal) -> None:
    got = values([make(normal)])
    assert got.pop("images_refused") == 0.0
    assert set(got.values()) == {1.0}


def test_one_missed_one_false_one_misnamed(make, rod) -> None:
    # True: 1 1 2 2. Found: 1, 1 named 2, 2, and a rod where there is nothing.
    cell = make(["1", "1", "2", "2"], [rod(0, "1"), rod(1, "2"), rod(2, "2"), rod(7, "3")])
    got = values([cell])
    assert got["detection_recall"] == pytest.approx(3 / 4)
    assert got["detection_precision"] == pytest.approx(3 / 4)
    assert got["class_accuracy"] == pytest.approx(2 / 3)
    assert got["cells_counted_exactly"] == 1.0
    assert got["cells_wholly_right"] == 0.0
    assert cell.missed == (3,)
    assert cell.false == (3,)


def test_map50_of_a_cell_computed_by_hand(make, rod) -> None:
    # Class 1: one of two found, 51 of 101 points at precision 1. Class 2: wrong at 0.95, right at 0.9, of two:
    # precision 1/2 up to recall 1/2. Class 3 does not truly occur.
    found = [rod(0, "1"), rod(1, "2", confidence=0.95), rod(2, "2", confidence=0.9), rod(7, "3")]
    assert map50([make(["1", "1", "2", "2"], found)]).value == pytest.approx((51 / 101 + 51 / 101 / 2) / 2)


def test_unsure_is_found_but_never_right(make, rod) -> None:
    got = values([make(["1", "1"], [rod(0, "1"), rod(1, UNSURE, confidence=0.3)])])
    assert got["detection_recall"] == 1.0
    assert got["class_accuracy"] == 0.5
    assert got["cells_wholly_right"] == 0.0


def test_a_refused_image_counts_with_everything_missed(make, truth, normal) -> None:
    refused = judge(truth(normal, name="2", case="2"), Reading(metaphase=None, error="NoMetaphase: nothing"))
    got = values([make(normal), refused])
    assert got["detection_recall"] == 0.5
    assert got["detection_precision"] == 1.0
    assert got["cells_counted_exactly"] == 0.5
    assert got["images_refused"] == 0.5


def test_nothing_found_leaves_precision_undefined(make) -> None:
    assert math.isnan(values([make(["1"], [])])["detection_precision"])


def test_difficult_images_are_reported_apart_and_refusals_listed(make, rod, truth, normal) -> None:
    hard = make(["1", "1"], [rod(0, "1")], name="2", case="2", difficult=True)
    refused = judge(truth(normal, name="3", case="3"), Reading(metaphase=None, error="NoMetaphase: nothing"))
    section = measure({"consilium": [make(normal), hard, refused]}, data="made")
    recall = {f.subset: f.estimate.value for f in section.figures if f.name == "detection_recall"}
    assert recall == {"all": pytest.approx(47 / 94), "difficult": 0.5}
    assert section.tables["found_less_true_consilium"] == {"-46": 1, "-1": 1, "+0": 1}
    assert section.tables["refused_consilium"] == {"3": "NoMetaphase: nothing"}
