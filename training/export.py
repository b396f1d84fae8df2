"""Turn trained networks into what ships: `python -m training.export [NAME...]`.

Writes `src/consilium/karyotype/weights/NAME.onnx` and its card. What people wrote of a model is in
`training/cards/NAME.json`; there, `metrics` names the figures of the last benchmark that concern it, and
`constants` holds neutral values that `python -m training.calibrate` replaces. Without a checkpoint in `runs/` the
ONNX file stays as it is and only its card is written again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from consilium.artefact.card import Metric, ModelCard, TrainingData, read_card, write_card
from consilium.artefact.card import Tensor as Port
from consilium.artefact.runtime import sha256_of
from consilium.karyotype.models import NAMES
from consilium.karyotype.rescore import RELATIONS
from training.cells import RUNS, runs
from training.networks import Classifier, Detector, Rescorer, SecondLook, Structure

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "src" / "consilium" / "karyotype" / "weights"
RESULTS = ROOT / "benchmarks" / "results" / "karyotype.json"


class DetectorFile(nn.Module):
    """What ships of the detector: the one-to-one score, as a probability, and the distances."""

    def __init__(self, network: Detector) -> None:
        super().__init__()
        self.network = network

    def forward(self, darkness: Tensor) -> tuple[Tensor, Tensor]:
        scores, distances = self.network(darkness)
        return scores[:, 1:].sigmoid(), distances


def shipped(name: str, checkpoint: Path) -> tuple[nn.Module, tuple[Tensor, ...], dict[str, dict[int, str]]]:
    """The trained network as it ships, example inputs, and the sides that are free."""
    trained: nn.Module = {
        "detector": Detector, "amodal": SecondLook, "rescorer": Rescorer, "classifier": Classifier,
        "structure": Structure,
    }[name]()  # fmt: skip
    trained.load_state_dict(torch.load(checkpoint, weights_only=True, map_location="cpu")["network"])
    if name == "detector":
        assert isinstance(trained, Detector)
        return DetectorFile(trained), (torch.rand(1, 1, 384, 352),), {"darkness": {2: "H", 3: "W"}}
    if name == "amodal":
        return trained, (torch.rand(5, 2, 64, 64),), {"crops": {0: "N"}}
    if name == "rescorer":
        return trained, (torch.rand(5, 4, 96, 96), torch.rand(5, RELATIONS)), {"crops": {0: "N"}, "relations": {0: "N"}}
    if name == "structure":
        strip, ones = torch.rand(7, 2, 128, 24), torch.ones(7)
        free = {port: {0: "N"} for port in ("own", "other", "paired", "label")}
        return trained, (strip, strip, ones, torch.arange(7)), free
    return trained, (torch.rand(7, 2, 128, 24), torch.rand(7, 7)), {"strips": {0: "N"}, "geometry": {0: "N"}}


def weights(without: int | None = None) -> Path:
    """Where models lie that `training.export` wrote: those that ship, or those without a half of the cases."""
    return WEIGHTS if without is None else runs(without) / "weights"


def export(name: str, without: int | None = None) -> Path:
    """Write the ONNX file and the card of one model; the card alone where no training has left a checkpoint."""
    weights(without).mkdir(exist_ok=True)
    path = weights(without) / f"{name}.onnx"
    checkpoint = runs(without) / f"{name}.pt"
    written = json.loads((ROOT / "training" / "cards" / f"{name}.json").read_text(encoding="utf-8"))
    if checkpoint.exists():
        network, inputs, free = shipped(name, checkpoint)
        torch.onnx.export(
            network.eval(), inputs, str(path), input_names=list(free), dynamic_axes=free, opset_version=17,
            output_names=[port["name"] for port in written["outputs"]], dynamo=False,
        )  # fmt: skip
    write_card(card(written, path), path.with_suffix(".json"))
    return path


def card(
    written: dict[str, Any], path: Path, *, results: Path = RESULTS, modalities: tuple[str, ...] = ()
) -> ModelCard:
    """The card of a file: what people wrote, its hash, and the figures and constants that were measured."""
    calibration = RUNS / "calibration.json"
    before = path.with_suffix(".json")
    chosen = dict(read_card(before).constants) if before.exists() else {}
    if calibration.exists():
        chosen |= json.loads(calibration.read_text()).get(written["name"], {})
    ports = {
        side: tuple(Port(**(port | {"shape": tuple(port["shape"])})) for port in written[side])
        for side in ("inputs", "outputs")
    }
    return ModelCard(
        **{k: written[k] for k in ("name", "version", "task", "intended_use", "licence", "recipe")},
        **ports,
        file=path.name,
        sha256=sha256_of(path),
        trained_on=tuple(TrainingData(**entry) for entry in written["trained_on"]),
        initialised_from=tuple(written["initialised_from"]),
        known_failures=tuple(written["known_failures"]),
        metrics=metrics(written["metrics"], results),
        constants={key: chosen.get(key, neutral) for key, neutral in written["constants"].items()},
        modalities=modalities or tuple(written.get("modalities", ())),
    )


def metrics(names: list[str], results: Path = RESULTS) -> tuple[Metric, ...]:
    """Figures of the last benchmark, by name; none before there was one."""
    if not results.exists():
        return ()
    entries = ("name", "value", "low", "high", "n", "data", "date")
    figures = json.loads(results.read_text(encoding="utf-8"))["figures"]
    found = {f["name"]: Metric(**{k: f[k] for k in entries}) for f in figures if f["value"] is not None}
    return tuple(found[name] for name in names if name in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all of them without")
    parser.add_argument("--without", type=int, choices=(0, 1), help="those that did not learn from a half of the cases")
    args = parser.parse_args()
    for name in args.names or NAMES:
        path = export(name, args.without)
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
