"""How much noise a patient's privacy takes, exactly.

Each round a hospital releases a sum to which no patient adds more than `SENSITIVITY` in length (Frobenius norm), plus
Gaussian noise of standard deviation sigma in every entry. Against adding or removing a patient one such sum is
mu-Gaussian-differentially private with mu = sensitivity / sigma, and T of them, each chosen in sight of those before,
are so with mu √T (Dong, Roth and Su 2022, Journal of the Royal Statistical Society B 84:3, corollary 3.3). What that is
in epsilon and delta is exact too (Balle and Wang 2018, ICML, theorem 8). There is no sampling and so no approximation.

A hospital adds all of its noise itself: what it sends is private already, whoever reads it.
"""

from __future__ import annotations

import math

from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

SENSITIVITY = math.sqrt(2.0)
"""Longest gradient of a patient: a row of length 1 at most (`answer.py` cuts longer ones, cases of one patient share a
weight of 1) times a vector of probabilities less the truth, which is √2 long at most."""
ROUNDS = 6
"""Few, since each release costs; chosen on validation cases."""


def delta_of(mu: float, epsilon: float) -> float:
    """The least delta with which mu-Gaussian privacy is (epsilon, delta)-differential privacy; Balle and Wang.

    Examples:
        >>> round(delta_of(1.0, 1.0), 6)
        0.126937
    """
    if mu == 0:
        return 0.0
    first = float(ndtr(mu / 2 - epsilon / mu))
    return max(first - math.exp(epsilon + float(log_ndtr(-mu / 2 - epsilon / mu))), 0.0)


def mu_of(epsilon: float, delta: float) -> float:
    """The largest mu that is (epsilon, delta)-differentially private."""
    high = 1.0
    while delta_of(high, epsilon) < delta:
        high *= 2
    return float(brentq(lambda mu: delta_of(mu, epsilon) - delta, 1e-9, high, xtol=1e-12))


def sigma_of(epsilon: float, delta: float, releases: int) -> float:
    """Standard deviation of the noise in each of so many releases that are (epsilon, delta)-private together."""
    # A hair more, so that rounding never leaves less than was promised.
    return SENSITIVITY * math.sqrt(releases) / mu_of(epsilon, delta) * (1 + 1e-9)


def epsilon_of(sigma: float, delta: float, releases: int) -> float:
    """What has been spent after so many releases."""
    if not releases:
        return 0.0
    mu = SENSITIVITY * math.sqrt(releases) / sigma
    if delta_of(mu, 0.0) <= delta:
        return 0.0
    high = 1.0
    while delta_of(mu, high) > delta:
        high *= 2
    return float(brentq(lambda epsilon: delta_of(mu, epsilon) - delta, 0.0, high, xtol=1e-12))
