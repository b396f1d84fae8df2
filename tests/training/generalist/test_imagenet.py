"""ImageNet's weights, made float again, do in PyTorch what they did in TensorFlow Lite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")
pytest.importorskip("tflite", reason="reads weights with the package tflite (extra train)")

from consilium.generalist.network import UNKNOWN, Pyramid  # noqa: E402
from training.generalist.imagenet import FILE, layers, start_from_imagenet  # noqa: E402

pytestmark = pytest.mark.real_data


def test_the_layers_are_those_of_the_network(real_data: Path) -> None:
    found = layers(real_data / "weights" / FILE)
    expected = [tuple(one.conv.weight.shape) for one in Pyramid().convolutions()]
    assert [tuple(weight.shape) for weight, _ in found] == [*expected, (1001, 1280, 1, 1)]


def test_normalisation_starts_as_the_identity(real_data: Path) -> None:
    torch.manual_seed(0)
    network = Pyramid()
    pictures = torch.rand(4, 3, 64, 64)
    start_from_imagenet(network, pictures)
    stem, (kernel, bias) = network.convolutions()[0], layers(real_data / "weights" / FILE)[0]
    x = torch.nn.functional.pad(torch.rand(1, 3, 32, 32), (0, 1, 0, 1))
    with torch.no_grad():
        found = stem.norm(stem.conv(x))
        assert torch.allclose(found, torch.nn.functional.conv2d(x, kernel, bias, stride=2), atol=1e-4)


def test_it_names_what_the_original_names(real_data: Path) -> None:
    """Skips without LiteRT, which is not a dependency: the recipe's author compares once."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert to compare with")
    network = Pyramid()
    rng = np.random.default_rng(0)
    small = rng.random((24, 3, 7, 7)).astype(np.float32)
    pictures = torch.nn.functional.interpolate(torch.from_numpy(small), size=224, mode="bicubic").clamp(0, 1)
    weight, offset = start_from_imagenet(network, pictures)
    original = interpreter.Interpreter(str(real_data / "weights" / FILE))
    original.allocate_tensors()
    port, said = original.get_input_details()[0]["index"], original.get_output_details()[0]["index"]
    among_five = 0
    for picture in pictures:
        levels = (picture * 255).round().permute(1, 2, 0).numpy().astype(np.uint8)
        original.set_tensor(port, levels[None])
        original.invoke()
        with torch.no_grad():
            maps = network(torch.from_numpy(levels / np.float32(255)).permute(2, 0, 1)[None], torch.tensor([UNKNOWN]))
            named = (maps.last.mean((2, 3)) @ weight.T + offset)[0].topk(5).indices.tolist()
        among_five += int(original.get_tensor(said)[0].argmax()) in named
    assert among_five >= 20
