"""One synthetic G-banded chromosome, drawn along a bent axis.

The chromosome is first drawn straight (`render_straight.py`) and then laid along the axis by a single resampling, so
that bands stay at right angles to the axis however it bends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from consilium.karyotype.render_straight import (
    MARGIN,
    SAMPLES_PER_PIXEL,
    Floats,
    Stretch,
    straight_chromosome,
    straight_pieces,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """One drawn chromosome in its own patch.

    Attributes:
        darkness: (h, w) float32, 0 outside, about 1 in the darkest bands.
        mask: (h, w) bool, the drawn outline.
        axis: (n, 2) float32, (x, y) from pter to qter, one point a pixel, in pixels of the patch.
    """

    darkness: Floats
    mask: NDArray[np.bool_]
    axis: Floats


def draw_chromosome(
    label: str, rng: np.random.Generator, *, width_px: float, length_px: float, band_level: int = 550, bend: float = 1.0
) -> Drawing:
    """Draw one chromosome at a random angle.

    Args:
        label: one of `CLASSES`.
        rng: source of shape, bending and stain variation.
        width_px: width of the two chromatids together, pixels.
        length_px: length from pter to qter along the axis, pixels.
        band_level: resolution of the bands, 400, 550 or 850 bphs.
        bend: 0 draws it straight, 1 bends it as much as chromosomes on slides are.

    Raises:
        InputError: for an unknown label or band level.
    """
    axis = _bent_axis(length_px, width_px, bend, rng)
    straight = straight_chromosome(label, rng, width_px=width_px, length_px=length_px, band_level=band_level)
    return _laid(straight, axis, width_px)


def draw_pieces(
    stretches: Sequence[Stretch],
    rng: np.random.Generator,
    *,
    width_px: float,
    px_per_unit: float,
    band_level: int = 550,
    bend: float = 1.0,
    ring: bool = False,
) -> Drawing:
    """Draw a chromosome made of pieces of others at a random angle (see `straight_pieces`).

    Args:
        stretches: its pieces, from the end that is drawn first.
        rng: source of shape, bending and stain variation.
        width_px: width of the two chromatids together, pixels.
        px_per_unit: pixels a unit of the ideogram is long.
        band_level: resolution of the bands, 400, 550 or 850 bphs.
        bend: as in `draw_chromosome`.
        ring: its ends are joined.

    Raises:
        InputError: for an unknown label or band level.
    """
    straight, length = straight_pieces(
        stretches, rng, width_px=width_px, px_per_unit=px_per_unit, band_level=band_level, ring=ring
    )
    axis = _ring_axis(length, width_px, rng) if ring else _bent_axis(length, width_px, bend, rng)
    return _laid(straight, axis, width_px)


def _ring_axis(length: float, width: float, rng: np.random.Generator) -> Floats:
    """A closed curve, one point a pixel; a small ring has hardly a hole."""
    steps = max(round(length), 8)
    turn = 2 * np.pi * np.arange(steps) / steps + rng.uniform(0.0, 2 * np.pi)
    radius = max(length / (2 * np.pi), 0.35 * width)
    squeeze = rng.uniform(0.8, 1.0)
    points = np.stack([radius * np.cos(turn), squeeze * radius * np.sin(turn)], axis=1)
    angle = rng.uniform(0.0, 2 * np.pi)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned: Floats = (points @ rotation.T).astype(np.float32)
    return turned


def _laid(straight: Floats, axis: Floats, width_px: float) -> Drawing:
    """Lay a straight drawing along an axis by one resampling."""
    reach = width_px * 0.75 + MARGIN
    shift = np.floor(axis.min(axis=0) - reach)
    axis = (axis - shift).astype(np.float32)
    columns, rows = np.ceil(axis.max(axis=0) + reach).astype(int)
    along, across = _axis_coordinates(axis, int(rows), int(columns))
    centre = (straight.shape[1] - 1) / 2
    laid = cv2.remap(
        straight,
        (across * SAMPLES_PER_PIXEL + centre).astype(np.float32),
        ((along + MARGIN) * SAMPLES_PER_PIXEL).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0.0, -1.0),
    )
    return Drawing(darkness=np.ascontiguousarray(laid[..., 0]), mask=laid[..., 1] > 0.0, axis=axis)


def _bent_axis(length: float, width: float, bend: float, rng: np.random.Generator) -> Floats:
    """A smooth curve of the given length, one point a pixel: an even bend, some wander, now and then a kink."""
    steps = max(round(length), 2)
    at = np.arange(steps)
    slenderness = length / width
    turn = rng.normal(0.0, 0.10) * slenderness
    if rng.random() < 0.10:
        turn += rng.choice([-1.0, 1.0]) * rng.uniform(0.15, 0.38) * slenderness
    curvature = np.full(steps, turn / steps)
    curvature += gaussian_filter1d(rng.normal(0.0, 1.0, steps), 1.2 * width) * 0.035 / np.sqrt(width)
    for _ in range(rng.poisson(0.05 * slenderness)):
        place, sharpness = rng.uniform(0.2, 0.8) * length, rng.uniform(0.25, 0.5) * width
        kink = np.exp(-0.5 * ((at - place) / sharpness) ** 2)
        curvature += rng.normal(0.0, 0.6) * kink / kink.sum()
    limit = 1.0 / (1.15 * width)  # a tighter bend would fold the inner side onto itself
    curvature = np.clip(bend * curvature, -limit, limit)
    total = abs(curvature.sum())
    curvature *= min(1.0, np.deg2rad(215.0) / total) if total > 0 else 1.0
    heading = rng.uniform(0.0, 2 * np.pi) + np.cumsum(curvature)
    points = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0) * (length / steps)
    return points.astype(np.float32)


def _axis_coordinates(axis: Floats, rows: int, columns: int) -> tuple[Floats, Floats]:
    """Arc length along the axis and signed distance from it, (rows, columns) float32 each, for every pixel."""
    seeds = np.full((rows, columns), 255, np.uint8)
    nearest = np.round(axis).astype(int)
    seeds[nearest[:, 1], nearest[:, 0]] = 0
    _, cells = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    index_of_cell = np.zeros(int(cells.max()) + 1, np.intp)
    index_of_cell[cells[nearest[:, 1], nearest[:, 0]]] = np.arange(len(axis))
    index = index_of_cell[cells]
    tangent = np.gradient(axis, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    dx, dy = x - axis[index, 0], y - axis[index, 1]
    tx, ty = tangent[index, 0], tangent[index, 1]
    return (index + dx * tx + dy * ty).astype(np.float32), (dy * tx - dx * ty).astype(np.float32)
