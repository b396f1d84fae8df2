"""From the scores of a network to how often a box with such a score is right (Platt 1999), for each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.detection.average_precision import outcomes_of
from consilium.specialist.detection.boxes import Boxes

Array = NDArray[np.float64]

_PULL = 5.0
"""Strength with which a class of few boxes keeps the scores it has, in boxes."""
_STEPS = 30
_EDGE = 1e-6
_GENTLEST = 0.1
"""Smallest slope: a score must never mean less the higher it is."""


def fit_calibration(found: Sequence[Boxes], true: Sequence[Boxes], count: int) -> Array:
    """Slope and offset on the logit scale for each of `count` classes, (count, 2).

    Args:
        found: boxes, by models that had not seen the pictures.
        true: boxes.
        count: classes.
    """
    lines = np.tile([1.0, 0.0], (count, 1))
    for number in range(count):
        outcomes = outcomes_of(found, true, number)
        if len(outcomes.scores):
            lines[number] = _line(_logit(outcomes.scores), outcomes.right[0].astype(np.float64))
    return lines


def _line(logits: Array, right: Array) -> Array:
    """Newton's steps for a logistic line that is pulled toward slope 1 and offset 0."""
    rows = np.stack([logits, np.ones_like(logits)], axis=1)
    start = np.array([1.0, 0.0])
    line = start.copy()
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(rows @ line, -30, 30)))
        slope = rows.T @ (likely - right) + _PULL * (line - start)
        curve = (rows * (likely * (1 - likely))[:, None]).T @ rows + _PULL * np.eye(2)
        step = np.linalg.solve(curve, slope)
        line = line - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return np.array([max(line[0], _GENTLEST), line[1]])


def calibrated(boxes: Boxes, lines: Array) -> Boxes:
    """Boxes with scores that say how often such a box is right."""
    if not len(boxes):
        return boxes
    logits = _logit(boxes.scores) * lines[boxes.classes, 0] + lines[boxes.classes, 1]
    scores = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return Boxes(corners=boxes.corners, classes=boxes.classes, scores=scores)


def _logit(scores: Array) -> Array:
    clipped = np.clip(scores, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float64)
