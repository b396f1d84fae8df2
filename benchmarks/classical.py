"""The baseline: how chromosomes were found before networks. Otsu's threshold, then a distance-transform watershed.

What it finds is named by the same classifier and the same assignment, so that the difference is the finding. Its
masks cannot overlap; crossing chromosomes are cut where the watershed cuts them. The constants are the best of a few
tried on validation images, so that the baseline is not a straw man.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.metaphase import Instance, Normalised

BLUR = 0.1
"""Standard deviation of the smoothing, in widths: pale bands shall not cut a chromosome in two."""

THRESHOLD = 0.8
"""Part of Otsu's threshold: his lies among the bands, between the pale and the dark ones."""

MARKER_DEPTH = 0.65
"""A marker is what lies deeper than this part of the usual half-width: necks between touching chromosomes do not."""

SMALLEST = 0.9
"""Objects with less area than this many squared widths are dirt."""

FATTEST = 3.0
"""Objects with an inscribed circle this many widths wide are nuclei; crossings are up to about twice as wide."""


def find_classically(normalised: Normalised, *, threads: int | None = None) -> tuple[Instance, ...]:
    """Threshold, watershed, connected components.

    Args:
        normalised: the cell.
        threads: not used; every finder is asked with it.

    Returns:
        The objects, from top to bottom; every score is 1, as there is nothing to grade them by.
    """
    width = normalised.chromosome_width
    foreground = _threshold(normalised.darkness, width)
    regions = _watershed(foreground, MARKER_DEPTH * width / 2)
    distance = cv2.distanceTransform(foreground, cv2.DIST_L2, 5)
    found = []
    for index in range(1, int(regions.max()) + 1):
        rows, columns = np.nonzero(regions == index)
        if len(rows) < SMALLEST * width**2 or 2 * distance[rows, columns].max() > FATTEST * width:
            continue
        x0, y0 = int(columns.min()), int(rows.min())
        mask = np.zeros((int(rows.max()) - y0 + 1, int(columns.max()) - x0 + 1), np.bool_)
        mask[rows - y0, columns - x0] = True
        box = (float(x0), float(y0), float(x0 + mask.shape[1]), float(y0 + mask.shape[0]))
        found.append(Instance(box=box, mask=mask, origin=(x0, y0), score=1.0))
    return tuple(sorted(found, key=lambda one: (one.box[1], one.box[0])))


def _threshold(darkness: NDArray[np.float32], width: float) -> NDArray[np.uint8]:
    """(H, W) uint8 0/1, specks of a pixel or two removed."""
    smooth = cv2.GaussianBlur(darkness, (0, 0), BLUR * width)
    levels = np.round(np.clip(smooth, 0, 1) * 255).astype(np.uint8)
    otsu, _ = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask = (levels > THRESHOLD * otsu).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _watershed(foreground: NDArray[np.uint8], depth: float) -> NDArray[np.int32]:
    """(H, W) int32: 0 background, 1.. one object each."""
    distance = cv2.distanceTransform(foreground, cv2.DIST_L2, 5)
    count, markers = cv2.connectedComponents((distance > depth).astype(np.uint8), connectivity=8)
    # Thin objects have no pixel that deep; each is its own marker.
    _, components = cv2.connectedComponents(foreground, connectivity=8)
    without = np.setdiff1d(np.unique(components[foreground > 0]), np.unique(components[markers > 0]))
    for component in without:
        markers[components == component] = count
        count += 1
    seeds = np.asarray(markers, np.int32)
    seeds[foreground == 0] = count
    relief = np.round(255 * (1 - distance / max(float(distance.max()), 1e-6))).astype(np.uint8)
    regions = cv2.watershed(cv2.cvtColor(relief, cv2.COLOR_GRAY2BGR), seeds)
    regions[(regions < 0) | (regions == count)] = 0
    return np.asarray(regions, np.int32)
