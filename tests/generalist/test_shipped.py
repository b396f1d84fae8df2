from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from consilium.artefact.card import read_card
from consilium.artefact.runtime import load_model
from consilium.errors import InputError, ModelError
from consilium.generalist.encoder import Level
from consilium.generalist.shipped import WEIGHTS, ShippedEncoder, shipped_encoder
from tests.generalist.conftest import ADDED, write_encoder

Make = Callable[..., NDArray[np.float32]]


def test_features_of_a_batch_are_those_of_its_pictures(tiny: ShippedEncoder, noise: Make) -> None:
    images = noise(12)
    together = tiny.embed(images)
    assert together.image == pytest.approx(images.mean((1, 2)) + ADDED["unknown"], abs=1e-4)
    for row in (0, 4, 5, 11):
        alone = tiny.embed(images[row : row + 1])
        assert alone.image[0] == pytest.approx(together.image[row], abs=1e-5)
        for one, level in zip(alone.levels, together.levels, strict=True):
            assert one[0] == pytest.approx(level[row], abs=1e-5)


def test_the_levels_have_the_strides_and_places_of_the_card(tiny: ShippedEncoder, noise: Make) -> None:
    images = noise(6, side=96)
    found = tiny.embed(images).levels
    assert tiny.levels == (Level(stride=4, channels=3), Level(stride=8, channels=3))
    assert [one.shape for one in found] == [(6, 3, 24, 24), (6, 3, 12, 12)]
    assert found[0][2, 1, 0, 5] == pytest.approx(images[2, 0:4, 20:24, 1].mean(), abs=1e-5)


def test_levels_that_are_not_asked_for_are_left_out(tiny: ShippedEncoder, noise: Make) -> None:
    assert tiny.embed(noise(2), levels=False).levels == ()


def test_the_modality_is_told(tiny: ShippedEncoder, noise: Make) -> None:
    colour = noise(3).mean((1, 2))
    for modality in ("us", "ct"):
        assert tiny.embed(noise(3), modality).image == pytest.approx(colour + ADDED[modality], abs=1e-4)


def test_an_unheard_of_modality_is_refused_with_those_there_are(tiny: ShippedEncoder, noise: Make) -> None:
    with pytest.raises(InputError, match=r"'xyz'.*us, ct"):
        tiny.embed(noise(1), "xyz")


def test_no_pictures_give_no_features(tiny: ShippedEncoder) -> None:
    found = tiny.embed(np.zeros((0, 64, 64, 3), np.float32))
    assert found.image.shape == (0, 3) and found.levels[0].shape == (0, 3, 16, 16)


def test_the_fingerprint_is_that_of_the_weights(tiny: ShippedEncoder, tmp_path: Path) -> None:
    again = ShippedEncoder(load_model(write_encoder(tmp_path), threads=1))
    assert again.fingerprint == tiny.fingerprint and len(tiny.fingerprint) == 64
    assert tiny.name == "tiny 1.0.0" and tiny.side == 64 and tiny.dimensions == 3


@pytest.mark.parametrize("constants", [{"strides": (16.0,)}, {"side": "large"}])
def test_a_card_that_describes_no_encoder_is_refused(tmp_path: Path, constants: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="does not describe an encoder"):
        ShippedEncoder(load_model(write_encoder(tmp_path, **constants)))


# What ships


@pytest.fixture(scope="module")
def shipped() -> ShippedEncoder:
    return shipped_encoder(threads=1)


def test_what_ships_fits_and_says_so(shipped: ShippedEncoder) -> None:
    card = read_card(WEIGHTS / "generalist.json")
    assert (WEIGHTS / card.file).stat().st_size <= 16 << 20
    assert len(shipped.modalities) == 19 and set(card.modalities) <= set(shipped.modalities)
    assert [level.stride for level in shipped.levels] == [4, 8, 16, 32]


@pytest.mark.parametrize("side", [64, 128, 160])
def test_what_ships_takes_any_side(shipped: ShippedEncoder, noise: Make, side: int) -> None:
    found = shipped.embed(noise(3, side), "us")
    assert found.image.shape == (3, shipped.dimensions) and np.isfinite(found.image).all()
    for level, one in zip(shipped.levels, found.levels, strict=True):
        assert one.shape == (3, level.channels, side // level.stride, side // level.stride)


def test_what_ships_sees_no_batch(shipped: ShippedEncoder, noise: Make) -> None:
    images = noise(5)
    together = shipped.embed(images, levels=False).image
    alone = np.concatenate([shipped.embed(one[None], levels=False).image for one in images])
    assert together == pytest.approx(alone, abs=1e-3)


def test_what_ships_takes_every_modality(shipped: ShippedEncoder, noise: Make) -> None:
    images = noise(2)
    for modality in shipped.modalities:
        assert np.isfinite(shipped.embed(images, modality, levels=False).image).all()


def test_what_ships_does_not_care_for_brightness_as_for_content(shipped: ShippedEncoder) -> None:
    y, x = np.mgrid[0:128, 0:128] / 127
    disc = ((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.1).astype(np.float32)
    stripes = (np.sin(40 * x) > 0).astype(np.float32)
    shown = [0.2 + 0.6 * disc, 0.25 + 0.6 * disc, 0.2 + 0.6 * stripes]
    images = np.repeat(np.stack(shown)[..., None], 3, 3).astype(np.float32)
    vectors = shipped.embed(images, levels=False).image
    apart = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    assert apart[0, 1] < 0.5 * apart[0, 2]
