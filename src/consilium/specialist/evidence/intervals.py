"""95 % intervals that hold at 40 to 400 cases.

An area under the curve gets the interval of DeLong et al. (1988, Biometrics 44:837) on the logit scale: at 40 cases the
plain one covers 76 to 87 % where the AUC is high, the one on the logit scale 93 to 95 %. A proportion gets that of
Wilson (1927), anything else the bootstrap over patients (BCa: Efron 1987, JASA 82:171).

All variances are sums over patients of what each adds to the figure (its influence). With one image a patient that is
DeLong's own variance; with several it is that of Obuchowski (1997, Biometrics 53:567), but for a factor (I/(I-1) of the
cross term) that is 1 within a percent or two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

Z = 1.959963984540054
DRAWS = 2000

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        value: the figure.
        low, high: the interval.
        method: how it was found, e.g. "logit-DeLong".
    """

    value: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, kw_only=True)
class Influence:
    """A figure, and what each case adds to its error.

    Attributes:
        value: the figure.
        cases: (n,) whose sum of squares is the variance of the figure when cases are independent.
    """

    value: float
    cases: Array

    def variance(self, groups: Codes) -> float:
        """Variance when cases of the same group, (n,), hang together."""
        return float(np.square(np.bincount(groups, self.cases)).sum())


def auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """Probability that a positive case scores above a negative one, ties by half; NaN where there is only one kind."""
    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        return float("nan")
    return float((rankdata(scores)[positive].sum() - count * (count + 1) / 2) / (count * others))


def auc_influence(scores: Array, positive: NDArray[np.bool_], groups: Codes) -> Influence:
    """The AUC and each case's part in it, by midranks (Sun and Xu 2014, IEEE Signal Processing Letters 21:1389).

    Args:
        scores: (n,) higher for positive.
        positive: (n,), both kinds present.
        groups: (n,) patients, 0 to g - 1; only their number is used, for the small-sample factor.
    """
    above, below = scores[positive], scores[~positive]
    ranks = rankdata(scores)
    # Share of the other kind that a case is on the right side of: DeLong's structural components.
    of_positive = (ranks[positive] - rankdata(above)) / len(below)
    of_negative = 1 - (ranks[~positive] - rankdata(below)) / len(above)
    value = float(of_positive.mean())
    cases = np.empty(len(scores))
    for kind, components in ((positive, of_positive), (~positive, of_negative)):
        patients = len(np.unique(groups[kind]))
        factor = np.sqrt(patients / (patients - 1)) if patients > 1 else np.nan
        cases[kind] = (components - value) / len(components) * factor
    return Influence(value=value, cases=cases)


def pairs_by_score(scores: Array, positive: NDArray[np.bool_], count: int) -> Array:
    """Derivative of the number of rightly ranked pairs by each score (n,), a pair's step smoothed by a normal density.

    Args:
        scores: (n,) of one fold.
        positive: (n,).
        count: cases that the scores' model was trained on; for the width of the density (Silverman's rule).
    """
    within = np.concatenate([scores[kind] - scores[kind].mean() for kind in (positive, ~positive) if kind.any()])
    width = max(1.06 * float(np.sqrt(2 * np.mean(within**2))) * count**-0.2, 1e-9)
    gaps = (scores[positive][:, None] - scores[~positive][None]) / width
    density = np.exp(-0.5 * gaps**2) / (width * np.sqrt(2 * np.pi))
    found = np.empty(len(scores))
    found[positive], found[~positive] = density.sum(1), -density.sum(0)
    return found


def logit_interval(value: float, variance: float, fewest: int, method: str, *, quantile: float = Z) -> Estimate:
    """Interval of a figure between 0 and 1, symmetric on the logit scale.

    Args:
        value: the figure.
        variance: of it.
        fewest: patients of the rarer kind. Where the figure is 0 or 1 its variance is 0 too, and the other end of
            the interval is that of Clopper and Pearson (1934) for so many trials: .025 ^ (1 / fewest).
        method: named in the result.
        quantile: half the width of the interval in standard errors.
    """
    if not 0 < value < 1:
        far = 0.025 ** (1 / max(fewest, 1))
        low, high = (far, 1.0) if value >= 1 else (0.0, 1 - far)
        return Estimate(value=value, low=low, high=high, method="Clopper-Pearson, rarer kind")
    logit = np.log(value / (1 - value))
    reach = quantile * np.sqrt(variance) / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-(logit + np.array([-reach, reach]))))
    return Estimate(value=value, low=float(low), high=float(high), method=method)


def auc_interval(scores: Array, positive: NDArray[np.bool_], groups: Codes) -> Estimate:
    """AUC of given scores (n,) with its interval; patients (n,) may have several images."""
    influence = auc_influence(scores, positive, groups)
    clustered = len(np.unique(groups)) < len(groups)
    fewest = min(len(np.unique(groups[positive])), len(np.unique(groups[~positive])))
    method = "logit-Obuchowski" if clustered else "logit-DeLong"
    return logit_interval(influence.value, influence.variance(groups), fewest, method)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One figure less another, on the same cases.

    Attributes:
        value, low, high: the difference and its 95 % interval.
        p: two-sided, of no difference.
    """

    value: float
    low: float
    high: float
    p: float


def paired_difference(first: Influence, second: Influence, groups: Codes) -> Difference:
    """Paired comparison of two figures of the same cases (DeLong's, where both are AUCs of given scores)."""
    difference = Influence(value=first.value - second.value, cases=first.cases - second.cases)
    error = np.sqrt(difference.variance(groups))
    if not error > 0:
        same = difference.value == 0
        return Difference(value=difference.value, low=difference.value, high=difference.value, p=1.0 if same else 0.0)
    return Difference(
        value=difference.value,
        low=float(difference.value - Z * error),
        high=float(difference.value + Z * error),
        p=float(2 * ndtr(-abs(difference.value) / error)),
    )


def wilson(successes: float, trials: float, *, method: str = "Wilson") -> Estimate:
    """A proportion; NaN of no trials. Successes may be the mean of several decisions about the same cases."""
    if not trials > 0:
        return Estimate(value=float("nan"), low=0.0, high=1.0, method=method)
    share = successes / trials
    centre = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    reach = Z / (1 + Z**2 / trials) * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    return Estimate(
        value=float(share),
        low=float(max(centre - reach, 0.0)) if share > 0 else 0.0,
        high=float(min(centre + reach, 1.0)) if share < 1 else 1.0,
        method=method,
    )


def proportion(successes: Array, groups: Codes, *, effect: float = 1.0) -> Estimate:
    """A proportion over cases, some of the same patient.

    Args:
        successes: (n,) 0 to 1.
        groups: (n,) patients.
        effect: a further reason for which cases count less, as a factor of the variance.

    Returns:
        Wilson's interval; with several images a patient for the effective number of images, n over the design
        effect (ratio of the variance over patients to the binomial one, not below 1; Rao and Scott 1992,
        Biometrics 48:577).
    """
    count = len(successes)
    patients, numbers = np.unique(groups, return_inverse=True)
    if effect == 1 and (len(patients) == count or count == 0):
        return wilson(float(successes.sum()), count)
    share = float(successes.mean())
    of_patient = np.bincount(numbers, successes - share)
    variance = float(np.square(of_patient).sum()) / count**2 * len(patients) / max(len(patients) - 1, 1)
    binomial = share * (1 - share) / count
    # Without any spread between patients to judge by (0 or 1), each patient counts once.
    effect = max(variance / binomial, effect, 1.0) if binomial > 0 else count / len(patients)
    return wilson(share * count / effect, count / effect, method="Wilson, effective number")


def bootstrap(statistic: Callable[[Array], float], groups: Codes, *, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """Interval of any figure by drawing patients with replacement (BCa).

    Args:
        statistic: the figure, of one weight a case, (n,); NaN where it is not defined.
        groups: (n,) patients.
        draws: how often they are drawn.
        seed: of the draws.

    Returns:
        The figure of weights 1 and its interval, NaN where it is hardly ever defined.
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    count = int(numbers.max(initial=-1)) + 1
    value = statistic(np.ones(len(groups)))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws).astype(np.float64)
    values = np.array([statistic(weights[numbers]) for weights in drawn])
    values = values[np.isfinite(values)]
    if len(values) < draws // 2 or not np.isfinite(value):
        return Estimate(value=value, low=float("nan"), high=float("nan"), method="BCa bootstrap of patients")
    left_out = np.array([statistic((numbers != patient).astype(np.float64)) for patient in range(count)])
    left_out = left_out[np.isfinite(left_out)]
    deviation = left_out.mean() - left_out
    scale = float(np.square(deviation).sum()) ** 1.5
    acceleration = float((deviation**3).sum()) / (6 * scale) if scale > 0 else 0.0
    below = ((values < value).sum() + 0.5 * (values == value).sum()) / len(values)
    bias = float(ndtri(np.clip(below, 0.5 / len(values), 1 - 0.5 / len(values))))
    ends = bias + np.array([-Z, Z])
    shares = ndtr(bias + ends / np.maximum(1 - acceleration * ends, 1e-6))
    low, high = np.quantile(values, shares)
    return Estimate(value=value, low=float(low), high=float(high), method="BCa bootstrap of patients")
