"""Whether a probability of 30 % means that 30 of 100 such cases are positive.

Intercept and slope of logistic recalibration (Cox 1958, Biometrika 45:562; Van Calster et al. 2019, BMC Medicine
17:230), the Brier score, a reliability curve, and the expected calibration error, which is told only beside what it
would be if the probabilities were right: at 200 cases and 10 bins that is already about .07.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.intervals import Estimate, Z, bootstrap, wilson

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

BINS = 10
SIMULATIONS = 1000
_EDGE = 1e-6


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Cases of similar probability.

    Attributes:
        predicted: their mean probability.
        observed: share of positive ones, with Wilson's interval.
        cases: how many they are.
    """

    predicted: float
    observed: Estimate
    cases: int


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How far probabilities can be taken at their word.

    Attributes:
        intercept: of logistic recalibration with slope 1; 0 is right, above 0 the model says too little.
        slope: 1 is right, below 1 probabilities are too extreme.
        brier: mean squared error of the probability.
        ece: expected calibration error over bins of equal numbers of cases.
        ece_if_right: 2.5th and 97.5th percentile of the same if every probability were right.
        curve: the bins.
    """

    intercept: Estimate
    slope: Estimate
    brier: Estimate
    ece: float
    ece_if_right: tuple[float, float]
    curve: tuple[ReliabilityBin, ...]


def calibration(predicted: Array, positive: NDArray[np.bool_], groups: Codes, *, seed: int = 0) -> Calibration:
    """Judge out-of-fold probabilities of one class.

    Args:
        predicted: (n,) probabilities.
        positive: (n,), both kinds present.
        groups: (n,) patients.
        seed: of the simulation and the bootstrap.
    """
    bins = np.array_split(np.argsort(predicted, kind="stable"), min(BINS, max(len(predicted) // 10, 2)))
    logits = np.log(np.clip(predicted, _EDGE, 1 - _EDGE) / np.clip(1 - predicted, _EDGE, 1 - _EDGE))
    ones = np.ones((len(logits), 1))
    offset, offset_error = _logistic(ones, positive, logits, groups)
    squared = np.square(predicted - positive)
    rng = np.random.default_rng(seed)
    simulated = rng.random((SIMULATIONS, len(predicted))) < predicted
    low, high = np.quantile([_ece(predicted, row, bins) for row in simulated], [0.025, 0.975])
    return Calibration(
        intercept=_wald(offset[0], offset_error[0]),
        slope=calibration_slope(logits, positive, groups),
        brier=bootstrap(lambda weights: float(weights @ squared / weights.sum()), groups, seed=seed),
        ece=_ece(predicted, positive, bins),
        ece_if_right=(float(low), float(high)),
        curve=tuple(
            ReliabilityBin(
                predicted=float(predicted[members].mean()),
                observed=wilson(float(positive[members].sum()), len(members)),
                cases=len(members),
            )
            for members in bins
        ),
    )


def calibration_slope(logits: Array, positive: NDArray[np.bool_], groups: Codes) -> Estimate:
    """Slope of logistic recalibration of out-of-fold logits (n,)."""
    design = np.column_stack([np.ones(len(logits)), logits])
    both, both_error = _logistic(design, positive, np.zeros(len(logits)), groups)
    return _wald(both[1], both_error[1])


def _wald(value: float, error: float) -> Estimate:
    if not np.isfinite(error):
        return Estimate(value=float("nan"), low=-np.inf, high=np.inf, method="none, the cases are separated")
    return Estimate(
        value=float(value),
        low=float(value - Z * error),
        high=float(value + Z * error),
        method="logistic recalibration, Wald, robust to patients",
    )


def _ece(predicted: Array, positive: NDArray[np.bool_], bins: list[NDArray[np.intp]]) -> float:
    gaps = [abs(float(predicted[members].sum() - positive[members].sum())) for members in bins]
    return float(sum(gaps) / len(predicted))


def _logistic(design: Array, positive: NDArray[np.bool_], offset: Array, groups: Codes) -> tuple[Array, Array]:
    """Maximum likelihood by Newton's method, and standard errors that allow for patients (Liang and Zeger 1986).

    Returns:
        Coefficients (k,) and standard errors (k,); infinite where the cases are separated and there is no maximum.
    """
    coefficients = np.zeros(design.shape[1])
    for _ in range(50):
        guessed = 0.5 * (1 + np.tanh(0.5 * (design @ coefficients + offset)))
        hessian = (design.T * (guessed * (1 - guessed))) @ design
        if np.linalg.cond(hessian) > 1e12:
            return np.full(design.shape[1], np.nan), np.full(design.shape[1], np.inf)
        step = np.linalg.solve(hessian, design.T @ (positive - guessed))
        coefficients = coefficients + step
        if float(np.abs(step).max()) < 1e-8:
            break
    else:
        return np.full(design.shape[1], np.nan), np.full(design.shape[1], np.inf)
    patients, numbers = np.unique(groups, return_inverse=True)
    of_patient = np.zeros((len(patients), design.shape[1]))
    np.add.at(of_patient, numbers, design * (positive - guessed)[:, None])
    inverse = np.linalg.inv(hessian)
    factor = len(patients) / max(len(patients) - 1, 1)
    robust = factor * inverse @ (of_patient.T @ of_patient) @ inverse
    return coefficients, np.sqrt(np.diag(robust))
