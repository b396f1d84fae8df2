"""Sets of labels that hold the right one as often as promised, class by class.

Class-conditional conformal prediction (Vovk 2012, ACML, "Mondrian") on cross-validated scores: a label goes into the
set of a new case unless its probability is among the lowest share of what that label's own cases got from models that
had not seen them. The promise is an average over calibration sets; this one's realised coverage is beta distributed
around it, and with 40 cases that is a wide range, which is therefore told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from consilium.specialist.evidence.intervals import Estimate, proportion, wilson

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

MISSED = 0.1
"""Share of cases whose right label may be missing from the set."""


@dataclass(frozen=True, kw_only=True)
class ConformalClass:
    """One label's threshold.

    Attributes:
        label: its number.
        threshold: the label is in the set of a case whose probability for it is at least this; 0: always, as there
            are too few cases to leave it out of any.
        cases: calibration cases (patients, where one has several images).
        realised: 5th and 95th percentile of the coverage that such a threshold has on new cases.
        covered: measured, on folds that the threshold was not taken from.
    """

    label: int
    threshold: float
    cases: int
    realised: tuple[float, float]
    covered: Estimate


@dataclass(frozen=True, kw_only=True)
class Conformal:
    """Sets of all labels.

    Attributes:
        missed: the share that may be missed.
        classes: one a label.
        mean_size: labels in a set, on average, on folds that the thresholds were not taken from.
        single: share of cases whose set is one label.
        empty: share of cases that no label fits.
    """

    missed: float
    classes: tuple[ConformalClass, ...]
    mean_size: float
    single: float
    empty: float


def threshold_of(probability: Array, missed: float = MISSED) -> float:
    """Probability from which a label stays in the set.

    Args:
        probability: (m,) that the label's own calibration cases got.
        missed: share.

    Returns:
        The k-th smallest, k = floor((m + 1) missed), so that a new case falls below it with probability at most
        `missed`; 0 where k is 0.
    """
    rank = int(np.floor((len(probability) + 1) * missed + 1e-9))
    return float(np.sort(probability)[rank - 1]) if rank else 0.0


def realised_coverage(cases: int, missed: float = MISSED) -> tuple[float, float]:
    """5th and 95th percentile of the coverage on new cases over calibration sets of so many (Vovk 2012, section 3)."""
    rank = int(np.floor((cases + 1) * missed + 1e-9))
    if not rank:
        return 1.0, 1.0
    low, high = beta.ppf([0.05, 0.95], cases + 1 - rank, rank)
    return float(low), float(high)


def conformal(
    predicted: Array, truth: Codes, groups: Codes, fold: NDArray[np.integer], *, missed: float = MISSED
) -> Conformal:
    """Thresholds from all out-of-fold probabilities, and how well they would have done.

    Args:
        predicted: (n, k) out-of-fold probabilities.
        truth: (n,) right label.
        groups: (n,) patients.
        fold: (n,) in which each was tested; the thresholds that judge a fold come from the others.
        missed: share.
    """
    count = predicted.shape[1]
    inside = np.zeros(predicted.shape, np.bool_)
    for part in np.unique(fold):
        tested = fold == part
        for label in range(count):
            own = predicted[~tested & (truth == label), label]
            inside[tested, label] = predicted[tested, label] >= threshold_of(own, missed)
    classes = []
    for label in range(count):
        own = truth == label
        patients = len(np.unique(groups[own]))
        classes.append(
            ConformalClass(
                label=label,
                threshold=threshold_of(predicted[own, label], missed),
                cases=patients,
                realised=realised_coverage(patients, missed),
                covered=proportion(inside[own, label].astype(np.float64), groups[own]),
            )
        )
    sizes = inside.sum(1)
    return Conformal(
        missed=missed,
        classes=tuple(classes),
        mean_size=float(sizes.mean()),
        single=float((sizes == 1).mean()),
        empty=float((sizes == 0).mean()),
    )


@dataclass(frozen=True, kw_only=True)
class Abstention:
    """What is gained by leaving doubtful cases to a person.

    Attributes:
        kept: share of cases that are answered.
        confidence: least probability of the answer.
        right: share of right answers among them.
    """

    kept: float
    confidence: float
    right: Estimate


def abstention(predicted: Array, truth: Codes) -> tuple[Abstention, ...]:
    """Accuracy of the surest 100, 90, ... 10 % of cases; (n, k) probabilities and (n,) right labels."""
    sure = predicted.max(1)
    right = predicted.argmax(1) == truth
    order = np.argsort(-sure, kind="stable")
    found = []
    for tenths in range(10, 0, -1):
        kept = order[: max(round(len(order) * tenths / 10), 1)]
        found.append(
            Abstention(
                kept=len(kept) / len(order),
                confidence=float(sure[kept[-1]]),
                right=wilson(float(right[kept].sum()), len(kept)),
            )
        )
    return tuple(found)
