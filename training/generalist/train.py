"""Train the generalist: `python -m training.generalist.train NAME --start imagenet --without us_busi_breast ...`.

Writes `CONSILIUM_RUNS/generalist/NAME.pt` and goes on from it when called again. `--start` is `scratch`, `imagenet`
or the name of an earlier run, whose trunk is taken; `--synthetic` learns from drawn pictures instead of real ones.
What started from earlier features is held near them: the image vector of the network it started from is asked for
too, on the same pictures (`--keep`), because six thousand pictures can spoil what a million taught.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training import checkpoint
from training.cells import RUNS
from training.generalist.imagenet import normalisation_layers, start_from_imagenet
from training.generalist.network import LEARNT_ON, MODALITIES, UNKNOWN, Pyramid
from training.generalist.pictures import Pack, load_pack
from training.generalist.synthetic import KINDS, PARAMETERS, draw_synthetic
from training.generalist.tasks import Heads, Lessons, draw, lessons, losses
from training.schedule import Schedule

HEAD_RATE = 2.4e-3
"""Highest learning rate of the heads, which start from nothing whatever the trunk starts from."""

USED = 128
"""Pixels of a side in use and in the judge."""

STATISTICS = 256
"""Pictures from which the normalisation of a network that starts from ImageNet takes its statistics."""


class Learner(nn.Module):
    """The trunk, its running mean, the heads: all that a checkpoint has to hold."""

    def __init__(self, data: Lessons | None) -> None:
        super().__init__()
        self.trunk = Pyramid()
        self.heads: nn.Module = Drawn() if data is None else Heads(data.classes, data.segmented)
        self.mean = Pyramid()
        self.before = Pyramid()
        for network in (self.mean, self.before):
            network.requires_grad_(False)

    def follow(self, step: int) -> None:
        """The running mean of the weights takes one step."""
        decay = min(0.99, (1 + step) / (10 + step))
        with torch.no_grad():
            for kept, now in zip(self.mean.state_dict().values(), self.trunk.state_dict().values(), strict=True):
                if kept.dtype.is_floating_point:
                    kept.lerp_(now, 1 - decay)
                else:
                    kept.copy_(now)


class Drawn(nn.Module):
    """The heads of the drawn pictures: which kind, which parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = nn.Linear(LEARNT_ON, len(KINDS))
        self.parameters_of_kind = nn.Linear(LEARNT_ON, len(KINDS) * PARAMETERS)


def run_path(name: str) -> Path:
    return RUNS / "generalist" / f"{name}.pt"


def trained(name: str) -> Pyramid:
    """The running mean of a run, ready for use."""
    network = Pyramid()
    state = torch.load(run_path(name), weights_only=True, map_location="cpu")["network"]
    network.load_state_dict({key[5:]: value for key, value in state.items() if key.startswith("mean.")})
    return network.eval()


def from_imagenet(pack: Pack) -> Pyramid:
    """The pyramid with ImageNet weights, nothing learnt here yet."""
    network = Pyramid()
    learnable = np.flatnonzero([row.learnable for row in pack.rows])
    chosen = np.sort(np.random.default_rng(0).choice(learnable, min(STATISTICS, len(learnable)), replace=False))
    start_from_imagenet(network, as_input(pack, chosen))
    return network.eval()


def as_input(pack: Pack, rows: np.ndarray) -> Tensor:
    """(N, 3, USED, USED) 0..1 whole pictures, not augmented."""
    pictures = torch.from_numpy(np.asarray(pack.pictures[rows])).permute(0, 3, 1, 2).float() / 255
    return functional.interpolate(pictures, size=USED, mode="bilinear", antialias=True)


def real_loss(learner: Learner, data: Lessons, count: int, rng: np.random.Generator, keep: float) -> dict[str, Tensor]:
    """The costs of one batch of real pictures."""
    batch = draw(data, count, rng)
    with torch.autocast("cpu" if not torch.cuda.is_available() else "cuda", torch.bfloat16):
        maps = learner.trunk(batch.pictures, batch.told)
    assert isinstance(learner.heads, Heads)
    found = losses(learner.heads, maps, batch)
    if keep:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            before = learner.before(batch.pictures, torch.full_like(batch.told, UNKNOWN)).means().float()
        spread = before.std(0) + 0.05
        found["keep"] = keep * (((maps.means().float() - before) / spread) ** 2).clamp(max=25).mean()
    return found


def synthetic_loss(learner: Learner, count: int, rng: np.random.Generator) -> dict[str, Tensor]:
    """The costs of one batch of drawn pictures."""
    pictures, kinds, asked = draw_synthetic(count, rng)
    with torch.autocast("cpu", torch.bfloat16):
        maps = learner.trunk(pictures, torch.full((count,), UNKNOWN))
    image = maps.means().float()
    assert isinstance(learner.heads, Drawn)
    said = learner.heads.parameters_of_kind(image).view(count, len(KINDS), PARAMETERS)[torch.arange(count), kinds]
    return {
        "kind": functional.cross_entropy(learner.heads.kind(image), kinds),
        "parameters": 4 * functional.smooth_l1_loss(said, asked, beta=0.1),
    }


def begin(learner: Learner, start: str, pack: Pack) -> None:
    """Give the trunk what it starts from, and remember that."""
    if start == "imagenet":
        learner.trunk.load_state_dict(from_imagenet(pack).state_dict())
    elif start != "scratch":
        learner.trunk.load_state_dict(trained(start).state_dict())
        learner.trunk.seen.zero_()
    for other in (learner.mean, learner.before):
        other.load_state_dict(learner.trunk.state_dict())
    learner.before.eval()


def parameter_groups(learner: Learner, rate: float) -> list[dict[str, object]]:
    trunk, heads = list(learner.trunk.parameters()), list(learner.heads.parameters())
    return [
        {"params": trunk, "lr": rate, "times": 1.0},
        {"params": heads, "lr": HEAD_RATE, "times": HEAD_RATE / rate, "weight_decay": 1e-3},
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--start", default="imagenet", help="scratch, imagenet, or an earlier run")
    parser.add_argument("--without", nargs="*", default=[], help="sets to leave out")
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, help="let the clock end the schedule, not the steps")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--keep", type=float, default=0.0, help="weight of staying near the features it started from")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    pack = load_pack()
    data = None if args.synthetic else lessons(pack, without=frozenset(args.without))
    learner = Learner(data)
    begin(learner, args.start, pack)
    if data is not None:
        learner.trunk.seen.copy_(torch.tensor([float(one in data.modalities) for one in MODALITIES]))
    optimiser = torch.optim.AdamW(parameter_groups(learner, args.rate), weight_decay=0.02)
    schedule = Schedule(args.rate, args.steps, args.minutes)
    checkpoint.resume(run_path(args.name), learner, optimiser, schedule)
    rng = np.random.default_rng([args.seed, schedule.step])
    learner.to(memory_format=torch.channels_last)
    learner.trunk.train()
    if args.keep:
        # A batch of five modalities is a poor measure of the sixth: the statistics it started with stay.
        for norm in normalisation_layers(learner.trunk):
            norm.eval()
    began, told = time.monotonic(), dict[str, float]()
    while not schedule.over:
        found = (
            synthetic_loss(learner, args.batch, rng)
            if data is None
            else real_loss(learner, data, args.batch, rng, args.keep)
        )
        optimiser.zero_grad()
        sum(found.values()).backward()
        nn.utils.clip_grad_norm_(learner.parameters(), 5.0)
        optimiser.step()
        rate = schedule.advance()
        for group in optimiser.param_groups:
            group["lr"] = rate * group["times"]
        learner.follow(schedule.step)
        for task, cost in found.items():
            told[task] = 0.95 * told.get(task, cost.item()) + 0.05 * cost.item()
        if schedule.step % 20 == 0 or schedule.over:
            line = " ".join(f"{task} {cost:.3f}" for task, cost in told.items())
            print(f"step {schedule.step} {line} {time.monotonic() - began:.0f}s", flush=True)
        if schedule.step % 100 == 0 or schedule.over:
            checkpoint.save(run_path(args.name), learner, optimiser, schedule)


if __name__ == "__main__":
    main()
