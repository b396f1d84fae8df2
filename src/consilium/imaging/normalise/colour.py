"""Colour that does not depend on the lamp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MINKOWSKI = 6.0
"""The norm that Finlayson and Trezzi (Color Imaging Conference 2004) found best."""


def shades_of_grey(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour constancy: the Minkowski mean of the picture is taken for the colour of the light, and divided out.

    Args:
        rgb: (H, W, 3) 0..1.

    Returns:
        The same shape, 0..1; unchanged where it is black.
    """
    light = np.mean(rgb.reshape(-1, 3).astype(np.float64) ** MINKOWSKI, axis=0) ** (1.0 / MINKOWSKI)
    norm = float(np.linalg.norm(light))
    if norm < 1e-6 or float(light.min()) < 1e-3 * norm:
        return rgb
    return np.asarray(np.clip(rgb * (norm / np.sqrt(3.0) / light), 0.0, 1.0), dtype=np.float32)
