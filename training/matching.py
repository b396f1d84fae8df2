"""One-to-one matching of found to true boxes, for figures and validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def iou_matrix(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """(len(a), len(b)) intersection over union of boxes (N, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(-1)
    area = (a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None] - overlap
    return np.asarray(overlap / np.maximum(area, 1e-9), np.float64)


def match(
    found: NDArray[np.floating], scores: NDArray[np.floating], truth: NDArray[np.floating], *, least: float = 0.5
) -> list[tuple[int, int]]:
    """Pairs (found, true) with IoU >= `least` that maximise the number of pairs, then their IoU."""
    if not len(found) or not len(truth):
        return []
    iou = iou_matrix(found, truth)
    value = np.where(iou >= least, 1000 + iou, 0)
    rows, columns = linear_sum_assignment(-value)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if iou[r, c] >= least]
