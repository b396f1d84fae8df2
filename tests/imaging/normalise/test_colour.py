from __future__ import annotations

import numpy as np

from consilium.imaging.normalise.colour import shades_of_grey


def test_the_colour_of_the_lamp_is_taken_out() -> None:
    skin = np.random.default_rng(3).uniform(0.1, 0.5, (40, 40, 1)).astype(np.float32).repeat(3, axis=2)
    warm, cold = skin * np.float32([1.2, 1.0, 0.7]), skin * np.float32([0.8, 1.0, 1.3])
    np.testing.assert_allclose(shades_of_grey(warm) / shades_of_grey(warm).mean(), skin / skin.mean(), rtol=1e-5)
    ratio = shades_of_grey(warm).mean(axis=(0, 1)) / shades_of_grey(cold).mean(axis=(0, 1))
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)


def test_grey_stays_grey_and_black_stays_black() -> None:
    grey = np.full((4, 4, 3), 0.25, np.float32)
    np.testing.assert_allclose(shades_of_grey(grey), grey, rtol=1e-6)
    assert not shades_of_grey(np.zeros((4, 4, 3), np.float32)).any()


def test_a_colour_that_is_missing_is_not_made_up() -> None:
    red = np.zeros((4, 4, 3), np.float32)
    red[..., 0] = 0.5
    np.testing.assert_array_equal(shades_of_grey(red), red)
