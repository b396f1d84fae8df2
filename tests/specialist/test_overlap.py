"""Agreement of masks against values that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from consilium.specialist.segmentation.overlap import dice, objects_found, surface_agreement


def _square(start: int, stop: int, side: int = 40) -> np.ndarray:
    mask = np.zeros((side, side), np.bool_)
    mask[start:stop, start:stop] = True
    return mask


def test_dice_counts_common_pixels() -> None:
    assert dice(_square(0, 10), _square(0, 10)) == 1
    assert dice(_square(0, 10), _square(20, 30)) == 0
    half = _square(0, 10)
    half[:, 5:] = False
    assert dice(half, _square(0, 10)) == pytest.approx(2 * 50 / 150)
    assert dice(np.zeros((3, 3), np.bool_), np.zeros((3, 3), np.bool_)) == 1


def test_a_shifted_outline_is_within_a_tolerance_of_its_shift() -> None:
    shifted = np.roll(_square(10, 30), 2, axis=1)
    assert surface_agreement(shifted, _square(10, 30), tolerance=2).normalised == 1
    near = surface_agreement(shifted, _square(10, 30), tolerance=1)
    # Upper and lower sides lie on each other but for their ends; left and right are 2 away.
    assert 0.4 < near.normalised < 0.6
    assert near.hausdorff95 == 2


def test_spacing_is_counted() -> None:
    shifted = np.roll(_square(10, 30), 2, axis=1)
    assert surface_agreement(shifted, _square(10, 30), tolerance=1, spacing=(1.0, 0.5)).normalised == 1
    assert surface_agreement(shifted, _square(10, 30), tolerance=1, spacing=(1.0, 3.0)).hausdorff95 == pytest.approx(
        6, abs=2
    )


def test_a_missed_object_is_as_far_away_as_can_be() -> None:
    found = surface_agreement(np.zeros((40, 40), np.bool_), _square(10, 30), tolerance=2)
    assert found.normalised == 0
    assert found.hausdorff95 == pytest.approx(np.hypot(40, 40))


def test_objects_are_paired_one_to_one() -> None:
    true = np.zeros((30, 30), np.intp)
    true[2:10, 2:10], true[2:10, 12:20], true[20:28, 2:10] = 1, 2, 3
    predicted = np.zeros_like(true)
    predicted[2:10, 2:10] = 7
    predicted[2:10, 12:20] = 7
    found = objects_found(predicted, true)
    # Two that were merged are one object, half of which is each: it may stand for one of them.
    assert (found.hits, found.surplus, found.missed) == (1, 0, 2)
    assert objects_found(true, true).precision == 1
    assert objects_found(np.zeros_like(true), true).precision == 0
    assert objects_found(np.zeros_like(true), np.zeros_like(true)).precision == 1
    # A label map without background counts all its objects.
    full = np.ones_like(true)
    assert objects_found(full, full).hits == 1
