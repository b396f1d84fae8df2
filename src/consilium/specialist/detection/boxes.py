"""What a box is, how much two overlap, and how many boxes of one object become one.

Boxes are (n, 4) float64: left, top, right, bottom in pixels of the picture, edges and not pixel numbers, so a box round
the first pixel is (0, 0, 1, 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float64]
"""(n, 4) float64: left, top, right, bottom, pixels."""

Classes = NDArray[np.intp]
Scores = NDArray[np.float64]


def _no_scores() -> Scores:
    return np.empty(0, np.float64)


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Boxes of one picture, true ones or found ones.

    Attributes:
        corners: (n, 4).
        classes: (n,) numbers of their labels.
        scores: (n,) 0..1, higher for surer ones; empty for true boxes.
    """

    corners: Corners
    classes: Classes
    scores: Scores = field(default_factory=_no_scores)

    def __len__(self) -> int:
        return len(self.corners)

    def chosen(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Boxes:
        """Some of them."""
        scores = self.scores[rows] if len(self.scores) else self.scores
        return Boxes(corners=self.corners[rows], classes=self.classes[rows], scores=scores)


def no_boxes() -> Boxes:
    """What an empty picture holds."""
    return Boxes(corners=np.empty((0, 4)), classes=np.empty(0, np.intp))


def overlaps(first: Corners, second: Corners) -> NDArray[np.float64]:
    """Intersection over union of each of n boxes with each of m, (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(one[:, 2:] - one[:, :2], axis=1) for one in (first, second)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9), np.float64)


def within(corners: Corners, shape: tuple[int, int], *, smallest: float = 2.0) -> Corners:
    """Boxes cut at the border of a picture of so many rows and columns, none narrower than `smallest` pixels."""
    found = corners.copy()
    for low, size in ((0, shape[1]), (1, shape[0])):
        found[:, low] = np.clip(found[:, low], 0, max(size - smallest, 0))
        found[:, low + 2] = np.clip(found[:, low + 2], found[:, low] + smallest, max(size, smallest))
    return found


def merged(boxes: Boxes, *, apart: float, together: float, most: int) -> Boxes:
    """One box an object: the surest stays, and becomes the mean of those that say nearly the same.

    Non-maximum suppression within each class, with the vote of Gidaris and Komodakis 2015 (ICCV).

    Args:
        boxes: with scores.
        apart: overlap from which a less sure box of the same class goes.
        together: overlap from which boxes vote, weighed by score.
        most: boxes of a class that stay.

    Returns:
        The boxes that stayed, the surest first within each class.
    """
    corners, classes, scores = [np.empty((0, 4))], [np.empty(0, np.intp)], [np.empty(0)]
    for number in np.unique(boxes.classes):
        own = boxes.chosen(boxes.classes == number)
        shared = overlaps(own.corners, own.corners)
        free = np.ones(len(own), np.bool_)
        kept: list[int] = []
        for row in np.argsort(-own.scores, kind="stable").tolist():
            if free[row] and len(kept) < most:
                kept.append(row)
                free &= shared[row] < apart
        weights = np.where(shared[kept] >= together, own.scores[None], 0)
        corners.append(weights @ own.corners / weights.sum(1, keepdims=True))
        classes.append(np.full(len(kept), number, np.intp))
        scores.append(own.scores[kept])
    return Boxes(corners=np.concatenate(corners), classes=np.concatenate(classes), scores=np.concatenate(scores))
