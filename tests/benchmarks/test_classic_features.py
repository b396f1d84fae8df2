from __future__ import annotations

import numpy as np
import pytest

from benchmarks.classic_features import classic_features


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    x = np.tile(np.arange(64), (64, 1))
    stripes = np.sin(x / 2) * 0.5 + 0.5
    noise = np.random.default_rng(0).random((64, 64))
    flat = np.full((64, 64), 0.5)
    grey = np.stack([stripes, stripes.T, noise, flat]).astype(np.float32)
    return np.repeat(grey[..., None], 3, 3)


def test_each_picture_has_finite_features_of_its_own(pictures: np.ndarray) -> None:
    found = classic_features(pictures)
    assert found.shape[0] == 4 and found.dtype == np.float32 and np.isfinite(found).all()
    apart = np.linalg.norm(found[:, None] - found[None], axis=2) + np.eye(4)
    assert apart.min() > 0.1


def test_direction_and_colour_are_told_apart(pictures: np.ndarray) -> None:
    across, down = classic_features(pictures[:2])
    # The last 128 are gradients by cell and direction; stripes turned round exchange their directions.
    assert np.abs(across[-128:] - down[-128:]).max() > 0.1
    red = pictures[:1] * np.asarray([1.0, 0.2, 0.2], np.float32)
    assert np.abs(classic_features(red) - classic_features(pictures[:1])).max() > 0.1
