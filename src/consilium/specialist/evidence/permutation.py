"""Whether the whole way of making a model, choice of its penalty included, does better than chance.

Labels are shuffled among patients of the same fold, and everything is done again: the paths, the inner choice, the
outer test. Because `grouped_folds` deals each stratum out by lot, labels are exchangeable within folds when features
tell nothing, whatever the strata were; so the test is exact, and the same principal components serve every shuffle,
which makes 200 of them cost about as much as a few fits.

Where labels belong to patients, whole patients are shuffled. Where a patient's cases have different labels, patients
with equally many cases change places with all their labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.discrimination import within_folds
from consilium.specialist.head import Features, out_of_fold
from consilium.specialist.penalised import Array, Loss, ranking_scores

Codes = NDArray[np.intp]

SHUFFLES = 200


@dataclass(frozen=True, kw_only=True)
class PermutationTest:
    """A figure against what it is when labels mean nothing.

    Attributes:
        statistic: what was compared, e.g. "AUC within folds".
        observed: of one repetition with the true labels.
        shuffled: of as many shuffles, sorted.
        p: share of shuffles, the true labels counted in, that are at least as good.
    """

    statistic: str
    observed: float
    shuffled: tuple[float, ...]
    p: float


def shuffled_order(targets: Array, groups: Codes, fold: NDArray[np.integer], rng: np.random.Generator) -> Codes:
    """Draw an order (n,) in which labels may be handed out again.

    Args:
        targets: (n, k) labels.
        groups: (n,) patients.
        fold: (n,) which no patient crosses.
        rng: for the lots.
    """
    firsts = np.unique(groups, return_index=True)[1]
    constant = bool((targets == targets[firsts][np.unique(groups, return_inverse=True)[1]]).all())
    order = np.arange(len(groups))
    for part in np.unique(fold):
        members = [np.flatnonzero(groups == group) for group in np.unique(groups[fold == part])]
        if constant:
            firsts = np.array([cases[0] for cases in members])
            for cases, source in zip(members, rng.permutation(firsts), strict=True):
                order[cases] = source
            continue
        for size in {len(cases) for cases in members}:
            alike = [cases for cases in members if len(cases) == size]
            for cases, source in zip(alike, rng.permutation(len(alike)), strict=True):
                order[cases] = rng.permutation(alike[source])
    return order


def permutation_test(
    features: Features,
    targets: Array,
    groups: Codes,
    fold: NDArray[np.integer],
    loss: Loss,
    *,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> PermutationTest:
    """Shuffle labels and do everything again.

    Args:
        features: (n, d).
        targets: (n, problems, columns) as for `out_of_fold`.
        groups: (n,) patients.
        fold: (n,) of one repetition.
        loss: of the head.
        shuffles: how many.
        seed: of them.

    Returns:
        The test of the mean AUC of the classes, or of the correlation for the squared loss.
    """
    rng = np.random.default_rng(seed)
    flat = targets.reshape(len(targets), -1)
    orders = [np.arange(len(groups))] + [shuffled_order(flat, groups, fold, rng) for _ in range(shuffles)]
    problems = targets.shape[1]
    found = []
    # In parts, so that 20 classes of 1,000 cases do not need gigabytes.
    at_once = max(1, 2_000_000 // flat.size)
    for start in range(0, len(orders), at_once):
        several = orders[start : start + at_once]
        together = np.concatenate([targets[order] for order in several], axis=1)
        logits = out_of_fold(features, together, fold, loss).logits
        for number in range(len(several)):
            own = slice(number * problems, (number + 1) * problems)
            found.append(_statistic(logits[:, own], together[:, own], fold, groups, loss))
    observed, by_chance = found[0], np.sort(found[1:])
    return PermutationTest(
        statistic="correlation" if loss == "squares" else "AUC within folds",
        observed=observed,
        shuffled=tuple(by_chance.tolist()),
        p=float((1 + (by_chance >= observed).sum()) / (1 + shuffles)),
    )


def _statistic(logits: Array, targets: Array, fold: NDArray[np.integer], groups: Codes, loss: Loss) -> float:
    scores, truth = logits.reshape(len(logits), -1), targets.reshape(len(targets), -1)
    if loss == "squares":
        return float(np.mean([_correlation(scores[:, k], truth[:, k]) for k in range(truth.shape[1])]))
    if loss == "softmax":
        scores = np.stack([ranking_scores(logits[:, 0], column) for column in range(logits.shape[2])], axis=1)
    return float(
        np.mean([within_folds(scores[:, k], truth[:, k] > 0.5, fold, groups).value for k in range(truth.shape[1])])
    )


def _correlation(first: Array, second: Array) -> float:
    deviations = first.std() * second.std()
    return float(((first - first.mean()) * (second - second.mean())).mean() / deviations) if deviations > 0 else 0.0
