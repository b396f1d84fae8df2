"""Train the amodal mask network: `python -m training.amodal`.

Truth comes from three places: chromosomes that lie alone (threshold masks) in their real surroundings, the
same chromosomes pasted over each other (exact amodal masks), and the hand-made masks of the Q-band and
M-FISH sets. A sample is a 64 x 64 crop around a (jittered) box.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from consilium.karyotype.amodal import FILL, SIDE, box_channel
from training.cells import DARKNESS_SCALE, RUNS, Cell, load_cells
from training.networks import AmodalMask
from training.schedule import Schedule


@dataclass(frozen=True)
class Cutting:
    """One chromosome with a known mask: where it is and its contour points (x, y) in the image."""

    cell: int
    index: int
    points: NDArray[np.float32]


def cuttings(cells: list[Cell]) -> list[Cutting]:
    found = []
    for number, cell in enumerate(cells):
        for index, entry in enumerate(cell.masks):
            if entry is None:
                continue
            mask, (x, y) = entry
            contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            points = np.concatenate([c[:, 0] for c in contours]).astype(np.float32) + np.asarray([x, y], np.float32)
            found.append(Cutting(number, index, points))
    return found


def patch(cell: Cell, index: int, margin: int = 4) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[int, int]]:
    """Darkness and soft mask of one chromosome alone, with the corner they start at."""
    entry = cell.masks[index]
    assert entry is not None
    mask, (x, y) = entry
    padded = np.pad(mask, margin).astype(np.float32)
    height, width = cell.darkness.shape
    x0, y0 = x - margin, y - margin
    rows = np.clip(np.arange(y0, y0 + padded.shape[0]), 0, height - 1)
    columns = np.clip(np.arange(x0, x0 + padded.shape[1]), 0, width - 1)
    darkness = cell.darkness[np.ix_(rows, columns)].astype(np.float32) / DARKNESS_SCALE
    soft = np.clip(cv2.GaussianBlur(cv2.dilate(padded, np.ones((3, 3))), (0, 0), 1.0), 0, 1)
    return darkness * soft, padded, (x0, y0)


def rotation(angle: float, scale: float, mirror: bool) -> NDArray[np.float32]:
    c, s = math.cos(angle) * scale, math.sin(angle) * scale
    m = np.asarray([[c, -s], [s, c]], np.float32)
    return m @ np.diag([-1.0, 1.0]).astype(np.float32) if mirror else m


def appearance(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Another laboratory's stain, focus and camera."""
    x = x * rng.uniform(0.7, 1.25)
    x = np.sign(x) * np.abs(x) ** rng.uniform(0.7, 1.5)
    if rng.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.2))
    x = x + rng.normal(0, rng.uniform(0, 0.05), x.shape).astype(np.float32) + rng.uniform(-0.03, 0.08)
    return np.clip(x, 0, 1.5).astype(np.float32)


def sample(
    cells: list[Cell],
    pieces: list[Cutting],
    pasteable: list[Cutting],
    rng: np.random.Generator,
    *,
    augment: bool = True,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """((2, 64, 64) input, (1, 64, 64) truth)."""
    composite = augment and rng.random() < 0.55
    piece = (pasteable if composite else pieces)[int(rng.integers(len(pasteable if composite else pieces)))]
    cell = cells[piece.cell]
    turn = (
        rotation(rng.uniform(0, 2 * math.pi), 1.0, bool(rng.random() < 0.5)) if augment else np.eye(2, dtype=np.float32)
    )
    moved = piece.points @ turn.T
    low, high = moved.min(0), moved.max(0) + 1
    longest = float((high - low).max())
    slack = rng.uniform(-0.02, 0.07, 4) * longest + rng.uniform(-1, 5)
    low, high = low - slack[:2], high + slack[2:]
    centre, size = (low + high) / 2, high - low
    scale = FILL * SIDE / float(size.max())
    over = 2  # warp at twice the size, then average, because crops are mostly reduced
    matrix = turn * scale * over
    shift = SIDE * over / 2 - centre * scale * over
    side = SIDE * over

    def warp(
        image: NDArray[np.float32], m: NDArray[np.float32], origin: tuple[int, int], t: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        affine = np.column_stack([m, t + m @ np.asarray(origin, np.float32)])
        return np.asarray(cv2.warpAffine(image, affine, (side, side), flags=cv2.INTER_LINEAR), np.float32)

    if composite:
        darkness, mask, origin = patch(cell, piece.index)
        image, truth = warp(darkness, matrix, origin, shift), warp(mask, matrix, origin, shift)
        extent = FILL * side
        for _ in range(int(rng.integers(1, 4))):
            other = pasteable[int(rng.integers(len(pasteable)))]
            d, m, o = patch(cells[other.cell], other.index)
            gain = rng.uniform(0.75, 1.25)
            m2 = rotation(rng.uniform(0, 2 * math.pi), scale * over * rng.uniform(0.85, 1.15), False)
            at = np.asarray([side / 2, side / 2]) + rng.uniform(-0.55, 0.55, 2) * extent * (size / size.max())
            t2 = (at - m2 @ (np.asarray(o) + np.asarray(m.shape[::-1]) / 2)).astype(np.float32)
            pasted, cover = warp(d * gain, m2, o, t2), warp(m, m2, o, t2)
            way = rng.random()
            if way < 0.4:  # absorbances add, the camera saturates
                image = np.minimum(image + pasted * rng.uniform(0.4, 1.0), rng.uniform(1.0, 1.4))
            elif way < 0.6:
                image = np.maximum(image, pasted)
            elif way < 0.8:
                image = image * (1 - cover) + pasted * cover
            else:
                image = np.where(truth > 0.5, image, np.maximum(image, pasted))
    else:
        source = cell.darkness.astype(np.float32) / DARKNESS_SCALE
        image = warp(source, matrix, (0, 0), shift)
        entry = cell.masks[piece.index]
        assert entry is not None
        truth = warp(entry[0].astype(np.float32), matrix, entry[1], shift)
    image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    truth = cv2.resize(truth, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    if augment:
        image = appearance(image, rng)
    return np.stack([image, box_channel(size)]), (truth[None] > 0.5).astype(np.float32)


class Samples(IterableDataset[tuple[NDArray[np.float32], NDArray[np.float32]]]):
    def __init__(self, cells: list[Cell], seed: int) -> None:
        self.cells, self.seed = cells, seed
        self.pieces = cuttings(cells)
        self.pasteable = [p for p in self.pieces if cells[p.cell].source == "tseng2023"]
        masks = [p for p in self.pieces if cells[p.cell].source != "tseng2023"]
        self.pieces += masks * max(1, len(self.pasteable) // max(1, 3 * len(masks)))

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        while True:
            yield sample(self.cells, self.pieces, self.pasteable, rng)


def mask_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    p = logits.sigmoid()
    overlap = (p * truth).flatten(1).sum(1)
    dice = 1 - (2 * overlap + 1) / (p.flatten(1).sum(1) + truth.flatten(1).sum(1) + 1)
    return functional.binary_cross_entropy_with_logits(logits, truth) * 2 + dice.mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="let the clock end the schedule, not the steps")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    cv2.setNumThreads(0)  # its threads do not survive the fork of the loading process
    device = "cuda" if torch.cuda.is_available() else "cpu"
    cells = [c for source in ("tseng2023", "adir_mfish", "bioimlab_qband") for c in load_cells(source)]
    samples = Samples([c for c in cells if c.part == "train"], args.seed)
    held = Samples([c for c in cells if c.part == "validation"], args.seed)
    rng = np.random.default_rng(1)
    fixed = [sample(held.cells, held.pieces, held.pasteable, rng) for _ in range(512)]
    held_x = torch.from_numpy(np.stack([x for x, _ in fixed]))
    held_y = torch.from_numpy(np.stack([y for _, y in fixed]))
    network = AmodalMask().to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), args.rate, weight_decay=1e-3)
    schedule = Schedule(args.rate, args.steps, args.minutes)
    out = RUNS / "amodal.pt"
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        state = torch.load(out, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.resume(state["schedule"])
    loader = iter(DataLoader(samples, args.batch, num_workers=1, prefetch_factor=8))
    began, total = time.time(), 0.0
    while not schedule.over:
        x, y = next(loader)
        x, y = x.to(device, memory_format=torch.channels_last), y.to(device)
        with torch.autocast(device, dtype=torch.bfloat16):
            logits = network(x)
        loss = mask_loss(logits.float(), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate = schedule.advance()
        for group in optimiser.param_groups:
            group["lr"] = rate
        total += loss.item()
        if schedule.step % 100 == 0 or schedule.over:
            iou = validate(network, held_x.to(device), held_y.to(device))
            print(f"step {schedule.step} loss {total / 100:.4f} IoU {iou:.4f} {time.time() - began:.0f}s", flush=True)
            total = 0.0
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(),
                     "schedule": schedule.state()}  # fmt: skip
            torch.save(state, out.with_suffix(".partial"))
            out.with_suffix(".partial").rename(out)


@torch.no_grad()
def validate(network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean IoU over held-out crops."""
    network.eval()
    found = torch.cat([network(part) for part in x.split(128)]) > 0
    network.train()
    truth = y > 0.5
    return float(((found & truth).flatten(1).sum(1) / (found | truth).flatten(1).sum(1)).mean())


if __name__ == "__main__":
    main()
