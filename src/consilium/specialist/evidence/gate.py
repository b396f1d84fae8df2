"""Whether a case is of the kind that the model learnt from: distance to the training cases in feature space.

The mean distance to the k nearest training cases, in standardised features (Sun et al. 2022, ICML, "Out-of-distribution
detection with deep nearest neighbors"). The threshold is the 95th percentile of what training cases get from folds
that they are not in, so one in twenty of ordinary cases is turned away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.intervals import Estimate, proportion
from consilium.specialist.penalised import basis_of

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

NEIGHBOURS = 5
KEPT = 0.95


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Turns away what is unlike the training cases.

    Attributes:
        mean, scale: (d,) standardisation.
        known: (n, d) standardised training features.
        threshold: largest mean distance to the nearest neighbours that is let through.
        neighbours: how many.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    known: NDArray[np.float32]
    threshold: float
    neighbours: int

    def distance(self, features: NDArray[np.floating]) -> Array:
        """Mean distance (m,) of features (m, d) to their nearest training cases; 1 is a typical length of a case."""
        standardised = np.asarray((features - self.mean) / self.scale, np.float32)
        return distance_to(standardised, self.known, self.neighbours)

    def turned_away(self, features: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which of the cases (m, d) the model should not be asked about."""
        far = self.distance(features) > self.threshold
        return np.asarray(far | ~np.isfinite(features).all(1))


@dataclass(frozen=True, kw_only=True)
class GateReport:
    """How the gate does on the training cases, each seen from the folds that it is not in.

    Attributes:
        threshold: as in the gate.
        turned_away: share of the cases that a threshold from the other folds turns away.
        distances: (n,) of the cases, mean over the repetitions.
    """

    threshold: float
    turned_away: Estimate
    distances: tuple[float, ...]


def distance_to(features: NDArray[np.float32], known: NDArray[np.float32], neighbours: int) -> Array:
    """Mean distance (m,) of standardised features (m, d) to the nearest of those that are known (n, d)."""
    squares = np.square(features).sum(1)[:, None] + np.square(known).sum(1)[None] - 2 * features @ known.T
    nearest = np.partition(np.maximum(squares, 0), min(neighbours, len(known)) - 1, axis=1)[:, :neighbours]
    return np.asarray(np.sqrt(nearest).mean(1), np.float64)


def fit_gate(
    features: NDArray[np.float32], groups: Codes, assigned: NDArray[np.integer], *, neighbours: int = NEIGHBOURS
) -> tuple[Gate, GateReport]:
    """Make a gate of training features.

    Args:
        features: (n, d).
        groups: (n,) patients.
        assigned: (repeats, n) folds, which no group crosses.
        neighbours: how many nearest cases.
    """
    distances = np.zeros((len(assigned), len(features)))
    for repeat, fold in enumerate(assigned):
        for part in np.unique(fold):
            tested = fold == part
            basis = basis_of(features[~tested])
            distances[repeat, tested] = distance_to(basis.standardised(features[tested]), basis.rows, neighbours)
    return gate_of(features, groups, assigned[0], distances, neighbours=neighbours)


def gate_of(
    features: NDArray[np.float32],
    groups: Codes,
    fold: NDArray[np.integer],
    distances: Array,
    *,
    neighbours: int = NEIGHBOURS,
) -> tuple[Gate, GateReport]:
    """Make a gate where the distances are there.

    Args:
        features: (n, d).
        groups: (n,) patients.
        fold: (n,) of the first repetition.
        distances: (repeats, n) of each case to those of the folds that it is not in.
        neighbours: how many nearest cases.
    """
    mean = distances.mean(0)
    away = np.zeros(len(features))
    for part in np.unique(fold):
        tested = fold == part
        away[tested] = distances[0, tested] > np.quantile(distances[0, ~tested], KEPT)
    basis = basis_of(features)
    gate = Gate(
        mean=basis.mean,
        scale=basis.scale,
        known=basis.rows,
        threshold=float(np.quantile(mean, KEPT)),
        neighbours=neighbours,
    )
    report = GateReport(threshold=gate.threshold, turned_away=proportion(away, groups), distances=tuple(mean.tolist()))
    return gate, report
