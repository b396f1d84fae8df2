"""Does a confidence of 0.9 mean right nine times in ten?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.intervals import Estimate, Weights, case_numbers, estimate
from benchmarks.judged import Judged

BINS = 15
"""Equal-width bins of confidence, as in Guo et al. 2017 (On calibration of modern neural networks)."""


def matched(cells: Sequence[Judged]) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Confidence, 1 where the name is right, and case of every matched chromosome."""
    rows = [
        (one.found[found].confidence, right, one.cell.case)
        for one in cells
        for (found, _), right in zip(one.pairs, one.named_right, strict=True)
    ]
    confidence = np.asarray([row[0] for row in rows], np.float64)
    return confidence, np.asarray([row[1] for row in rows], np.float64), [row[2] for row in rows]


def expected_calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.float64], cases: Sequence[str], *, bins: int = BINS
) -> Estimate:
    """Mean over the bins, by their share, of the distance between confidence and accuracy.

    Args:
        confidence: (N,) 0..1.
        right: (N,) 1 where the name is right.
        cases: (N,) the case of each.
        bins: equal-width bins of confidence.
    """
    numbers, count = case_numbers(cases)
    place = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    # What each case adds to the surplus of confidence in each bin: the error is linear in the cases up to its sign.
    surplus = np.zeros((count, bins))
    np.add.at(surplus, (numbers, place), confidence - right)
    sizes = np.bincount(numbers, minlength=count).astype(np.float64)

    def statistic(weights: Weights) -> float:
        total = float(weights @ sizes)
        return float(np.abs(weights @ surplus).sum()) / total if total else float("nan")

    return estimate(statistic, count)


def reliability(confidence: NDArray[np.float64], right: NDArray[np.float64], *, groups: int = 12) -> list[list[float]]:
    """Points of the reliability diagram: [mean confidence, accuracy, number], in groups of equal size."""
    order = np.argsort(confidence, kind="stable")
    return [
        [float(confidence[part].mean()), float(right[part].mean()), float(len(part))]
        for part in np.array_split(order, groups)
        if len(part)
    ]
