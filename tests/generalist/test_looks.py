from __future__ import annotations

import cv2
import numpy as np
import pytest

from consilium.generalist.encoder import Encoder, Features, Level
from consilium.generalist.looks import LookingEncoder, Looks, area_weights, looking, shrunk


class Corners:
    """Says what the two upper corners are like, and how large the picture is."""

    name = "corners"
    fingerprint = "0" * 64
    side = 64
    dimensions = 3
    levels = (Level(stride=4, channels=3),)

    def embed(self, images: np.ndarray, modality: str | None = None, *, levels: bool = True) -> Features:
        """The features."""
        size = np.full(len(images), images.shape[1])
        return Features(image=np.column_stack([images[:, 0, 0, 0], images[:, 0, -1, 0], size]).astype(np.float32))


def _pictures(side: int) -> np.ndarray:
    return np.random.default_rng(0).random((3, side, side, 3), np.float32)


@pytest.mark.parametrize(("size", "side"), [(224, 128), (128, 64), (112, 64)])
def test_a_smaller_picture_is_the_mean_of_areas(size: int, side: int) -> None:
    pictures = _pictures(size)
    expected = np.stack([cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in pictures])
    assert shrunk(pictures, side) == pytest.approx(expected, abs=1e-5)
    assert area_weights(size, side).sum(1) == pytest.approx(np.ones(side), abs=1e-5)


def test_a_mirror_image_is_looked_at_too() -> None:
    encoder: Encoder = looking(Corners(), Looks(sides=(64,), mirrored=True))
    pictures = _pictures(64)
    found = encoder.embed(pictures).image
    assert found[:, 0] == pytest.approx(found[:, 1])
    assert found[:, 0] == pytest.approx(pictures[:, 0, [0, -1], 0].mean(1))
    assert np.array_equal(found, encoder.embed(pictures[:, :, ::-1].copy()).image)


def test_sizes_are_averaged_and_pictures_come_in_the_finest() -> None:
    encoder = looking(Corners(), Looks(sides=(64, 112), mirrored=False))
    assert encoder.side == 112 and encoder.dimensions == 3 and encoder.levels == () and encoder.name == "corners"
    assert encoder.embed(_pictures(112)).image[:, 2].tolist() == [88, 88, 88]


def test_one_look_is_the_encoder_itself() -> None:
    corners = Corners()
    assert looking(corners, Looks(sides=(64,), mirrored=False)) is corners


def test_fingerprints_tell_looks_apart() -> None:
    kinds = [Looks(sides=sides, mirrored=mirrored) for sides in ((64,), (112,), (64, 112)) for mirrored in (0, 1)]
    assert len({LookingEncoder(Corners(), one).fingerprint for one in kinds} | {Corners.fingerprint}) == 7
