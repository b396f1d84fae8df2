"""One appearance for every picture: polarity, background, contrast, scale."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consilium.errors import NoMetaphase
from consilium.karyotype.metaphase import Normalised
from consilium.karyotype.normalise import normalise
from consilium.karyotype.render import karyotype_set, render_metaphase

Grey = NDArray[np.uint8]
WIDTH = 8.0


@cache
def draw(width: float = WIDTH, *, seed: int = 3, **dials: float) -> Grey:
    rng = np.random.default_rng(seed)
    return render_metaphase(karyotype_set("46,XX"), rng, width_px=width, **dials).pixels  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def grey() -> Grey:
    return draw()


@pytest.fixture(scope="module")
def usual(grey: Grey) -> Normalised:
    return normalise(grey)


def difference(first: Normalised, second: Normalised) -> tuple[float, float]:
    """Mean and greatest difference of darkness."""
    away = np.abs(first.darkness - second.darkness)
    return float(away.mean()), float(away.max())


def test_background_is_zero_and_dark_bands_are_about_one(grey: Grey, usual: Normalised) -> None:
    assert usual.darkness.shape == grey.shape and usual.darkness.dtype == np.float32
    assert usual.darkness.min() == 0.0 and usual.darkness.max() <= 1.5
    truth = render_metaphase(karyotype_set("46,XX"), np.random.default_rng(3), width_px=WIDTH).truth
    inside = np.zeros(grey.shape, bool)
    for one in truth:
        (x, y), (height, width) = one.origin, one.mask.shape
        inside[y : y + height, x : x + width] |= one.mask
    assert np.median(usual.darkness[~cv2.dilate(inside.astype(np.uint8), np.ones((9, 9))).astype(bool)]) < 0.05
    assert 0.85 < np.percentile(usual.darkness[inside], 95) < 1.1
    assert not usual.inverted


def test_an_inverted_copy_looks_the_same_and_says_so(grey: Grey, usual: Normalised) -> None:
    turned = normalise(np.invert(grey))
    assert turned.inverted and not usual.inverted
    assert difference(usual, turned)[1] < 1e-3
    assert turned.chromosome_width == usual.chromosome_width


def test_sixteen_bits_look_like_eight(grey: Grey, usual: Normalised) -> None:
    deep = normalise(grey.astype(np.uint16) * 240 + 2000)
    assert difference(usual, deep)[1] < 1e-3
    assert deep.chromosome_width == usual.chromosome_width


@settings(max_examples=20)
@given(gain=st.floats(0.35, 1.0), lift=st.floats(0.0, 1.0), inverted=st.booleans())
def test_brightness_and_contrast_of_the_camera_hardly_matter(gain: float, lift: float, inverted: bool) -> None:
    grey = draw()
    levels = grey * gain + lift * 255 * (1 - gain)
    other = np.round(255 - levels if inverted else levels).astype(np.uint8)
    changed = normalise(other)
    assert changed.inverted == inverted
    mean, greatest = difference(normalise(grey), changed)
    # Fewer grey levels are coarser ones: half a level either way, over the contrast that is left.
    assert mean < 0.01 and greatest < 0.04


@settings(max_examples=8)
@given(turns=st.integers(0, 3), mirrored=st.booleans())
def test_how_the_slide_lay_on_the_stage_does_not_matter(turns: int, mirrored: bool) -> None:
    grey = draw()
    turned = np.ascontiguousarray(np.rot90(grey[:, ::-1] if mirrored else grey, turns))
    back = np.rot90(normalise(turned).darkness, -turns)
    # Reductions to half the size round differently at odd sides.
    assert np.abs((back[:, ::-1] if mirrored else back) - normalise(grey).darkness).mean() < 0.01


@pytest.mark.parametrize("drawn", [8.0, 12.0, 24.0])
def test_the_chromosome_width_is_the_drawn_one(drawn: float) -> None:
    assert normalise(draw(drawn)).chromosome_width == pytest.approx(drawn, rel=0.15)


@pytest.mark.parametrize("factor", [1.3, 2.2])
def test_the_chromosome_width_follows_the_size_of_the_picture(grey: Grey, usual: Normalised, factor: float) -> None:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=way), np.uint8)
    assert normalise(resized).chromosome_width == pytest.approx(factor * usual.chromosome_width, rel=0.12)


def test_nuclei_and_dirt_hardly_touch_the_scale() -> None:
    clean, dirty = draw(nuclei=0, debris=0), draw(nuclei=3, debris=4)
    assert normalise(dirty).chromosome_width == pytest.approx(normalise(clean).chromosome_width, rel=0.12)


def test_a_white_frame_around_the_cell_changes_nothing_inside_it(grey: Grey, usual: Normalised) -> None:
    framed = normalise(np.pad(grey, 40, constant_values=255))
    assert not framed.inverted
    assert np.abs(framed.darkness[40:-40, 40:-40] - usual.darkness).mean() < 0.01


@pytest.mark.parametrize("level", [0, 200, 255])
def test_a_blank_picture_is_called_blank(level: int) -> None:
    with pytest.raises(NoMetaphase, match="blank") as problem:
        normalise(np.full((300, 300), level, np.uint8))
    assert problem.value.way_out


@pytest.mark.parametrize("noise", [2.0, 8.0, 30.0])
def test_noise_is_no_metaphase(noise: float) -> None:
    grain = np.random.default_rng(0).normal(200, noise, (400, 400))
    with pytest.raises(NoMetaphase):
        normalise(np.clip(grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("radius", [40, 70, 120])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_nucleus_is_no_metaphase(radius: int, inverted: bool) -> None:
    page = np.full((400, 400), 210, np.uint8)
    cv2.circle(page, (190, 210), radius, (110,), -1)
    soft = cv2.GaussianBlur(page.astype(np.float32), (0, 0), 2) + np.random.default_rng(0).normal(0, 1.5, page.shape)
    grey = np.clip(soft, 0, 255).astype(np.uint8)
    with pytest.raises(NoMetaphase):
        normalise(np.invert(grey) if inverted else grey)


def test_uneven_light_alone_is_no_metaphase() -> None:
    slope = np.tile(np.linspace(120, 220, 400), (400, 1)) + np.random.default_rng(0).normal(0, 1.5, (400, 400))
    with pytest.raises(NoMetaphase):
        normalise(slope.astype(np.uint8))


@settings(max_examples=40)
@given(
    height=st.integers(32, 80),
    width=st.integers(32, 80),
    seed=st.integers(0, 1000),
    levels=st.sampled_from([2, 256, 65536]),
)
def test_any_picture_is_normalised_or_refused(height: int, width: int, seed: int, levels: int) -> None:
    drawn = np.random.default_rng(seed).integers(0, levels, (height, width))
    pixels = drawn.astype(np.uint16 if levels > 256 else np.uint8) * (255 if levels == 2 else 1)
    try:
        found = normalise(pixels.astype(np.uint16) if levels > 256 else pixels.astype(np.uint8))
    except NoMetaphase as refused:
        assert refused.way_out
        return
    assert found.darkness.shape == (height, width) and np.isfinite(found.darkness).all()
    assert found.chromosome_width >= 3
