"""Crops of chromosomes whose whole mask is known, crossings included.

Truth comes from three places: chromosomes that lie alone (threshold masks) in their real surroundings, the
same chromosomes pasted over each other (exact amodal masks), and the hand-made masks of the Q-band and
M-FISH sets. A sample is a 64 x 64 crop around a (jittered) box.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from consilium.karyotype.amodal import FILL, SIDE, box_channel
from training.cells import DARKNESS_SCALE, Cell
from training.stain import restained


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
        image = restained(torch.from_numpy(image)[None, None], rng)[0, 0].numpy()
    return np.stack([image, box_channel(size)]), (truth[None] > 0.5).astype(np.float32)


class Samples:
    """Crops at random, without end."""

    def __init__(self, cells: list[Cell]) -> None:
        self.cells = cells
        self.pieces = cuttings(cells)
        self.pasteable = [p for p in self.pieces if cells[p.cell].source == "tseng2023"]
        masks = [p for p in self.pieces if cells[p.cell].source != "tseng2023"]
        self.pieces += masks * max(1, len(self.pasteable) // max(1, 3 * len(masks)))

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return sample(self.cells, self.pieces, self.pasteable, rng)


def mask_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    p = logits.sigmoid()
    overlap = (p * truth).flatten(1).sum(1)
    dice = 1 - (2 * overlap + 1) / (p.flatten(1).sum(1) + truth.flatten(1).sum(1) + 1)
    return functional.binary_cross_entropy_with_logits(logits, truth) * 2 + dice.mean()
