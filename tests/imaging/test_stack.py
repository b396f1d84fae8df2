from __future__ import annotations

import numpy as np
import pytest

from consilium.imaging.stack import stacked

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))


def _at(*heights: float) -> list[tuple[float, float, float]]:
    return [(-5.0, -7.0, height) for height in heights]


def test_planes_are_sorted_by_their_place() -> None:
    stack = stacked(positions=_at(6.0, 0.0, 3.0), orientations=[AXIAL] * 3, in_plane=(0.5, 0.25))
    assert stack.order == (1, 2, 0)
    assert stack.is_volume
    assert stack.gap_mm == pytest.approx(3.0)
    affine = np.asarray(stack.affine)
    # Plane 2, row 4, column 8.
    np.testing.assert_allclose(affine @ [2, 4, 8, 1], [-5 + 8 * 0.25, -7 + 4 * 0.5, 6.0, 1.0])


def test_a_sagittal_stack_runs_along_its_own_normal() -> None:
    places = [(10.0, 0.0, 0.0), (-10.0, 0.0, 0.0), (0.0, 0.0, 0.0)]
    stack = stacked(positions=places, orientations=[SAGITTAL] * 3, in_plane=(1.0, 1.0))
    # The normal of y (along a row) and -z (down a column) is -x, so the largest x comes first.
    assert stack.order == (0, 2, 1)
    np.testing.assert_allclose(np.asarray(stack.affine) @ [1, 2, 3, 1], [0.0, 3.0, -2.0, 1.0])


def test_two_volumes_at_the_same_places_follow_each_other() -> None:
    stack = stacked(positions=_at(0, 0, 2, 2, 4, 4), orientations=[AXIAL] * 6, in_plane=(1, 1))
    assert stack.volumes == 2
    assert stack.order == (0, 2, 4, 1, 3, 5)


def test_a_gap_in_the_series_is_told_and_leaves_no_affine() -> None:
    stack = stacked(positions=_at(0, 2, 4, 8), orientations=[AXIAL] * 4, in_plane=(1, 1))
    assert stack.gap_mm == 2.0
    assert stack.affine is None
    assert stack.notes == ("the planes are not evenly spaced",)


def test_a_tilted_gantry_is_told() -> None:
    places = [(0.0, 0.5 * height, float(height)) for height in range(5)]
    stack = stacked(positions=places, orientations=[AXIAL] * 5, in_plane=(1, 1))
    assert stack.notes == ("the planes are shifted against each other (gantry tilt)",)
    np.testing.assert_allclose(np.asarray(stack.affine) @ [4, 0, 0, 1], [0, 2, 4, 1])


def test_some_places_hold_more() -> None:
    stack = stacked(positions=_at(0, 2, 2, 4), orientations=[AXIAL] * 4, in_plane=(1, 1))
    assert stack.notes == ("some places hold more planes than others",)
    assert stack.order == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("positions", "orientations"),
    [
        ([None, (0.0, 0.0, 1.0)], [AXIAL, AXIAL]),
        (_at(0, 1), [None, AXIAL]),
        (_at(0, 1), [AXIAL, SAGITTAL]),
        (_at(3, 3), [AXIAL, AXIAL]),
        ([], []),
    ],
)
def test_what_is_no_stack_keeps_its_order(positions: list, orientations: list) -> None:  # type: ignore[type-arg]
    stack = stacked(positions=positions, orientations=orientations, in_plane=(1.0, 1.0))
    assert stack.order == tuple(range(len(positions)))
    assert not stack.is_volume


def test_one_plane_has_its_place_in_the_patient() -> None:
    stack = stacked(positions=_at(9.0), orientations=[AXIAL], in_plane=(2.0, 3.0))
    np.testing.assert_allclose(np.asarray(stack.affine) @ [0, 1, 1, 1], [-2.0, -5.0, 9.0, 1.0])
