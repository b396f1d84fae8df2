"""How sure a figure is: 95 % intervals from resampling whole cases.

The cells of one person resemble each other, so cases are drawn, not cells (Efron and Tibshirani 1993, chapter 8).
A figure is written once, as a function of one weight a case; its value is that function of ones, and its interval
the 2.5th to 97.5th percentile of that function over the drawn weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

DRAWS = 1000
SEED = 20260101

Weights = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and its 95 % interval; all three are NaN where it is not defined.

    Attributes:
        n: number of cases it rests on.
    """

    value: float
    low: float
    high: float
    n: int


def case_numbers(cases: Sequence[str]) -> tuple[NDArray[np.intp], int]:
    """For each row the number of its case, 0 to n - 1, and n."""
    names, numbers = np.unique(np.asarray(cases, np.str_), return_inverse=True)
    return np.asarray(numbers, np.intp), len(names)


def estimate(statistic: Callable[[Weights], float], cases: int, *, draws: int = DRAWS, seed: int = SEED) -> Estimate:
    """Evaluate a figure and its interval.

    Args:
        statistic: the figure, of one weight a case, shape (cases,); NaN where it is not defined.
        cases: how many cases there are.
        draws: how often the cases are drawn, with replacement.
        seed: of the draws.
    """
    if not cases:
        return Estimate(value=float("nan"), low=float("nan"), high=float("nan"), n=0)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(cases, np.full(cases, 1 / cases), size=draws).astype(np.float64)
    values = np.asarray([statistic(weights) for weights in drawn])
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, [2.5, 97.5]) if len(values) else (np.nan, np.nan)
    return Estimate(value=float(statistic(np.ones(cases))), low=float(low), high=float(high), n=cases)


def ratio(cases: Sequence[str], numerators: Sequence[float], denominators: Sequence[float]) -> Estimate:
    """Sum of the numerators over sum of the denominators, one of each a row.

    Args:
        cases: the case of each row.
        numerators: e.g. chromosomes found in a cell.
        denominators: e.g. chromosomes in it.
    """
    numbers, count = case_numbers(cases)
    above = np.bincount(numbers, np.asarray(numerators, np.float64), minlength=count)
    below = np.bincount(numbers, np.asarray(denominators, np.float64), minlength=count)

    def statistic(weights: Weights) -> float:
        total = float(weights @ below)
        return float(weights @ above) / total if total > 0 else float("nan")

    return estimate(statistic, count)


def fraction(cases: Sequence[str], true: Sequence[bool]) -> Estimate:
    """How many of the rows are true."""
    return ratio(cases, [float(value) for value in true], [1.0] * len(true))


def exact_binomial(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a proportion by Clopper and Pearson (1934).

    It is for a handful of trials: when all of them succeed, resampling sees no failure and its interval is a point.
    """
    low = float(beta.ppf(0.025, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.ppf(0.975, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high
