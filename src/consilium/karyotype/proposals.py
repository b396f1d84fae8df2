"""What may be a chromosome, and which of it is the same object seen twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Placed = tuple[NDArray[np.bool_], tuple[int, int]]
"""A mask (h, w) bool and the (x, y) of its first pixel in the image."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposals:
    """What may be a chromosome in one cell, after the second look.

    Attributes:
        boxes: (n, 4) float32, refined.
        worth: (n,) float32, 0..1, that it is one whole chromosome: the detector and the second look agree on it.
        masks: amodal, one each.
    """

    boxes: NDArray[np.float32]
    worth: NDArray[np.float32]
    masks: list[Placed]


def distinct(masks: Sequence[Placed], scores: NDArray[np.float32], *, same_object: float) -> list[int]:
    """Indices of the objects that remain when each reported twice keeps its better score, best first.

    Args:
        masks: mask and (x, y) of each.
        scores: (N,) float32.
        same_object: masks whose intersection over union is more are one object.
    """
    kept: list[int] = []
    for k in np.argsort(-scores):
        if all(mask_iou(masks[k], masks[other]) < same_object for other in kept):
            kept.append(int(k))
    return kept


def mask_iou(first: Placed, second: Placed) -> float:
    """Intersection over union of two masks; a short chromosome on a long one shares little of the union."""
    shared = pixels_shared(first, second)
    return shared / max(int(first[0].sum()) + int(second[0].sum()) - shared, 1)


def pixels_shared(first: Placed, second: Placed) -> int:
    """Pixels that two masks have both."""
    (a, (ax, ay)), (b, (bx, by)) = first, second
    x0, y0 = max(ax, bx), max(ay, by)
    x1, y1 = min(ax + a.shape[1], bx + b.shape[1]), min(ay + a.shape[0], by + b.shape[0])
    if x0 >= x1 or y0 >= y1:
        return 0
    return int(np.count_nonzero(a[y0 - ay : y1 - ay, x0 - ax : x1 - ax] & b[y0 - by : y1 - by, x0 - bx : x1 - bx]))


def box_iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """(len(a), len(b)) intersection over union of boxes (N, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(-1)
    area = (a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None] - overlap
    return np.asarray(overlap / np.maximum(area, 1e-9), np.float64)
