"""Weights that come back out of a shipped file answer as the file does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

import torch

from consilium.karyotype.models import model
from training import shipped
from training.networks import Detector, SecondLook, Structure
from training.shipped import load_shipped


@pytest.mark.usefixtures("shipped_models")
def test_the_second_look_answers_as_the_file_does() -> None:
    torch.manual_seed(0)
    crops = torch.rand(6, 2, 64, 64)
    network = SecondLook()
    load_shipped(network, "amodal", (crops,))
    expected = model("amodal").run(crops=crops.numpy())
    with torch.no_grad():
        logits, quality, shifts = network.eval()(crops)
    assert logits.numpy() == pytest.approx(expected["logits"], abs=1e-3)
    assert quality.numpy() == pytest.approx(expected["quality"], abs=1e-3)
    assert shifts.numpy() == pytest.approx(expected["shifts"], abs=1e-3)


@pytest.mark.usefixtures("shipped_models")
def test_the_detector_answers_as_the_file_does() -> None:
    torch.manual_seed(0)
    darkness = torch.rand(2, 1, 64, 96)
    network = Detector()
    load_shipped(network, "detector", (darkness,))
    expected = model("detector").run(darkness=darkness[:1].numpy())
    with torch.no_grad():
        scores, distances = network.eval()(darkness[:1])
    assert scores[:, 1:].sigmoid().numpy() == pytest.approx(expected["scores"], abs=1e-4)
    assert np.log(distances.numpy()) == pytest.approx(np.log(expected["distances"]), abs=1e-3)


@pytest.mark.usefixtures("shipped_models")
def test_the_reader_of_structure_answers_as_the_file_does() -> None:
    torch.manual_seed(0)
    own, other = torch.rand(5, 2, 128, 24), torch.rand(5, 2, 128, 24)
    paired, label = torch.tensor([1.0, 0, 1, 1, 0]), torch.tensor([0, 5, 20, 22, 23])
    network = Structure()
    load_shipped(network, "structure", (own, other, paired, label))
    expected = model("structure").run(
        own=own.numpy(), other=other.numpy(), paired=paired.numpy(), label=label.numpy().astype(np.int64)
    )
    with torch.no_grad():
        rearranged, breaks, kinds = network.eval()(own, other, paired, label)
    assert rearranged.numpy() == pytest.approx(expected["rearranged"], abs=1e-3)
    assert breaks.numpy() == pytest.approx(expected["breaks"], abs=1e-3)
    assert kinds.numpy() == pytest.approx(expected["kinds"], abs=1e-3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the exporter that the recipes use
def test_a_file_of_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "WEIGHTS", tmp_path)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.Conv2d(3, 5, 3))
    example = torch.rand(2, 1, 9, 9)
    torch.onnx.export(network, (example,), str(tmp_path / "other.onnx"), dynamo=False)
    other = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.Conv2d(3, 4, 3))
    with pytest.raises(ValueError, match=r"other\.onnx and the network differ at 1"):
        load_shipped(other, "other", (example,))
