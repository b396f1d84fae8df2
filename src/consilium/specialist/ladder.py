"""Choosing among ways of making a model, toward the simpler: the rule of one standard error.

Breiman et al. 1984 (Classification and Regression Trees, section 3.4.3): the best is looked for, and the simplest taken
that is not worse than it by more than a standard error of their difference. A rung is anything with out-of-fold
predictions for the same cases and folds: frozen features, two encoders, a fine-tuned network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One way of making a model.

    Attributes:
        name: e.g. "frozen features".
        losses: (n,) out-of-fold loss of each case (log loss, or squared error); less is better.
    """

    name: str
    losses: Array


@dataclass(frozen=True, kw_only=True)
class Step:
    """How a rung compares with the best one.

    Attributes:
        name: of the rung.
        loss: its mean loss.
        behind: mean loss more than the best one.
        error: standard error of that difference, over patients.
    """

    name: str
    loss: float
    behind: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The rung that was taken, and why.

    Attributes:
        taken, best: names.
        steps: all rungs, the simplest first.
    """

    taken: str
    best: str
    steps: tuple[Step, ...]


def choose_rung(rungs: Sequence[Rung], groups: Codes) -> Choice:
    """Take the simplest rung within one standard error of the best.

    Args:
        rungs: the simplest first, at least one.
        groups: (n,) patients.

    Returns:
        The choice. That it was made on these predictions makes the figures of the taken rung a little too good;
        where that matters, choose inside the training folds.
    """
    means = [float(rung.losses.mean()) for rung in rungs]
    best = int(np.argmin(means))
    numbers = np.unique(groups, return_inverse=True)[1]
    patients = int(numbers.max()) + 1
    steps = []
    for rung, mean in zip(rungs, means, strict=True):
        gaps = rung.losses - rungs[best].losses
        of_patient = np.bincount(numbers, gaps - gaps.mean())
        error = np.sqrt(np.square(of_patient).sum() * patients / max(patients - 1, 1)) / len(gaps)
        steps.append(Step(name=rung.name, loss=mean, behind=mean - means[best], error=float(error)))
    taken = next(step for step in steps if step.behind <= step.error or step.name == rungs[best].name)
    return Choice(taken=taken.name, best=rungs[best].name, steps=tuple(steps))
