"""Boxes that a person should look at again: what was found for sure and is in no box, and boxes nothing speaks for.

In sets of cells with boxes many cells have none; a detector that had not seen the picture shows where (as Northcutt et
al. 2021, JAIR 70:1373, do for labels). It only points: whether a box was forgotten, a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from consilium.specialist.detection.boxes import Boxes, overlaps

Doubt = Literal["no box", "another label", "not seen"]

_SURE = 0.5
_SEEN = 0.1
_SAME = 0.5
_BESIDE = 0.3


@dataclass(frozen=True, kw_only=True)
class DoubtfulBox:
    """One box to look at.

    Attributes:
        picture: its number.
        doubt: "no box": found for sure where no true box is; "another label": found for sure with another label than
            the true box has; "not seen": a true box where nothing was found, however unsure.
        number: of the label that was found, or of the true box that was not seen.
        corners: left, top, right, bottom, pixels.
        score: of what was found; 0 of what was not seen.
    """

    picture: int
    doubt: Doubt
    number: int
    corners: tuple[float, float, float, float]
    score: float


def doubtful_boxes(found: Sequence[Boxes], true: Sequence[Boxes]) -> tuple[DoubtfulBox, ...]:
    """Compare true boxes with what detectors found that had not seen the picture, the surest doubt first.

    Args:
        found: of each picture, calibrated, also boxes of low score.
        true: of each picture.
    """
    doubts = []
    for picture, (ours, theirs) in enumerate(zip(found, true, strict=True)):
        shared = overlaps(ours.corners, theirs.corners)
        best = shared.max(1, initial=0.0)
        for row in np.flatnonzero(ours.scores >= _SURE).tolist():
            if best[row] < _BESIDE:
                doubts.append(_doubt(picture, "no box", ours, row, float(ours.scores[row])))
            elif best[row] >= _SAME and theirs.classes[shared[row].argmax()] != ours.classes[row]:
                doubts.append(_doubt(picture, "another label", ours, row, float(ours.scores[row])))
        seen = (shared[ours.scores >= _SEEN] >= _BESIDE).any(0)
        doubts += [_doubt(picture, "not seen", theirs, row, 0.0) for row in np.flatnonzero(~seen).tolist()]
    return tuple(sorted(doubts, key=lambda one: -one.score))


def _doubt(picture: int, doubt: Doubt, boxes: Boxes, row: int, score: float) -> DoubtfulBox:
    left, top, right, bottom = boxes.corners[row].tolist()
    return DoubtfulBox(
        picture=picture, doubt=doubt, number=int(boxes.classes[row]), corners=(left, top, right, bottom), score=score
    )
