"""Values become levels from 0 to 1: through windows, look-up tables and percentiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.imaging.study import LookUp, Plane, Window

Levels = NDArray[np.float32]

BRAIN = Window(centre=40.0, width=80.0, function="LINEAR_EXACT")
"""Hounsfield units; windows as radiology departments use them for the head, soft tissue, lung and bone."""

SOFT_TISSUE = Window(centre=40.0, width=400.0, function="LINEAR_EXACT")
LUNG = Window(centre=-600.0, width=1500.0, function="LINEAR_EXACT")
BONE = Window(centre=480.0, width=2500.0, function="LINEAR_EXACT")


def through_window(values: NDArray[Any], window: Window) -> Levels:
    """Values through a window (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Args:
        values: any shape.
        window: with the function LINEAR, LINEAR_EXACT or SIGMOID.

    Returns:
        float32 of the same shape, 0..1.
    """
    # In double precision, because a header may name a centre that no float32 reaches.
    x = values.astype(np.float64)
    centre, width = window.centre, window.width
    if window.function == "SIGMOID":
        exponent = np.clip(-4.0 * (x - centre) / width, -60.0, 60.0)
        return np.asarray(1.0 / (1.0 + np.exp(exponent)), dtype=np.float32)
    if window.function == "LINEAR":
        if width <= 1.0:
            return np.asarray(x > centre - 0.5, dtype=np.float32)
        centre, width = centre - 0.5, width - 1.0
    return np.asarray(np.clip((x - centre) / width + 0.5, 0.0, 1.0), dtype=np.float32)


def through_table(values: NDArray[Any], table: LookUp) -> Levels:
    """Values through a VOI LUT (PS3.3 C.11.2.1.1): what is below or above takes the first or the last entry.

    Returns:
        float32 of the same shape, 0..1.
    """
    at = np.clip(np.rint(values.astype(np.float64) - table.first), 0, table.levels.size - 1).astype(np.int64)
    return np.asarray(table.levels[at] / table.top, dtype=np.float32)


def between(values: NDArray[Any], low: float, high: float) -> Levels:
    """Values as a share of the way from `low` to `high`, cut off at 0 and 1; 0 where the two are the same."""
    if not high > low:
        return np.zeros(values.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        share = (values.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    known = np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0)
    return np.asarray(np.clip(known, 0.0, 1.0), dtype=np.float32)


def as_displayed(values: NDArray[Any], plane: Plane, low: float, high: float) -> Levels:
    """Grey values as their file asks to have them shown.

    Args:
        values: of the plane, or of a part of it.
        plane: whose VOI and polarity count.
        low: what becomes 0 where the file names neither a window nor a table.
        high: what becomes 1 there.

    Returns:
        float32 of the same shape, 0..1, high = bright: MONOCHROME1 is turned round.
    """
    if isinstance(plane.voi, LookUp):
        shown = through_table(values, plane.voi)
    elif plane.voi is not None:
        shown = through_window(values, plane.voi)
    else:
        shown = between(values, low, high)
    return np.asarray(1.0 - shown, dtype=np.float32) if plane.white_is_low else shown


def full_range(pixels: NDArray[Any]) -> float:
    """What counts as full brightness where nothing is stretched: 255 of bytes, else the largest value."""
    if pixels.dtype == np.uint8:
        return 255.0
    known = pixels[np.isfinite(pixels)]
    return float(max(known.max(), 1)) if known.size else 1.0


def three_channels(grey: Levels) -> Levels:
    """(H, W) as (H, W, 3)."""
    return np.repeat(grey[..., None], 3, axis=-1)
