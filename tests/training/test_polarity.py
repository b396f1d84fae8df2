"""Which end of a strip is the short arm, worked out without labels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

from consilium.cytogenetics.bands import profile
from training.polarity import LENGTH, MARGIN, orient, profiles, unit

Floats = NDArray[np.float32]


def expected_of(name: str) -> Floats:
    """The ideogram's darkness as the recipe smooths it, (64,)."""
    return np.convolve(profile(name, 4 * LENGTH, level=850), np.ones(16) / 16, mode="same")[2::4].astype(np.float32)


def drawn_profiles(name: str, number: int, noise: float, seed: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Noisy profiles of one class, some upside down, and which."""
    rng = np.random.default_rng(seed)
    down = rng.random(number) < 0.4
    template = unit(expected_of(name))
    own = np.where(down[:, None], template[::-1], template) + rng.normal(0, noise, (number, LENGTH))
    return unit(own), down


@pytest.mark.parametrize("name", ["1", "5", "13", "18", "X"])
def test_profiles_upside_down_are_told_apart(name: str) -> None:
    own, down = drawn_profiles(name, 200, 0.08, seed=1)
    margin, template, way_up = orient(own, expected_of(name))
    sure = np.abs(margin) > MARGIN
    assert sure.mean() > 0.8
    assert ((margin < 0) == down)[sure].mean() > 0.99
    assert template @ unit(expected_of(name)) > 0.9
    assert way_up > 0


def test_the_ideogram_decides_which_end_is_up() -> None:
    own, _ = drawn_profiles("9", 100, 0.05, seed=2)
    up, template, _ = orient(own, expected_of("9"))
    down, other, _ = orient(own, expected_of("9")[::-1])
    assert np.array_equal(up > 0, down < 0)
    assert template @ other[::-1] == pytest.approx(1.0, abs=1e-3)


def test_noise_alone_is_left_undecided_more_often() -> None:
    noise = unit(np.random.default_rng(3).normal(size=(200, LENGTH)))
    clear, _ = drawn_profiles("5", 200, 0.05, seed=3)
    undecided = [np.mean(np.abs(orient(own, expected_of("5"))[0]) <= MARGIN) for own in (noise, clear)]
    assert undecided[0] > undecided[1]


def test_a_profile_has_no_mean_and_norm_one() -> None:
    own = unit(np.random.default_rng(4).normal(3, 2, (7, LENGTH)))
    assert own.mean(axis=1) == pytest.approx(np.zeros(7), abs=1e-6)
    assert np.linalg.norm(own, axis=1) == pytest.approx(np.ones(7), abs=1e-5)
    assert not unit(np.full((1, LENGTH), 4.0)).any()


def test_a_strip_gives_the_profile_of_its_chromosome() -> None:
    bands = 100 + 60 * np.sin(np.arange(80) / 5)
    strip = np.zeros((2, 128, 24), np.uint8)
    strip[0, 24:104, 8:16], strip[1, 24:104, 8:16] = bands[:, None].astype(np.uint8), 160
    strip[0, :, 20:] = 200
    read = profiles(np.stack([strip, np.zeros_like(strip)]))
    wanted = unit(np.interp(np.linspace(0, 79, LENGTH), np.arange(80), bands))
    assert read[0] @ wanted > 0.99
    assert not read[1].any()
