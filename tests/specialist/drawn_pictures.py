"""Pictures that tests draw: blobs whose size, number and side of the picture mean something."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def draw(path: Path, *, large: bool = False, second: bool = False, amount: float | None = None, seed: int = 0) -> Path:
    """One grey picture with a bright disc, of 64 pixels.

    Args:
        path: where it goes.
        large: the disc is twice as large.
        second: a square beside it.
        amount: grey level of the disc, 0 to 1, in place of a random one.
        seed: of places and noise.
    """
    rng = np.random.default_rng(seed)
    picture = rng.normal(60, 8, (64, 64))
    level = 80 + 150 * amount if amount is not None else rng.uniform(150, 220)
    centre = rng.integers(18, 46, 2)
    rows, columns = np.indices(picture.shape)
    radius = rng.uniform(11, 14) if large else rng.uniform(4, 7)
    picture[np.hypot(rows - centre[0], columns - centre[1]) < radius] = level
    if second:
        top = int(rng.integers(0, 50))
        picture[top : top + 12, 2:14] = 250
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.clip(picture, 0, 255).astype(np.uint8))
    return path


def two_classes(folder: Path, each: int, *, first_seed: int = 0) -> Path:
    """A folder for each of two classes: small and large discs."""
    for number in range(each):
        draw(folder / "normal" / f"{number:03d}.png", seed=first_seed + number)
        draw(folder / "tumour" / f"{number:03d}.png", large=True, seed=first_seed + 1000 + number)
    return folder
