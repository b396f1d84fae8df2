"""Weights of several hospitals made one, by cases (FedAvg; McMahan et al. 2017, AISTATS); bad ones refused and named.

What AdamW moves a weight by in a step is bounded whatever the gradient (Kingma and Ba 2015, section 2.1), so how far a
weight can have gone is known before, and an update that went farther was not made by these steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_STEP = 0.1 / math.sqrt(0.001)
"""Of the rate: most that a step of AdamW moves a weight, (1 - beta1) / sqrt(1 - beta2)."""
_OUT_OF_LINE = 20.0
"""Length of a hospital's way, a step, by the median of the others' above which it is not taken for one of images."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """What a hospital sends after a round.

    Attributes:
        vector: (length,) float32 its weights.
        cases: it says it learnt from.
    """

    vector: Any
    cases: Any


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an update may be like.

    Attributes:
        rate: highest of any weight.
        passes: through the cases in a round.
        batch: cases a step.
    """

    rate: float
    passes: int
    batch: int

    def steps(self, cases: int) -> int:
        """Most that a hospital with so many cases takes in a round."""
        return self.passes * math.ceil(cases / self.batch)


def refuse_update(update: Update, common: Vector, start: Vector, cases: int, limits: Limits) -> str:
    """Why an update is not taken; empty where it is.

    Args:
        update: of a hospital.
        common: (length,) the weights that the round began with.
        start: (length,) the weights near which they are held.
        cases: that the hospital was agreed to have.
        limits: of this training.
    """
    vector = update.vector
    if isinstance(update.cases, bool) or not isinstance(update.cases, int) or update.cases != cases:
        return "absurd case counts"
    if not isinstance(vector, np.ndarray) or vector.dtype != np.float32:
        return "no vector"
    if vector.shape != common.shape:
        return f"wrong shape: {vector.shape[0] if vector.ndim == 1 else vector.shape} for {len(common)}"
    if not np.isfinite(vector).all():
        return "not finite (NaN or infinity)"
    # Being held draws a weight toward the start, and not past it; a hundredth more for rounding.
    reach = 1.01 * limits.steps(cases) * _STEP * limits.rate + np.abs(common - start)
    return "huge norm" if (np.abs(vector - common) > reach + 1e-6).any() else ""


def out_of_line(ways: Mapping[str, float]) -> dict[str, str]:
    """Whose way, a step, is far longer than those of at least two others."""
    if len(ways) < 3:
        return {}
    found = {}
    for site, length in ways.items():
        middle = float(np.median([other for name, other in ways.items() if name != site]))
        if length > _OUT_OF_LINE * max(middle, 1e-9):
            found[site] = "huge norm"
    return found


def screened(
    updates: Mapping[str, Update], common: Vector, start: Vector, cases: Mapping[str, int], limits: Limits
) -> tuple[dict[str, Vector], dict[str, str]]:
    """The updates that are taken, and why the others are not, by pseudonym."""
    refused = {
        site: why for site, one in updates.items() if (why := refuse_update(one, common, start, cases[site], limits))
    }
    taken = {site: one.vector for site, one in updates.items() if site not in refused}
    ways = {site: way_of(one, common, limits.steps(cases[site])) for site, one in taken.items()}
    refused |= out_of_line(ways)
    return {site: one for site, one in taken.items() if site not in refused}, refused


def way_of(vector: Vector, common: Vector, steps: int) -> float:
    """Length of the way from the common weights, a step."""
    return float(np.linalg.norm(np.asarray(vector, np.float64) - common)) / max(steps, 1)


def averaged(vectors: Mapping[str, Vector], cases: Mapping[str, int]) -> Vector:
    """Their mean, weighted by cases; added in the order of the names, so that who answers first changes nothing."""
    names = sorted(vectors)
    whole = sum(cases[site] for site in names)
    total = np.zeros(len(vectors[names[0]]), np.float64)
    for site in names:
        total += np.asarray(vectors[site], np.float64) * (cases[site] / whole)
    return np.asarray(total, np.float32)
