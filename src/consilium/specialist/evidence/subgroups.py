"""How the model does in parts of the patients: by sex, age band, site, vendor, or whatever column is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.discrimination import mean_of, pairs_within, within_folds
from consilium.specialist.evidence.enough import FEWEST, NotEnough
from consilium.specialist.evidence.intervals import Estimate, logit_interval
from consilium.specialist.splits import Folds

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

MOST_VALUES = 12
"""A column of words with more values than this names cases rather than subgroups, and is passed over."""
BANDS = 3
"""A column of more than this many numbers is cut into as many bands of equal numbers of cases."""


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """One part of the patients.

    Attributes:
        column: e.g. "sex".
        value: e.g. "female", or "35 to 52".
        cases, patients, positive: numbers; positive ones are patients.
        auc: over pairs of the same fold, the models taken as given; or that there are not enough cases.
        share_called: mean out-of-fold probability, beside `prevalence`: a subgroup that is told too much or too
            little.
        prevalence: share of positive cases.
    """

    column: str
    value: str
    cases: int
    patients: int
    positive: int
    auc: Estimate | NotEnough
    share_called: float
    prevalence: float


def bands_of(values: Sequence[str]) -> tuple[str, ...] | None:
    """Name the subgroup of each case, "" where it is not known; None where the column makes no subgroups."""
    told = [value.strip() for value in values]
    known = sorted({value for value in told if value})
    if len(known) < 2:
        return None
    try:
        numbers = np.array([float(value) if value else np.nan for value in told])
    except ValueError:
        return tuple(told) if len(known) <= MOST_VALUES else None
    finite = numbers[np.isfinite(numbers)]
    if len(known) <= BANDS:
        return tuple(told)
    if len(finite) < 2:
        return None
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, BANDS + 1)))
    if len(edges) < 3:
        return None
    place = np.clip(np.searchsorted(edges, numbers, "right") - 1, 0, len(edges) - 2)
    names = []
    for low, high in pairwise(edges.tolist()):
        names.append(f"{low:g} to {'under ' if high < edges[-1] else ''}{high:g}")
    return tuple(
        names[index] if np.isfinite(number) else ""
        for index, number in zip(place.tolist(), numbers.tolist(), strict=True)
    )


def subgroups(
    described: Mapping[str, Sequence[str]],
    scores: Array,
    folds: Folds,
    predicted: Array,
    positive: NDArray[np.bool_],
    groups: Codes,
    *,
    needed: int = FEWEST,
) -> tuple[Subgroup, ...]:
    """Judge every value of every column that makes subgroups.

    Args:
        described: columns of n values.
        scores: (repeats, n) out-of-fold.
        folds: they come from.
        predicted: (n,) probabilities.
        positive: (n,).
        groups: (n,) patients.
        needed: patients of each kind without which no AUC is given.
    """
    found = []
    for column, values in described.items():
        names = np.array(bands_of(values) or (), np.str_)
        for value in (name for name in dict.fromkeys(sorted(names.tolist())) if name):
            own = names == value
            kinds = len(np.unique(groups[own & positive])), len(np.unique(groups[own & ~positive]))
            auc: Estimate | NotEnough
            if min(kinds) < needed:
                kind = "positive" if kinds[0] < needed else "negative"
                auc = NotEnough(
                    figure="auc", counted=f"{kind} patients, {column} {value}", found=min(kinds), needed=needed
                )
            else:
                auc = _auc(scores[:, own], positive[own], folds.assigned[:, own], groups[own], min(kinds))
            found.append(
                Subgroup(
                    column=column,
                    value=value,
                    cases=int(own.sum()),
                    patients=len(np.unique(groups[own])),
                    positive=kinds[0],
                    auc=auc,
                    share_called=float(predicted[own].mean()),
                    prevalence=float(positive[own].mean()),
                )
            )
    return tuple(found)


def _auc(
    scores: Array, positive: NDArray[np.bool_], assigned: NDArray[np.integer], groups: Codes, fewest: int
) -> Estimate:
    # A small subgroup may have both kinds in no fold of a repetition; the others speak for it.
    parts = [
        within_folds(one, positive, fold, groups)
        for one, fold in zip(scores, assigned, strict=True)
        if pairs_within(positive, fold)
    ]
    if not parts:
        return Estimate(value=float("nan"), low=0.0, high=1.0, method="no fold has both kinds")
    influence = mean_of(parts)
    return logit_interval(
        influence.value, influence.variance(groups), fewest, "logit-DeLong within folds, models given"
    )
