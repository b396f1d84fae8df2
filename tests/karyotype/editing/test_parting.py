"""Geometry: what is parted loses no pixel and doubles none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consilium.errors import InputError
from consilium.karyotype.editing.parting import LEAST_PART, cut, separate
from consilium.karyotype.editing.region import (
    Region,
    filled,
    in_one_piece,
    outlines,
    pieces,
    region_of,
    shared,
    united,
    upright_angle,
    without,
)

SIDE = 80


def made(mask: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)) -> Region:
    found = region_of(mask, origin)
    assert found is not None
    return found


def rod(length: int = 60, width: int = 11) -> Region:
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    mask[10 : 10 + length, 30 : 30 + width] = True
    return made(mask)


def cross() -> Region:
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    mask[10:70, 35:45] = True
    mask[35:45, 10:70] = True
    return made(mask)


@st.composite
def blobs(draw: st.DrawFn) -> Region:
    """Some overlapping rectangles somewhere on a page, in one piece or several."""
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    for _ in range(draw(st.integers(1, 4))):
        x, y = draw(st.integers(0, 60)), draw(st.integers(0, 60))
        mask[y : y + draw(st.integers(2, 19)), x : x + draw(st.integers(2, 19))] = True
    return made(mask, (draw(st.integers(0, 50)), draw(st.integers(0, 50))))


coordinate = st.floats(-20, 150, allow_nan=False) | st.integers(-20, 150).map(float)
point = st.tuples(coordinate, coordinate)


def union_of(parts: tuple[Region, ...]) -> Region:
    return united(parts)


def test_a_line_parts_a_rod_where_it_is_drawn() -> None:
    upper, lower = sorted(cut(rod(), [(20, 30), (60, 30)]), key=lambda one: one.origin[1])
    assert upper.box == (30, 10, 41, 31) and lower.box == (30, 31, 41, 70)
    assert upper.area + lower.area == rod().area


def test_a_line_that_stops_just_short_still_parts() -> None:
    assert len(cut(rod(), [(31, 30), (39, 30)])) == 2


@pytest.mark.parametrize("line", [[(0, 0), (5, 5)], [(20, 30), (34, 30)], [(35, 20), (35, 40)], [(20, 5), (60, 5)],
                                  [(35, 30), (35, 30)]])  # fmt: skip
def test_a_line_that_does_not_go_through_is_refused(line: list[tuple[float, float]]) -> None:
    with pytest.raises(InputError):
        cut(rod(), line)


def test_a_bent_line_makes_three() -> None:
    parts = cut(rod(), [(20, 30), (50, 30), (50, 50), (20, 50)])
    assert [one.area for one in parts] == sorted((one.area for one in parts), reverse=True)
    assert len(parts) == 3 and sum(one.area for one in parts) == rod().area


def test_slips_along_a_border_stay_with_what_they_touch() -> None:
    with pytest.raises(InputError):
        cut(rod(), [(30, 5), (30.4, 30), (30, 75)])


@settings(max_examples=300)
@given(blobs(), st.lists(point, min_size=2, max_size=6))
def test_a_cut_loses_no_pixel_and_doubles_none(region: Region, line: list[tuple[float, float]]) -> None:
    before = region.mask.copy()
    try:
        parts = cut(region, line)
    except InputError:
        return
    assert len(parts) >= 2
    count = sum(one.on(200, 200).astype(int) for one in parts)
    np.testing.assert_array_equal(count, region.on(200, 200).astype(int))
    assert union_of(parts) == region
    assert (region.mask == before).all()
    if in_one_piece(region):
        assert all(in_one_piece(one) and one.area >= LEAST_PART for one in parts)
    assert cut(region, line) == parts


@settings(max_examples=200)
@given(blobs(), st.lists(point, min_size=3, max_size=7), st.lists(point, min_size=3, max_size=7))
def test_parting_a_crossing_keeps_every_pixel(
    region: Region, first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    one, other = filled(first, 200, 200), filled(second, 200, 200)
    if one is None or other is None:
        return
    try:
        parts = separate(region, one, other)
    except InputError:
        return
    assert union_of(parts) == region
    both, drawn_both = shared(*parts), shared(one, other)
    if both is not None:
        # Only what both outlines hold is in both.
        assert drawn_both is not None and without(both, drawn_both) is None


def test_chromosomes_that_cross_share_the_crossing() -> None:
    upright, lying = np.zeros((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), bool)
    upright[10:70, 35:45], lying[35:45, 10:70] = True, True
    one, other = separate(cross(), made(upright), made(lying))
    assert (one, other) == (made(upright), made(lying))
    both = shared(one, other)
    assert both is not None and both.area == 100


def test_what_lies_as_near_to_both_is_parted_the_same_whenever_the_log_is_read() -> None:
    """Distances that differ in their last bit, by where in memory they are worked out, gave another cell each time."""
    rng, elsewhere = np.random.default_rng(0), []
    for _ in range(40):
        size = rng.integers(20, 120, 2)
        region = made(np.ones(size, bool))
        one, other = (made(rng.random(size) < 0.02, (0, 0)) for _ in range(2))
        first = separate(region, one, other)
        for _ in range(20):
            elsewhere.append(np.ones(int(rng.integers(1, 9000)), np.float32))
            assert separate(region, one, other) == first


def test_an_outline_beside_it_or_two_alike_are_refused() -> None:
    far = made(np.ones((3, 3), bool), (1000, 1000))
    with pytest.raises(InputError, match="nothing of it"):
        separate(cross(), far, cross())
    with pytest.raises(InputError, match="the same"):
        separate(cross(), cross(), cross())


@settings(max_examples=200)
@given(blobs(), blobs())
def test_sets_of_pixels(first: Region, second: Region) -> None:
    a, b = first.on(200, 200), second.on(200, 200)
    assert (united([first, second]).on(200, 200) == (a | b)).all()
    for found, expected in ((shared(first, second), a & b), (without(first, second), a & ~b)):
        assert (np.zeros_like(a) if found is None else found.on(200, 200)).tolist() == expected.tolist()
    assert sum(one.area for one in pieces(first)) == first.area
    assert united(pieces(first)) == first
    assert (first == second) == bool((a == b).all())


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=3, max_size=9))
def test_any_polygon_is_pixels_of_the_picture_or_nothing(polygon: list[tuple[float, float]]) -> None:
    found = filled(polygon, 60, 40)
    if found is not None:
        x0, y0, x1, y1 = found.box
        assert 0 <= x0 < x1 <= 60 and 0 <= y0 < y1 <= 40 and found.area > 0


def test_a_polygon_holds_its_border_and_the_picture_cuts_it_off() -> None:
    square = filled([(2, 3), (6, 3), (6, 8), (2, 8)], 50, 50)
    assert square is not None and square.box == (2, 3, 7, 9) and square.area == 5 * 6
    corner = filled([(-9, -9), (4, -9), (4, 2), (-9, 2)], 50, 50)
    assert corner is not None and corner.box == (0, 0, 5, 3)
    assert filled([(60, 60), (70, 60), (70, 70)], 50, 50) is None


def test_an_outline_filled_is_the_region() -> None:
    found = filled([tuple(map(float, p)) for p in outlines(cross())[0]], SIDE, SIDE)  # type: ignore[misc]
    assert found == cross()


@pytest.mark.parametrize(("angle", "tolerance"), [(0, 1), (30, 2), (75, 2), (-40, 2), (90, 1)])
def test_the_angle_puts_a_rod_upright(angle: float, tolerance: float) -> None:
    import cv2

    page = np.zeros((SIDE, SIDE), np.uint8)
    page[10:70, 36:45] = 1
    # Turned by -angle: `angle` brings it back.
    matrix = cv2.getRotationMatrix2D((39.5, 39.5), -angle, 1.0)
    turned = cv2.warpAffine(page, matrix, (SIDE, SIDE), flags=cv2.INTER_NEAREST).astype(bool)
    found = upright_angle(made(turned))
    assert min(abs(found - angle), abs(abs(found - angle) - 180)) <= tolerance


def test_equal_regions_have_one_hash_and_are_read_only() -> None:
    assert hash(rod()) == hash(rod()) and rod() != cross() and rod() != "rod"
    with pytest.raises(ValueError, match="read-only"):
        rod().mask[0, 0] = False
