"""Pictures made by formula, and the formula's parameters to be read off them again.

Pre-training without a single real picture (Kataoka et al. 2020; Takashima et al. 2023): contours, clouds, speckle,
banded rods, fields of nuclei, vessel trees. What is asked: which kind, and three parameters in 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.generalist.augment import change_look
from training.generalist.tasks import SIDE

KINDS = ("contours", "clouds", "speckle", "bands", "nuclei", "trees")
PARAMETERS = 3

Picture = NDArray[np.float32]


def draw_synthetic(count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """(N, 3, SIDE, SIDE) pictures 0..1, (N,) kinds, (N, PARAMETERS) parameters 0..1."""
    kinds = rng.integers(0, len(KINDS), count)
    parameters = rng.random((count, PARAMETERS)).astype(np.float32)
    grey = np.stack([_DRAWN[kind](*asked, rng) for kind, asked in zip(kinds, parameters, strict=True)])
    dark, light = 0.35 * rng.random((count, 3)), 1 - 0.35 * rng.random((count, 3))
    colourless = rng.random(count) < 0.5
    dark[colourless], light[colourless] = dark[colourless, :1], light[colourless, :1]
    coloured = dark[:, :, None, None] + grey[:, None] * (light - dark)[:, :, None, None]
    pictures = change_look(torch.from_numpy(coloured.astype(np.float32)))
    return pictures.contiguous(memory_format=torch.channels_last), torch.from_numpy(kinds), torch.from_numpy(parameters)


def contours(lobes: float, jitter: float, amount: float, rng: np.random.Generator) -> Picture:
    """Nested closed curves whose radius is a sum of waves (after VisualAtom)."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    waves = 2 + int(lobes * 10)
    centre = SIDE / 2 + 14 * rng.standard_normal(2)
    for ring in range(2 + int(amount * 10)):
        wobble = 0.22 * np.sin(waves * angle + rng.random() * 6.3) + jitter * 0.16 * rng.standard_normal(len(angle))
        radius = (8 + 5.5 * ring) * (1 + wobble)
        points = centre + np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
        shade = float(0.4 + 0.6 * rng.random())
        cv2.polylines(picture, [points.astype(np.int32)], True, shade, 1 + int(rng.random() * 2), cv2.LINE_AA)
    return np.clip(picture, 0, 1)


def clouds(slope: float, stretch: float, threshold: float, rng: np.random.Generator) -> Picture:
    """Noise whose power falls with frequency, stretched one way, partly cut off."""
    y, x = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    size = np.sqrt((y * (1 + 2 * stretch)) ** 2 + x**2) + 1 / SIDE
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) / size ** (0.8 + 1.4 * slope)
    field = _spread(np.fft.irfft2(spectrum, (SIDE, SIDE)))
    return np.clip((field - 0.6 * threshold) / (1 - 0.6 * threshold), 0, 1)


def speckle(grain: float, contrast: float, holes: float, rng: np.random.Generator) -> Picture:
    """Layers under multiplied Rayleigh noise, with dark round holes, as in ultrasound."""
    picture = np.tile(0.35 + 0.25 * np.sin(np.linspace(0, 6 + 10 * rng.random(), SIDE))[:, None], (1, SIDE))
    picture = picture.astype(np.float32)
    for _ in range(int(holes * 6)):
        place = tuple(int(one) for one in rng.integers(10, SIDE - 10, 2))
        axes = tuple(int(one) for one in rng.integers(5, 22, 2))
        cv2.ellipse(picture, place, axes, float(rng.random() * 180), 0, 360, 0.08, -1, cv2.LINE_AA)
    noise = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE, 2)).astype(np.float32), (0, 0), 0.6 + 2.2 * grain)
    rayleigh = np.linalg.norm(noise, axis=2)
    rayleigh /= rayleigh.mean()
    return np.clip(picture * rayleigh ** (0.3 + 1.2 * contrast), 0, 1)


def bands(number: float, width: float, bent: float, rng: np.random.Generator) -> Picture:
    """Rods with stripes across, some bent, as chromosomes are."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(4 + int(number * 16)):
        steps = np.linspace(0, 1, int(14 + 22 * rng.random()))
        heading = rng.random() * 6.3 + bent * 2.5 * rng.standard_normal() * steps
        line = rng.integers(6, SIDE - 6, 2) + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), 0)
        stripes = 0.55 + 0.4 * np.sin(len(steps) * steps * (0.5 + 0.5 * rng.random()) + rng.random() * 6.3)
        for (x, y), shade in zip(line, stripes, strict=True):
            cv2.circle(picture, (int(x), int(y)), 2 + int(width * 4), float(shade), -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8))


def nuclei(number: float, size: float, texture: float, rng: np.random.Generator) -> Picture:
    """A field of ellipses with grain inside."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(3 + int(number * 45)):
        place = tuple(int(one) for one in rng.integers(0, SIDE, 2))
        axes = tuple(int((3 + 11 * size) * (0.7 + 0.6 * one)) for one in rng.random(2))
        shade = float(0.35 + 0.6 * rng.random())
        cv2.ellipse(picture, place, axes, float(rng.random() * 180), 0, 360, shade, -1, cv2.LINE_AA)
    grain = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), 1.2)
    return np.clip(picture * (1 + 1.6 * texture * grain), 0, 1)


def trees(branching: float, width: float, winding: float, rng: np.random.Generator) -> Picture:
    """Vessels that fork and thin out."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    tips = [(rng.random(2) * SIDE, rng.random() * 6.3, 1.5 + 4 * width) for _ in range(2)]
    for _ in range(60):
        if not tips:
            break
        place, heading, thick = tips.pop(0)
        for _ in range(6):
            heading += (0.05 + 0.5 * winding) * rng.standard_normal()
            onward = place + 3.2 * np.asarray([np.cos(heading), np.sin(heading)])
            ends = [tuple(int(v) for v in one) for one in (place, onward)]
            cv2.line(picture, ends[0], ends[1], 0.9, max(1, round(thick)), cv2.LINE_AA)
            place = onward
        if not (-10 < place[0] < SIDE + 10 and -10 < place[1] < SIDE + 10):
            continue
        forks = 2 if rng.random() < 0.15 + 0.6 * branching else 1
        for fork in range(forks):
            turn = (fork - 0.5) * 0.9 if forks == 2 else 0.0
            tips.append((place, heading + turn, max(0.6, thick * (0.82 if forks == 2 else 0.97))))
    return picture


_DRAWN = (contours, clouds, speckle, bands, nuclei, trees)


def _spread(field: NDArray[np.float64]) -> Picture:
    low, high = np.percentile(field, [1, 99])
    return np.clip((field - low) / (high - low + 1e-9), 0, 1).astype(np.float32)
