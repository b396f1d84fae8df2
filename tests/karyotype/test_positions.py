"""Turned and brought back: nothing is lost, and boxes go where their pictures go."""

from __future__ import annotations

import numpy as np
import pytest

from consilium.karyotype.positions import EVERY, Position


def box_of(picture: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(picture)
    return np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)


@pytest.mark.parametrize("position", EVERY)
def test_pictures_and_boxes_come_back(position: Position) -> None:
    picture = np.zeros((64, 96), np.float32)
    picture[10:20, 30:60] = 1
    turned = position.of(picture)
    np.testing.assert_array_equal(position.back(turned), picture)
    np.testing.assert_array_equal(position.boxes_back(box_of(turned), 96, 64), [[30, 10, 60, 20]])


@pytest.mark.parametrize("position", EVERY)
def test_moved_sides_come_back(position: Position) -> None:
    picture, moved = np.zeros((64, 96), np.float32), np.zeros((64, 96), np.float32)
    picture[10:20, 30:60] = 1
    moved[12:25, 27:61] = 1
    shift = box_of(position.of(moved)) - box_of(position.of(picture))
    np.testing.assert_array_equal(position.sides_back(shift), [[-3, 2, 1, 5]])


def test_there_are_eight() -> None:
    picture = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert len({position.of(picture).tobytes() + bytes(position.of(picture).shape) for position in EVERY}) == 8
