"""Straightening shows what is there: the same bands, in the right order, without a neighbour's pixels."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from consilium.karyotype.metaphase import Chromosome, Instance
from consilium.karyotype.straighten import centromere_row, dark_on_light, medial_axis, straighten, upright

BACKGROUND = 225


def _instance(mask: np.ndarray, origin: tuple[int, int] = (0, 0)) -> Instance:
    height, width = mask.shape
    return Instance(box=(*origin, origin[0] + width, origin[1] + height), mask=mask, origin=origin, score=0.9)


def _turned(grey: np.ndarray, mask: np.ndarray, angle_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """Rotate a drawn rod counter-clockwise on a larger canvas."""
    side = int(np.hypot(*grey.shape)) + 12
    matrix = cv2.getRotationMatrix2D((grey.shape[1] / 2, grey.shape[0] / 2), angle_deg, 1.0)
    matrix[:, 2] += [side / 2 - grey.shape[1] / 2, side / 2 - grey.shape[0] / 2]
    turned = cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=BACKGROUND)
    cover = cv2.warpAffine(mask.astype(np.float32), matrix, (side, side))
    return turned, cover > 0.5


def _bent(length: int = 90, radius: float = 26.0, width: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Draw a rod folded into a hook (three quarters of a circle) with a dark band every tenth of its length."""
    y, x = np.mgrid[0:80, 0:80].astype(float) - 40.0
    along = (np.arctan2(y, x) + np.pi) * radius
    mask = (np.abs(np.hypot(x, y) - radius) <= width / 2) & (along < length)
    grey = np.where(np.cos(along / length * 20 * np.pi) > 0, 60, 140)
    return np.where(mask, grey, BACKGROUND).astype(np.uint8), mask


@pytest.mark.parametrize("angle", [0, 35, 90, 145, 180, 250, 310])
def test_any_rotation_is_undone(rod: Callable[..., tuple[np.ndarray, np.ndarray]], angle: int) -> None:
    grey, mask = rod(70)
    reference = straighten(grey, _instance(mask), 0.0)
    turned, cover = _turned(grey, mask, angle)
    result = straighten(turned, _instance(cover), -angle)
    assert result.along_axis
    assert abs(len(result.profile) - 70) <= 4
    stretched = np.interp(np.linspace(0, 1, 70), np.linspace(0, 1, len(result.profile)), result.profile)
    expected = np.interp(np.linspace(0, 1, 70), np.linspace(0, 1, len(reference.profile)), reference.profile)
    # The masked rim makes the length uncertain by a pixel or two, which shifts bands nine pixels apart.
    right_way_up = np.corrcoef(stretched, expected)[0, 1]
    assert right_way_up > 0.8
    assert right_way_up > np.corrcoef(stretched[::-1], expected)[0, 1] + 0.2


def test_hook_is_straightened_to_its_full_length_with_all_bands() -> None:
    grey, mask = _bent()
    result = straighten(grey, _instance(mask), 0.0)
    assert result.along_axis
    assert 82 <= result.pixels.shape[0] <= 98
    assert result.pixels.shape[1] <= 17
    dark = result.profile > (result.profile.max() + result.profile.min()) / 2
    assert 9 <= np.count_nonzero(np.diff(dark.astype(int)) == 1) + int(dark[0]) <= 11


def test_limbs_of_a_fold_do_not_show_in_each_other() -> None:
    mask = np.zeros((70, 40), dtype=bool)
    mask[5:60, 5:15] = mask[5:60, 19:29] = mask[55:65, 5:29] = True
    grey = np.full(mask.shape, BACKGROUND, np.uint8)
    grey[mask] = 100
    result = straighten(grey, _instance(mask), 0.0)
    assert result.along_axis
    assert result.pixels.shape[0] > 105
    upper = result.pixels[10:35]
    assert (upper < 200).any(axis=0).sum() <= 13


def test_neighbours_are_masked_to_white(rod: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    grey, mask = rod(60)
    canvas = np.full((80, 60), BACKGROUND, np.uint8)
    canvas[10:70, 10:21] = grey
    canvas[10:70, 24:40] = 7
    mine = np.zeros((60, 30), dtype=bool)
    mine[:, :11] = mask
    chromosome = Chromosome(
        instance=_instance(mine, (10, 10)),
        label="1",
        confidence=0.9,
        probabilities=np.full(24, 1 / 24, np.float32),
        angle_deg=0.0,
        polarity=0.9,
    )
    shown = upright(canvas, chromosome)
    assert shown.shape == (60, 11)
    assert shown.min() > 40
    np.testing.assert_allclose(shown[mask], grey[mask], atol=1)
    assert (straighten(canvas, chromosome.instance, 0.0).pixels > 20).all()


def test_upright_turns_counter_clockwise(rod: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    grey, mask = rod(60)
    lying = np.ascontiguousarray(np.rot90(grey, -1))
    chromosome = Chromosome(
        instance=_instance(np.ascontiguousarray(np.rot90(mask, -1))),
        label="1",
        confidence=0.9,
        probabilities=np.full(24, 1 / 24, np.float32),
        angle_deg=90.0,
        polarity=0.9,
    )
    shown = upright(lying, chromosome)
    assert abs(shown.shape[0] - 60) <= 1
    assert abs(shown.shape[1] - 11) <= 1
    rows = np.where(mask, grey.astype(float), np.nan)
    assert np.corrcoef(np.nanmean(rows, axis=1)[2:-2], shown[2 : 2 + 56, 3:8].mean(axis=1))[0, 1] > 0.9


@pytest.mark.parametrize("constriction", [0.25, 0.35, 0.5])
def test_centromere_is_the_waist(rod: Callable[..., tuple[np.ndarray, np.ndarray]], constriction: float) -> None:
    grey, mask = rod(80, constriction=constriction)
    for expected in (None, constriction, constriction + 0.05):
        found = straighten(grey, _instance(mask), 0.0, expected_centromere=expected).centromere_row
        assert abs(found - constriction * 80) <= 3, expected


def test_expected_index_places_a_faint_centromere() -> None:
    widths = np.full(40, 10, dtype=np.float32)
    assert abs(centromere_row(widths, 0.2) - 8) <= 1
    assert abs(centromere_row(widths, 0.45) - 18) <= 1


def test_a_blob_falls_back_to_the_upright_crop() -> None:
    y, x = np.mgrid[-9:10, -9:10]
    mask = np.hypot(x, y) <= 8
    grey = np.where(mask, 90, BACKGROUND).astype(np.uint8)
    assert medial_axis(mask) is None
    result = straighten(grey, _instance(mask), 20.0)
    assert not result.along_axis
    assert abs(result.pixels.shape[0] - 17) <= 2


@given(mask=arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30))), angle=st.floats(-360, 360))
@settings(max_examples=60)
def test_every_mask_gives_a_picture(mask: np.ndarray, angle: float) -> None:
    pixels = np.full((40, 40), 100, np.uint8)
    result = straighten(pixels, _instance(mask, (25, 15)), angle, expected_centromere=0.3)
    assert result.pixels.ndim == 2
    assert result.pixels.size > 0
    assert len(result.profile) == result.pixels.shape[0]
    assert 0 <= result.centromere_row < result.pixels.shape[0]
    assert np.isfinite(result.profile).all()


def test_nothing_darker_than_the_original_appears(rod: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    grey, mask = _turned(*rod(60), 30)
    # Cubic interpolation may overshoot by a few grey levels, never make a band.
    assert straighten(grey, _instance(mask), -30.0).pixels.min() >= grey.min() - 12


@pytest.mark.parametrize("inverted", [False, True])
def test_dark_on_light_gives_white_background_and_keeps_the_order(inverted: bool) -> None:
    generator = np.random.default_rng(5)
    image = np.clip(generator.normal(215, 3, (90, 90)), 0, 255).astype(np.uint8)
    image[30:60, 30:40] = 120
    image[30:60, 45:50] = 60
    shown = dark_on_light(np.invert(image) if inverted else image, inverted=inverted)
    assert np.median(shown) > 245
    assert shown[45, 47] < 10
    assert shown[45, 47] < shown[45, 35] < shown[5, 5]
