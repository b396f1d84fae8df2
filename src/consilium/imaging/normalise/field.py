"""Which part of a picture is the picture: without black corners, burnt-in borders and the air beside a breast.

Each function takes levels and returns a box; each returns the whole where it finds nothing it can be sure of.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""(top, left, bottom, right), the last two exclusive."""

_WORKING_SIDE = 512
_LEAST_SHARE = 0.05


def whole(grey: NDArray[Any]) -> Box:
    """The box of everything."""
    return 0, 0, grey.shape[0], grey.shape[1]


def lit_field(grey: NDArray[np.float32]) -> Box:
    """The lit field in a dark surround: of a fundus camera, of an endoscope.

    Args:
        grey: (H, W) levels 0..1; the greatest of several frames where there are several.

    Returns:
        The bounding box of the largest connected part that is brighter than a dark surround.
    """
    small, scale = _small(grey)
    threshold = max(0.04, 0.12 * float(np.percentile(small, 90)))
    return _largest(small > threshold, scale, grey, opening=0.01)


def ultrasound_field(grey: NDArray[np.float32]) -> Box:
    """The fan or rectangle of an ultrasound picture, without the letters and scales that surround it.

    Letters are thin: an opening wider than their strokes takes them away, and the largest part that stays is tissue.
    """
    small, scale = _small(grey)
    closed = cv2.morphologyEx((small > 0.03).astype(np.uint8), cv2.MORPH_CLOSE, _disc(0.008, small))
    return _largest(closed > 0, scale, grey, opening=0.03)


def breast(grey: NDArray[np.float32]) -> Box:
    """The breast in a mammogram; the plate, labels and air around it are left out."""
    small, scale = _small(grey)
    eight = np.asarray(np.rint(small * 255), dtype=np.uint8)
    threshold, _ = cv2.threshold(cv2.GaussianBlur(eight, (5, 5), 0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    # Otsu parts dense tissue from fat where a breast has both; half of it parts tissue from air.
    return _largest(eight > 0.5 * threshold, scale, grey, opening=0.02)


def chest_wall_is_right(grey: NDArray[np.float32], box: Box) -> bool:
    """Whether a mammogram has to be mirrored so that the chest wall lies on the left.

    Args:
        grey: (H, W) levels of the whole plate.
        box: where the breast is in it.

    Returns:
        Whether the breast reaches the right edge of the plate alone; where it reaches both or neither, whether more of
        it lies in the right half of its box.
    """
    edge = max(1, grey.shape[1] // 100)
    reaches_left, reaches_right = box[1] < edge, box[3] > grey.shape[1] - edge
    if reaches_left != reaches_right:
        return bool(reaches_right)
    inside = grey[box[0] : box[2], box[1] : box[3]]
    half = inside.shape[1] // 2
    return half > 0 and float(inside[:, -half:].sum()) > float(inside[:, :half].sum())


def _small(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    scale = max(1.0, max(grey.shape) / _WORKING_SIDE)
    size = max(1, round(grey.shape[1] / scale)), max(1, round(grey.shape[0] / scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.float32), scale


def _disc(share: float, picture: NDArray[Any]) -> NDArray[np.uint8]:
    side = max(3, int(share * max(picture.shape)) | 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), dtype=np.uint8)


def _largest(mask: NDArray[np.bool_], scale: float, grey: NDArray[np.float32], opening: float) -> Box:
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(opening, mask))
    count, _, statistics, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    if count < 2:
        return whole(grey)
    left, top, width, height, area = (int(value) for value in max(statistics[1:], key=lambda row: row[4]))
    if area < _LEAST_SHARE * mask.size:
        return whole(grey)
    return (
        max(0, int(top * scale)),
        max(0, int(left * scale)),
        min(grey.shape[0], int(np.ceil((top + height) * scale))),
        min(grey.shape[1], int(np.ceil((left + width) * scale))),
    )
