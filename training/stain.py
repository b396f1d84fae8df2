"""Another laboratory's stain, focus and camera: how every recipe changes what a cell looks like."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

REACH = 4
"""Samples to each side that a blur takes in."""


def restained(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Darkness with another gain, gamma, focus, noise and field.

    Args:
        pictures: (N, C, H, W) float32 darkness, on whatever device; each of N is one camera's, all of its C alike.
        rng: draws the change; the same numbers change a picture alike on one device.

    Returns:
        (N, C, H, W) float32, 0..1.5.
    """
    count = len(pictures)

    def drawn(low: float, high: float) -> Tensor:
        values = rng.uniform(low, high, (count, 1, 1, 1)).astype(np.float32)
        return torch.from_numpy(values).to(pictures.device)

    out = (pictures * drawn(0.7, 1.25)).clamp(min=0) ** drawn(0.7, 1.5)
    blurred = np.flatnonzero(rng.random(count) < 0.3)
    if len(blurred):
        out[blurred] = _blurred(out[blurred], rng.uniform(0.4, 1.2, len(blurred)))
    dice = torch.Generator(pictures.device).manual_seed(int(rng.integers(2**62)))
    noise = torch.randn(out.shape, generator=dice, device=out.device)
    return (out + noise * drawn(0, 0.05) + drawn(-0.03, 0.08)).clamp(0, 1.5)


def _blurred(pictures: Tensor, sigmas: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Tensor:
    """Each picture under a Gaussian of its own width in samples."""
    count, channels, height, width = pictures.shape
    away = np.arange(-REACH, REACH + 1)
    kernels = np.exp(-(away**2) / (2 * sigmas[:, None] ** 2))
    kernels = np.repeat(kernels / kernels.sum(1, keepdims=True), channels, 0).astype(np.float32)
    across = torch.from_numpy(kernels).to(pictures.device)[:, None, None]
    flat = pictures.reshape(1, count * channels, height, width)
    flat = functional.pad(flat, (REACH,) * 4, mode="replicate")
    flat = functional.conv2d(functional.conv2d(flat, across, groups=len(kernels)), across.mT, groups=len(kernels))
    return flat.view(count, channels, height, width)
