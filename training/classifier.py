"""Train the classifier: `python -m training.classifier` (after training.strips and training.polarity).

Whole cells are shown. Objects are left out and strangers put in at random, so that the network learns to use
the cell without learning that every class comes twice: a trisomy must stay visible.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.cells import DARKNESS_SCALE, RUNS
from training.checkpoint import resume, save
from training.networks import Classifier
from training.precision import mixed
from training.rendered import RENDERED_REPEATS
from training.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class StripSet:
    """All strips of the training cells, by cell."""

    images: NDArray[np.uint8]
    geometry: NDArray[np.float32]
    labels: NDArray[np.int64]
    upside_down: NDArray[np.float32]
    """1 long arm first, 0 short arm first, -1 not known."""
    cells: list[NDArray[np.int64]]
    names: list[str]
    """The image of each cell; empty of a drawn one."""
    validation: list[bool]
    rendered: list[bool]


def load_strips(*, rendered: bool = True) -> StripSet:
    """The strips of the real cells and, if wanted, of the rendered ones."""
    folder = RUNS / "strips"
    shards = [dict(np.load(path)) for path in sorted(folder.glob("[0-9]*.npz"))]
    known = folder / "polarity.npy"
    real = sum(len(s["labels"]) for s in shards)
    upside_down = [np.load(known) if known.exists() else np.full(real, -1, np.float32)]
    if rendered:
        shards.append(dict(np.load(folder / "rendered.npz")))
        upside_down.append(shards[-1]["upside_down"])
    ids = np.concatenate([s["cells"] + 1_000_000 * k for k, s in enumerate(shards)])
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    return StripSet(
        images=np.concatenate([s["images"] for s in shards]),
        geometry=np.concatenate([s["geometry"] for s in shards]),
        labels=np.concatenate([s["labels"] for s in shards]).astype(np.int64),
        upside_down=np.concatenate(upside_down),
        cells=np.split(np.arange(len(ids)), starts[1:]),
        names=[str(name) for s in shards for name in s.get("names", [""] * len(s["parts"]))],
        validation=[p == "validation" for p in np.concatenate([s["parts"] for s in shards])],
        rendered=["upside_down" in s for s in shards for _ in s["parts"]],
    )


@dataclass(frozen=True)
class Batch:
    images: Tensor
    geometry: Tensor
    labels: Tensor
    upside_down: Tensor
    slots: Tensor
    """(objects, 2) cell and place of each object."""
    most: int


def draw(data: StripSet, cells: list[int], rng: np.random.Generator, train: bool) -> Batch:
    rows, slots = [], []
    for number, cell in enumerate(cells):
        members = data.cells[cell]
        if train:
            members = members[rng.random(len(members)) > rng.choice([0.0, 0.02, 0.1])]
            if rng.random() < 0.4:
                members = np.r_[members, rng.integers(0, len(data.labels), int(rng.integers(1, 3)))]
        rows.append(members)
        slots.append(np.column_stack([np.full(len(members), number), np.arange(len(members))]))
    index = np.concatenate(rows)
    images = torch.from_numpy(data.images[index]).float() / DARKNESS_SCALE
    upside_down = torch.from_numpy(data.upside_down[index].copy())
    if train:
        counts = torch.from_numpy(np.concatenate([np.full(len(r), i) for i, r in enumerate(rows)]))
        images, upside_down = augment(images, upside_down, counts, len(cells))
    geometry = torch.from_numpy(data.geometry[index])
    if train:
        geometry = geometry + torch.randn_like(geometry) * 0.03
    return Batch(
        images, geometry, torch.from_numpy(data.labels[index]), upside_down,
        torch.from_numpy(np.concatenate(slots)), max(len(r) for r in rows),
    )  # fmt: skip


def augment(images: Tensor, upside_down: Tensor, cell: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Turn, stretch, shift and bend each strip; re-stain and defocus each cell."""
    n = len(images)
    turned = torch.rand(n) < 0.5
    sign = torch.where(turned, -1.0, 1.0)
    mirror = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    rows = torch.linspace(-1, 1, images.shape[2])
    columns = torch.linspace(-1, 1, images.shape[3])
    stretch = (1 + 0.05 * torch.randn(n)) * (1 + 0.06 * torch.randn(cells))[cell]
    warp = 0.03 * torch.randn(n, 1) * torch.sin(np.pi * (rows[None] + torch.rand(n, 1) * 2))
    y = sign[:, None] * (rows[None] / stretch[:, None] + warp + 0.04 * torch.randn(n, 1))
    sway = 0.12 * torch.randn(n, 1) + 0.12 * torch.randn(n, 1) * torch.sin(np.pi * (rows[None] + torch.rand(n, 1) * 2))
    width = 1 + 0.1 * torch.randn(n)
    x = mirror[:, None, None] * (columns[None, None] / width[:, None, None]) + sway[:, :, None]
    grid = torch.stack([x, y[:, :, None].expand_as(x)], -1)
    images = functional.grid_sample(images, grid, align_corners=True)
    dark, cover = images[:, :1], images[:, 1:]
    gain = (0.8 + 0.45 * torch.rand(cells))[cell] * (1 + 0.08 * torch.randn(n))
    gamma = (0.75 + 0.7 * torch.rand(cells))[cell]
    dark = (dark * gain[:, None, None, None]).clamp(min=1e-4) ** gamma[:, None, None, None]
    blurred = functional.avg_pool2d(dark, 3, 1, 1)
    mix = (torch.rand(cells) * (torch.rand(cells) < 0.5))[cell][:, None, None, None]
    dark = dark * (1 - mix) + blurred * mix
    dark = dark + torch.randn_like(dark) * (0.05 * torch.rand(cells))[cell][:, None, None, None]
    # The mask is sometimes wrong or missing: another laboratory's crop may come on white.
    alone = (torch.rand(cells) < 0.25)[cell][:, None, None, None]
    dark = torch.where(alone, dark * (cover > 0.3), dark)
    images = torch.cat([dark.clamp(0, 1.5), cover], 1)
    known = upside_down >= 0
    return images, torch.where(known & turned, 1 - upside_down, upside_down)


def forward(network: Classifier, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of the objects in their order: with context, alone, upside down."""
    device = next(network.parameters()).device
    images = batch.images.to(device, memory_format=torch.channels_last)
    with mixed(device.type):
        body = network.strip(images).mean(3).flatten(1)
    features = network.flatten(body.float())
    alone, upside_down = network.alone(features), network.upside_down(features)[:, 0]
    cell, place = batch.slots.to(device).T
    shape = (int(cell.max()) + 1, batch.most)
    absent = torch.ones(shape, dtype=torch.bool, device=device)
    absent[cell, place] = False

    def spread(x: Tensor) -> Tensor:
        return x.new_zeros(*shape, x.shape[1]).index_put((cell, place), x)

    together = network.compare(spread(features), spread(alone), spread(batch.geometry.to(device)), absent)
    return together[cell, place], alone, upside_down


@torch.no_grad()
def validate(network: Classifier, data: StripSet, *, rendered: bool) -> tuple[float, float, float]:
    """Accuracy with context, alone, and of the polarity, on the real or the rendered validation cells."""
    network.eval()
    held = [i for i, v in enumerate(data.validation) if v and data.rendered[i] == rendered]
    right = alone_right = turned_right = total = turned_total = 0
    rng = np.random.default_rng(0)
    for start in range(0, len(held), 8):
        batch = draw(data, held[start : start + 8], rng, train=False)
        together, alone, upside_down = (t.cpu() for t in forward(network, batch))
        right += int((together.argmax(1) == batch.labels).sum())
        alone_right += int((alone.argmax(1) == batch.labels).sum())
        known = batch.upside_down >= 0
        turned_right += int(((upside_down > 0) == (batch.upside_down > 0.5))[known].sum())
        turned_total += int(known.sum())
        total += len(batch.labels)
    network.train()
    return right / total, alone_right / total, turned_right / max(turned_total, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=float, default=5)
    parser.add_argument("--batch", type=int, default=6, help="cells a step")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="let the clock end the schedule, not the steps")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = load_strips()
    train = np.flatnonzero(~np.asarray(data.validation))
    drawn = train[np.asarray(data.rendered)[train]]
    train = np.concatenate([train, *[drawn] * (RENDERED_REPEATS - 1)])
    steps = int(args.epochs * len(train) / args.batch)
    network = Classifier().to(device)
    network.strip = network.strip.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), args.rate, weight_decay=0.02)
    schedule = Schedule(args.rate, steps, args.minutes)
    out = RUNS / "classifier.pt"
    resume(out, network, optimiser, schedule)
    rng = np.random.default_rng([args.seed, schedule.step])
    order: list[int] = []
    began, total = time.time(), 0.0
    while not schedule.over:
        if len(order) < args.batch:
            order = list(rng.permutation(train))
        batch = draw(data, [order.pop() for _ in range(args.batch)], rng, train=True)
        together, alone, upside_down = forward(network, batch)
        labels, turned = batch.labels.to(device), batch.upside_down.to(device)
        loss = functional.cross_entropy(together, labels, label_smoothing=0.03)
        loss = loss + 0.5 * functional.cross_entropy(alone, labels, label_smoothing=0.03)
        known = turned >= 0
        if known.any():
            loss = loss + 0.3 * functional.binary_cross_entropy_with_logits(upside_down[known], turned[known])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        rate = schedule.advance()
        for group in optimiser.param_groups:
            group["lr"] = rate
        total += loss.item()
        if schedule.step % 50 == 0:
            print(f"step {schedule.step}/{steps} loss {total / 50:.4f} {time.time() - began:.0f}s", flush=True)
            total = 0.0
        if schedule.step % 250 == 0 or schedule.over:
            for rendered, what in ((False, "real"), (True, "rendered")):
                found = validate(network, data, rendered=rendered)
                print("  {}: with context {:.4f} alone {:.4f} polarity {:.4f}".format(what, *found), flush=True)
            save(out, network, optimiser, schedule)


if __name__ == "__main__":
    main()
