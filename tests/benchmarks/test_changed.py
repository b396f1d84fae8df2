"""Pictures with one chromosome more or less: the picture and its truth change together."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.annotated import decode
from benchmarks.changed import changed_cells, figures, one_gained, one_lost
from benchmarks.judged import judge
from consilium.karyotype.proposals import box_iou
from tests.benchmarks.conftest import annotated, found_at, reading_of

LABELS = ["1", "1", "2", "2", "X", "Y"]


def dark_inside(cell) -> list[bool]:
    image = decode(cell.image)
    return [bool(image[int(y0) : int(y1), int(x0) : int(x1)].min() < 120) for x0, y0, x1, y1 in cell.boxes]


def test_a_lost_chromosome_is_gone_from_picture_and_truth() -> None:
    cell = annotated(LABELS)
    lost = one_lost(cell)
    assert lost is not None and len(lost.boxes) == len(lost.labels) == len(LABELS) - 1
    assert all(dark_inside(lost))
    gone = cell.boxes[box_iou(cell.boxes, lost.boxes).max(1) < 0.5]
    assert len(gone) == 1
    x0, y0, x1, y1 = gone[0].astype(int)
    assert decode(lost.image)[y0:y1, x0:x1].min() > 200


def test_a_gained_chromosome_lies_apart_and_is_dark() -> None:
    cell = annotated(LABELS)
    gained = one_gained(cell)
    assert gained is not None and len(gained.boxes) == len(gained.labels) == len(LABELS) + 1
    assert all(dark_inside(gained))
    assert not box_iou(gained.boxes[-1:], cell.boxes).any()
    before, after = decode(cell.image), decode(gained.image)
    x0, y0, x1, y1 = gained.boxes[-1].astype(int) + np.asarray([-2, -2, 2, 2])
    outside = np.ones(before.shape, np.bool_)
    outside[y0:y1, x0:x1] = False
    assert (before[outside] == after[outside]).all()


def test_the_change_hangs_on_the_name_alone() -> None:
    first, again = one_gained(annotated(LABELS)), one_gained(annotated(LABELS))
    assert first is not None and again is not None and first.image == again.image


def test_where_chromosomes_touch_nothing_is_changed() -> None:
    cell = annotated(["1", "2"])
    cell.boxes[1] = cell.boxes[0] + 3
    assert one_lost(cell) is None and one_gained(cell) is None
    assert changed_cells([cell, annotated(LABELS)])["lost"][0].name == "1001_lost"


def test_a_reader_that_assumes_what_was_there_is_found_out() -> None:
    cells = changed_cells([annotated(LABELS)])
    always = reading_of([found_at(k, label) for k, label in enumerate(LABELS)])
    readings = {change: [judge(cell, always) for cell in made] for change, made in cells.items()}
    got = {figure.name: figure.estimate.value for figure in figures(readings, data="")}
    assert got == pytest.approx(
        {
            "counted_exactly_unchanged": 1,
            "counted_exactly_lost": 0,
            "counted_as_before_lost": 1,
            "counted_as_before_told_lost": 0,
            "counted_exactly_gained": 0,
            "counted_as_before_gained": 1,
            "counted_as_before_told_gained": 0,
        }
    )
