"""One-to-one matching of found to true boxes, for figures and validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from consilium.karyotype.proposals import box_iou


def match(
    found: NDArray[np.floating], scores: NDArray[np.floating], truth: NDArray[np.floating], *, least: float = 0.5
) -> list[tuple[int, int]]:
    """Pairs (found, true) with IoU >= `least` that maximise the number of pairs, then their IoU."""
    if not len(found) or not len(truth):
        return []
    iou = box_iou(found, truth)
    value = np.where(iou >= least, 1000 + iou, 0)
    rows, columns = linear_sum_assignment(-value)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if iou[r, c] >= least]
