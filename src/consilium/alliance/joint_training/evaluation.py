"""How good the heads are on the test cases of all hospitals, from counts alone.

Each hospital counts its test cases by label and by how probable a head finds the label; the counts are added, and from
their sum come areas under the curve with intervals, the thresholds of conformal sets, and the reach of the gate. A
probability is told by its bin of `_BINS` on the scale of log odds, so that two cases in one bin count as equal.

Intervals are those of DeLong et al. (1988) on the logit scale, each case taken for itself: counts do not say whose
cases they are. That of the mean of several labels takes their errors to go together, which is never too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.alliance.joint_training.descent import Array
from consilium.specialist.evidence.conformal import MISSED
from consilium.specialist.evidence.intervals import Estimate, logit_interval, wilson

Codes = NDArray[np.intp]

_BINS = 200
_ODDS = 10.0
"""Log odds beyond which probabilities are told as those."""
GATE_BINS = 200
_FARTHEST = 4.0
"""Distance to the gate's means, a typical length of a case being 1."""


def tally_length(labels: int) -> int:
    """Numbers that count the test cases of one head."""
    return labels * 2 * _BINS


def tally(probabilities: Array, classes: Codes) -> Array:
    """(labels, 2, bins) cases of other labels, and of the label itself, by the probability (n, labels) of the label."""
    odds = _log_odds(probabilities)
    place = np.clip(((odds + _ODDS) / (2 * _ODDS) * _BINS).astype(np.intp), 0, _BINS - 1)
    found = np.zeros((probabilities.shape[1], 2, _BINS))
    for label in range(probabilities.shape[1]):
        np.add.at(found[label], ((classes == label).astype(np.intp), place[:, label]), 1)
    return found


def _log_odds(probabilities: Array) -> Array:
    inside = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside) - np.log1p(-inside), np.float64)


def distances(found: Array) -> Array:
    """(bins,) test cases by their distance to the gate's means."""
    place = np.clip((found / _FARTHEST * GATE_BINS).astype(np.intp), 0, GATE_BINS - 1)
    return np.asarray(np.bincount(place, minlength=GATE_BINS), np.float64)


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """What the test cases of all hospitals say of the head.

    Attributes:
        cases: by label.
        auc: of each label against the others; None where one kind is missing.
        macro_auc: their mean.
        accuracy: share of right answers.
        thresholds: least probability of each label to be in the conformal set.
        reach: largest distance to the gate's means that is let through: that of 95 % of the test cases.
    """

    cases: tuple[int, ...]
    auc: tuple[Estimate | None, ...]
    macro_auc: Estimate | None
    accuracy: Estimate
    thresholds: tuple[float, ...]
    reach: float


def pooled(vector: Array, labels: int, problems: int) -> tuple[Pooled, tuple[float, ...]]:
    """Read the sum of all tallies.

    Args:
        vector: of the question "evaluate".
        labels: number of labels.
        problems: number of heads.

    Returns:
        What is said of the first head, and the mean area under the curve of every head.
    """
    each = tally_length(labels)
    tallies = vector[: problems * each].reshape(problems, labels, 2, _BINS)
    rest = vector[problems * each :]
    confusion, away = rest[: labels * labels].reshape(labels, labels), rest[labels * labels :]
    auc = tuple(_auc(one) for one in tallies[0])
    right, cases = float(np.trace(confusion)), float(confusion.sum())
    found = Pooled(
        cases=tuple(round(float(one)) for one in confusion.sum(1)),
        auc=auc,
        macro_auc=_mean(auc[1:] if labels == 2 else auc),
        accuracy=wilson(right, cases),
        thresholds=tuple(_threshold(one[1]) for one in tallies[0]),
        reach=_reach(away),
    )
    return found, tuple(_value(one) for one in tallies)


def _value(of_labels: Array) -> float:
    """Mean area of a head; 0.5, which says nothing, where a label has no cases."""
    found = [one for one in map(_auc, of_labels) if one is not None]
    return float(np.mean([one.value for one in found])) if found else 0.5


def _auc(counts: Array) -> Estimate | None:
    """Area under the curve of counts (2, bins): other cases, own cases."""
    other, own = counts
    if min(other.sum(), own.sum()) < 2:
        return None
    below = (np.cumsum(other) - other / 2) / other.sum()
    above = 1 - (np.cumsum(own) - own / 2) / own.sum()
    value = float(below @ own / own.sum())
    variance = sum(
        float(weight @ np.square(place - value) / (weight.sum() - 1) / weight.sum())
        for weight, place in ((own, below), (other, above))
    )
    return logit_interval(value, variance, int(min(own.sum(), other.sum())), "logit-DeLong of counts")


def _mean(parts: tuple[Estimate | None, ...]) -> Estimate | None:
    there = [one for one in parts if one is not None]
    if len(there) < len(parts) or not there:
        return None
    low, high = (float(np.mean([getattr(one, side) for one in there])) for side in ("low", "high"))
    return Estimate(value=float(np.mean([one.value for one in there])), low=low, high=high, method="mean of the labels")


def _threshold(own: Array) -> float:
    """As `specialist.evidence.conformal.threshold_of`, on the lower edges of the bins."""
    rank = int(np.floor((own.sum() + 1) * MISSED + 1e-9))
    if not rank:
        return 0.0
    place = int(np.searchsorted(np.cumsum(own), rank - 1e-9))
    odds = place / _BINS * 2 * _ODDS - _ODDS
    return float(1 / (1 + np.exp(-odds)))


def _reach(away: Array) -> float:
    share = np.cumsum(away) / max(away.sum(), 1.0)
    return float((np.searchsorted(share, 0.95 - 1e-9) + 1) / GATE_BINS * _FARTHEST)
