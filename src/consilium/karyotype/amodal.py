"""From boxes to amodal masks: the crops the mask network reads, and the masks its answers stand for."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""Side of a crop, in samples."""

FILL = 0.8
"""The longer side of the box takes this part of the crop."""

_LEAST_PART = 0.15
"""A piece of a mask smaller than this part of the largest is noise, not the far side of a crossing."""


def mask_crops(darkness: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a square crop around each box.

    Args:
        darkness: (H, W) float32.
        boxes: (N, 4) float32, xmin ymin xmax ymax in pixels of `darkness`.

    Returns:
        (N, 2, 64, 64) float32: darkness, and 1 inside the box.
    """
    out = np.zeros((len(boxes), 2, SIDE, SIDE), np.float32)
    for crop, box in zip(out, boxes, strict=True):
        crop[0] = crop_around(darkness, box)
        crop[1] = box_channel(box[2:] - box[:2])
    return out


def crop_around(
    picture: NDArray[np.float32], box: NDArray[np.floating], *, side: int = SIDE, fill: float = FILL
) -> NDArray[np.float32]:
    """(side, side) float32: the square around a box, whose longer side takes the part `fill` of it; 0 outside."""
    doubled = 2 * fill * side / max(float((box[2:] - box[:2]).max()), 1.0)
    shift = side - (box[:2] + box[2:]) / 2 * doubled
    matrix = np.asarray([[doubled, 0, shift[0]], [0, doubled, shift[1]]], np.float64)
    # Twice the size first, then averaged: most crops are reductions, and fine bands would alias.
    large = cv2.warpAffine(picture, matrix, (2 * side, 2 * side), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def box_channel(size: NDArray[np.floating], *, side: int = SIDE, fill: float = FILL) -> NDArray[np.float32]:
    """(side, side) float32: 1 inside a centred box of that (width, height)."""
    size = np.maximum(size, 1.0)
    half_width, half_height = size / size.max() * fill * side / 2
    away = np.abs(np.arange(side) + 0.5 - side / 2)
    return np.asarray((away[:, None] <= half_height) & (away[None] <= half_width), np.float32)


def masks_from_logits(
    logits: NDArray[np.float32], boxes: NDArray[np.float32], shape: tuple[int, int]
) -> list[tuple[NDArray[np.bool_], tuple[int, int]]]:
    """Turn the network's answers into masks in the image.

    Args:
        logits: (N, 64, 64) float32, positive inside the chromosome.
        boxes: (N, 4) the boxes the crops were cut around.
        shape: (H, W) of the image.

    Returns:
        For each box the mask, bool, and the (x, y) of its first pixel; never empty: where the network found
        nothing, the box itself, eroded to an ellipse, stands in.
    """
    return [_mask(one, box, shape) for one, box in zip(logits, boxes, strict=True)]


def _mask(
    logits: NDArray[np.float32], box: NDArray[np.float32], shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    size = np.maximum(box[2:] - box[:2], 1.0)
    margin = 0.08 * float(size.max()) + 2
    x0, y0 = (max(int(np.floor(v - margin)), 0) for v in box[:2])
    x1, y1 = min(int(np.ceil(box[2] + margin)), shape[1]), min(int(np.ceil(box[3] + margin)), shape[0])
    x0, y0 = min(x0, shape[1] - 1), min(y0, shape[0] - 1)
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    scale = FILL * SIDE / float(size.max())
    centre = (box[:2] + box[2:]) / 2
    # The inverse of `mask_crops`: sample i of the crop is the mean of samples 2 i and 2 i + 1 of the doubled one.
    offset = (np.asarray([x0, y0]) - centre) * scale + SIDE / 2 - 0.25
    matrix = np.asarray([[scale, 0, offset[0]], [0, scale, offset[1]]], np.float64)
    full = cv2.warpAffine(
        logits, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(-10.0,),
    )  # fmt: skip
    mask = (full > 0).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 1:
        stand_in = np.zeros_like(mask)
        middle = (mask.shape[1] // 2, mask.shape[0] // 2)
        cv2.ellipse(stand_in, middle, (max(mask.shape[1] // 3, 1), max(mask.shape[0] // 3, 1)), 0, 0, 360, (1,), -1)
        stand_in[middle[1], middle[0]] = 1
        return stand_in.astype(bool), (x0, y0)
    area = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(area >= _LEAST_PART * area.max())
    solid = np.isin(parts, kept)
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    window = solid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(window, np.bool_), (x0 + int(columns[0]), y0 + int(rows[0]))
