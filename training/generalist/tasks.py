"""What the generalist is taught on: classes, masks, boxes, the modality; and what each of them costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from consilium.generalist.network import LEARNT_ON, LEVELS, MODALITIES, UNKNOWN, Maps
from consilium.imaging.modalities import ANY_WAY_UP
from training.generalist.augment import change_look, cut, move_boxes, random_view
from training.generalist.pictures import Pack

SIDE = 96
"""Pixels of a side while learning; a network is used at a larger one than it learnt at (Touvron et al. 2019)."""
GRID = SIDE // 4
BOX_CLASSES = 4
NAME_WITHHELD = 0.5
"""How often the network is not told the modality: then it has to see it, and learns to do without."""


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """The rows of a pack that may be learnt from, and how often each is shown.

    Attributes:
        rows: numbers into the pack. chances: (len(rows),) of being drawn.
        classes: names of the classes of each set that has them. segmented: sets that have masks.
    """

    pack: Pack
    rows: NDArray[np.intp]
    chances: NDArray[np.float64]
    classes: dict[str, tuple[str, ...]]
    segmented: tuple[str, ...]

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(one for one in MODALITIES if any(self.pack.rows[row].modality == one for row in self.rows))


def lessons(pack: Pack, *, without: frozenset[str]) -> Lessons:
    """Everything learnable but some sets, balanced: a modality by the fourth root of its size, a set by the root.

    Raises:
        ValueError: a set to leave out is not in the pack.
    """
    if unknown := without - {row.dataset for row in pack.rows}:
        raise ValueError(f"not in the pack: {', '.join(sorted(unknown))}")
    rows = np.flatnonzero([row.learnable and row.dataset not in without for row in pack.rows])
    kept = [pack.rows[row] for row in rows]
    sets = {name: [row for row in kept if row.dataset == name] for name in dict.fromkeys(row.dataset for row in kept)}
    by_modality: dict[str, float] = {}
    for members in sets.values():
        by_modality[members[0].modality] = by_modality.get(members[0].modality, 0) + len(members) ** 0.5
    chances = np.asarray([by_modality[row.modality] ** -0.5 * len(sets[row.dataset]) ** -0.5 for row in kept])
    labels = {name: tuple(sorted({row.label for row in members} - {""})) for name, members in sets.items()}
    return Lessons(
        pack=pack, rows=rows, chances=chances / chances.sum(),
        classes={name: found for name, found in labels.items() if found},
        segmented=tuple(name for name, members in sets.items() if members[0].mask),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What is shown at once, and what is to be said of it."""

    pictures: Tensor
    modality: Tensor
    told: Tensor
    labels: dict[str, tuple[Tensor, Tensor]]
    masks: dict[str, tuple[Tensor, Tensor]]
    boxed: Tensor
    centres: Tensor
    sizes: Tensor


def draw(data: Lessons, count: int, rng: np.random.Generator) -> Batch:
    """A batch, augmented."""
    chosen = rng.choice(len(data.rows), count, p=data.chances)
    numbers = data.rows[chosen]
    rows = [data.pack.rows[number] for number in numbers]
    view = random_view(torch.tensor([row.modality in ANY_WAY_UP for row in rows]))
    stored = torch.from_numpy(np.stack([data.pack.pictures[number] for number in numbers])).permute(0, 3, 1, 2)
    pictures = change_look(cut(stored.float() / 255, view, SIDE))
    masks = torch.from_numpy(np.stack([data.pack.masks[number] for number in numbers]))[:, None].float()
    masks = cut((masks > 0).float(), view, 2 * GRID, nearest=True)
    modality = torch.tensor([MODALITIES.index(row.modality) for row in rows])
    withheld = torch.from_numpy(rng.random(count) < NAME_WITHHELD)
    labels, areas = {}, {}
    for name in {row.dataset for row in rows}:
        members = torch.tensor([place for place, row in enumerate(rows) if row.dataset == name])
        if name in data.classes:
            known = [data.classes[name].index(rows[place].label) for place in members.tolist()]
            labels[name] = (members, torch.tensor(known))
        if name in data.segmented:
            areas[name] = (members, masks[members])
    boxed = torch.tensor([place for place, row in enumerate(rows) if row.boxes], dtype=torch.long)
    every = [(place, box) for place, row in enumerate(rows) for box in row.boxes]
    centres, sizes = torch.zeros(count, BOX_CLASSES, GRID, GRID), torch.zeros(count, 3, GRID, GRID)
    if every:
        which = torch.tensor([place for place, _ in every])
        moved, inside = move_boxes(torch.tensor([box for _, box in every]), view, which)
        _draw_boxes(centres, sizes, moved[inside], which[inside])
    return Batch(
        pictures=pictures.contiguous(memory_format=torch.channels_last), modality=modality,
        told=torch.where(withheld, UNKNOWN, modality), labels=labels, masks=areas, boxed=boxed, centres=centres,
        sizes=sizes,
    )  # fmt: skip


def _draw_boxes(centres: Tensor, sizes: Tensor, boxes: Tensor, which: Tensor) -> None:
    """A bump at each centre (Zhou et al. 2019, "Objects as points"), and the logarithm of the sides there."""
    steps = torch.arange(GRID, dtype=torch.float32) + 0.5
    for (kind, x, y, width, height), place in zip(boxes.tolist(), which.tolist(), strict=True):
        spread = max(0.6, 0.12 * GRID * min(width, height))
        across, down = (torch.exp(-((steps - at * GRID) ** 2) / (2 * spread**2)) for at in (x, y))
        target = centres[place, int(kind)]
        torch.maximum(target, down[:, None] * across[None], out=target)
        column, row = (min(int(at * GRID), GRID - 1) for at in (x, y))
        target[row, column] = 1.0
        sides = [float(np.log(max(one * GRID, 0.25))) for one in (width, height)]
        sizes[place, :, row, column] = torch.tensor([*sides, 1.0])


class Heads(nn.Module):
    """What sits on the trunk while it learns; none of it ships."""

    def __init__(self, classes: dict[str, tuple[str, ...]], segmented: tuple[str, ...], *, channels: int = 48) -> None:
        super().__init__()
        self.classes = nn.ModuleDict({name: nn.Linear(LEARNT_ON, len(found)) for name, found in classes.items()})
        self.modality = nn.Linear(LEARNT_ON, len(MODALITIES))
        self.lateral = nn.ModuleList(nn.Conv2d(inputs, channels, 1) for inputs in LEVELS.values())
        self.smooth = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1), nn.ReLU(inplace=True))
        self.masks = nn.ModuleDict({name: nn.Conv2d(channels, 1, 1) for name in segmented})
        self.boxes = nn.Conv2d(channels, BOX_CLASSES + 2, 1)
        nn.init.constant_(self.boxes.bias[:BOX_CLASSES], -4.0)  # centres are rare (Lin et al. 2017)
        self.drop = nn.Dropout(0.2)

    def finest(self, maps: Maps) -> Tensor:
        """(N, channels, GRID, GRID) all levels on the finest (Lin et al. 2017, feature pyramid)."""
        sides = [lateral(level) for lateral, level in zip(self.lateral, maps.levels, strict=True)]
        x = sides[-1]
        for side in reversed(sides[:-1]):
            x = side + functional.interpolate(x, size=side.shape[2:])
        found: Tensor = self.smooth(x)
        return found


def losses(heads: Heads, maps: Maps, batch: Batch) -> dict[str, Tensor]:
    """The cost of each task; a task that the batch has nothing of is left out."""
    image = heads.drop(maps.means().float())
    total = max(sum(len(members) for members, _ in batch.labels.values()), 1)
    found: dict[str, Tensor] = {}
    for name, (members, known) in batch.labels.items():
        said = heads.classes[name](image[members])
        cost = functional.cross_entropy(said, known, label_smoothing=0.05, reduction="sum") / np.log(said.shape[1])
        found["class"] = found.get("class", torch.zeros(())) + 0.7 * cost / total
    withheld = batch.told == UNKNOWN
    if withheld.any():
        found["modality"] = 0.2 * functional.cross_entropy(heads.modality(image[withheld]), batch.modality[withheld])
    if batch.masks or len(batch.boxed):
        finest = heads.finest(maps).float()
    segmented = max(sum(len(members) for members, _ in batch.masks.values()), 1)
    for name, (members, masks) in batch.masks.items():
        said = functional.interpolate(heads.masks[name](finest[members]), scale_factor=2, mode="bilinear")
        cost = _mask_cost(said, masks) * len(members) / segmented
        found["mask"] = found.get("mask", torch.zeros(())) + 0.5 * cost
    if len(batch.boxed):
        found["box"] = 0.25 * _box_cost(heads.boxes(finest[batch.boxed]), batch)
    return found


def _mask_cost(said: Tensor, masks: Tensor) -> Tensor:
    inside = said.sigmoid()
    overlap = 1 - (2 * (inside * masks).sum((1, 2, 3)) + 1) / ((inside + masks).sum((1, 2, 3)) + 1)
    return functional.binary_cross_entropy_with_logits(said, masks) + overlap.mean()


def _box_cost(said: Tensor, batch: Batch) -> Tensor:
    centres, sizes = batch.centres[batch.boxed], batch.sizes[batch.boxed]
    chance = said[:, :BOX_CLASSES].sigmoid().clamp(1e-4, 1 - 1e-4)
    at = centres == 1
    missed = -((1 - chance) ** 2 * chance.log())[at].sum()
    made_up = -((1 - centres) ** 4 * chance**2 * (1 - chance).log())[~at].sum()
    there = sizes[:, 2:]
    extent = ((said[:, BOX_CLASSES:] - sizes[:, :2]).abs() * there).sum()
    return (missed + made_up + 0.2 * extent) / at.sum().clamp(min=1)
