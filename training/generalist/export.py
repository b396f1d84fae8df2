"""Turn a run into an ONNX file: `python -m training.generalist.export NAME [--mix 0.5] [--ship | --card]`.

Writes `CONSILIUM_RUNS/generalist/NAME.onnx` for the judge (`python -m benchmarks.generalist`), or with `--ship`
`src/consilium/generalist/weights/generalist.onnx` and its card, of which `training/cards/generalist.json` holds what
people wrote. The name `imagenet` stands for the weights everything starts from. `--mix` takes the mean of the run's
weights and those (Wortsman et al. 2022): what was learnt here, without leaving what was learnt there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from consilium.artefact.card import write_card
from consilium.generalist.network import LEVELS, MODALITIES, Modulation, Pyramid
from training.cells import RUNS
from training.export import ROOT, card
from training.generalist.pictures import load_pack
from training.generalist.train import from_imagenet, trained

WEIGHTS = ROOT / "src" / "consilium" / "generalist" / "weights"
RESULTS = ROOT / "benchmarks" / "results" / "generalist.json"


class Fixed(nn.Module):
    """A modulation whose table is settled: one row a modality, the last for an unknown one."""

    def __init__(self, modulation: Modulation, seen: Tensor) -> None:
        super().__init__()
        self.register_buffer("rows", modulation.table(seen).detach())

    def forward(self, x: Tensor, modality: Tensor, seen: Tensor) -> Tensor:
        gain, offset = self.rows[modality].chunk(2, 1)
        return x * (1 + gain[:, :, None, None]) + offset[:, :, None, None]


class ShippedFile(nn.Module):
    """(N, S, S, 3) 0..1 and (N,) row of the modality -> image vector and the four levels."""

    def __init__(self, trunk: Pyramid) -> None:
        super().__init__()
        self.trunk = trunk
        for number, one in enumerate(trunk.modulations):
            trunk.modulations[number] = Fixed(one, trunk.seen)

    def forward(self, images: Tensor, modality: Tensor) -> tuple[Tensor, ...]:
        maps = self.trunk(images.permute(0, 3, 1, 2), modality)
        return maps.image(), *maps.levels


def run(name: str, mix: float = 1.0) -> Pyramid:
    """A run's network, or a mean of its weights and those of ImageNet.

    Args:
        name: of the run, or "imagenet".
        mix: how much of the run.
    """
    start = from_imagenet(load_pack())
    if name == "imagenet":
        return start
    learnt = trained(name)
    if mix < 1:
        before = start.state_dict()
        mixed = {
            key: before[key].lerp(value, mix) if value.dtype.is_floating_point and key != "seen" else value
            for key, value in learnt.state_dict().items()
        }
        learnt.load_state_dict(mixed)
    return learnt


def write_onnx(trunk: Pyramid, path: Path) -> None:
    """Write the file; batch and side stay free."""
    outputs = ["image", *(f"level{stride}" for stride in LEVELS)]
    free = {"images": {0: "N", 1: "S", 2: "S"}, "modality": {0: "N"}, "image": {0: "N"}}
    free |= {f"level{stride}": {0: "N", 2: f"S/{stride}", 3: f"S/{stride}"} for stride in LEVELS}
    torch.onnx.export(
        ShippedFile(trunk.eval()).eval(), (torch.rand(2, 128, 128, 3), torch.zeros(2, dtype=torch.long)), str(path),
        input_names=["images", "modality"], output_names=outputs, dynamic_axes=free, opset_version=17, dynamo=False,
    )  # fmt: skip


def write_shipped_card(path: Path, learnt: tuple[str, ...]) -> None:
    """The card of the shipped file: what people wrote, its hash, its figures.

    Args:
        path: of the ONNX file.
        learnt: identifiers of the modalities it learnt from.
    """
    written = json.loads((ROOT / "training" / "cards" / "generalist.json").read_text(encoding="utf-8"))
    written["constants"] |= {"rows": " ".join(MODALITIES), "strides": list(LEVELS)}
    write_card(card(written, path, results=RESULTS, modalities=learnt), path.with_suffix(".json"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--mix", type=float, default=1.0)
    parser.add_argument("--ship", action="store_true")
    parser.add_argument("--card", action="store_true", help="only the card of the shipped file, after a benchmark")
    args = parser.parse_args()
    trunk = run(args.name, args.mix)
    learnt = tuple(one for one, seen in zip(MODALITIES, trunk.seen.tolist(), strict=True) if seen)
    suffix = "" if args.mix == 1 else f"_{args.mix:g}"
    shipped = args.ship or args.card
    path = WEIGHTS / "generalist.onnx" if shipped else RUNS / "generalist" / f"{args.name}{suffix}.onnx"
    if not args.card:
        write_onnx(trunk, path)
    if shipped:
        write_shipped_card(path, learnt)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
