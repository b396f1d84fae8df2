"""Decide which of the objects that may be chromosomes are the chromosomes of a cell.

What lies in a cluster is often undecided by its looks alone: one chromosome or two, a chromosome or a fold of its
neighbour. Who counts at the microscope then asks what the cell still lacks. Here the same evidence is added up: how
likely an object is a chromosome by itself, how well it fits a class, and what a missing or an extra copy of that
class costs. The cell decides only what looks leave open: a clear third copy is counted.

Costs rise with each copy, so the best choice is a linear assignment of objects to places (Jonker and Volgenant
1987), solved exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import expit, logit

from consilium.karyotype.assign import MOST_COPIES, NO_CLASS_FITS, USUAL_COPIES
from consilium.karyotype.metaphase import Instance
from consilium.karyotype.models import constants

CLEAR = 2.5
"""Log-odds of being a chromosome (0.92) from which an object is counted whatever else the cell has: a cell in which
every clear third copy were left out would look normal, and a marker has no place of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The choice for one cell.

    Attributes:
        kept: (N,) bool, the objects that are chromosomes of the cell.
        presence: (N,) float32, 0..1, calibrated probability of being one whole chromosome by its looks alone.
    """

    kept: NDArray[np.bool_]
    presence: NDArray[np.float32]


def choose(
    probabilities: NDArray[np.float32],
    objects: Sequence[Instance],
    *,
    unusual_copy: float | None = None,
    class_weight: float | None = None,
    presence_scale: float | None = None,
    presence_offset: float | None = None,
) -> Chosen:
    """Choose the chromosomes of one cell.

    What is left out comes from the classifier's card, where `training.calibrate` put what validation cells chose.

    Args:
        probabilities: (N, 24) float32 in the order of `CLASSES`.
        objects: what may be a chromosome; only the scores are read.
        unusual_copy: cost, in nats, of each copy that is missing from the usual set and of the first one beyond
            it; each further one costs that much more again.
        class_weight: how much a nat of the classifier's surprise counts: it was not taught what no chromosome is.
        presence_scale: log-odds of being a chromosome for one unit of log-odds of the score.
        presence_offset: log-odds of being a chromosome at a score of one half.
    """
    unusual_copy = _chosen("unusual_copy") if unusual_copy is None else unusual_copy
    class_weight = _chosen("class_weight") if class_weight is None else class_weight
    presence_scale = _chosen("presence_scale") if presence_scale is None else presence_scale
    presence_offset = _chosen("presence_offset") if presence_offset is None else presence_offset
    scores = np.asarray([one.score for one in objects], np.float64)
    present = presence_scale * logit(np.clip(scores, 1e-3, 1 - 1e-3)) + presence_offset
    surprise = class_weight * np.minimum(-np.log(np.maximum(probabilities.astype(np.float64), 1e-9)), NO_CLASS_FITS)
    absent = np.minimum(present, CLEAR)
    solutions = [_solve(surprise, absent, usual, unusual_copy) for usual in USUAL_COPIES]
    _, placed = min(solutions, key=lambda solution: solution[0])
    kept = placed | (present > CLEAR)
    return Chosen(kept=kept, presence=expit(present).astype(np.float32))


def keep_all(probabilities: NDArray[np.float32], objects: Sequence[Instance]) -> Chosen:
    """The choice where the objects are known to be chromosomes."""
    scores = np.asarray([one.score for one in objects], np.float32)
    return Chosen(kept=np.ones(len(probabilities), np.bool_), presence=scores)


def _chosen(name: str) -> float:
    return float(constants("classifier")[name])


def _solve(
    surprise: NDArray[np.float64], absent: NDArray[np.float64], usual: tuple[int, ...], unusual_copy: float
) -> tuple[float, NDArray[np.bool_]]:
    """Cost of the cheapest choice when the usual numbers of copies are `usual`, and which objects have a place."""
    count = len(surprise)
    owners, prices = [], []
    for index, copies in enumerate(usual):
        for copy in range(min(copies + MOST_COPIES - 2, count)):
            owners.append(index)
            prices.append(unusual_copy * (-1 if copy < copies else copy + 1 - copies))
    left_out = np.repeat(absent[:, None], count, 1)
    costs = np.concatenate([surprise[:, owners] + np.asarray(prices)[None], left_out], 1)
    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum()), np.asarray(columns < len(owners))
