"""Would more cases help? The AUC with a quarter, half, three quarters and all of the training cases.

Patients are left out of training only, so every size is tested on the same cases. An inverse power law, a - b n^-c, is
fitted (Cortes et al. 1993, NIPS; Figueroa et al. 2012, BMC Medical Informatics 12:8) and carried on to twice the cases.
How sure that is comes from drawing the four figures anew from their joint error and fitting again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.discrimination import cross_validated_auc, interval_of, mean_of
from consilium.specialist.evidence.intervals import Estimate, Influence
from consilium.specialist.head import Features, out_of_fold
from consilium.specialist.penalised import Array, Loss
from consilium.specialist.splits import Folds, strata_of_groups

Codes = NDArray[np.intp]
Verdict = Literal["more cases would help", "more cases would not help", "cannot be said"]

SHARES = (0.25, 0.5, 0.75, 1.0)
WORTH = 0.01
"""Gain in AUC by twice the cases that is worth collecting them."""
DRAWS = 1000
_EXPONENTS = np.linspace(0.2, 2.0, 19)
_FEWEST_TO_TRAIN = 4


@dataclass(frozen=True, kw_only=True)
class Size:
    """One point of the curve.

    Attributes:
        patients: in training, on average.
        auc: with its interval.
    """

    patients: float
    auc: Estimate


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """The curve and what it says.

    Attributes:
        sizes: the points.
        doubled: AUC expected with twice the patients.
        gain: of that over the AUC with all patients, both on the fitted law.
        verdict: in words.
    """

    sizes: tuple[Size, ...]
    doubled: Estimate
    gain: Estimate
    verdict: Verdict


def learning_curve(
    features: Features,
    targets: Array,
    strata: Codes,
    groups: Codes,
    folds: Folds,
    loss: Loss,
    *,
    repeats: int = 3,
    seed: int = 0,
) -> LearningCurve:
    """Train on parts of the training cases and carry the curve on.

    Args:
        features: (n, d).
        targets: (n, problems, columns).
        strata: (n,) classes, for drawing parts evenly.
        groups: (n,) patients, 0 to g - 1.
        folds: the folds of the validation.
        loss: of the head, logistic or softmax.
        repeats: how many of the repetitions are used.
        seed: of the parts.
    """
    rng = np.random.default_rng(seed)
    columns = [(problem, column) for problem in range(targets.shape[1]) for column in range(targets.shape[2])]
    used = Folds(assigned=folds.assigned[:repeats], count=folds.count)
    by_share: list[list[Influence]] = [[] for _ in SHARES]
    patients = np.zeros(len(SHARES))
    for fold in used.assigned:
        rank = _rank_within(strata, groups, fold, rng)
        for number, share in enumerate(SHARES):
            kept = rank[groups] <= share
            patients[number] += len(np.unique(groups[kept])) * (1 - 1 / folds.count) / len(used.assigned)
            out = out_of_fold(features, targets, fold, loss, used=kept, roles=groups)
            single = Folds(assigned=fold[None], count=folds.count)
            by_share[number].append(
                mean_of(
                    [
                        cross_validated_auc([out], single, targets[:, p, c] > 0.5, groups, problem=p, column=c)
                        for p, c in columns
                    ]
                )
            )
    points = [mean_of(parts) for parts in by_share]
    rare = targets[:, columns[0][0], columns[0][1]] > 0.5
    return _carried_on(points, by_share, patients, rare, groups, rng)


def _rank_within(strata: Codes, groups: Codes, fold: NDArray[np.integer], rng: np.random.Generator) -> Array:
    """Rank (g,) of each patient among those of its stratum and fold, above 0 to 1; the first few are always kept."""
    of_group = strata_of_groups(strata, groups)
    fold_of_group = np.empty(len(of_group), np.intp)
    fold_of_group[groups] = fold
    rank = np.empty(len(of_group))
    for stratum in np.unique(of_group):
        members = rng.permutation(np.flatnonzero(of_group == stratum))
        # Dealing from fold after fold keeps every fold's share of the smaller sets alike.
        turn = np.empty(len(members), np.intp)
        for part in np.unique(fold):
            own = fold_of_group[members] == part
            turn[own] = np.arange(own.sum())
        order = members[np.argsort(turn, kind="stable")]
        rank[order] = (np.arange(len(order)) + 1) / len(order)
        rank[order[: min(_FEWEST_TO_TRAIN + 1, len(order))]] = 0.0
    return rank


def _carried_on(
    points: Sequence[Influence],
    by_share: Sequence[Sequence[Influence]],
    patients: Array,
    positive: NDArray[np.bool_],
    groups: Codes,
    rng: np.random.Generator,
) -> LearningCurve:
    values = np.array([point.value for point in points])
    parts = np.stack([np.bincount(groups, point.cases) for point in points])
    between = np.array([np.var([part.value for part in several], ddof=1) / len(several) for several in by_share])
    # Which patients were left out is one more chance, the same for no two sizes.
    covariance = parts @ parts.T + np.diag(np.where(np.arange(len(values)) < len(values) - 1, between, 0.0))
    drawn = rng.multivariate_normal(values, covariance, size=DRAWS, method="eigh")
    target = 2 * patients[-1]
    fitted = _law(np.vstack([values, drawn]), patients, target)
    doubled, gain = fitted[:, 1], fitted[:, 1] - fitted[:, 0]
    low, high = np.quantile(gain[1:], [0.025, 0.975])
    verdict: Verdict = "cannot be said"
    if low > WORTH:
        verdict = "more cases would help"
    elif high < WORTH:
        verdict = "more cases would not help"
    return LearningCurve(
        sizes=tuple(
            Size(patients=float(count), auc=interval_of(point, positive, groups))
            for count, point in zip(patients, points, strict=True)
        ),
        doubled=_of_draws(doubled),
        gain=_of_draws(gain),
        verdict=verdict,
    )


def _of_draws(values: Array) -> Estimate:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Estimate(value=float(values[0]), low=float(low), high=float(high), method="power law, drawn anew")


def _law(values: Array, sizes: Array, target: float) -> Array:
    """Least squares of a - b n^-c with b >= 0 and a <= 1, for each row of values (draws, sizes).

    Returns:
        (draws, 2): the law at the largest size and at the target.
    """
    least = np.full(len(values), np.inf)
    found = np.empty((len(values), 2))
    middle = values.mean(1)
    for exponent in _EXPONENTS:
        falling = sizes**-exponent
        spread = falling - falling.mean()
        slope = np.maximum(-(values - middle[:, None]) @ spread / np.square(spread).sum(), 0)
        top = middle + slope * falling.mean()
        below_one = np.maximum((1 - values) @ falling / np.square(falling).sum(), 0)
        slope, top = np.where(top > 1, below_one, slope), np.minimum(top, 1.0)
        error = np.square(values - top[:, None] + slope[:, None] * falling).sum(1)
        better = error < least - 1e-15
        least = np.where(better, error, least)
        reached = top[:, None] - slope[:, None] * np.array([sizes[-1] ** -exponent, target**-exponent])
        found = np.where(better[:, None], reached, found)
    return found
