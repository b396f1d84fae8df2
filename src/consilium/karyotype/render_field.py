"""What lies around the chromosomes of a synthetic metaphase: the field's light, nuclei, dirt on the slide.

Everything is a patch or a map of optical density: 0 lets all light through, 1.2 is as dark as a dark band.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def nucleus(radius: float, rng: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    """An interphase nucleus: a large, slightly lobed disc of mottled grey.

    Returns:
        Density (h, w) float32, and its outline (h, w) bool.
    """
    half = int(np.ceil(radius * 1.35)) + 3
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    turn, squeeze = rng.uniform(0.0, np.pi), rng.uniform(0.72, 0.98)
    u = (x * np.cos(turn) + y * np.sin(turn)) / squeeze**0.5
    v = (y * np.cos(turn) - x * np.sin(turn)) * squeeze**0.5
    angle = np.arctan2(v, u)
    edge = np.ones_like(angle)
    for wave in range(2, 12):
        edge += rng.normal(0.0, 0.06 / wave) * np.cos(wave * angle + rng.uniform(0.0, 2 * np.pi))
    inside = radius * edge - np.hypot(u, v)
    texture = np.zeros_like(inside)
    for grain, strength in ((0.013, 0.07), (0.028, 0.13), (0.06, 0.09), (0.2, 0.13)):
        texture += strength * _cloud(inside.shape, max(grain * radius, 0.9), rng)
    texture += 0.12 * np.exp(-((inside / (0.05 * radius)) ** 2))
    body = rng.uniform(0.55, 0.9) * np.exp(texture) * np.clip(inside / 4.0, 0.0, 1.0)
    return np.clip(body, 0.0, 1.3).astype(np.float32), inside > 0.0


def specks(shape: tuple[int, int], count: int, scale: float, rng: np.random.Generator) -> Floats:
    """Dirt on the slide, (H, W) density: mostly dots of a few pixels, some clumps and out-of-focus rings.

    Args:
        shape: (H, W) of the image.
        count: how many.
        scale: chromosome width in pixels, which sets the size of the dirt.
        rng: source of place, size and darkness.
    """
    density = np.zeros(shape, np.float32)
    for _ in range(count):
        x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
        kind = rng.random()
        if kind < 0.76:
            _dot(density, x, y, rng.gamma(2.0, 0.018) * scale + 0.5, rng.uniform(0.1, 0.7))
        elif kind < 0.84:
            _crumb(density, x, y, rng.uniform(0.1, 0.3) * scale, rng)
        elif kind < 0.98:
            _dot(density, x, y, rng.uniform(0.3, 0.9) * scale, rng.uniform(0.015, 0.07))
        else:
            _ring(density, x, y, rng.uniform(0.15, 0.4) * scale, rng.uniform(0.06, 0.2))
    return density


def light(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Grey level of the empty field, (H, W) float32: bright, uneven by a few levels, paler or darker by laboratory."""
    level = rng.uniform(244.0, 256.0) if rng.random() < 0.8 else rng.uniform(215.0, 244.0)
    tilt = rng.normal(0.0, 2.0, 2)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    field = level + tilt[0] * (x / shape[1] - 0.5) + tilt[1] * (y / shape[0] - 0.5)
    field += rng.uniform(0.2, 1.6) * _cloud(shape, 0.08 * min(shape), rng)
    field -= rng.uniform(0.2, 1.4) * np.clip(_cloud(shape, 0.012 * min(shape), rng) - 1.0, 0.0, None)
    return np.asarray(field, dtype=np.float32)


def _cloud(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> Floats:
    """(H, W) smooth noise of standard deviation 1 and correlation length `scale` pixels."""
    step = max(scale / 2.0, 1.0)  # drawn coarse and enlarged: wide filters on large images are slow
    height, width = (int(np.ceil(side / step)) + 4 for side in shape)
    coarse = cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), max(scale / step, 0.6))
    unit = np.asarray(coarse / max(float(coarse.std()), 1e-6), dtype=np.float32)
    enlarged = cv2.resize(unit, (int(width * step) + 1, int(height * step) + 1), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(enlarged[: shape[0], : shape[1]], dtype=np.float32)


def _around(density: Floats, x: float, y: float, reach: float) -> Iterator[tuple[Floats, Floats]]:
    """Yield the part of the map within `reach` of a point, and each pixel's distance from it; nothing if outside."""
    left, top = max(int(x - reach), 0), max(int(y - reach), 0)
    part = density[top : int(y + reach) + 2, left : int(x + reach) + 2]
    if part.size:
        rows, columns = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]]
        yield part, np.hypot(columns - x, rows - y).astype(np.float32)


def _dot(density: Floats, x: float, y: float, radius: float, strength: float) -> None:
    for part, distance in _around(density, x, y, 2.5 * radius + 1):
        np.maximum(part, strength * np.exp(-((distance / radius) ** 2) / 1.5), out=part)


def _crumb(density: Floats, x: float, y: float, radius: float, rng: np.random.Generator) -> None:
    """An irregular dark grain: a threshold through smooth noise."""
    strength, level = rng.uniform(0.3, 1.1), rng.uniform(-0.3, 0.6)
    for part, distance in _around(density, x, y, 2.0 * radius):
        grain = _cloud(part.shape, 0.45 * radius, rng) + 1.2 - 1.6 * (distance / radius) ** 2
        np.maximum(part, strength * np.clip(1.5 * (grain - level), 0.0, 1.0), out=part)


def _ring(density: Floats, x: float, y: float, radius: float, strength: float) -> None:
    for part, distance in _around(density, x, y, radius + 4):
        np.maximum(part, strength * np.exp(-(((distance - radius) / 1.1) ** 2)), out=part)
