"""The threshold at which a probability becomes an answer, declared before anything is measured with it.

The rule is declared; the threshold itself is chosen, for each outer fold, on inner predictions of its training cases
alone, so that sensitivity and specificity are those of the rule and not of the luckiest threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.intervals import Estimate, logit_interval, proportion
from consilium.specialist.head import OutOfFold
from consilium.specialist.splits import Folds

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
RuleName = Literal["youden", "sensitivity", "specificity", "half"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How a threshold is chosen.

    Attributes:
        name: "youden": largest sum of sensitivity and specificity; "sensitivity", "specificity": the threshold that
            reaches `least` with the best of the other; "half": probability .5.
        least: for the rules that reach something, 0 to 1.
    """

    name: RuleName = "youden"
    least: float = 0.9


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """What the declared rule does.

    Attributes:
        rule: the rule.
        threshold: probability from which the final model answers yes.
        sensitivity, specificity: mean over the repetitions, with Wilson's interval for the effective number of cases.
        prevalence: at which predictive values are told, and whether that is the prevalence of the data.
        prevalence_of_data: whether nobody stated another.
        ppv, npv: predictive values at that prevalence.
    """

    rule: Rule
    threshold: float
    sensitivity: Estimate
    specificity: Estimate
    prevalence: float
    prevalence_of_data: bool
    ppv: Estimate
    npv: Estimate


def choose_threshold(scores: Array, positive: NDArray[np.bool_], rule: Rule) -> float:
    """Threshold on logits (n,), from which a case is called positive; midway between two cases."""
    if rule.name == "half":
        return 0.0
    ordered = np.unique(scores)
    cuts = np.concatenate([[ordered[0] - 1.0], (ordered[:-1] + ordered[1:]) / 2, [ordered[-1] + 1.0]])
    above = np.sort(scores[positive]), np.sort(scores[~positive])
    sensitivity = 1 - np.searchsorted(above[0], cuts) / max(len(above[0]), 1)
    specificity = np.searchsorted(above[1], cuts) / max(len(above[1]), 1)
    if rule.name == "youden":
        return _middle(cuts, sensitivity + specificity)
    reached, other = (sensitivity, specificity) if rule.name == "sensitivity" else (specificity, sensitivity)
    return _middle(cuts, np.where(reached >= rule.least - 1e-9, other, -1.0))


def _middle(cuts: Array, worth: Array) -> float:
    best = cuts[worth >= worth.max() - 1e-12]
    return float(best[len(best) // 2])


def decisions(repeated: Sequence[OutOfFold], folds: Folds, positive: NDArray[np.bool_], rule: Rule) -> Array:
    """Which cases each repetition calls positive (repeats, n), thresholds chosen inside the training folds.

    Args:
        repeated: one a repetition, of a single logit.
        folds: the folds they come from.
        positive: (n,).
        rule: of the threshold.
    """
    called = np.zeros((len(repeated), len(positive)))
    for calls, out, fold in zip(called, repeated, folds.assigned, strict=True):
        for part, inner in enumerate(out.inner[:, :, 0, 0]):
            seen, tested = np.isfinite(inner), fold == part
            calls[tested] = out.logits[tested, 0, 0] >= choose_threshold(inner[seen], positive[seen], rule)
    return called


def overdispersion(right: Array, folds: Folds, kind: NDArray[np.bool_]) -> float:
    """How much more the share of right answers differs from fold to fold than chance alone would make it.

    With few cases every fold finds another threshold, and a proportion of answers by many thresholds is less sure than
    that of answers by one (Wedderburn 1974, Biometrika 61:439: Pearson's statistic over its degrees of freedom).

    Args:
        right: (repeats, n), 0 or 1.
        folds: of the repetitions.
        kind: (n,) cases that count.

    Returns:
        A factor of the variance, at least 1.
    """
    share = float(right[:, kind].mean())
    if not 0 < share < 1:
        return 1.0
    pearson = []
    for answers, fold in zip(right, folds.assigned, strict=True):
        for part in range(folds.count):
            own = kind & (fold == part)
            if own.any():
                pearson.append((float(answers[own].mean()) - share) ** 2 / (share * (1 - share) / own.sum()))
    return max(float(np.sum(pearson)) / max(len(pearson) - 1, 1), 1.0)


def operating_point(
    repeated: Sequence[OutOfFold],
    folds: Folds,
    positive: NDArray[np.bool_],
    groups: Codes,
    rule: Rule,
    *,
    prevalence: float | None = None,
) -> OperatingPoint:
    """Measure the rule on cases that its thresholds were not chosen on.

    Args:
        repeated: one a repetition, of a single logit.
        folds: the folds they come from.
        positive: (n,).
        groups: (n,) patients.
        rule: declared beforehand.
        prevalence: where the model is to be used; None: that of the data.
    """
    called = decisions(repeated, folds, positive, rule)
    sensitivity, specificity = (
        proportion(right[:, kind].mean(0), groups[kind], effect=overdispersion(right, folds, kind))
        for right, kind in ((called, positive), (1 - called, ~positive))
    )
    stated = float(positive.mean()) if prevalence is None else prevalence
    mean = np.mean([out.logits[:, 0, 0] for out in repeated], axis=0)
    threshold = 1 / (1 + np.exp(-choose_threshold(mean, positive, rule)))
    return OperatingPoint(
        rule=rule,
        threshold=float(threshold),
        sensitivity=sensitivity,
        specificity=specificity,
        prevalence=stated,
        prevalence_of_data=prevalence is None,
        ppv=_predictive(sensitivity, specificity, stated, len(np.unique(groups[positive]))),
        npv=_predictive(specificity, sensitivity, 1 - stated, len(np.unique(groups[~positive]))),
    )


def _predictive(hit: Estimate, rejection: Estimate, prevalence: float, fewest: int) -> Estimate:
    """Predictive value by Bayes' rule; interval by the delta method on the logit scale (Mercaldo et al. 2007).

    The variances are read off the Wilson intervals, so that a share of 0 or 1 has one.
    """
    share = hit.value * prevalence
    wrong = (1 - rejection.value) * (1 - prevalence)
    if not share + wrong > 0:
        return Estimate(value=float("nan"), low=0.0, high=1.0, method="nothing is called so")
    value = share / (share + wrong)
    if not 0 < value < 1:
        return logit_interval(value, 0.0, fewest, "")
    of_hit = ((hit.high - hit.low) / (2 * 1.96) / max(hit.value, 1e-9)) ** 2
    of_rejection = ((rejection.high - rejection.low) / (2 * 1.96) / max(1 - rejection.value, 1e-9)) ** 2
    variance = (of_hit + of_rejection) * (value * (1 - value)) ** 2
    return logit_interval(value, variance, fewest, "Bayes' rule, logit delta method")
