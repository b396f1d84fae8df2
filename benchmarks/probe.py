"""How much can be read from frozen features with a few cases: draws of 200, a linear probe, its AUC on the rest.

Cases are drawn by group (patient, case, near-duplicates), the probe is L2-regularised logistic regression on
standardised features, its strength is chosen by inner cross-validation that keeps groups together, and the AUC is
the mean over classes, one against the rest, on every picture that was not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CASES = 200
DRAWS = 10
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
INNER_FOLDS = 4
DUPLICATE = 0.97
"""Correlation of two thumbnails above which they are taken for one picture (or two frames of one moment)."""

Features = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Rows that teach the probe and rows that judge it; no group is in both."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


def duplicate_groups(pictures: NDArray[np.uint8], groups: Sequence[str]) -> NDArray[np.intp]:
    """A number for each picture, the same for those of one group and for near-duplicates.

    Args:
        pictures: (N, H, W, 3) uint8.
        groups: what the set says of patients or cases.
    """
    import cv2

    small = np.stack([cv2.resize(one, (16, 16), interpolation=cv2.INTER_AREA).mean(2).ravel() for one in pictures])
    small = small - small.mean(1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)
    _, numbers = np.unique(np.asarray(groups, np.str_), return_inverse=True)
    parent = np.arange(len(pictures))

    def root(one: int) -> int:
        while parent[one] != one:
            one = int(parent[one])
        return one

    first = {int(number): row for row, number in reversed(list(enumerate(numbers)))}
    pairs = [(row, first[int(number)]) for row, number in enumerate(numbers)]
    pairs += [(int(a), int(b)) for a, b in np.argwhere(np.triu(small @ small.T > DUPLICATE, 1))]
    for a, b in pairs:
        parent[root(a)] = root(b)
    return np.asarray([root(one) for one in range(len(parent))], np.intp)


def draws(labels: NDArray[np.intp], groups: NDArray[np.intp], *, cases: int, count: int, seed: int) -> Iterator[Draw]:
    """Whole groups at random until `cases` pictures are drawn; every class is on both sides.

    Raises:
        ValueError: a class has so few groups that no draw can have it on both sides.
    """
    rng = np.random.default_rng(seed)
    made = tries = 0
    while made < count:
        tries += 1
        if tries > 100 * count:
            raise ValueError("a class has too few groups to be on both sides of a draw")
        order = rng.permutation(np.unique(groups))
        sizes = np.cumsum([np.sum(groups == one) for one in order])
        drawn = np.isin(groups, order[: int(np.searchsorted(sizes, cases, side="right"))])
        train, test = np.flatnonzero(drawn), np.flatnonzero(~drawn)
        if all(np.bincount(labels[part], minlength=labels.max() + 1).min() >= 2 for part in (train, test)):
            made += 1
            yield Draw(train=train, test=test)


def probe_auc(features: Features, labels: NDArray[np.intp], groups: NDArray[np.intp], draw: Draw) -> float:
    """The AUC of a probe taught on one draw."""
    train, test = draw.train, draw.test
    middle, spread = features[train].mean(0), features[train].std(0) + 1e-6
    known, asked = (((features[part] - middle) / spread).astype(np.float64) for part in (train, test))
    # Logistic regression with an L2 penalty does not care which way its axes point, and 200 cases span at most 200.
    _, _, axes = np.linalg.svd(known, full_matrices=False)
    known, asked = known @ axes.T, asked @ axes.T
    strength = _chosen_strength(known, labels[train], groups[train])
    return macro_auc(_probabilities(known, labels[train], asked, strength), labels[test])


def macro_auc(probabilities: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """Mean over the classes of the AUC of each against the rest."""
    from sklearn.metrics import roc_auc_score

    classes = range(probabilities.shape[1])
    if len(classes) == 2:
        return float(roc_auc_score(labels == 1, probabilities[:, 1]))
    return float(np.mean([roc_auc_score(labels == one, probabilities[:, one]) for one in classes]))


def _chosen_strength(x: NDArray[Any], y: NDArray[np.intp], groups: NDArray[np.intp]) -> float:
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=0)
    losses = np.zeros(len(STRENGTHS))
    classes = np.unique(y)
    for inner, outer in folds.split(x, y, groups):
        if len(np.unique(y[inner])) < len(classes):
            continue
        for number, strength in enumerate(STRENGTHS):
            found = _probabilities(x[inner], y[inner], x[outer], strength)
            losses[number] += log_loss(y[outer], found, labels=classes) * len(outer)
    return STRENGTHS[int(np.argmin(losses))]


def _probabilities(x: NDArray[Any], y: NDArray[np.intp], asked: NDArray[Any], strength: float) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression

    head = LogisticRegression(C=strength, max_iter=300, class_weight=None).fit(x, y)
    return np.asarray(head.predict_proba(asked), np.float64)
