"""Curves that are drawn and not told as one figure: ROC with its band, precision against recall, a confusion table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

_Drawn = Callable[[Array, Array, Array], Array]

GRID = 101
DRAWS = 400


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A curve over a grid of 0 to 1, each (GRID,).

    Attributes:
        across: false positive rate, or recall.
        up: sensitivity, or precision.
        low, high: 95 % band, point by point, of patients drawn with replacement; models as given.
    """

    across: Array
    up: Array
    low: Array
    high: Array


def roc(scores: Array, positive: NDArray[np.bool_], groups: Codes, *, seed: int = 0) -> Curve:
    """Sensitivity at each false positive rate.

    Args:
        scores: (n,) out-of-fold.
        positive: (n,), both kinds present.
        groups: (n,) patients.
        seed: of the draws.
    """
    return _banded(scores, positive, groups, seed, _roc)


def precision_recall(scores: Array, positive: NDArray[np.bool_], groups: Codes, *, seed: int = 0) -> Curve:
    """Precision at each recall; arguments as of `roc`."""
    return _banded(scores, positive, groups, seed, _precision)


def _banded(scores: Array, positive: NDArray[np.bool_], groups: Codes, seed: int, curve: _Drawn) -> Curve:
    order = np.argsort(-scores, kind="stable")
    # Cases of the same score come together.
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    numbers = np.unique(groups, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=DRAWS)
    weights = np.vstack([np.ones(len(scores)), drawn[:, numbers]])[:, order]
    hits = np.cumsum(weights * positive[order], axis=1)[:, last]
    alarms = np.cumsum(weights * ~positive[order], axis=1)[:, last]
    both = (hits[:, -1] > 0) & (alarms[:, -1] > 0)
    grid = np.linspace(0, 1, GRID)
    drawn_curves = np.array([curve(one, other, grid) for one, other in zip(hits[both], alarms[both], strict=True)])
    low, high = np.quantile(drawn_curves[1:], [0.025, 0.975], axis=0)
    return Curve(across=grid, up=drawn_curves[0], low=low, high=high)


def _roc(hits: Array, alarms: Array, grid: Array) -> Array:
    across = np.concatenate([[0.0], alarms / alarms[-1]])
    return np.asarray(np.interp(grid, across, np.concatenate([[0.0], hits / hits[-1]])), np.float64)


def _precision(hits: Array, alarms: Array, grid: Array) -> Array:
    recall = hits / hits[-1]
    precision = hits / np.maximum(hits + alarms, 1e-12)
    reached = np.minimum(np.searchsorted(recall, np.maximum(grid, 1e-9) - 1e-12), len(recall) - 1)
    return np.asarray(precision[reached], np.float64)


def confusion_at(sensitivity: float, specificity: float, positive: int, negative: int) -> Array:
    """(2, 2) mean numbers of cases over the repetitions, truth by answer, no before yes; they need not be whole."""
    found, right = sensitivity * positive, specificity * negative
    return np.array([[right, negative - right], [positive - found, found]])


def confusion(truth: Codes, answer: Codes, labels: int) -> Array:
    """(labels, labels) numbers of cases, truth by answer."""
    return np.bincount(truth * labels + answer, minlength=labels * labels).reshape(labels, labels).astype(np.float64)
