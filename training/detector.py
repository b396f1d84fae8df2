"""Train the detector: `python -m training.detector`.

Images are shown at the detector's scale on a fixed canvas laid where chromosomes crowd, turned by right angles
and mirrored (exact for boxes), scaled, and re-stained; chromosomes with known masks are pasted in at any angle to
make crossings. Labels are assigned by task alignment (Feng et al. 2021, TOOD): ten places a chromosome for the
one-to-many score and one place for the one-to-one score.

What follows the detector must learn from what it proposes in cells that it has not learnt from. So it is trained three
times: on everything, which ships, and on all but either half of the cases (`--without 0`, `--without 1`).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from consilium.karyotype.find import REDUCTION, STRIDE
from training.amodal import Cutting, cuttings, patch, rotation
from training.cells import CORES, DARKNESS_SCALE, Cell, data_folder, learnt, load_cells, runs
from training.checkpoint import resume, save
from training.networks import Detector
from training.precision import mixed
from training.schedule import Schedule
from training.shipped import load_shipped
from training.stain import restained

CANVAS = 320
"""Side of the training canvas, in pixels of the reduced image: about a third of a spread."""

CROWDED = 3.0
"""How much oftener a canvas is laid around a chromosome that touches another than around one that lies alone."""

PASTED = 1.0
"""Chromosomes pasted into a canvas, on average."""

MOST = 64
"""Places for boxes in a batch; a canvas with more (a tetraploid, heavy pasting) drops the last pasted."""

NO_CLASS = -1
"""Label of a chromosome whose class nobody told."""


@dataclass(frozen=True)
class Canvas:
    """Part of a cell, pasted into or not.

    Attributes:
        darkness: (320, 320) uint8, `DARKNESS_SCALE` = 1.0.
        boxes: (n, 4) float32.
        labels: (n,) int64, NO_CLASS unknown.
        cut: (m, 4) float32, boxes cut off at the border, where nothing is asked.
    """

    darkness: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    cut: NDArray[np.float32]


def canvas(cell: Cell, cells: list[Cell], pasteable: list[Cutting], rng: np.random.Generator) -> Canvas:
    """Lay a canvas on a cell."""
    # Mostly the magnification it was taken at: others are rarer at work than their difficulty would make them here.
    low, high = (0.65, 1.2) if rng.random() < 0.25 else (0.88, 1.12)
    scale = REDUCTION * math.exp(rng.uniform(math.log(low), math.log(high)))
    chance = np.asarray([1.0 if mask is not None else CROWDED for mask in cell.masks])
    middle = cell.boxes[int(rng.choice(len(cell.boxes), p=chance / chance.sum()))].reshape(2, 2).mean(0)
    side = round(CANVAS / scale)
    corner = (middle - side / 2 + rng.uniform(-side / 4, side / 4, 2)).round().astype(int)
    window = np.zeros((side, side), np.uint8)
    (x0, y0), (x1, y1) = np.maximum(corner, 0), np.minimum(corner + side, cell.darkness.shape[::-1])
    window[y0 - corner[1] : y1 - corner[1], x0 - corner[0] : x1 - corner[0]] = cell.darkness[y0:y1, x0:x1]
    image = cv2.resize(window, (CANVAS, CANVAS), interpolation=cv2.INTER_AREA)
    boxes = (cell.boxes - np.tile(corner, 2)) * (CANVAS / side)
    if rng.random() < 0.5:
        image, boxes = (
            image[:, ::-1],
            np.stack([CANVAS - boxes[:, 2], boxes[:, 1], CANVAS - boxes[:, 0], boxes[:, 3]], 1),
        )
    for _ in range(int(rng.integers(4))):
        image = np.rot90(image)
        boxes = np.stack([boxes[:, 1], CANVAS - boxes[:, 2], boxes[:, 3], CANVAS - boxes[:, 0]], 1)
    out, labels = image.astype(np.float32) / DARKNESS_SCALE, cell.labels.astype(np.int64)
    for _ in range(int(rng.poisson(PASTED))):
        piece = pasteable[int(rng.integers(len(pasteable)))]
        if (pasted := _paste(out, boxes, cells, piece, CANVAS / side, rng)) is not None:
            boxes = np.concatenate([boxes, pasted])
            labels = np.append(labels, cells[piece.cell].labels[piece.index])
    clipped = np.clip(boxes, 0, CANVAS)
    visible = (clipped[:, 2:] - clipped[:, :2]).prod(1) / (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return Canvas(
        np.clip(out * DARKNESS_SCALE, 0, 255).astype(np.uint8),
        clipped[visible > 0.4][:MOST].astype(np.float32),
        labels[visible > 0.4][:MOST],
        clipped[(visible <= 0.4) & (visible > 0)].astype(np.float32),
    )


def _paste(
    out: NDArray[np.float32],
    boxes: NDArray[np.float32],
    cells: list[Cell],
    piece: Cutting,
    scale: float,
    rng: np.random.Generator,
) -> NDArray[np.float32] | None:
    darkness, mask, origin = patch(cells[piece.cell], piece.index)
    turn = rotation(rng.uniform(0, 2 * math.pi), scale * rng.uniform(0.85, 1.15), False)
    inside = boxes[((boxes[:, :2] + boxes[:, 2:] > 0) & (boxes[:, :2] + boxes[:, 2:] < 2 * CANVAS)).all(1)]
    if not len(inside):
        return None
    near = inside[int(rng.integers(len(inside)))]
    centre = (near[:2] + near[2:]) / 2 + rng.normal(0, 0.6, 2) * (near[2:] - near[:2])
    middle = np.asarray(origin) + np.asarray(mask.shape[::-1]) / 2
    points = (piece.points - middle) @ turn.T + centre
    low, high = points.min(0) - rng.uniform(0, 3, 2), points.max(0) + 1 + rng.uniform(0, 3, 2)
    if (low < 0).any() or (high > CANVAS).any():
        return None
    affine = np.column_stack([turn, centre + turn @ (np.asarray(origin) - middle)])
    pasted = cv2.warpAffine(darkness, affine, (CANVAS, CANVAS))
    x0, y0, x1, y1 = *np.floor(low).astype(int), *np.ceil(high).astype(int)
    window, new = out[y0:y1, x0:x1], pasted[y0:y1, x0:x1] * rng.uniform(0.8, 1.2)
    if rng.random() < 0.5:
        window[:] = np.minimum(window + new * rng.uniform(0.5, 1.0), np.maximum(1.3, window))
    else:
        window[:] = np.maximum(window, new)
    return np.asarray([[*low, *high]], np.float32)


@dataclass(frozen=True)
class Batch:
    """Canvases as the loss sees them.

    Attributes:
        darkness: (B, 1, 320, 320) uint8.
        boxes: (B, 64, 4) float32, of which the first ones count.
        labels: (B, 64) int64.
        count: (B,) int64, how many.
        ignore: (B, places) bool, where nothing is asked.
    """

    darkness: Tensor
    boxes: Tensor
    labels: Tensor
    count: Tensor
    ignore: Tensor

    def to(self, device: str) -> Batch:
        return Batch(*(part.to(device, non_blocking=True) for part in astuple(self)))


class Canvases(IterableDataset[Canvas]):
    def __init__(self, cells: list[Cell], seed: tuple[int, ...]) -> None:
        self.cells, self.seed = [c for c in cells if len(c.boxes)], seed
        self.pasteable = [p for p in cuttings(cells) if cells[p.cell].source == "tseng2023"]

    def __iter__(self) -> Iterator[Canvas]:
        cv2.setNumThreads(0)  # its threads do not survive the fork of the loading process
        rng = np.random.default_rng([*self.seed, getattr(get_worker_info(), "id", 0)])
        while True:
            for index in rng.permutation(len(self.cells)):
                yield canvas(self.cells[index], self.cells, self.pasteable, rng)


def collate(canvases: list[Canvas]) -> Batch:
    count = torch.tensor([len(one.boxes) for one in canvases])
    boxes = torch.zeros(len(canvases), MOST, 4)
    labels = torch.full((len(canvases), MOST), NO_CLASS)
    ignore = torch.zeros(len(canvases), CANVAS // STRIDE, CANVAS // STRIDE, dtype=torch.bool)
    for i, one in enumerate(canvases):
        boxes[i, : count[i]] = torch.from_numpy(one.boxes)
        labels[i, : count[i]] = torch.from_numpy(one.labels)
        for x0, y0, x1, y1 in (one.cut / STRIDE).astype(int):
            ignore[i, y0 : y1 + 1, x0 : x1 + 1] = True
    darkness = torch.from_numpy(np.stack([one.darkness for one in canvases]))[:, None]
    return Batch(darkness, boxes, labels, count, ignore.flatten(1))


def iou_of(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes (..., 4), broadcast."""
    overlap = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - overlap
    return overlap / union.clamp(min=1e-6)


def generalised_iou(a: Tensor, b: Tensor) -> Tensor:
    """GIoU (Rezatofighi et al. 2019) of boxes (..., 4)."""
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1)
    iou = iou_of(a, b)
    area = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    union = area / (1 + iou)
    return iou - (hull - union) / hull.clamp(min=1e-6)


def places(height: int, width: int, device: torch.device) -> Tensor:
    """(height * width, 2) centres of the output cells in input pixels."""
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    return (torch.stack([x, y], -1).reshape(-1, 2).float() + 0.5) * STRIDE


def loss_of(scores: Tensor, distances: Tensor, classes: Tensor, batch: Batch) -> dict[str, Tensor]:
    """What the network's answers cost, by what they answer; P places, M = 64 boxes."""
    centres = places(*scores.shape[2:], scores.device)
    d = distances.flatten(2).transpose(1, 2)
    predicted = torch.cat([centres - d[..., :2], centres + d[..., 2:]], -1)  # (B, P, 4)
    logits = scores.float().flatten(2)  # (B, 2, P)
    told = torch.arange(MOST, device=scores.device) < batch.count[:, None]
    with torch.no_grad():
        low, high = batch.boxes[:, :, None, :2], batch.boxes[:, :, None, 2:]
        inside = ((centres > low) & (centres < high)).all(-1) & told[..., None]
        iou = iou_of(predicted[:, None], batch.boxes[:, :, None]) * inside  # (B, M, P)
    found: dict[str, Tensor] = {}
    box = logits.new_zeros(())
    for row, (name, top) in enumerate((("many", 10), ("one", 1))):
        with torch.no_grad():
            metric = logits[:, row].sigmoid().sqrt()[:, None] * iou**4
            chosen = torch.zeros_like(metric).scatter_(2, metric.topk(top, 2).indices, 1.0) * (metric > 0)
            # A place that two chromosomes want goes to the one it fits better.
            owner_value, owner = (metric * chosen).max(1)
            quality = metric / metric.amax(2, keepdim=True).clamp(min=1e-9) * (iou * chosen).amax(2, keepdim=True)
            positive = owner_value > 0
            target = quality.gather(1, owner[:, None])[:, 0] * positive  # (B, P)
        bce = functional.binary_cross_entropy_with_logits(logits[:, row], target, reduction="none")
        # Quality focal weighting (Li et al. 2020) keeps the many easy empty places from ruling.
        weight = (target - logits[:, row].sigmoid()).abs().detach() + target
        norm = target.sum().clamp(min=1)
        found[name] = (bce * weight * ~batch.ignore).sum() / norm
        of, place = positive.nonzero(as_tuple=True)
        value, owned = target[of, place], owner[of, place]
        giou = generalised_iou(predicted[of, place], batch.boxes[of, owned])
        box = box + (1.0 if name == "many" else 0.5) * ((1 - giou) * value).sum()
        if name == "many":
            many = norm
            said = classes.float().flatten(2)[of, :, place]
            wrong = functional.cross_entropy(said, batch.labels[of, owned], ignore_index=NO_CLASS, reduction="none")
            found["class"] = 0.5 * (wrong * value).sum() / norm
    return found | {"box": 2 * box / many}


def initialise(network: Detector) -> None:
    """ImageNet weights of ResNet-18, stem to layer3, batch normalisation folded, colour summed to grey."""
    weights = np.load(data_folder().parent / "weights" / "resnet18_imagenet_partial_fp16.npz")
    state = network.state_dict()
    for name in weights.files:
        if name in state:
            value = torch.from_numpy(weights[name].astype(np.float32))
            state[name] = value.sum(1, keepdim=True) if name == "conv1.weight" else value
    network.load_state_dict(state)


@torch.no_grad()
def recall_precision(network: Detector, cells: list[Cell], threshold: float = 0.35) -> tuple[float, float, float]:
    """Recall, precision at IoU 0.5 and the share of cells with the right count, on whole cells."""
    from training.matching import match

    network.eval()
    hits = found_total = truth_total = exact = 0
    for cell in cells:
        image = cv2.resize(
            cell.darkness.astype(np.float32) / DARKNESS_SCALE, None, fx=REDUCTION, fy=REDUCTION,
            interpolation=cv2.INTER_AREA,
        )  # fmt: skip
        height, width = (-(-n // 32) * 32 for n in image.shape)
        padded = np.zeros((height, width), np.float32)
        padded[: image.shape[0], : image.shape[1]] = image
        x = torch.from_numpy(padded)[None, None].to(next(network.parameters()).device)
        scores, distances = network(x)
        p = scores[0, 1].flatten().float().sigmoid()
        index = torch.nonzero(p > threshold)[:, 0]
        centres = places(height // STRIDE, width // STRIDE, x.device)[index]
        d = distances[0].flatten(1).T[index]
        boxes = (torch.cat([centres - d[:, :2], centres + d[:, 2:]], 1) / REDUCTION).cpu().numpy()
        pairs = match(boxes, p[index].cpu().numpy(), cell.boxes)
        hits += len(pairs)
        found_total += len(boxes)
        truth_total += len(cell.boxes)
        exact += len(boxes) == len(cell.boxes)
    network.train()
    return hits / truth_total, hits / max(found_total, 1), exact / len(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=float, default=40)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="let the clock end the schedule, not the steps")
    parser.add_argument("--without", type=int, choices=(0, 1), help="a half of the cases that it does not learn from")
    parser.add_argument("--from-shipped", action="store_true", help="go on from the weights that ship, stem at rest")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    everything = [c for source in ("tseng2023", "adir_mfish", "bioimlab_qband", "rendered") for c in load_cells(source)]
    train = learnt(everything, args.without)
    held = [c for c in everything if c.part == "validation" and c.source == "tseng2023"][::2]
    steps = int(args.epochs * len(train) / args.batch)
    network = Detector()
    initialise(network)
    network = network.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), args.rate, weight_decay=0.01)
    schedule = Schedule(args.rate, steps, args.minutes)
    out = runs(args.without) / "detector.pt"
    resumed = resume(out, network, optimiser, schedule)
    canvases = Canvases(train, (args.seed, schedule.step))
    loader = iter(
        DataLoader(canvases, args.batch, num_workers=max(CORES - 1, 1), prefetch_factor=4, collate_fn=collate)
    )
    rng = np.random.default_rng([args.seed, schedule.step])
    if args.from_shipped:
        if not resumed:
            load_shipped(network, "detector", (next(loader).darkness / DARKNESS_SCALE,))
        for part in (network.conv1, network.layer1):
            part.requires_grad_(False)
    began, every, sums = time.time(), 50, dict[str, Tensor]()
    while not schedule.over:
        batch = next(loader).to(device)
        darkness = restained(batch.darkness / DARKNESS_SCALE, rng).to(memory_format=torch.channels_last)
        with mixed(device):
            answers = network.learn(darkness)
        losses = loss_of(*answers, batch)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        rate = schedule.advance()
        for group in optimiser.param_groups:
            group["lr"] = rate
        for name, value in losses.items():
            sums[name] = sums.get(name, 0) + value.detach() / every
        if schedule.step % every == 0:
            told = {name: round(float(value), 3) for name, value in sums.items()}
            print(f"step {schedule.step}", told, f"{time.time() - began:.0f}s", flush=True)
            sums = {}
        if schedule.step % (100 * every) == 0 or schedule.over:
            recall, precision, exact = recall_precision(network, held)
            print(f"  recall {recall:.4f} precision {precision:.4f} exact count {exact:.3f}", flush=True)
        if schedule.step % (20 * every) == 0 or schedule.over:
            save(out, network, optimiser, schedule)


if __name__ == "__main__":
    main()
