"""What a model must beat: the prevalence, what is known without looking, and what looking without learning gives.

The metadata baseline is an alarm for shortcuts. Image size, brightness, file kind or site tell nothing about a disease;
where they tell the label, the classes were collected differently, and a model may have learnt that (DeGrave et al.
2021, Nature Machine Intelligence 3:610).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.discrimination import cross_validated_auc, interval_of, mean_of
from consilium.specialist.evidence.intervals import Difference, Estimate, Influence, paired_difference
from consilium.specialist.head import Features, out_of_fold
from consilium.specialist.penalised import Array, Loss
from consilium.specialist.splits import Folds

Codes = NDArray[np.intp]
Alarm = Literal["none", "metadata tell the label", "no better than metadata"]

MOST_VALUES = 20
"""Values of a column of words that get a feature of their own; rarer ones share one."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Another way to the same labels, by the same folds and the same choice of penalty.

    Attributes:
        name: "metadata", "classic features", or what the caller named.
        auc: mean over the classes.
        gain: AUC of the model less that of the baseline.
    """

    name: str
    auc: Estimate
    gain: Difference


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """Whether what is known without looking tells the label.

    Attributes:
        alarm: "metadata tell the label" where their AUC is above .5 with 95 % confidence; "no better than metadata"
            where, besides, the model does not beat them.
        columns: those looked at.
    """

    alarm: Alarm
    columns: tuple[str, ...]


def metadata_features(columns: Mapping[str, Sequence[str | float]]) -> Features:
    """Make columns into numbers.

    Args:
        columns: each of n values: numbers stay (a missing one becomes the median, and a feature says that it was
            missing), words become one feature a value.

    Returns:
        (n, d), at least one column, zeros where there is nothing to tell.
    """
    count = len(next(iter(columns.values()), ()))
    parts: list[NDArray[np.float64]] = [np.zeros((count, 1))]
    for values in columns.values():
        numbers = _as_numbers(values)
        if numbers is not None:
            missing = ~np.isfinite(numbers)
            middle = float(np.median(numbers[~missing])) if (~missing).any() else 0.0
            parts.append(np.column_stack([np.where(missing, middle, numbers), missing]))
            continue
        words = np.array([str(value) for value in values], np.str_)
        names, times = np.unique(words, return_counts=True)
        usual = names[np.argsort(-times, kind="stable")][:MOST_VALUES]
        parts.append((words[:, None] == usual[None]).astype(np.float64))
    found = np.concatenate(parts, axis=1)
    # A float32 holds no exact byte counts of large files; only their order of size matters.
    return np.asarray(np.sign(found) * np.log1p(np.abs(found)), np.float32)


def _as_numbers(values: Sequence[str | float]) -> NDArray[np.float64] | None:
    """Numbers with NaN for what is missing; None where any value is a word, or nothing is a number."""
    found = []
    for value in values:
        if isinstance(value, str) and not value.strip():
            found.append(np.nan)
            continue
        try:
            found.append(float(value))
        except ValueError:
            return None
    numbers = np.array(found, np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers if np.isfinite(numbers).any() else None


def macro_auc(
    features: Features, targets: Array, groups: Codes, folds: Folds, loss: Loss, *, repeats: int | None = None
) -> Influence:
    """Cross-validate a head on any features; mean AUC over the classes and each case's part in it."""
    assigned = folds.assigned[:repeats]
    used = Folds(assigned=assigned, count=folds.count)
    repeated = [out_of_fold(features, targets, fold, loss, roles=groups) for fold in assigned]
    return mean_of(
        [
            cross_validated_auc(
                repeated, used, targets[:, problem, column] > 0.5, groups, problem=problem, column=column
            )
            for problem in range(targets.shape[1])
            for column in range(targets.shape[2])
        ]
    )


def baseline(
    name: str, features: Features, model: Influence, targets: Array, groups: Codes, folds: Folds, loss: Loss
) -> Baseline:
    """Measure a baseline and compare the model with it.

    Args:
        name: of the baseline.
        features: (n, d) it stands on.
        model: macro AUC of the model on the same folds.
        targets: (n, problems, columns).
        groups: (n,) patients.
        folds: of the validation.
        loss: of both heads.
    """
    other = macro_auc(features, targets, groups, folds, loss)
    positive = targets.reshape(len(targets), -1)[:, 0] > 0.5
    return Baseline(name=name, auc=interval_of(other, positive, groups), gain=paired_difference(model, other, groups))


def shortcut(metadata: Baseline, columns: Sequence[str]) -> Shortcut:
    """Read the alarm off the metadata baseline."""
    alarm: Alarm = "none"
    if metadata.auc.low > 0.5:
        alarm = "metadata tell the label" if metadata.gain.low > 0 else "no better than metadata"
    return Shortcut(alarm=alarm, columns=tuple(columns))
