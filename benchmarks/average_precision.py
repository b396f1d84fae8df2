"""Average precision as COCO measures it (Lin et al. 2014; pycocotools): 101 recall points, one IoU threshold.

Matching does not depend on which cases are drawn, so it is done once a cell; an interval only weighs its outcome
again. `tests/benchmarks/test_average_precision.py` holds it against pycocotools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.intervals import Estimate, Weights, case_numbers, estimate

RECALL_POINTS = np.linspace(0, 1, 101)
MOST_DETECTIONS = 100
"""COCO looks at the 100 best detections of an image and class."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What became of the detections of one class.

    Attributes:
        scores: (D,) of all detections.
        right: (D,) bool, matched to a true object.
        cells: (D,) index of the cell each detection is in.
        truths: (C,) number of true objects in each cell.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    cells: NDArray[np.intp]
    truths: NDArray[np.float64]


def greedy_matches(iou: NDArray[np.float64], scores: NDArray[np.float64], *, least: float = 0.5) -> NDArray[np.bool_]:
    """Which detections of one image and class are right, the best first; each true object is used once.

    Args:
        iou: (D, T) of detections and true objects.
        scores: (D,).
        least: IoU from which a detection is right.
    """
    right = np.zeros(len(scores), np.bool_)
    free = np.ones(iou.shape[1], np.bool_)
    for index in np.argsort(-scores, kind="stable")[:MOST_DETECTIONS]:
        candidates = np.where(free, iou[index], -1.0)
        if candidates.size and candidates.max() >= least:
            # Of equally good ones COCO takes the last.
            best = len(candidates) - 1 - int(candidates[::-1].argmax())
            free[best], right[index] = False, True
    return right


def average_precision(outcomes: Outcomes, weights: Weights | None = None) -> float:
    """AP of one class, 0..1; NaN where there is no true object.

    Args:
        outcomes: of all cells.
        weights: (C,) one a cell; ones when left out.
    """
    weights = np.ones(len(outcomes.truths)) if weights is None else weights
    total = float(weights @ outcomes.truths)
    if total <= 0:
        return float("nan")
    order = np.argsort(-outcomes.scores, kind="stable")
    weight = weights[outcomes.cells[order]]
    found = np.cumsum(weight * outcomes.right[order])
    reported = np.cumsum(weight)
    precision = found / np.maximum(reported, 1e-12)
    recall = found / total
    # A curve that never rises again: the precision one can have at this recall or any beyond it.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, RECALL_POINTS, side="left")
    return float(np.where(at < len(envelope), np.append(envelope, 0.0)[np.minimum(at, len(envelope))], 0.0).mean())


def mean_average_precision(classes: Sequence[Outcomes], cases: Sequence[str]) -> Estimate:
    """Mean of the APs of the classes that occur, with its interval.

    Args:
        classes: one entry a class.
        cases: the case of each cell.
    """
    numbers, count = case_numbers(cases)

    def statistic(weights: Weights) -> float:
        values = np.asarray([average_precision(one, weights[numbers]) for one in classes])
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")

    return estimate(statistic, count)
