"""Give every object of a cell its name, the whole cell considered at once.

The names are those that maximise the sum of log-probabilities less the cost of an unusual number of copies: the
third copy of an autosome costs something, it is not forbidden. Costs rise with each copy, so the best naming is a
linear assignment of objects to places (Jonker and Volgenant 1987), solved exactly. The confidence of a name is
how much worse the best naming of the whole cell without it would be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import expit

from consilium.karyotype.metaphase import CLASSES, UNSURE
from consilium.karyotype.models import constants

NO_CLASS_FITS = 7.0
"""Cost of calling an object unsure: below about one in a thousand, no class is a sensible name."""

MOST_COPIES = 6
"""Places an autosome has in a cell."""

_AUTOSOMES = [2] * 22
USUAL_COPIES = ((*_AUTOSOMES, 2, 0), (*_AUTOSOMES, 1, 1))
"""The usual numbers of copies in the order of `CLASSES`, of a female and of a male cell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assigned:
    """Names and how sure they are.

    Attributes:
        labels: one of `CLASSES` or `UNSURE` for each object.
        confidences: (N,) float32, calibrated probability that the name is right.
    """

    labels: tuple[str, ...]
    confidences: NDArray[np.float32]


def assign(
    probabilities: NDArray[np.float32],
    *,
    extra_copy: float | None = None,
    margin_scale: float | None = None,
    margin_offset: float | None = None,
) -> Assigned:
    """Name the objects of one cell.

    What is left out comes from the classifier's card, where `training.calibrate` put what validation cells chose.

    Args:
        probabilities: (N, 24) float32 in the order of `CLASSES`.
        extra_copy: cost, in nats, of a copy beyond the usual two (one X and one Y); each further one costs that
            much more again. Small, because the classifier has seen the whole cell already.
        margin_scale: nats of margin that stand for one unit of log-odds of being right.
        margin_offset: log-odds of being right at no margin.
    """
    extra_copy = _chosen("extra_copy") if extra_copy is None else extra_copy
    margin_scale = _chosen("margin_scale") if margin_scale is None else margin_scale
    margin_offset = _chosen("margin_offset") if margin_offset is None else margin_offset
    if len(probabilities) == 0:
        return Assigned(labels=(), confidences=np.zeros(0, np.float32))
    evidence = -np.log(np.maximum(probabilities.astype(np.float64), 1e-9))
    solutions = [_solve(evidence, usual, extra_copy) for usual in USUAL_COPIES]
    best = min(solutions, key=lambda solution: solution.cost)
    # Another name may be cheapest with the other sex: an X that may be a Y makes a usual cell either way.
    without = [min(_cost_without(one, k, best.classes[k]) for one in solutions) for k in range(len(evidence))]
    margins = np.asarray(without) - best.cost
    names = tuple(UNSURE if c == len(CLASSES) else CLASSES[c] for c in best.classes)
    confidences = expit(np.maximum(margins, 0) / margin_scale + margin_offset)
    return Assigned(labels=names, confidences=confidences.astype(np.float32))


def _chosen(name: str) -> float:
    return float(constants("classifier")[name])


@dataclass(frozen=True, slots=True)
class _Solution:
    cost: float
    classes: NDArray[np.intp]
    costs: NDArray[np.float64]
    owners: NDArray[np.intp]


def _solve(evidence: NDArray[np.float64], usual: tuple[int, ...], extra_copy: float) -> _Solution:
    """The cheapest naming when the usual numbers of copies are `usual`."""
    count = len(evidence)
    owners, prices = [], []
    for index, copies in enumerate(usual):
        most = min(MOST_COPIES, count) if copies else min(MOST_COPIES - 2, count)
        for copy in range(most):
            owners.append(index)
            prices.append(extra_copy * max(copy + 1 - copies, 0))
    costs = evidence[:, owners] + np.asarray(prices)[None]
    owners += [len(CLASSES)] * count
    costs = np.concatenate([costs, np.full((count, count), NO_CLASS_FITS)], 1)
    rows, columns = linear_sum_assignment(costs)
    return _Solution(
        cost=float(costs[rows, columns].sum()),
        classes=np.asarray(owners)[columns],
        costs=costs,
        owners=np.asarray(owners),
    )


def _cost_without(solution: _Solution, index: int, name: np.intp) -> float:
    """Cost of the best naming in which one object has another name."""
    if solution.classes[index] != name:
        return solution.cost
    costs = solution.costs.copy()
    costs[index, solution.owners == name] = 1e6
    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum())
