"""Pictures are re-stained alike by the same numbers, each in its own way, and stay darkness."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

import torch

from training.stain import restained


def strips(count: int, channels: int = 1) -> torch.Tensor:
    pictures = torch.zeros(count, channels, 40, 40)
    pictures[..., 10:30, 15:25] = 0.8
    return pictures


def test_the_same_numbers_change_a_picture_alike() -> None:
    first, again, other = (restained(strips(3), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_what_comes_out_is_darkness_and_the_chromosome_stays_where_it_was() -> None:
    pictures = strips(60)
    out = restained(pictures, np.random.default_rng(0))
    assert out.shape == pictures.shape and out.min() >= 0 and out.max() <= 1.5
    assert (out[..., 14:26, 18:22].mean((1, 2, 3)) > out[..., :6, :].mean((1, 2, 3)) + 0.2).all()
    # The pictures that went in are as they were.
    assert torch.equal(pictures, strips(60))


def test_each_picture_has_a_stain_of_its_own_and_its_channels_share_it() -> None:
    out = restained(strips(40, channels=3), np.random.default_rng(3))
    inside = out[..., 14:26, 18:22].mean((2, 3))
    assert inside.std(0).min() > 0.05
    assert (inside - inside.mean(1, keepdim=True)).abs().max() < 0.03


def test_some_are_out_of_focus() -> None:
    out = restained(strips(200), np.random.default_rng(4))
    step = (out[..., 20, 13:17].diff().abs().amax(-1) / out[..., 20, 18:22].mean(-1))[:, 0]
    assert 0.15 < (step < 0.75).float().mean() < 0.45
