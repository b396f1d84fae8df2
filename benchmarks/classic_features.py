"""Features that need no learning: what a radiologist's assistant of 2005 would have measured."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_HISTOGRAM = 16
_ANGLES = 8
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
_GREY_LEVELS = 8


def classic_features(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Histograms, textures and gradients of each picture.

    Args:
        pictures: (N, S, S, 3) float32 0..1.

    Returns:
        (N, D) float32.
    """
    return np.stack([_of_one(one) for one in pictures]).astype(np.float32)


def _of_one(picture: NDArray[np.float32]) -> NDArray[np.float64]:
    grey = picture.mean(2)
    parts = [np.histogram(picture[..., channel], _HISTOGRAM, (0, 1), density=True)[0] for channel in range(3)]
    parts += [np.asarray([picture[..., c].mean(), picture[..., c].std()]) for c in range(3)]
    parts += [_local_binary_patterns(one) for one in (grey, cv2.resize(grey, None, fx=0.5, fy=0.5))]
    parts += [_co_occurrence(grey, step) for step in (1, 3)]
    parts.append(_gradients(grey))
    return np.concatenate(parts)


def _local_binary_patterns(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """Histogram of uniform patterns by their number of ones (Ojala et al. 2002), and of all others."""
    middle = grey[1:-1, 1:-1]
    around = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    height, width = middle.shape
    bits = np.stack([grey[y : y + height, x : x + width] > middle for y, x in around])
    changes = (bits != np.roll(bits, 1, axis=0)).sum(0)
    kinds = np.where(changes <= 2, bits.sum(0), 9)
    return np.asarray(np.bincount(kinds.ravel(), minlength=10) / kinds.size)


def _co_occurrence(grey: NDArray[np.float32], distance: int) -> NDArray[np.float64]:
    """Contrast, homogeneity, energy and correlation (Haralick et al. 1973), mean over four directions."""
    levels = np.clip((grey * _GREY_LEVELS).astype(int), 0, _GREY_LEVELS - 1)
    side = np.arange(_GREY_LEVELS)
    apart = np.abs(side[:, None] - side[None])
    found = []
    for y, x in _STEPS:
        moved = np.roll(levels, (-y * distance, -x * distance), (0, 1))[:-distance, distance:-distance]
        pairs = levels[:-distance, distance:-distance] * _GREY_LEVELS + moved
        matrix = np.bincount(pairs.ravel(), minlength=_GREY_LEVELS**2).reshape(_GREY_LEVELS, -1) / pairs.size
        rows, columns = matrix.sum(1), matrix.sum(0)
        means = (side @ rows, side @ columns)
        spread = np.sqrt(((side - means[0]) ** 2 @ rows) * ((side - means[1]) ** 2 @ columns))
        correlation = ((side[:, None] - means[0]) * (side[None] - means[1]) * matrix).sum() / max(spread, 1e-9)
        found.append([(matrix * apart**2).sum(), (matrix / (1 + apart)).sum(), (matrix**2).sum(), correlation])
    return np.asarray(np.mean(found, axis=0), np.float64)


def _gradients(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """Histograms of oriented gradients in four by four cells (Dalal and Triggs 2005), without blocks."""
    across, down = np.gradient(grey)[::-1]
    size, angle = np.hypot(across, down), np.mod(np.arctan2(down, across), np.pi)
    bins = np.minimum((angle / np.pi * _ANGLES).astype(int), _ANGLES - 1)
    cells = []
    for rows in np.array_split(np.arange(grey.shape[0]), 4):
        for columns in np.array_split(np.arange(grey.shape[1]), 4):
            part = np.ix_(rows, columns)
            cells.append(np.bincount(bins[part].ravel(), size[part].ravel(), _ANGLES))
    joined = np.concatenate(cells)
    return np.asarray(joined / (np.linalg.norm(joined) + 1e-6), np.float64)
