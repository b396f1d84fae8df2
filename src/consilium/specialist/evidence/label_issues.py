"""Labels that deserve a second look: confident learning on out-of-fold probabilities.

Northcutt, Jiang and Chuang 2021 (Journal of Artificial Intelligence Research 70:1373): a case whose probability of
another label is at least what that label's own cases get on average, and higher than for any other such label, is
counted as that other label's. What is counted off its given label is listed, least plausible first. It is a list for a
person to look at: a rare but true case is on it as well as a slip of the pen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class LabelIssue:
    """A case whose label may be wrong.

    Attributes:
        case: its number.
        given, suggested: numbers of labels.
        probability: of the given label.
        margin: that less the probability of the suggested one, -1 to 0 as a rule.
    """

    case: int
    given: int
    suggested: int
    probability: float
    margin: float


def label_issues(predicted: NDArray[np.float64], given: NDArray[np.intp]) -> tuple[LabelIssue, ...]:
    """Rank suspicious labels.

    Args:
        predicted: (n, k) out-of-fold probabilities.
        given: (n,) label of each case.

    Returns:
        The suspicious cases, the least plausible label first.
    """
    count = predicted.shape[1]
    usual = np.array(
        [predicted[given == label, label].mean() if (given == label).any() else np.inf for label in range(count)]
    )
    confident = np.where(predicted >= usual, predicted, -1.0)
    counted = np.where(confident.max(1) >= 0, confident.argmax(1), given)
    found = []
    for case in np.flatnonzero(counted != given).tolist():
        own, other = float(predicted[case, given[case]]), float(predicted[case, counted[case]])
        # A label that is named less often than the average of its cases is no reason to doubt a likelier one.
        if own < other:
            found.append(
                LabelIssue(
                    case=case, given=int(given[case]), suggested=int(counted[case]), probability=own, margin=own - other
                )
            )
    return tuple(sorted(found, key=lambda issue: (issue.margin, issue.case)))
