from __future__ import annotations

import numpy as np
import pytest

from benchmarks.annotated import NO_CLASS, canvas_of, crop_mask, decode, status_of
from benchmarks.cross_laboratory import measure, upright
from benchmarks.judged import Judged
from consilium.karyotype.metaphase import UNSURE


@pytest.mark.parametrize(
    ("angle", "up"), [(0, True), (359, True), (89, True), (271, True), (91, False), (180, False), (269, False)]
)
def test_a_turn_of_less_than_a_quarter_leaves_the_top_on_top(angle: float, up: bool) -> None:
    assert upright(angle) is up


def test_markers_are_counted_apart(truth, reading, rod) -> None:
    cell = truth(["1", "1", "2", "2"])
    cell.labels[3] = NO_CLASS
    found = [rod(0, "1"), rod(1, "3", angle_deg=180.0), rod(2, "2", angle_deg=10.0), rod(3, UNSURE)]
    one = Judged(cell=cell, reading=reading(found), pairs=tuple((i, i) for i in range(4)))
    section = measure([one], data="made")
    got = {figure.name: figure.estimate.value for figure in section.figures}
    assert got == {
        "gband612_accuracy": pytest.approx(2 / 3),
        "gband612_polarity": pytest.approx(2 / 3),
        "gband612_markers_unsure": 1.0,
    }
    by_class = section.tables["by_class"]
    assert isinstance(by_class, dict)
    assert by_class["1"] == [2, 1, 1]


def crop(height: int, width: int) -> np.ndarray:
    page = np.full((height, width), 255, np.uint8)
    page[2:-2, 2:-2] = 90
    page[height // 2, width // 2] = 255  # a pale band is a part of it
    page[0, 0] = 200  # a speck is not
    return page


def test_the_mask_of_a_crop_is_its_largest_object_filled() -> None:
    mask, origin = crop_mask(crop(20, 12))
    assert origin == (2, 2)
    assert mask.shape == (16, 8)
    assert mask.all()


def test_crops_lie_side_by_side_without_touching() -> None:
    cell = canvas_of("97.4", [crop(30, 14)] * 80, ["1"] * 79 + ["mar"])
    page = decode(cell.image)
    assert cell.case == "97"
    assert cell.labels.tolist() == [0] * 79 + [NO_CLASS]
    assert cell.masks is not None
    shared = np.zeros(page.shape, np.int64)
    for (mask, (x, y)), box in zip(cell.masks, cell.boxes, strict=True):
        shared[y : y + mask.shape[0], x : x + mask.shape[1]] += mask
        assert (x, y) == (box[0], box[1])
        assert page[y, x] == 90
    assert shared.max() == 1
    assert shared.sum() == 80 * 26 * 10


def test_the_status_of_a_cell_of_crops() -> None:
    pairs = [index for index in range(22) for _ in range(2)]
    assert status_of([*pairs, 22, 22]) == status_of([*pairs, 22, 23]) == "normal"
    assert status_of([*pairs, 22]) == status_of([*pairs, 22, 23, 20]) == "numerical"
    assert status_of([*pairs[1:], 20, 22, 23]) == ""
