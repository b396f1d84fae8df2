"""Features of a picture that nobody had to learn: grey levels, local binary patterns, co-occurrence.

The baseline that a frozen encoder has to beat. Histogram of grey levels with their moments; local binary patterns,
uniform and rotation invariant, at radius 1 and 2 (Ojala et al. 2002, IEEE TPAMI 24:971); contrast, homogeneity, energy
and correlation of grey-level co-occurrence at distances 1, 2 and 4, averaged over four directions (Haralick 1973).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]

SIDE = 128
"""Pictures are reduced to this many pixels of their longer side first, so that a size does not pass for a texture."""
LEVELS = 16
_HISTOGRAM = 16
_RADII = (1, 2)
_DISTANCES = (1, 2, 4)
_DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))


def classic_features(picture: NDArray[Any]) -> Features:
    """Describe one picture.

    Args:
        picture: (h, w) grey levels or (h, w, 3) colour, any number type; colour is averaged.

    Returns:
        (52,): 16 of the histogram, 4 moments, 2 × 10 of patterns, 3 × 4 of co-occurrence.
    """
    import cv2

    grey = np.asarray(picture, np.float32)
    grey = grey.mean(2) if grey.ndim == 3 else grey
    shrink = SIDE / max(grey.shape)
    if shrink < 1:
        size = max(round(grey.shape[1] * shrink), 1), max(round(grey.shape[0] * shrink), 1)
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
    low, high = np.percentile(grey, [0.5, 99.5])
    unit = np.clip((grey - low) / max(float(high - low), 1e-6), 0, 1)
    deviation = float(unit.std())
    skew = float(((unit - unit.mean()) ** 3).mean()) / max(deviation, 1e-6) ** 3
    moments = np.array(
        [unit.mean(), deviation, skew, float(np.abs(np.diff(unit, axis=0)).mean()) if len(unit) > 1 else 0.0]
    )
    histogram = np.histogram(unit, _HISTOGRAM, (0, 1))[0] / unit.size
    parts = [histogram, moments, *(_patterns(unit, radius) for radius in _RADII)]
    levels = np.minimum((unit * LEVELS).astype(np.intp), LEVELS - 1)
    return np.concatenate([*parts, *(_co_occurrence(levels, distance) for distance in _DISTANCES)]).astype(np.float32)


def _patterns(unit: NDArray[np.float32], radius: int) -> NDArray[np.float64]:
    """Share of each of the 10 uniform, rotation-invariant patterns of the 8 neighbours at a distance."""
    padded = np.pad(unit, radius, mode="edge")
    height, width = unit.shape
    steps = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    above = np.stack(
        [
            padded[
                radius + radius * y : radius + radius * y + height, radius + radius * x : radius + radius * x + width
            ]
            >= unit
            for y, x in steps
        ]
    )
    changes = (above != np.roll(above, 1, axis=0)).sum(0)
    codes = np.where(changes <= 2, above.sum(0), 9)
    return np.bincount(codes.ravel(), minlength=10) / codes.size


def _co_occurrence(levels: NDArray[np.intp], distance: int) -> NDArray[np.float64]:
    """Contrast, homogeneity, energy, correlation, averaged over four directions."""
    found = []
    height, width = levels.shape
    for y, x in _DIRECTIONS:
        y, x = y * distance, x * distance
        first = levels[: max(height - y, 0), max(-x, 0) : max(width - max(x, 0), 0)]
        second = levels[y:, max(x, 0) : max(width + min(x, 0), 0)]
        if not first.size or first.shape != second.shape:
            continue
        counted = np.bincount((first * LEVELS + second).ravel(), minlength=LEVELS * LEVELS).reshape(LEVELS, LEVELS)
        table = (counted + counted.T) / (2 * first.size)
        i, j = np.indices(table.shape)
        mean = float((i * table).sum())
        variance = float((np.square(i - mean) * table).sum())
        together = float(((i - mean) * (j - mean) * table).sum())
        found.append(
            [
                float((np.square(i - j) * table).sum()),
                float((table / (1 + np.square(i - j))).sum()),
                float(np.sqrt(np.square(table).sum())),
                together / variance if variance > 1e-9 else 1.0,
            ]
        )
    return np.mean(found, axis=0) if found else np.zeros(4)
