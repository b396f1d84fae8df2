"""Train the third look: `python -m training.rescorer` (after training.objects).

It sees each object among the others and says whether it is one whole chromosome that no other object is: of the
objects that share half of a true box with it (intersection over union) the one that shares most is, the others are
not. Objects of which two looks are sure are shown seldom.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from consilium.karyotype.amodal import mask_crops
from consilium.karyotype.proposals import box_iou
from consilium.karyotype.rescore import crops_among, relations
from training.cells import DARKNESS_SCALE, RUNS
from training.checkpoint import resume, save
from training.networks import Rescorer, SecondLook
from training.objects import Objects, load_objects
from training.precision import mixed
from training.schedule import Schedule
from training.shipped import load_shipped
from training.stain import restained

A_CELL = 24
"""Objects taken from a cell at a time."""

WORTHS = (0.1, 0.2, 0.8)
SHOWN = (0.05, 0.4, 1.0, 0.12)
"""How often an object is shown, by its worth: under the first limit, between them, above the last."""

Batch = tuple[Tensor, Tensor, Tensor]


def truth_of(objects: Objects) -> NDArray[np.float32]:
    """(n,) 1 where an object is the one for a true chromosome, 0 elsewhere."""
    out = np.zeros(len(objects.proposals.worth), np.float32)
    if len(objects.cell.boxes):
        shared = box_iou(objects.proposals.boxes, objects.cell.boxes)
        found, true = linear_sum_assignment(-np.where(shared >= 0.5, 1 + shared, 0))
        out[found[shared[found, true] >= 0.5]] = 1
    return out


def darkness_of(objects: Objects) -> NDArray[np.float32]:
    return objects.cell.darkness.astype(np.float32) / DARKNESS_SCALE


def look(
    objects: Objects, rng: np.random.Generator, *, augment: bool = True
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Crops (n, 4, 96, 96), relations (n, 13) and truth (n,) of some objects of a cell; all where not augmented."""
    seen, darkness = objects.proposals, darkness_of(objects)
    figures, truth = relations(seen, objects.cell.width, darkness.shape), truth_of(objects)
    if not augment:
        return crops_among(darkness, seen), figures, truth
    chance = np.asarray(SHOWN)[np.digitize(seen.worth, WORTHS)]
    count = min(A_CELL, len(chance))
    chosen = rng.choice(len(chance), count, replace=False, p=chance / chance.sum())
    crops = crops_among(darkness, seen, only=chosen)
    crops[:, 0] = restained(torch.from_numpy(crops[None, :, 0]), rng)[0].numpy()
    for axis in (-1, -2):
        if rng.random() < 0.5:
            crops = np.flip(crops, axis)
    if rng.random() < 0.5:
        crops = crops.swapaxes(-1, -2)
    crops = np.roll(crops, rng.integers(-4, 5, 2), axis=(-2, -1))
    return np.ascontiguousarray(crops), figures[chosen], truth[chosen]


class Batches(IterableDataset[Batch]):
    """Some objects of some cells a step."""

    def __init__(self, cells: list[Objects], seed: tuple[int, ...], *, looks: int) -> None:
        self.cells = [one for one in cells if len(one.proposals.worth)]
        self.seed, self.looks = seed, looks

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(0)
        rng = np.random.default_rng(self.seed)
        while True:
            drawn = [look(self.cells[int(rng.integers(len(self.cells)))], rng) for _ in range(self.looks)]
            crops, figures, truth = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*drawn, strict=True))
            yield crops, figures, truth


@torch.no_grad()
def validate(network: Rescorer, held: list[Batch]) -> str:
    """Log loss on validation cells, of the objects that two looks leave open, by the worth alone and by the network."""
    network.eval()
    device = next(network.parameters()).device
    alone, third = [], []
    for crops, figures, truth in held:
        with mixed(device.type):
            odds = network(crops.to(device), figures.to(device)).float().cpu()
        open_ = (figures[:, 0].sigmoid() > WORTHS[0]) & (figures[:, 0].sigmoid() < WORTHS[-1])
        for odd, into in ((figures[:, 0], alone), (odds, third)):
            into.append(functional.binary_cross_entropy_with_logits(odd[open_], truth[open_], reduction="none"))
    network.train()
    return f"log loss {torch.cat(alone).mean():.4f} -> {torch.cat(third).mean():.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--looks", type=int, default=4, help=f"cells a step, {A_CELL} objects of each")
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="let the clock end the schedule, not the steps")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    cells = load_objects()
    rng = np.random.default_rng(1)
    held = [
        tuple(torch.from_numpy(part) for part in look(one, rng, augment=False))
        for one in cells
        if one.cell.part == "validation" and one.cell.source == "tseng2023"
    ][:60]
    train = [one for one in cells if one.cell.part == "train"]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = Rescorer().to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), args.rate, weight_decay=2e-3)
    schedule = Schedule(args.rate, args.steps, args.minutes)
    out = RUNS / "rescorer.pt"
    if not resume(out, network, optimiser, schedule):
        second = SecondLook()
        example = [mask_crops(darkness_of(one), one.proposals.boxes) for one in train[:4]]
        load_shipped(second, "amodal", (torch.from_numpy(np.concatenate(example)),))
        network.start_from(second)
    loader = iter(DataLoader(
        Batches(train, (args.seed, schedule.step), looks=args.looks), batch_size=None, num_workers=1, prefetch_factor=8
    ))  # fmt: skip
    began, total, every = time.time(), 0.0, 100
    while not schedule.over:
        crops, figures, truth = (part.to(device) for part in next(loader))
        crops = crops.contiguous(memory_format=torch.channels_last)
        with mixed(device):
            odds = network(crops, figures)
        loss = functional.binary_cross_entropy_with_logits(odds.float(), truth)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        rate = schedule.advance()
        for group in optimiser.param_groups:
            group["lr"] = rate
        total += loss.item() / every
        if schedule.step % every == 0 or schedule.over:
            told = validate(network, held) if schedule.step % (5 * every) == 0 or schedule.over else ""
            print(f"step {schedule.step} loss {total:.4f} {told} {time.time() - began:.0f}s", flush=True)
            total = 0.0
            save(out, network, optimiser, schedule)


if __name__ == "__main__":
    main()
