"""Encoders of the hub, with random weights and without a network; each test skips where its package is not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from consilium.errors import InputError, MissingExtra, ModelError
from consilium.generalist import hub as module
from consilium.generalist.embedding import Embedded, embed_files
from consilium.generalist.encoder import Encoder, Level
from consilium.generalist.hub import ModuleEncoder, Normalisation, hub_encoder
from consilium.generalist.inputs import Entry
from consilium.generalist.shipped import ShippedEncoder

Make = Callable[..., NDArray[np.float32]]

NEEDS_TORCH = "an encoder of the hub is a module of PyTorch (extra hub)"


def small(seed: int = 0) -> ModuleEncoder:
    """A module of one's own: a convolution, its map and the mean of it."""
    torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
    torch.manual_seed(seed)
    conv = torch.nn.Conv2d(3, 5, 8, 8)

    def forward(x: Any) -> tuple[Any, list[Any]]:
        found = conv(x)
        return found.mean((2, 3)), [found]

    return ModuleEncoder(name="small", module=conv, forward=forward, side=64, multiple=8, batch=4)


def test_any_module_is_an_encoder(noise: Make) -> None:
    encoder = small()
    assert isinstance(encoder, Encoder)
    assert (encoder.side, encoder.dimensions, encoder.levels) == (64, 5, (Level(stride=8, channels=5),))
    images = noise(9)
    found = encoder.embed(images, "us")
    assert found.image.shape == (9, 5) and found.levels[0].shape == (9, 5, 8, 8)
    assert found.image[6] == pytest.approx(encoder.embed(images[6:7]).image[0], abs=1e-5)
    assert encoder.embed(images, levels=False).levels == ()
    assert encoder.embed(images[:0]).image.shape == (0, 5)


def test_the_fingerprint_follows_the_weights_and_the_normalisation(noise: Make) -> None:
    assert small(0).fingerprint == small(0).fingerprint != small(1).fingerprint
    torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
    conv = torch.nn.Conv2d(3, 2, 8, 8)
    kinds = [
        ModuleEncoder(
            name="n", module=conv, forward=lambda x: (conv(x).mean((2, 3)), ()), side=64, normalisation=normalisation
        )
        for normalisation in (Normalisation(), Normalisation(mean=(0.5,) * 3, std=(0.5,) * 3))
    ]
    assert kinds[0].fingerprint != kinds[1].fingerprint
    assert kinds[0].embed(noise(1)).image != pytest.approx(kinds[1].embed(noise(1)).image, abs=1e-3)


def test_a_side_that_does_not_fit_is_refused(noise: Make) -> None:
    with pytest.raises(InputError, match="multiple of 8"):
        small().embed(noise(1, side=60))


def test_the_same_code_runs_on_two_encoders(tiny: ShippedEncoder, paint: Callable[..., Path], noise: Make) -> None:
    paths = [paint(f"{number}.png", (30 * number, 90, 200)) for number in range(4)]
    entries = [Entry(path=path, file=path.name) for path in paths]
    for encoder in (tiny, small()):
        found = embed_files(entries, encoder, side=64)
        vectors = np.stack([one.vector for one in found if isinstance(one, Embedded)])
        assert vectors.shape == (4, encoder.dimensions) and np.ptp(vectors, axis=0).max() > 0.01


def test_an_encoder_of_timm(noise: Make) -> None:
    pytest.importorskip("timm", reason="timm is not installed (extra hub)")
    encoder = hub_encoder("timm:resnet10t", pretrained=False)
    found = encoder.embed(noise(2, side=96))
    assert found.image.shape == (2, encoder.dimensions) and found.levels[0].shape[2:] == (3, 3)


def test_an_encoder_of_hugging_face(noise: Make, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra hub)")
    pytest.importorskip("torch", reason=NEEDS_TORCH)
    settings = transformers.Dinov2Config(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=56, patch_size=14
    )
    transformers.Dinov2Model(settings).save_pretrained(tmp_path)
    encoder = hub_encoder(f"hf:{tmp_path}")
    assert encoder.side == 56 and encoder.levels == (Level(stride=14, channels=32),)
    assert encoder.embed(noise(2, side=56)).levels[0].shape == (2, 32, 4, 4)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"torch and timm.*consilium\[hub\]"):
        hub_encoder("timm:resnet18")


@pytest.mark.parametrize("spec", ["resnet18", "timm:", "onnx:file"])
def test_a_name_of_no_hub_is_refused(spec: str) -> None:
    with pytest.raises(InputError, match="timm:NAME or hf:NAME"):
        hub_encoder(spec)


def test_a_hub_that_fails_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Encoder:
        raise RuntimeError("Unknown model (nothing)\nand a long story")

    monkeypatch.setattr(module, "need_hub", lambda *_: None)
    monkeypatch.setattr(module, "_timm", fail)
    with pytest.raises(ModelError, match=r"timm:nothing: .*Unknown model \(nothing\)\)\. Check"):
        hub_encoder("timm:nothing")
