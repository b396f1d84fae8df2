"""Steps of the shared problem from sums of gradients: the same at every hospital that has the same sums.

The head is the minimum of Σ loss + |w|²/2C over the cases of all hospitals, the same that `specialist.penalised` finds
for cases in one place. A sum over cases is a sum over hospitals, so whoever gets the sums of all takes the very steps
of training in one place: Nesterov's, restarted where they overshoot (O'Donoghue and Candès 2015, Foundations of
Computational Mathematics 15:715), with the bound of Böhning (1992) on the curvature. Averaging separately trained heads
would not end there where hospitals have different patients.

Under differential privacy steps are plain ones, since momentum carries noise on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BOUND = {"logistic": 0.25, "softmax": 0.5}
"""Most that the second derivative of a case's loss by its logits is; Böhning."""
_ARRIVED = 1e-3
"""Length of a step in the metric of the bound; its square bounds what is left of the loss, in nats."""


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Where the heads of several problems are.

    Attributes:
        weights: (P, d + 1, K), the last row the intercept.
        ahead: (P, d + 1, K) where the next gradient is taken.
        momentum: (P,).
        left: (P,) squared length of the last step; what `arrived` goes by.
    """

    weights: Array
    ahead: Array
    momentum: Array
    left: Array

    @property
    def arrived(self) -> bool:
        """Whether no head moves any more."""
        return bool((self.left < _ARRIVED**2).all())


def start(problems: int, rows: int, columns: int) -> Descent:
    """All heads at 0."""
    zeros = np.zeros((problems, rows, columns))
    return Descent(weights=zeros, ahead=zeros, momentum=np.ones(problems), left=np.full(problems, np.inf))


def step(now: Descent, gradient: Array, curvature: Array, *, accelerated: bool = True) -> Descent:
    """One step of every problem.

    Args:
        now: where the heads are.
        gradient: (P, d + 1, K) of the whole objective at `ahead`.
        curvature: (P, d + 1) at least the largest curvature in the direction of each weight.
        accelerated: whether with momentum.
    """
    move = gradient / curvature[:, :, None]
    moved = now.ahead - move
    left = np.einsum("prk,prk->p", move, gradient)
    if not accelerated:
        return Descent(weights=moved, ahead=moved, momentum=now.momentum, left=left)
    change = moved - now.weights
    overshot = np.einsum("prk,prk->p", gradient, change) > 0
    following = np.where(overshot, 1.0, 0.5 * (1 + np.sqrt(1 + 4 * np.square(now.momentum))))
    inertia = np.where(overshot, 0.0, (now.momentum - 1) / following)
    return replace(now, weights=moved, ahead=moved + inertia[:, None, None] * change, momentum=following, left=left)
