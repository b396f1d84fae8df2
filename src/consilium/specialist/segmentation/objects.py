"""Many objects that touch: what their edges teach, and how a map of edges becomes single objects again.

A third class, the edge of each object, keeps neighbours apart (as the winners of the 2018 Data Science Bowl did:
Caicedo et al. 2019, Nature Methods 16:1247). Inner parts are the seeds that grow to fill the foreground.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consilium.specialist.segmentation.overlap import Labels

BACKGROUND, INNER, EDGE = 0, 1, 2
_SMALLEST_SEED = 4
_CROSS = ndimage.generate_binary_structure(2, 1)


def edges_of(labels: Labels) -> NDArray[np.intp]:
    """Class of every pixel of a label map (H, W): background, inner part, or edge of an object."""
    highest = ndimage.maximum_filter(labels, 3, mode="nearest")
    lowest = ndimage.minimum_filter(labels, 3, mode="nearest")
    found = np.where(labels > 0, np.where(highest != lowest, EDGE, INNER), BACKGROUND)
    return np.asarray(found, np.intp)


def objects_of(probabilities: NDArray[np.float32], *, threshold: float, smallest: int) -> Labels:
    """Single objects.

    Args:
        probabilities: (3, H, W) of background, inner part and edge.
        threshold: from which inner part and edge together are foreground.
        smallest: pixels of an object; what is smaller goes.

    Returns:
        (H, W), 0 is background, objects are 1 to n.
    """
    inner = probabilities[INNER]
    foreground = inner + probabilities[EDGE] >= threshold
    seeds, count = ndimage.label(foreground & (inner > probabilities[EDGE]))
    sizes = np.bincount(seeds.ravel(), minlength=count + 1)
    seeds[sizes[seeds] < _SMALLEST_SEED] = 0
    # A part of the foreground without an inner part is an object too, a small one.
    parts, _ = ndimage.label(foreground)
    seeded = np.unique(parts[seeds > 0])
    alone = foreground & ~np.isin(parts, seeded)
    seeds[alone] = parts[alone] + count
    filled = _grown(np.asarray(seeds, np.intp), foreground)
    filled[np.bincount(filled.ravel())[filled] < smallest] = 0
    numbers = np.unique(filled[filled > 0])
    return np.asarray(np.where(filled > 0, np.searchsorted(numbers, filled) + 1, 0), np.intp)


def _grown(seeds: Labels, foreground: NDArray[np.bool_]) -> Labels:
    """Seeds that grow step by step until they fill every part of the foreground that has one."""
    found = seeds.copy()
    while True:
        free = foreground & (found == 0)
        beside = ndimage.maximum_filter(found, footprint=_CROSS, mode="constant")
        reached = free & (beside > 0)
        if not reached.any():
            return found
        found[reached] = beside[reached]
