"""Bring a grey image to one appearance: dark chromosomes on a light field, one contrast, a known scale.

G-banded chromosomes are dark on light; Q-banded and DAPI-stained ones are bright on dark. Nothing is
resampled here: `darkness` has the original size, and the stages that need another scale make it themselves.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.errors import NoMetaphase
from consilium.karyotype.metaphase import Normalised

NOMINAL_WIDTH = 17.0
"""Chromosome width, in pixels, of the images the models were trained on (median over training cells)."""

_THIN = 48
"""Nothing this wide, in pixels, is a chromosome at any magnification in use."""

_CEILING = 1.5
"""Darkness is clipped here: dirt is far darker than any band, and its exact value says nothing."""


def normalise(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Normalised:
    """Normalise polarity, background and contrast and estimate the scale.

    Args:
        pixels: (H, W) uint8 or uint16 grey levels.

    Raises:
        NoMetaphase: the picture is blank, or nothing thin enough to be a chromosome stands out in it.
    """
    grey = pixels.astype(np.float32)
    background, spread = _background(grey)
    inverted = _bright_objects(grey, background, spread)
    absorbed = grey - background if inverted else background - grey
    foreground = _foreground(absorbed, spread)
    half_width = _half_width(foreground)
    if half_width is None:
        raise NoMetaphase(
            "no chromosome-like object stands out from the background",
            way_out="Hand in one metaphase per image, in focus, with its whole grey range.",
        )
    values = absorbed[foreground > 0]
    reference = float(np.percentile(values, 95))
    darkness = np.clip(absorbed / max(reference, 1e-6), 0.0, _CEILING).astype(np.float32)
    return Normalised(darkness=darkness, inverted=inverted, chromosome_width=2 * half_width)


def _background(grey: NDArray[np.float32]) -> tuple[float, float]:
    """The most frequent grey level (smoothed) and the noise around it, in grey levels."""
    low, high = float(grey.min()), float(grey.max())
    if high - low < 8:
        raise NoMetaphase(
            f"the picture is blank (grey levels {low:.0f} to {high:.0f})", way_out="Check the exposure of the image."
        )
    histogram, edges = np.histogram(grey, bins=256, range=(low, high))
    smooth = np.convolve(histogram, np.ones(5) / 5, mode="same")
    mode = float(edges[int(smooth.argmax())] + (edges[1] - edges[0]) / 2)
    near = grey[np.abs(grey - mode) < 0.12 * (high - low)]
    noise = float(np.median(np.abs(near - mode))) * 1.4826
    return mode, max(noise, (high - low) / 256)


def _bright_objects(grey: NDArray[np.float32], background: float, spread: float) -> bool:
    """Whether what stands out of the background is brighter than it."""
    margin = max(4 * spread, 0.06 * float(grey.max() - grey.min()))
    above = float(np.sum(np.maximum(grey - background - margin, 0)))
    below = float(np.sum(np.maximum(background - grey - margin, 0)))
    return above > below


def _foreground(absorbed: NDArray[np.float32], spread: float) -> NDArray[np.uint8]:
    """(H, W) uint8 0/1: what stands out and is thinner than `_THIN`, so neither nuclei nor their glare."""
    small = cv2.resize(absorbed, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    broad = cv2.morphologyEx(small, cv2.MORPH_OPEN, _ellipse(_THIN / 2))
    broad = cv2.resize(broad, (absorbed.shape[1], absorbed.shape[0]), interpolation=cv2.INTER_LINEAR)
    thin = np.maximum(absorbed - np.maximum(broad, 0), 0)
    standing_out = thin[thin > 3 * spread]
    ceiling = float(np.percentile(standing_out, 90)) if standing_out.size else float(absorbed.max())
    scaled = (np.minimum(thin / max(ceiling, 1e-6), 1) * 255).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    threshold = max(level / 255 * ceiling * 0.6, 3 * spread)
    mask = (thin > threshold).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _half_width(foreground: NDArray[np.uint8]) -> float | None:
    """Median half-width, in pixels, along the ridges of thin, elongated objects; None when there are none."""
    distance = cv2.distanceTransform(foreground, cv2.DIST_L2, 3)
    ridge = (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8))) & (distance >= 1.5)
    _, components, stats, _ = cv2.connectedComponentsWithStats(foreground, connectivity=8)
    labels = components.astype(np.intp)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float32)
    deepest = np.zeros(len(area), np.float32)
    np.maximum.at(deepest, labels[ridge], distance[ridge])
    # A disc has area pi d^2; a chromosome, let alone a cluster of them, has much more for its thickness.
    elongated = (area > 1.6 * np.pi * deepest**2) & (deepest >= 1.5)
    elongated[0] = False
    values = distance[ridge & elongated[labels]]
    return float(np.median(values)) if len(values) >= 20 else None


def _ellipse(diameter: float) -> NDArray[np.uint8]:
    size = max(3, round(diameter)) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
