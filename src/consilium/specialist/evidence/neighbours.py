"""Two ways to classify that learn nothing: the nearest cases, and the nearest mean. They check the linear head.

Where they do as well as the head, the classes are simply apart in the features; where they do much better, something is
wrong with the head.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.discrimination import interval_of, mean_of, within_folds
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.head import Features
from consilium.specialist.penalised import Array, Basis, basis_of
from consilium.specialist.splits import Folds

Codes = NDArray[np.intp]

NEIGHBOURS = 11


def nearest_cases(basis: Basis, targets: Array, features: Features) -> Array:
    """Share of each class among the nearest training cases, nearer ones counting more; (m, d) to (m, k)."""
    standardised = basis.standardised(features)
    squares = (
        np.square(standardised).sum(1)[:, None] + np.square(basis.rows).sum(1)[None] - 2 * standardised @ basis.rows.T
    )
    count = min(NEIGHBOURS, len(basis.rows))
    nearest = np.argpartition(squares, count - 1, axis=1)[:, :count]
    distances = np.sqrt(np.maximum(np.take_along_axis(squares, nearest, axis=1), 1e-12))
    weights = 1 / distances
    return np.asarray((targets[nearest] * weights[..., None]).sum(1) / weights.sum(1, keepdims=True))


def nearest_mean(basis: Basis, targets: Array, features: Features) -> Array:
    """How much nearer the mean of each class is than the mean of the others; (m, d) to (m, k)."""
    standardised = basis.standardised(features)
    found = np.empty((len(features), targets.shape[1]))
    for column in range(targets.shape[1]):
        own = targets[:, column] > 0.5
        if own.all() or not own.any():
            found[:, column] = 0.0
            continue
        means = basis.rows[own].mean(0), basis.rows[~own].mean(0)
        found[:, column] = np.linalg.norm(standardised - means[1], axis=1) - np.linalg.norm(
            standardised - means[0], axis=1
        )
    return found


def checks(features: Features, targets: Array, groups: Codes, folds: Folds) -> dict[str, Estimate]:
    """Mean AUC over the classes of both, on the folds of the validation.

    Args:
        features: (n, d).
        targets: (n, k), 0 or 1.
        groups: (n,) patients.
        folds: of the validation.
    """
    found = {}
    for name, classify in (("nearest cases", nearest_cases), ("nearest mean", nearest_mean)):
        parts = []
        for fold in folds.assigned:
            scores = np.empty(targets.shape)
            for part in np.unique(fold):
                tested = fold == part
                scores[tested] = classify(basis_of(features[~tested]), targets[~tested], features[tested])
            parts += [
                within_folds(scores[:, column], targets[:, column] > 0.5, fold, groups)
                for column in range(targets.shape[1])
            ]
        estimate = interval_of(mean_of(parts), targets[:, 0] > 0.5, groups)
        found[name] = Estimate(
            value=estimate.value, low=estimate.low, high=estimate.high, method="logit-DeLong, models given"
        )
    return found
