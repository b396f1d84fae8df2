"""Train the detector: `python -m training.detector`.

Images are shown at half the nominal size on a fixed canvas laid where chromosomes crowd, turned by right angles
and mirrored (exact for boxes), scaled, and re-stained; chromosomes with known masks are pasted in at any angle to
make crossings.
Labels are assigned by task alignment (Feng et al. 2021, TOOD): ten places a chromosome for the one-to-many
score and one place for the one-to-one score.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from training.amodal import Cutting, appearance, cuttings, patch, rotation
from training.cells import DARKNESS_SCALE, RUNS, Cell, data_folder, load_cells
from training.checkpoint import resume, save
from training.networks import Detector
from training.precision import mixed
from training.rendered import RENDERED_REPEATS
from training.schedule import Schedule
from training.shipped import load_shipped

CANVAS = 224
"""Side of the training canvas, in pixels of the half-size image: about a third of a spread."""

CROWDED = 3.0
"""How much oftener a canvas is laid around a chromosome that touches another than around one that lies alone."""

MOST = 64
"""Places for boxes in a batch; a canvas with more (a tetraploid, heavy pasting) drops the last pasted."""


def canvas(
    cell: Cell, cells: list[Cell], pasteable: list[Cutting], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """(darkness (1, 224, 224), boxes (n, 4), boxes cut off at the border, to be ignored (m, 4))."""
    # Mostly the magnification it was taken at: others are rarer at work than their difficulty would make them here.
    low, high = (0.65, 1.2) if rng.random() < 0.25 else (0.88, 1.12)
    scale = 0.5 * math.exp(rng.uniform(math.log(low), math.log(high)))
    image = cv2.resize(cell.darkness, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes = cell.boxes * scale
    if rng.random() < 0.5:
        image, boxes = (
            image[:, ::-1],
            np.stack([image.shape[1] - boxes[:, 2], boxes[:, 1], image.shape[1] - boxes[:, 0], boxes[:, 3]], 1),
        )
    for _ in range(int(rng.integers(4))):
        width = image.shape[1]
        image = np.rot90(image)
        boxes = np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], 1)
    height, width = image.shape
    chance = np.asarray([1.0 if mask is not None else CROWDED for mask in cell.masks])
    middle = boxes[int(rng.choice(len(boxes), p=chance / chance.sum()))].reshape(2, 2).mean(0)
    at_x, at_y = (CANVAS / 2 - middle + rng.uniform(-CANVAS / 4, CANVAS / 4, 2)).round().astype(int)
    out = np.zeros((CANVAS, CANVAS), np.float32)
    y0, x0, y1, x1 = max(at_y, 0), max(at_x, 0), min(at_y + height, CANVAS), min(at_x + width, CANVAS)
    out[y0:y1, x0:x1] = image[y0 - at_y : y1 - at_y, x0 - at_x : x1 - at_x].astype(np.float32) / DARKNESS_SCALE
    boxes = boxes + np.asarray([at_x, at_y, at_x, at_y], np.float32)
    pasted = [_paste(out, boxes, cells, pasteable, scale, rng) for _ in range(int(rng.poisson(0.8)))]
    boxes = np.concatenate([boxes, *[p for p in pasted if p is not None]])
    clipped = np.clip(boxes, 0, CANVAS)
    visible = (clipped[:, 2:] - clipped[:, :2]).prod(1) / (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return (
        appearance(out, rng)[None],
        clipped[visible > 0.4][:MOST].astype(np.float32),
        clipped[(visible <= 0.4) & (visible > 0)].astype(np.float32),
    )


def _paste(
    out: NDArray[np.float32],
    boxes: NDArray[np.float32],
    cells: list[Cell],
    pasteable: list[Cutting],
    scale: float,
    rng: np.random.Generator,
) -> NDArray[np.float32] | None:
    piece = pasteable[int(rng.integers(len(pasteable)))]
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


class Canvases(IterableDataset[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]):
    def __init__(self, cells: list[Cell], seed: int) -> None:
        self.cells, self.seed = [c for c in cells if len(c.boxes)], seed
        self.pasteable = [p for p in cuttings(cells) if cells[p.cell].source == "tseng2023"]

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
        rng = np.random.default_rng([self.seed, os.getpid()])
        while True:
            for index in rng.permutation(len(self.cells)):
                yield canvas(self.cells[index], self.cells, self.pasteable, rng)


def collate(
    items: list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    images = torch.from_numpy(np.stack([image for image, _, _ in items]))
    boxes, count = torch.zeros(len(items), MOST, 4), torch.zeros(len(items), dtype=torch.long)
    ignore = torch.zeros(len(items), CANVAS // 4, CANVAS // 4, dtype=torch.bool)
    for i, (_, found, cut) in enumerate(items):
        count[i] = len(found)
        boxes[i, : len(found)] = torch.from_numpy(found)
        for x0, y0, x1, y1 in (cut / 4).astype(int):
            ignore[i, y0 : y1 + 1, x0 : x1 + 1] = True
    return images, boxes, count, ignore


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
    return (torch.stack([x, y], -1).reshape(-1, 2).float() + 0.5) * 4


def loss_of(scores: Tensor, distances: Tensor, boxes: Tensor, count: Tensor, ignore: Tensor) -> dict[str, Tensor]:
    batch, _, height, width = scores.shape
    centres = places(height, width, scores.device)
    d = distances.flatten(2).transpose(1, 2)
    predicted = torch.cat([centres - d[..., :2], centres + d[..., 2:]], -1)
    logits = scores.float().flatten(2)
    total = {name: logits.new_zeros(()) for name in ("many", "one", "box")}
    norm = {name: logits.new_zeros(()) for name in ("many", "one")}
    for i in range(batch):
        truth = boxes[i, : count[i]]
        keep = ~ignore[i].flatten()
        with torch.no_grad():
            low, high = truth[:, None, :2], truth[:, None, 2:]
            candidates = torch.nonzero(((centres > low) & (centres < high)).all(-1).any(0))[:, 0]
            near = centres[candidates]
            inside = ((near > low) & (near < high)).all(-1)
            iou = iou_of(predicted[i][candidates][None], truth[:, None]) * inside
        for row, (name, top) in enumerate((("many", 10), ("one", 1))):
            with torch.no_grad():
                metric = logits[i, row, candidates].sigmoid().sqrt()[None] * iou**4
                best = metric.topk(min(top, metric.shape[1]), 1)
                chosen = torch.zeros_like(metric).scatter_(1, best.indices, 1.0) * (metric > 0)
                # A place that two chromosomes want goes to the one it fits better.
                owner_value, owner = (metric * chosen).max(0)
                quality = metric / metric.amax(1, keepdim=True).clamp(min=1e-9) * (iou * chosen).amax(1, keepdim=True)
                positive = owner_value > 0
                value = quality.gather(0, owner[None])[0] * positive
                target = torch.zeros_like(logits[i, row]).scatter_(0, candidates, value)
            bce = functional.binary_cross_entropy_with_logits(logits[i, row], target, reduction="none")
            # Quality focal weighting (Li et al. 2020) keeps the many easy empty places from ruling.
            weight = (target - logits[i, row].sigmoid()).abs().detach() + target
            total[name] = total[name] + (bce * weight)[keep].sum()
            norm[name] = norm[name] + value.sum()
            if positive.any():
                giou = generalised_iou(predicted[i][candidates[positive]], truth[owner[positive]])
                share = 1.0 if name == "many" else 0.5
                total["box"] = total["box"] + share * ((1 - giou) * value[positive]).sum()
    return {
        "many": total["many"] / norm["many"].clamp(min=1), "one": total["one"] / norm["one"].clamp(min=1),
        "box": 2 * total["box"] / norm["many"].clamp(min=1),
    }  # fmt: skip


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
            cell.darkness.astype(np.float32) / DARKNESS_SCALE, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA
        )
        height, width = (-(-n // 32) * 32 for n in image.shape)
        padded = np.zeros((height, width), np.float32)
        padded[: image.shape[0], : image.shape[1]] = image
        x = torch.from_numpy(padded)[None, None].to(next(network.parameters()).device)
        scores, distances = network(x)
        p = scores[0, 1].flatten().float().sigmoid()
        index = torch.nonzero(p > threshold)[:, 0]
        centres = places(height // 4, width // 4, x.device)[index]
        d = distances[0].flatten(1).T[index]
        boxes = (torch.cat([centres - d[:, :2], centres + d[:, 2:]], 1) * 2).cpu().numpy()
        pairs = match(boxes, p[index].cpu().numpy(), cell.boxes)
        hits += len(pairs)
        found_total += len(boxes)
        truth_total += len(cell.boxes)
        exact += len(boxes) == len(cell.boxes)
    network.train()
    return hits / truth_total, hits / max(found_total, 1), exact / len(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=float, default=6)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="let the clock end the schedule, not the steps")
    parser.add_argument("--from-shipped", action="store_true", help="go on from the weights that ship, stem at rest")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    cv2.setNumThreads(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    everything = [c for source in ("tseng2023", "adir_mfish", "bioimlab_qband") for c in load_cells(source)]
    everything += load_cells("rendered") * RENDERED_REPEATS
    train = [c for c in everything if c.part == "train"]
    held = [c for c in everything if c.part == "validation" and c.source == "tseng2023"][::3]
    steps = int(args.epochs * len(train) / args.batch)
    network = Detector()
    initialise(network)
    network = network.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), args.rate, weight_decay=0.01)
    schedule = Schedule(args.rate, steps, args.minutes)
    out = RUNS / "detector.pt"
    if not resume(out, network, optimiser, schedule) and args.from_shipped:
        start = iter(DataLoader(Canvases(train, args.seed), args.batch, collate_fn=collate))
        load_shipped(network, "detector", (next(start)[0],))
    if args.from_shipped:
        for part in (network.conv1, network.layer1):
            part.requires_grad_(False)
    loader = iter(
        DataLoader(Canvases(train, args.seed), args.batch, num_workers=1, prefetch_factor=6, collate_fn=collate)
    )
    began, sums = time.time(), {}
    while not schedule.over:
        images, boxes, count, ignore = (t.to(device) for t in next(loader))
        with mixed(device):
            scores, distances = network(images.to(memory_format=torch.channels_last))
        losses = loss_of(scores, distances, boxes, count, ignore)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        rate = schedule.advance()
        for group in optimiser.param_groups:
            group["lr"] = rate
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value.item()
        if schedule.step % 50 == 0:
            print(
                f"step {schedule.step}/{steps}",
                {k: round(v / 50, 3) for k, v in sums.items()},
                f"{time.time() - began:.0f}s",
                flush=True,
            )
            sums = {}
        if schedule.step % 250 == 0 or schedule.over:
            recall, precision, exact = recall_precision(network, held)
            print(f"  recall {recall:.4f} precision {precision:.4f} exact count {exact:.3f}", flush=True)
            save(out, network, optimiser, schedule)


if __name__ == "__main__":
    main()
