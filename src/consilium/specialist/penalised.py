"""Linear models with a quadratic penalty, for many targets and many penalties at once.

Everything happens in the principal components of the standardised training features, of which there are at most as many
as cases: 1,600 features of 160 cases are 159 numbers a case. There the Hessian of the logistic loss has the diagonal
bound S/4 (S/2 for the softmax; Böhning 1992, Annals of the Institute of Statistical Mathematics 44:197), so one step of
all targets is two matrix products. Steps are accelerated (Nesterov) and restarted where they overshoot (O'Donoghue and
Candès 2015, Foundations of Computational Mathematics 15:715).

Targets have the shape (n, problems, columns): problems are independent of each other (labels of a multilabel task,
permutations of a label), columns are the classes of one softmax, or a single one for the logistic and squared losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Loss = Literal["logistic", "softmax", "squares"]
Array = NDArray[np.float64]

STRENGTHS: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
"""C of the penalty |w|²/2C, for features divided by their standard deviation and by the root of their number, so that
the mean squared length of a case is 1 whatever the encoder's width."""

_BOUND: dict[Loss, float] = {"logistic": 0.25, "softmax": 0.5}
_STEPS = 300
_DECREMENT = 1e-3
"""Length of the last step in the metric of the bound; its square bounds what is left of the loss, in nats."""


@dataclass(frozen=True, kw_only=True)
class Basis:
    """Standardisation and principal components of training features.

    Attributes:
        mean, scale: (d,) of the training features; the scale contains the root of d.
        rows: (n, d) standardised training features.
        scores: (n, r) their components; columns are orthogonal and have mean 0.
        spread: (r,) sum of squares of each column of the scores.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    rows: NDArray[np.float32]
    scores: Array
    spread: Array

    def standardised(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Features (m, d) in the units of the training features."""
        return np.asarray((features - self.mean) / self.scale, np.float32)

    def project(self, features: NDArray[np.floating]) -> Array:
        """Components (m, r) of features (m, d)."""
        similar = self.standardised(features) @ self.rows.T
        return np.asarray(similar, np.float64) @ (self.scores / self.spread)

    def weights(self, coefficients: Array) -> Array:
        """Weights (d, k) of the standardised features that belong to coefficients (r, k) of the components."""
        return np.asarray(self.rows.T, np.float64) @ ((self.scores / self.spread) @ coefficients)


def basis_of(features: NDArray[np.floating]) -> Basis:
    """Standardise features (n, d) and find their principal components; what does not vary becomes 0."""
    mean = features.mean(0, dtype=np.float64)
    deviation = features.std(0, dtype=np.float64)
    constant = deviation <= 1e-6 * np.maximum(np.abs(mean), 1e-30)
    scale = np.where(constant, np.inf, deviation * np.sqrt(features.shape[1]))
    rows = np.asarray((features - mean) / scale, np.float32)
    rows -= rows.mean(0)
    if len(rows) <= rows.shape[1]:
        spread, vectors = np.linalg.eigh(np.asarray(rows @ rows.T, np.float64))
        kept = spread > max(float(spread[-1]), 1e-12) * 1e-6
        spread = spread[kept][::-1]
        scores = vectors[:, kept][:, ::-1] * np.sqrt(spread)
    else:
        spread, vectors = np.linalg.eigh(np.asarray(rows.T @ rows, np.float64))
        kept = spread > max(float(spread[-1]), 1e-12) * 1e-6
        spread = spread[kept][::-1]
        scores = np.asarray(rows, np.float64) @ vectors[:, kept][:, ::-1]
    return Basis(
        mean=np.asarray(mean, np.float32),
        scale=np.asarray(scale, np.float32),
        rows=rows,
        scores=np.ascontiguousarray(scores),
        spread=np.ascontiguousarray(spread),
    )


def probabilities(logits: Array, loss: Loss) -> Array:
    """What logits (..., problems, columns) mean; those of the squared loss are the values themselves."""
    if loss == "squares":
        return logits
    if loss == "logistic":
        return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
    powers = np.exp(logits - _largest(logits)[..., None])
    return np.asarray(powers / (powers @ np.ones(powers.shape[-1]))[..., None])


def _largest(logits: Array) -> Array:
    # NumPy reduces a last axis of a few classes many times more slowly than it compares whole columns.
    return reduce(np.maximum, (logits[..., column] for column in range(logits.shape[-1])))


def ranking_scores(logits: Array, column: int) -> Array:
    """Log odds (n,) of one class against the others; of a single logit (n, 1) that logit."""
    if logits.shape[1] == 1:
        return logits[:, 0]
    rest = np.delete(logits, column, axis=1)
    top = rest.max(1)
    return np.asarray(logits[:, column] - top - np.log(np.exp(rest - top[:, None]).sum(1)))


def losses(logits: Array, targets: Array, loss: Loss) -> Array:
    """Loss of each case and problem: (n, problems, columns) twice in, (n, problems) out; in nats, or squared units."""
    if loss == "squares":
        return np.asarray(np.square(targets - logits).sum(-1))
    if loss == "logistic":
        return np.asarray((np.logaddexp(0, logits) - targets * logits).sum(-1))
    top = _largest(logits)
    return np.asarray(top + np.log(np.exp(logits - top[..., None]).sum(-1)) - (targets * logits).sum(-1))


def path(
    basis: Basis, targets: Array, loss: Loss, strengths: tuple[float, ...] = STRENGTHS
) -> tuple[tuple[Array, Array], ...]:
    """Fit all targets with each strength, from the strongest penalty on, each time from where the last one ended.

    Args:
        basis: of the n training cases.
        targets: (n, problems, columns): 0 or 1, or the values of a regression.
        loss: which one.
        strengths: C, rising.

    Returns:
        For each strength the intercepts (problems, columns) and coefficients (r, problems, columns).
    """
    if loss == "squares":
        middle = targets.mean(0)
        cross = np.tensordot(basis.scores.T, targets - middle, axes=1)
        return tuple((middle, cross / (basis.spread + 1 / c)[:, None, None]) for c in strengths)
    share = np.clip(targets.mean(0), 0.5 / len(targets), 1 - 0.5 / len(targets))
    intercept = np.log(share / (1 - share)) if loss == "logistic" else np.log(share)
    state = np.concatenate([intercept[None], np.zeros((len(basis.spread), *intercept.shape))])
    # The intercept is one more component, orthogonal to the others because their means are 0, without a penalty.
    design = np.concatenate([np.ones((len(targets), 1)), basis.scores], axis=1)
    found = []
    for c in strengths:
        penalty = np.concatenate([[0.0], np.full(len(basis.spread), 1 / c)])
        curvature = _BOUND[loss] * np.concatenate([[float(len(targets))], basis.spread]) + penalty
        state = _descend(design, targets, loss, state, penalty[:, None, None], curvature[:, None, None])
        found.append((state[0], state[1:]))
    return tuple(found)


def _descend(design: Array, targets: Array, loss: Loss, start: Array, penalty: Array, curvature: Array) -> Array:
    """Minimise from a start (r + 1, problems, columns); problems that have arrived leave the iteration."""
    found = start.copy()
    active = np.arange(start.shape[1])
    state, ahead, momentum, truth = start, start, np.ones(len(active)), targets
    for _ in range(_STEPS):
        logits = (design @ ahead.reshape(len(ahead), -1)).reshape(truth.shape)
        wrong = probabilities(logits, loss) - truth
        gradient = (design.T @ wrong.reshape(len(truth), -1)).reshape(ahead.shape) + penalty * ahead
        step = gradient / curvature
        moved = ahead - step
        arrived = np.einsum("rpc,rpc->p", step, gradient) < _DECREMENT**2
        if arrived.any():
            found[:, active[arrived]] = moved[:, arrived]
            if arrived.all():
                return found
            on = ~arrived
            active, state, gradient, moved = active[on], state[:, on], gradient[:, on], moved[:, on]
            momentum, truth = momentum[on], targets[:, active]
        change = moved - state
        overshot = np.einsum("rpc,rpc->p", gradient, change) > 0
        following = np.where(overshot, 1.0, 0.5 * (1 + np.sqrt(1 + 4 * momentum**2)))
        inertia = np.where(overshot, 0.0, (momentum - 1) / following)
        ahead = moved + inertia[None, :, None] * change
        state, momentum = moved, following
    found[:, active] = state
    return found
