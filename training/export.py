"""Turn trained networks into what ships: `python -m training.export [NAME...]`.

Writes `src/consilium/karyotype/weights/NAME.onnx` and its card. The figures on a card are those that
`python -m benchmarks` wrote last (benchmarks/results/karyotype.json); constants are those that
`python -m training.calibrate` chose on validation cells.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from consilium.artefact.card import Metric, ModelCard, Tensor as TensorCard, TrainingData, write_card
from consilium.artefact.runtime import sha256_of
from training.cells import RUNS
from training.networks import AmodalMask, Classifier, Detector

WEIGHTS = Path(__file__).parents[1] / "src" / "consilium" / "karyotype" / "weights"
RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "karyotype.json"
VERSION = "1.0.0"

TSENG = TrainingData(
    name="Tseng et al. 2023, doi 10.1038/s41597-023-02003-7",
    licence="open data paper (Scientific Data 10:104); Cell Image Library CIL:54816",
    part="3,752 of the 3,936 images of the train part, split by case; 184 images kept for validation",
    use="chromosome boxes and classes",
)
ADIR = TrainingData(
    name="ADIR M-FISH, Advanced Digital Imaging Research, LLC",
    licence="permissive notice of the source; attribution: Advanced Digital Imaging Research, LLC",
    part="DAPI channel of 107 of 130 metaphases, split by slide",
    use="amodal masks of fluorescent chromosomes",
)
BIOIMLAB = TrainingData(
    name="BioImLab Q-band metaphases",
    licence="MPL-2.0 (annotations)",
    part="100 of 127 metaphases",
    use="amodal masks of Q-banded chromosomes",
)
SHIFT = "images of another laboratory: fewer right names; see the cross-laboratory line of the benchmark"


class DetectorFile(nn.Module):
    def __init__(self, network: Detector) -> None:
        super().__init__()
        self.network = network

    def forward(self, darkness: Tensor) -> tuple[Tensor, Tensor]:
        scores, distances = self.network(darkness)
        return scores[:, 1:].sigmoid(), distances


class ClassifierFile(nn.Module):
    def __init__(self, network: Classifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, strips: Tensor, geometry: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        together, alone, upside_down = self.network(strips, geometry)
        return together, alone, upside_down


def export(name: str) -> None:
    WEIGHTS.mkdir(exist_ok=True)
    path = WEIGHTS / f"{name}.onnx"
    network: nn.Module
    if name == "detector":
        trained: nn.Module = Detector()
        _load(trained, name)
        network, inputs = DetectorFile(trained), (torch.rand(1, 1, 384, 352),)  # type: ignore[arg-type]
        names, outputs = ["darkness"], ["scores", "distances"]
        axes = {"darkness": {2: "H", 3: "W"}}
    elif name == "amodal":
        network, inputs = AmodalMask(), (torch.rand(5, 2, 64, 64),)
        _load(network, name)
        names, outputs, axes = ["crops"], ["logits"], {"crops": {0: "N"}}
    else:
        trained = Classifier()
        _load(trained, name)
        network, inputs = ClassifierFile(trained), (torch.rand(7, 2, 128, 24), torch.rand(7, 7))  # type: ignore[arg-type]
        names, outputs = ["strips", "geometry"], ["logits", "alone", "upside_down"]
        axes = {"strips": {0: "N"}, "geometry": {0: "N"}}
    torch.onnx.export(
        network.eval(), inputs, str(path), input_names=names, output_names=outputs, dynamic_axes=axes,
        opset_version=17, dynamo=False,
    )  # fmt: skip
    write_card(card(name, path), path.with_suffix(".json"))
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


def _load(network: nn.Module, name: str) -> None:
    network.load_state_dict(torch.load(RUNS / f"{name}.pt", weights_only=True, map_location="cpu")["network"])


def constants(name: str) -> dict[str, float]:
    """What `training.calibrate` chose; before it has run, values that change nothing."""
    path = RUNS / "calibration.json"
    chosen = json.loads(path.read_text()) if path.exists() else {}
    neutral = {"detector": {"threshold": 0.35}, "classifier": {"temperature": 1.0, "extra_copy": 1.0, "margin_scale": 1.0, "margin_offset": 0.0}, "amodal": {}}[name]
    return {key: float(chosen.get(key, value)) for key, value in neutral.items()}


def metrics(*names: str) -> tuple[Metric, ...]:
    """Those figures of the last benchmark that concern a model."""
    if not RESULTS.exists():
        return ()
    figures = json.loads(RESULTS.read_text())["figures"]
    return tuple(
        Metric(name=f["name"], value=f["value"], low=f["low"], high=f["high"], n=f["n"], data=f["data"], date=f["date"])
        for f in figures
        if f["name"] in names and f["value"] is not None
    )


def card(name: str, path: Path) -> ModelCard:
    shared = {"name": name, "version": VERSION, "file": path.name, "sha256": sha256_of(path), "licence": "Apache-2.0"}
    if name == "detector":
        return ModelCard(
            **shared, task="find chromosomes in a metaphase, one report each, crossings included",
            inputs=(TensorCard(name="darkness", shape=(1, 1, "H", "W"), dtype="float32",
                               meaning="darkness at half size, 0 background, about 1 darkest bands; sides multiples of 32"),),
            outputs=(TensorCard(name="scores", shape=(1, 1, "H/4", "W/4"), dtype="float32", meaning="0..1, a chromosome is reported here"),
                     TensorCard(name="distances", shape=(1, 4, "H/4", "W/4"), dtype="float32",
                                meaning="input pixels to the left, top, right and bottom of the box")),
            trained_on=(TSENG, ADIR, BIOIMLAB),
            initialised_from=("ResNet-18, torchvision, ImageNet (BSD-3-Clause), stem to layer3",),
            metrics=metrics("detection_recall", "detection_precision", "cells_counted_exactly"),
            known_failures=("two chromosomes lying side by side over their whole length may be reported as one",
                            "chromosomes under a nucleus or under stain dirt are missed", SHIFT),
            intended_use="to propose where chromosomes lie, for review by a person", recipe="python -m training.detector",
            constants=constants(name),
        )  # fmt: skip
    if name == "amodal":
        return ModelCard(
            **shared, task="outline one chromosome completely, crossing pixels included, from its box",
            inputs=(TensorCard(name="crops", shape=("N", 2, 64, 64), dtype="float32", meaning="darkness, and 1 inside the box"),),
            outputs=(TensorCard(name="logits", shape=("N", 1, 64, 64), dtype="float32", meaning="positive inside the chromosome"),),
            trained_on=(TSENG, ADIR, BIOIMLAB), initialised_from=(), metrics=metrics("mask_ap50_adir", "mask_ap50_bioimlab"),
            known_failures=("of two crossing chromosomes with nearly the same box, the mask may follow the wrong one",
                            "heavily bent chromosomes that cross themselves"),
            intended_use="masks for display, cut-outs and the strips the classifier reads", recipe="python -m training.amodal",
            constants=constants(name),
        )  # fmt: skip
    return ModelCard(
        **shared, task="name the chromosomes of one cell and find their short arm",
        inputs=(TensorCard(name="strips", shape=("N", 2, 128, 24), dtype="float32", meaning="darkness and mask along the medial axis"),
                TensorCard(name="geometry", shape=("N", 7), dtype="float32", meaning="length, area, width, darkness, contrast, crossing, off axis")),
        outputs=(TensorCard(name="logits", shape=("N", 24), dtype="float32", meaning="class, the whole cell seen"),
                 TensorCard(name="alone", shape=("N", 24), dtype="float32", meaning="class, the strip alone"),
                 TensorCard(name="upside_down", shape=("N",), dtype="float32", meaning="positive: the long arm comes first")),
        trained_on=(TSENG,), initialised_from=(),
        metrics=metrics("class_accuracy", "gband612_accuracy", "gband612_polarity"),
        known_failures=("structural changes are not looked for; a derivative gets the name of what it resembles most",
                        "chromosomes of the C group, and 4/5, 13-15, 21/22 when bands are blurred", SHIFT),
        intended_use="to propose names, for review by a person who signs",
        recipe="python -m training.strips && python -m training.polarity && python -m training.classifier",
        constants=constants(name),
    )  # fmt: skip


def main() -> None:
    for name in sys.argv[1:] or ("detector", "amodal", "classifier"):
        export(name)


if __name__ == "__main__":
    main()
