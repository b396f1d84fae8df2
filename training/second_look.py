"""Train the second look: `python -m training.second_look` (after training.proposals).

Half of a batch are chromosomes with known masks: those that lie alone (threshold masks) in their real
surroundings, the same pasted over each other (exact amodal masks), and the hand-made masks of the Q-band and
M-FISH sets. The other half are the detector's proposals in the training cells, right and wrong, with their
intersection over union and the shifts of their sides that would make them right. A sample is a 64 x 64 crop.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from consilium.karyotype.amodal import SIDE, mask_crops
from consilium.karyotype.proposals import box_iou
from training.amodal import Samples, mask_loss
from training.cells import CORES, DARKNESS_SCALE, Cell, learnt, runs
from training.checkpoint import resume, save
from training.networks import SecondLook
from training.proposals import Proposed, load_proposals, training_cells
from training.schedule import Schedule
from training.shipped import load_shipped
from training.stain import restained

A_CELL = 24
"""Proposals taken from a cell at a time."""

DIRT = 0.1
"""Proposals that share less than this with any chromosome are dirt, nuclei or background."""

DIRT_OFTENER = 5.0
"""How much oftener those are shown than their score alone would have them: they are few and hard to turn away."""

WORTH_SHIFTING = 0.35
"""Proposals that share less than this with a chromosome are not told where it is."""


@dataclass(frozen=True)
class Looked:
    """Proposals of one cell as the network sees them, and what it should say.

    Attributes:
        crops: (n, 2, 64, 64) float32.
        overlap: (n,) float32, intersection over union with the nearest true box.
        shifts: (n, 4) float32, left, top, right, bottom, towards the true box, in longer sides.
        masks: (n, 64, 64) float32; -1 throughout where the mask is not known.
    """

    crops: NDArray[np.float32]
    overlap: NDArray[np.float32]
    shifts: NDArray[np.float32]
    masks: NDArray[np.float32]


def look(
    cell: Cell, proposals: Proposed, rng: np.random.Generator, *, augment: bool = True, most: int = A_CELL
) -> Looked:
    """Crops of some proposals of a cell, jittered, re-stained, turned by right angles and mirrored."""
    chance = np.sqrt(proposals.scores)
    if augment and len(cell.boxes):
        chance = chance * np.where(box_iou(proposals.boxes, cell.boxes).max(1) < DIRT, DIRT_OFTENER, 1.0)
    chosen = (
        rng.choice(len(chance), min(most, len(chance)), replace=False, p=chance / chance.sum())
        if augment
        else np.arange(len(chance))
    )
    boxes = proposals.boxes[chosen].copy()
    if augment:
        longest = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
        boxes += (rng.normal(0, 0.03, boxes.shape) * longest * (rng.random((len(boxes), 1)) < 0.7)).astype(np.float32)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 4)
    darkness = cell.darkness.astype(np.float32) / DARKNESS_SCALE
    crops = mask_crops(darkness, boxes)
    if len(cell.boxes):
        shared = box_iou(boxes, cell.boxes).astype(np.float32)
        nearest = shared.argmax(1)
        overlap = shared[np.arange(len(boxes)), nearest]
        shifts = cell.boxes[nearest] - boxes
    else:
        nearest, overlap, shifts = np.zeros(len(boxes), np.intp), np.zeros(len(boxes), np.float32), 0 * boxes
    shifts = shifts / (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    masks = np.full((len(boxes), SIDE, SIDE), -1, np.float32)
    for row, true in enumerate(nearest):
        if overlap[row] > 0.5 and (known := cell.masks[true]) is not None:
            masks[row] = mask_crop(known, boxes[row])
    if augment:
        crops[:, 0] = restained(torch.from_numpy(crops[None, :, 0]), rng)[0].numpy()
        crops, shifts, masks = turned(crops, shifts, masks, rng)
    return Looked(crops, overlap, shifts.astype(np.float32), masks)


def mask_crop(known: tuple[NDArray[np.bool_], tuple[int, int]], box: NDArray[np.float32]) -> NDArray[np.float32]:
    """(64, 64) 0/1: a mask cut as `mask_crops` cuts the picture."""
    mask, (x, y) = known
    corner = np.asarray([x, y, x, y], np.float32)
    pad = np.ceil(np.maximum(0, [x - box[0], y - box[1], box[2] - x - mask.shape[1], box[3] - y - mask.shape[0]])) + 16
    left, top, right, bottom = pad.astype(int)
    padded = np.pad(mask.astype(np.float32), ((top, bottom), (left, right)))
    cut = mask_crops(padded, (box - corner + np.asarray([left, top, left, top], np.float32))[None])[0, 0]
    return np.asarray(cut > 0.5, np.float32)


def turned(
    crops: NDArray[np.float32], shifts: NDArray[np.float32], masks: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """One of the eight ways to lay a square, the same for all crops of a cell."""
    if rng.random() < 0.5:
        crops, masks = crops[..., ::-1], masks[..., ::-1]
        shifts = shifts[:, [2, 1, 0, 3]] * (-1, 1, -1, 1)
    if rng.random() < 0.5:
        crops, masks = crops[..., ::-1, :], masks[..., ::-1, :]
        shifts = shifts[:, [0, 3, 2, 1]] * (1, -1, 1, -1)
    if rng.random() < 0.5:
        crops, masks, shifts = crops.swapaxes(-1, -2), masks.swapaxes(-1, -2), shifts[:, [1, 0, 3, 2]]
    return np.ascontiguousarray(crops), shifts, np.ascontiguousarray(masks)


Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


class Batches(IterableDataset[Batch]):
    """Crops (n, 2, 64, 64), masks (n, 64, 64), overlap (n,) (-1: not told), shifts (n, 4), which shifts are told."""

    def __init__(
        self, cells: list[Cell], proposals: dict[str, Proposed], seed: tuple[int, ...], *, known: int, looks: int
    ) -> None:
        self.cells = [c for c in cells if len(proposals[c.name].scores) >= A_CELL]
        self.proposals, self.seed, self.known, self.looks = proposals, seed, known, looks
        self.samples = Samples(cells)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng([*self.seed, getattr(get_worker_info(), "id", 0)])
        while True:
            drawn = [self.samples.draw(rng) for _ in range(self.known)]
            seen = [
                look(cell, self.proposals[cell.name], rng)
                for cell in (self.cells[int(rng.integers(len(self.cells)))] for _ in range(self.looks))
            ]
            yield batch_of(drawn, seen)


def batch_of(drawn: list[tuple[NDArray[np.float32], NDArray[np.float32]]], seen: list[Looked]) -> Batch:
    crops = np.concatenate([*[x[None] for x, _ in drawn], *[s.crops for s in seen]])
    masks = np.concatenate([*[y for _, y in drawn], *[s.masks for s in seen]])
    overlap = np.concatenate([np.full(len(drawn), -1, np.float32), *[s.overlap for s in seen]])
    shifts = np.concatenate([np.zeros((len(drawn), 4), np.float32), *[s.shifts for s in seen]])
    return (
        torch.from_numpy(crops), torch.from_numpy(masks), torch.from_numpy(overlap), torch.from_numpy(shifts),
        torch.from_numpy(overlap > WORTH_SHIFTING),
    )  # fmt: skip


def losses(network: SecondLook, batch: Batch) -> dict[str, Tensor]:
    crops, masks, overlap, shifts, shifting = batch
    logits, quality, moved = network(crops)
    known = masks[:, 0, 0] >= 0
    told = overlap >= 0
    return {
        "mask": mask_loss(logits[known, 0].float(), masks[known]),
        "quality": 2 * functional.binary_cross_entropy_with_logits(quality[told].float(), overlap[told]),
        "shift": 10 * functional.smooth_l1_loss(moved[shifting].float(), shifts[shifting], beta=0.05),
    }


@torch.no_grad()
def validate(network: SecondLook, held: list[tuple[Looked, Cell]]) -> str:
    network.eval()
    before, after, error = [], [], []
    for seen, _ in held:
        crops = torch.from_numpy(seen.crops).to(next(network.parameters()).device)
        _, quality, moved = (part.cpu() for part in network(crops))
        error.append(np.abs(quality.sigmoid().numpy() - seen.overlap))
        near = seen.overlap > WORTH_SHIFTING
        before.append(np.abs(seen.shifts[near]).mean())
        after.append(np.abs(seen.shifts[near] - moved.numpy()[near]).mean())
    network.train()
    wrong = np.concatenate(error).mean()
    return f"overlap wrong by {wrong:.4f}, sides off by {np.mean(before):.4f} -> {np.mean(after):.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--known", type=int, default=24, help="crops with known masks a step")
    parser.add_argument("--looks", type=int, default=2, help=f"cells a step, {A_CELL} proposals of each")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="let the clock end the schedule, not the steps")
    parser.add_argument("--without", type=int, choices=(0, 1), help="a half of the cases that it does not learn from")
    parser.add_argument("--from-shipped", action="store_true", help="go on from the weights that ship")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    cv2.setNumThreads(0)  # its threads do not survive the fork of the loading process
    cells, proposals = training_cells(), load_proposals()
    train = learnt(cells, args.without)
    rng = np.random.default_rng(1)
    held = [
        (look(c, proposals[c.name], rng, augment=False), c)
        for c in cells
        if c.part == "validation" and c.source == "tseng2023"
    ][:40]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = SecondLook().to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), args.rate, weight_decay=1e-3)
    schedule = Schedule(args.rate, args.steps, args.minutes)
    out = runs(args.without) / "amodal.pt"
    resumed = resume(out, network, optimiser, schedule)
    # A run that goes on draws what it has not drawn yet.
    batches = Batches(train, proposals, (args.seed, schedule.step), known=args.known, looks=args.looks)
    if args.from_shipped and not resumed:
        load_shipped(network, "amodal", (next(iter(batches))[0],))
    loader = iter(DataLoader(batches, batch_size=None, num_workers=max(CORES - 1, 1), prefetch_factor=4))
    began, sums, every = time.time(), {}, 100
    while not schedule.over:
        found = losses(network, tuple(part.to(device) for part in next(loader)))
        optimiser.zero_grad()
        sum(found.values()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        rate = schedule.advance()
        for group in optimiser.param_groups:
            group["lr"] = rate
        for name, value in found.items():
            sums[name] = sums.get(name, 0.0) + value.item() / every
        if schedule.step % every == 0 or schedule.over:
            shown = {name: round(value, 4) for name, value in sums.items()}
            told = validate(network, held) if schedule.step % (5 * every) == 0 or schedule.over else ""
            print(f"step {schedule.step}", shown, told, f"{time.time() - began:.0f}s", flush=True)
            sums = {}
            save(out, network, optimiser, schedule)


if __name__ == "__main__":
    main()
