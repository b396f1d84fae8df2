"""A picture with its boxes: found ones and, where they are known, true ones, so that a person sees what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.detection.boxes import Boxes, overlaps
from consilium.specialist.two_sides import Picture

COLOURS = ((230, 75, 53), (0, 114, 178), (0, 158, 115), (230, 159, 0), (148, 103, 189), (86, 180, 233))
"""Of the classes in turn; told apart by colour-blind people too."""

MISSED, SURPLUS = (0, 0, 0), (255, 255, 255)


def draw_boxes(
    picture: Picture, found: Boxes, labels: Sequence[str], *, true: Boxes | None = None
) -> NDArray[np.uint8]:
    """Draw boxes with label and score.

    Args:
        picture: (H, W, 3) float32 0..1.
        found: with scores.
        labels: of the classes; letters beyond ASCII are left out of the picture.
        true: where they are given, a true box that nothing was found for is drawn dashed in black, and a found box that
            is of no true one of its class gets a white border.

    Returns:
        (H, W, 3) uint8.
    """
    import cv2

    canvas = np.ascontiguousarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    thick = max(round(max(canvas.shape[:2]) / 320), 1)
    right = np.ones(len(found), np.bool_)
    if true is not None:
        same = found.classes[:, None] == true.classes[None]
        enough = (overlaps(found.corners, true.corners) >= 0.5) & same
        right = enough.any(1)
        for corners in true.corners[~enough.any(0)]:
            _dashed(canvas, corners, thick)
    for corners, number, score, fits in zip(found.corners, found.classes.tolist(), found.scores, right, strict=True):
        left, top, end, bottom = (round(float(value)) for value in corners)
        colour = COLOURS[number % len(COLOURS)]
        if not fits:
            cv2.rectangle(canvas, (left, top), (end, bottom), SURPLUS, 3 * thick)
        cv2.rectangle(canvas, (left, top), (end, bottom), colour, thick)
        name = labels[number].encode("ascii", "ignore").decode().strip()
        text = f"{name} {score:.2f}".strip()
        place = (left + thick, max(top - 2 * thick, 6 * thick + 4))
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.3 * thick, SURPLUS, 2 * thick, cv2.LINE_AA)
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.3 * thick, colour, max(thick // 2, 1), cv2.LINE_AA)
    return canvas


def _dashed(canvas: NDArray[np.uint8], corners: NDArray[np.float64], thick: int) -> None:
    import cv2

    left, top, right, bottom = corners
    ends = [((left, top), (right, top)), ((right, top), (right, bottom)), ((right, bottom), (left, bottom))]
    for first, last in [*ends, ((left, bottom), (left, top))]:
        start, stop = np.array(first), np.array(last)
        dashes = max(int(np.linalg.norm(stop - start) / (6 * thick)), 1)
        for dash in range(0, dashes, 2):
            one, other = (start + (stop - start) * part / dashes for part in (dash, min(dash + 1, dashes)))
            cv2.line(canvas, tuple(one.astype(int).tolist()), tuple(other.astype(int).tolist()), MISSED, thick)
