"""The strips the classifier reads: the same chromosome, however it lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consilium.karyotype.metaphase import Instance
from consilium.karyotype.render import karyotype_set, render_metaphase
from consilium.karyotype.short_arm_up import short_arm_direction
from consilium.karyotype.strip import COLUMNS, GEOMETRY, PITCH, ROWS, angle_of, strips

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

PAGE = 201
LENGTH, WIDTH = 80, 16


def at(mask: Mask, origin: tuple[int, int] = (0, 0)) -> Instance:
    height, width = mask.shape
    box = (float(origin[0]), float(origin[1]), float(origin[0] + width), float(origin[1] + height))
    return Instance(box=box, mask=mask, origin=origin, score=1.0)


def cut_to_extent(whole: Mask) -> Instance:
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    window = whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return at(window, (int(columns[0]), int(rows[0])))


def rod(angle_deg: float, *, length: float = LENGTH) -> tuple[Floats, Instance]:
    """A straight banded rod that `angle_deg` turns upright, with one dark end and a dark spot on one side."""
    rows, columns = np.mgrid[:PAGE, :PAGE] - PAGE // 2
    dx, dy = short_arm_direction(angle_deg)
    up, right = columns * dx + rows * dy, -columns * dy + rows * dx
    outside = np.hypot(np.maximum(np.abs(up) - (length - WIDTH) / 2, 0), right)
    along = length / 2 - up
    spot = 0.5 * (np.hypot(along - 0.7 * length, right - 4) < 4)
    bands = 0.5 + 0.25 * np.sin(2 * np.pi * along / 20) + 0.25 * (along < 0.25 * length) + spot
    darkness = np.clip(WIDTH / 2 + 0.5 - outside, 0, 1) * bands
    return darkness.astype(np.float32), cut_to_extent(outside <= WIDTH / 2)


def turned(image: Floats) -> Floats:
    return image[..., ::-1, ::-1]


def likeness(first: Floats, second: Floats) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


UPRIGHT = strips(rod(0.0)[0], [rod(0.0)[1]])


@settings(max_examples=40)
@given(angle=st.floats(0, 360, exclude_max=True))
def test_a_rod_gives_one_strip_however_it_lies(angle: float) -> None:
    darkness, instance = rod(angle)
    read = strips(darkness, [instance])
    away = (float(read.angles[0]) - angle + 180) % 360 - 180
    reversed_ = abs(away) > 90
    # The angle puts row 0 on top: it is the rod's own where row 0 is the marked end, otherwise half a turn more.
    assert min(abs(away), 180 - abs(away)) < 4
    assert 0 <= read.angles[0] < 360
    reference = UPRIGHT.images[0] if UPRIGHT.angles[0] < 90 else turned(UPRIGHT.images[0])
    strip = turned(read.images[0]) if reversed_ else read.images[0]
    assert likeness(strip[0], reference[0]) > 0.9
    assert likeness(strip[1], reference[1]) > 0.87
    # A strip of the other reading, or a mirrored one, would be told apart.
    assert likeness(strip[0], reference[0]) > likeness(turned(strip[0]), reference[0]) + 0.1
    assert likeness(strip[0], reference[0]) > likeness(strip[0][:, ::-1], reference[0])


@settings(max_examples=40)
@given(angle=st.floats(0, 360, exclude_max=True))
def test_the_angle_of_an_axis_turns_its_start_up(angle: float) -> None:
    dx, dy = short_arm_direction(angle)
    start = np.asarray([50.0, 50.0])
    axis = start - np.linspace(0, 30, 20)[:, None] * np.asarray([dx, dy])
    assert np.cos(np.radians(angle_of(axis) - angle)) == pytest.approx(1, abs=1e-9)
    assert np.cos(np.radians(angle_of(axis[::-1]) - angle)) == pytest.approx(-1, abs=1e-9)


def test_the_angle_of_a_point_is_zero() -> None:
    assert angle_of(np.full((16, 2), 7.0)) == 0.0


def test_drawn_chromosomes_get_the_angle_of_the_truth_or_its_half_turn() -> None:
    cell = render_metaphase(karyotype_set("46,XY"), np.random.default_rng(4), width_px=14, crowding=0, nuclei=0)
    darkness = 1 - cell.pixels.astype(np.float32) / 230
    read = strips(darkness, [at(one.mask, one.origin) for one in cell.truth])
    away = np.abs((read.angles - np.asarray([one.angle_deg for one in cell.truth]) + 180) % 360 - 180)
    away = np.minimum(away, 180 - away)
    assert np.median(away) < 5
    # Bent ones have no one angle, the shortest are hardly longer than wide.
    assert (away < 25).mean() > 0.9
    # Group A and B are long enough for an axis that follows them.
    assert not read.geometry[:10, GEOMETRY.index("off_axis")].any()


def test_a_strip_is_on_the_common_scale_of_the_cell() -> None:
    """A picture of twice the size gives the same strips: lengths are relative to the cell's median area."""
    cell = render_metaphase(karyotype_set("46,XX"), np.random.default_rng(4), width_px=12, crowding=0, nuclei=0)
    darkness = 1 - cell.pixels.astype(np.float32) / 230
    small = strips(darkness, [at(one.mask, one.origin) for one in cell.truth])
    doubled = [
        at(one.mask.repeat(2, axis=0).repeat(2, axis=1), (2 * one.origin[0], 2 * one.origin[1])) for one in cell.truth
    ]
    large = strips(darkness.repeat(2, axis=0).repeat(2, axis=1), doubled)
    same = [
        max(likeness(one[0], other[0]), likeness(one[0], turned(other[0])))
        for one, other in zip(small.images, large.images, strict=True)
    ]
    assert np.median(same) > 0.97
    assert np.abs(small.geometry[:, :2] - large.geometry[:, :2]).max(axis=0) == pytest.approx([0, 0], abs=0.2)


def test_a_rod_of_nominal_size_is_sampled_at_the_nominal_pitch() -> None:
    darkness, instance = rod(90.0)
    other = [at(np.ones((100, 10), bool)), at(np.ones((100, 10), bool))]
    read = strips(darkness, [instance, *other])
    inside = read.images[0, 1] > 0.5
    assert inside.any(axis=1).sum() == pytest.approx(LENGTH / PITCH, abs=4)
    assert inside.sum(axis=1).max() == pytest.approx(WIDTH / PITCH, abs=2)


def test_a_long_chromosome_is_never_cut_off() -> None:
    darkness, instance = rod(30.0, length=180)
    read = strips(darkness, [instance, at(np.ones((20, 10), bool)), at(np.ones((20, 10), bool))])
    cover = read.images[0, 1]
    assert cover[0].max() < 0.5 and cover[-1].max() < 0.5
    assert (cover.max(axis=1) > 0.5).sum() > 0.85 * ROWS


def test_geometry_says_what_is_shared_and_how_large_each_is() -> None:
    page = np.full((120, 120), 0.4, np.float32)
    upright = at(np.ones((80, 10), bool), (50, 20))
    across = at(np.ones((10, 80), bool), (15, 55))
    alone = at(np.ones((40, 10), bool), (100, 70))
    geometry = strips(page, [upright, across, alone]).geometry
    shared = geometry[:, GEOMETRY.index("crossing")]
    assert shared == pytest.approx([100 / 800, 100 / 800, 0.0])
    area = geometry[:, GEOMETRY.index("log_area")]
    assert area[0] == pytest.approx(area[1]) and area[0] - area[2] == pytest.approx(np.log(2), abs=1e-5)
    assert geometry[:, GEOMETRY.index("darkness")] == pytest.approx([0.4] * 3, abs=1e-3)
    assert geometry[:, GEOMETRY.index("contrast")] == pytest.approx([0.0] * 3, abs=1e-3)


def test_no_objects_no_strips() -> None:
    read = strips(np.zeros((40, 40), np.float32), [])
    assert read.images.shape == (0, 2, ROWS, COLUMNS)
    assert read.geometry.shape == (0, len(GEOMETRY)) and read.angles.shape == (0,)


TWO_PIECES = np.zeros((30, 30), bool)
TWO_PIECES[:5, :5] = TWO_PIECES[20:, 20:] = True


@pytest.mark.parametrize("corner", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    "mask",
    [
        np.ones((1, 1), bool),
        np.ones((1, 2), bool),
        np.ones((1, 30), bool),
        np.ones((30, 1), bool),
        np.ones((2, 30), bool),
        np.ones((8, 8), bool),
        np.eye(30, dtype=bool),
        TWO_PIECES,
        np.ones((50, 60), bool),
    ],
    ids=["pixel", "two pixels", "row", "column", "bar", "square", "diagonal", "two pieces", "whole image"],
)
def test_odd_masks_at_the_image_border_are_read(mask: Mask, corner: tuple[bool, bool]) -> None:
    x, y = (60 - mask.shape[1]) * corner[0], (50 - mask.shape[0]) * corner[1]
    read = strips(np.full((50, 60), 0.5, np.float32), [at(mask, (x, y))])
    assert np.isfinite(read.images).all() and np.isfinite(read.geometry).all()
    assert 0 <= read.angles[0] < 360
    assert read.images[0, 1].max() > 0.2


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), height=st.integers(1, 40), width=st.integers(1, 40))
def test_any_mask_is_read(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < rng.uniform(0.05, 0.95)
    mask[rng.integers(height), rng.integers(width)] = True
    origin = (int(rng.integers(0, 60 - width)), int(rng.integers(0, 60 - height)))
    read = strips(rng.random((60, 60), np.float32), [at(mask, origin)])
    assert np.isfinite(read.images).all() and np.isfinite(read.geometry).all()
    assert read.geometry[0, GEOMETRY.index("crossing")] == 0
