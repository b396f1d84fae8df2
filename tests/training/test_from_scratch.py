"""The network that frozen features are held against can be taught, and repeats itself."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

from training.from_scratch import SIDE, Recipe, ResNet18, from_scratch, shown  # noqa: E402

QUICK = Recipe(epochs=1, least_steps=12, batch=16, rate=0.02)


def _pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Red or green noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pictures = 0.3 * rng.random((count, 64, 64, 3), np.float32)
    pictures[np.arange(count), :, :, labels] += np.float32(0.5)
    return pictures, labels.astype(np.intp)


def test_it_is_resnet_18() -> None:
    network = ResNet18(1000)
    # 11,689,512 is what torchvision counts for a thousand classes.
    assert sum(one.numel() for one in network.parameters()) == 11_689_512
    assert network(torch.zeros(2, 3, SIDE, SIDE)).shape == (2, 1000)


def test_pictures_are_shown_small_by_the_mean_of_areas() -> None:
    pictures = np.random.default_rng(0).random((2, 128, 128, 3), np.float32)
    expected = pictures.reshape(2, 64, 2, 64, 2, 3).mean((2, 4))
    assert np.allclose(shown(pictures).permute(0, 2, 3, 1).numpy(), expected, atol=1e-6)


def test_few_cases_make_no_fewer_steps_than_the_least() -> None:
    recipe = Recipe(epochs=30, least_steps=100, batch=32)
    assert (recipe.steps(200), recipe.steps(40)) == (187, 100)


def test_it_learns_what_is_plain_and_repeats_itself() -> None:
    known, labels = _pictures(24, 0)
    asked, truth = _pictures(10, 1)
    found = from_scratch(known, labels, asked, any_way_up=True, seed=3, recipe=QUICK)
    assert found.shape == (10, 2) and np.allclose(found.sum(1), 1, atol=1e-6)
    assert ((found[:, 1] > found[:, 1].mean()) == truth).all()
    assert np.array_equal(found, from_scratch(known, labels, asked, any_way_up=True, seed=3, recipe=QUICK))
