"""Train the reader of structural change: `python -m training.structure` (after training.strips).

Half of the chromosomes shown are rearranged ones, built from real strips (`karyotype.rearranged`); the others are whole
or sham. All are named and turned as the shipped classifier names and turns them, because that is what the network
will meet: a whole chromosome under a wrong name is no rearrangement, and a large change is often given another name.
Cells with a known abnormality are left out, so that the structural cases of the train part stay unseen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch.nn import functional

from consilium.cytogenetics.bands import bands
from consilium.karyotype.assign import assign
from consilium.karyotype.classify import classify_strips
from consilium.karyotype.metaphase import CLASSES, FAMILIES
from consilium.karyotype.rearranged import BAND_LEVEL, Built, Lying, lying, rearranged
from consilium.karyotype.strip import Strips
from training.cells import DARKNESS_SCALE, RUNS, abnormal_images
from training.checkpoint import resume, save
from training.classifier import StripSet, load_strips
from training.networks import Structure
from training.rearrangements import Plan, built, drawn
from training.schedule import Schedule
from training.shipped import load_shipped

RENAMED_FROM = 5
"""Bands at 550 bphs from which on a change may make the classifier give a chromosome another name."""

RENAMED = 0.25
"""How often it is shown under another name then."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One chromosome as it is shown.

    Attributes:
        image, other: (2, 128, 24) float32, short arm up; `other` is zeros where there is no homologue.
        family: index into `FAMILIES`, -1 where it is not rearranged.
        breaks: rows where pieces meet that did not before.
        bands: size of the change, in bands at 550 bphs.
    """

    image: NDArray[np.float32]
    other: NDArray[np.float32]
    paired: float
    label: int
    family: int
    breaks: tuple[float, ...]
    bands: int


@dataclass(frozen=True, kw_only=True)
class Named:
    """The strips as the shipped classifier reads each cell.

    Attributes:
        data: the strips, with the labels of the annotation.
        labels: (N,) int64 index into CLASSES of the name that a strip is given, -1 for none.
        upside_down: (N,) bool, the long arm is taken to come first.
    """

    data: StripSet
    labels: NDArray[np.int64]
    upside_down: NDArray[np.bool_]

    def rightly(self, row: int) -> bool:
        """Whether the name is that of the annotation."""
        return bool(self.labels[row] == self.data.labels[row])


def load_named() -> Named:
    """Read all cells with the shipped classifier, once; what it said is kept in `runs/strips/named.npz`."""
    data = load_strips(rendered=False)
    kept = RUNS / "strips" / "named.npz"
    if not kept.exists():
        labels, down = np.full(len(data.labels), -1, np.int64), np.zeros(len(data.labels), np.bool_)
        for members in data.cells:
            read = classify_strips(
                Strips(
                    images=data.images[members].astype(np.float32) / DARKNESS_SCALE, geometry=data.geometry[members],
                    angles=np.zeros(len(members), np.float32),
                ),
                threads=1,
            )  # fmt: skip
            names = assign(read.probabilities).labels
            labels[members] = [CLASSES.index(name) if name in CLASSES else -1 for name in names]
            down[members] = read.upside_down
        np.savez(kept, labels=labels, upside_down=down)
    found = np.load(kept)
    return Named(data=data, labels=found["labels"], upside_down=found["upside_down"])


def upright(named: Named, row: int) -> NDArray[np.float32]:
    """A strip with its short arm up, as far as the classifier sees it."""
    image = named.data.images[row].astype(np.float32) / DARKNESS_SCALE
    return np.ascontiguousarray(image[:, ::-1, ::-1]) if named.upside_down[row] else image


def placed(named: Named, row: int) -> Lying | None:
    return lying(upright(named, row), float(named.data.geometry[row, 0]))


def example(named: Named, cell: NDArray[np.int64], rng: np.random.Generator) -> Example | None:
    """Draw one chromosome of a cell, whole, sham or rearranged, with its homologue."""
    row = int(rng.choice(cell))
    label = int(named.labels[row])
    own = placed(named, row)
    if label < 0 or own is None:
        return None
    chance = rng.random()
    twin = _homologue(named, cell, row, label, rng)
    family, breaks, size, image = -1, (), 0, own.image
    if chance < 0.5:
        made = _built(named, cell, own, label, rng) if named.rightly(row) else None
        if made is None:
            return None
        built_one, plan = made
        image, breaks, family, size = built_one.image, built_one.seams, plan.family, plan.bands
        if size >= RENAMED_FROM and rng.random() < RENAMED:
            label = _neighbour(label, rng)
            twin = _homologue(named, cell, row, label, rng)
    elif chance < 0.72 and twin is not None:
        sham = drawn(label, rng, kinds=("sham",))
        if sham is None:
            return None
        # The same seam as of a replaced piece, but the piece is that of the homologue.
        image = rearranged(
            "sham", own, sham.places, end=sham.end, other=twin, other_break=sham.places[0], other_end=sham.end
        ).image
    other = twin.image if twin is not None else np.zeros_like(own.image)
    if 0.72 <= chance < 0.8 and twin is not None:
        # The homologue is the rearranged one: a difference is not yet a change of this chromosome.
        made = _built(named, cell, twin, label, rng)
        if made is not None:
            other = made[0].image
    return Example(
        image=image, other=other, paired=float(twin is not None), label=label, family=family,
        breaks=tuple(breaks), bands=size,
    )  # fmt: skip


def _homologue(named: Named, cell: NDArray[np.int64], row: int, label: int, rng: np.random.Generator) -> Lying | None:
    twins = [int(k) for k in cell if named.labels[k] == label and k != row]
    return placed(named, int(rng.choice(twins))) if twins else None


def _neighbour(label: int, rng: np.random.Generator) -> int:
    """Another class, one of the four nearest in length."""
    lengths = np.asarray([bands(name, BAND_LEVEL)[-1].iscn_stop for name in CLASSES], np.float64)
    nearest = np.argsort(np.abs(lengths - lengths[label]), kind="stable")
    return int(rng.choice([k for k in nearest if k != label][:4]))


def _built(
    named: Named, cell: NDArray[np.int64], own: Lying, label: int, rng: np.random.Generator
) -> tuple[Built, Plan] | None:
    strangers = [int(k) for k in cell if named.labels[k] not in (label, -1)]
    plan = drawn(label, rng, donors=[int(named.labels[k]) for k in strangers])
    if plan is None:
        return None
    givers = [k for k in strangers if named.labels[k] == plan.donor]
    donor = placed(named, int(rng.choice(givers))) if givers else None
    if plan.kind == "add" and donor is None:
        return None
    return built(plan, own, donor), plan


def jittered(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The same chromosome under another lamp, a little shifted, perhaps mirrored."""
    image = image * np.asarray([rng.uniform(0.85, 1.15), 1.0], np.float32)[:, None, None]
    image[0] = np.sign(image[0]) * np.abs(image[0]) ** rng.uniform(0.85, 1.18)
    image[0] += rng.normal(0, rng.uniform(0, 0.04), image[0].shape)
    if rng.random() < 0.5:
        image = image[:, :, ::-1]
    return image


Batch = tuple[torch.Tensor, ...]


def batch(named: Named, cells: Sequence[int], size: int, rng: np.random.Generator, *, train: bool) -> Batch:
    """(own, other, paired, label, rearranged, family, breaks (N, 64), bands)."""
    shown: list[Example] = []
    while len(shown) < size:
        one = example(named, named.data.cells[cells[rng.integers(len(cells))]], rng)
        if one is not None:
            shown.append(one)
    own = np.stack([jittered(one.image, rng) if train else one.image for one in shown])
    other = np.stack([jittered(one.other, rng) if train and one.paired else one.other for one in shown])
    heat = np.zeros((size, 64), np.float32)
    for k, one in enumerate(shown):
        for row in one.breaks:
            heat[k] += np.exp(-0.5 * ((np.arange(64) - (row - 0.5) / 2) / 1.2) ** 2)
        if one.family < 0:
            heat[k] = 0
    return (
        torch.from_numpy(own), torch.from_numpy(other), torch.tensor([one.paired for one in shown]),
        torch.tensor([one.label for one in shown]), torch.tensor([float(one.family >= 0) for one in shown]),
        torch.tensor([one.family for one in shown]), torch.from_numpy(np.minimum(heat, 1)),
        torch.tensor([one.bands for one in shown]),
    )  # fmt: skip


def judge(network: Structure, batches: Sequence[Batch]) -> str:
    network.eval()
    scores, truth, sizes, families = [], [], [], []
    with torch.no_grad():
        for own, other, paired, label, changed, family, _, bands in batches:
            scores.append(network(own, other, paired, label)[0])
            truth.append(changed)
            sizes.append(bands)
            families.append(family)
    network.train()
    score, is_changed = torch.cat(scores).numpy(), torch.cat(truth).numpy()
    size, kind = torch.cat(sizes).numpy(), torch.cat(families).numpy()
    said = [f"auc {roc_auc_score(is_changed, score):.4f}"]
    threshold = np.quantile(score[is_changed == 0], 0.99)
    for low, high in ((1, 1), (2, 2), (3, 4), (5, 8), (9, 99)):
        chosen = (is_changed == 1) & (size >= low) & (size <= high)
        said.append(f"{low}-{high} bands {np.mean(score[chosen] > threshold):.3f} ({chosen.sum()})")
    for at, name in enumerate(FAMILIES):
        said.append(f"{name} {np.mean(score[kind == at] > threshold):.3f}")
    return ", ".join(said)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--from-shipped", action="store_true", help="go on from the weights that ship")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    named = load_named()
    data = named.data
    abnormal = abnormal_images()
    usable = [k for k in range(len(data.cells)) if data.names[k] not in abnormal]
    train = [k for k in usable if not data.validation[k]]
    held = [k for k in usable if data.validation[k]]
    print(len(train), "cells,", len(held), "for validation", flush=True)
    fixed = np.random.default_rng(1)
    validation = [batch(named, held, 250, fixed, train=False) for _ in range(10)]
    network = Structure()
    optimiser = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=0.02)
    schedule = Schedule(options.rate, 0, options.minutes)
    path = RUNS / "structure.pt"
    resumed = resume(path, network, optimiser, schedule)
    if options.from_shipped and not resumed:
        load_shipped(network, "structure", validation[0][:4])
        print("  ", judge(network, validation), flush=True)
    rng = np.random.default_rng(options.seed + schedule.step)
    began, losses = time.monotonic(), []
    while not schedule.over:
        for group in optimiser.param_groups:
            group["lr"] = schedule.advance()
        own, other, paired, label, changed, family, heat, _ = batch(named, train, options.batch, rng, train=True)
        rearranged_logit, breaks, kinds = network(own, other, paired, label)
        loss = functional.binary_cross_entropy_with_logits(rearranged_logit, changed)
        where = functional.binary_cross_entropy_with_logits(breaks, heat, pos_weight=torch.tensor(8.0))
        which = functional.cross_entropy(kinds[changed > 0], family[changed > 0])
        total = loss + where + 0.3 * which
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        losses.append((loss.item(), where.item(), which.item()))
        if schedule.step % 100 == 0:
            mean = np.mean(losses[-100:], 0).round(4)
            print(f"step {schedule.step} {mean} {time.monotonic() - began:.0f}s", flush=True)
        if schedule.step % 400 == 0:
            print("  ", judge(network, validation), flush=True)
            save(path, network, optimiser, schedule)
    save(path, network, optimiser, schedule)
    print("  ", judge(network, validation), flush=True)


if __name__ == "__main__":
    main()
