"""Drawn pictures of known outline, and an encoder whose maps are means of the picture."""

from __future__ import annotations

import numpy as np

from consilium.generalist.encoder import Features, Level


class MeansEncoder:
    """Its maps are the colours, averaged over 4 and 16 pixels."""

    name = "means"
    fingerprint = "0" * 64
    side = 64
    dimensions = 0
    levels = (Level(stride=4, channels=3), Level(stride=16, channels=3))

    def embed(self, images: np.ndarray, modality: str | None = None, *, levels: bool = True) -> Features:
        """The maps."""
        found = tuple(
            images.reshape(len(images), images.shape[1] // s, s, images.shape[2] // s, s, 3)
            .mean((2, 4))
            .transpose(0, 3, 1, 2)
            for s in (4, 16)
        )
        return Features(image=np.empty((len(images), 0), np.float32), levels=found if levels else ())


def discs(count: int, *, seed: int = 0, several: bool = False) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Noisy pictures (50, 70, 3) of one disc brighter than the ground, or of three, and their label maps."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:50, :70]
    pictures, masks = [], []
    for _ in range(count):
        mask = np.zeros((50, 70), np.intp)
        for number, middle in enumerate((12, 35, 58) if several else (rng.integers(15, 55),)):
            mask[np.hypot(rows - rng.integers(15, 35), columns - middle) < rng.integers(6, 11)] = number + 1
        grey = 0.3 + 0.35 * (mask > 0) + 0.08 * rng.standard_normal(mask.shape)
        pictures.append(np.repeat(np.clip(grey, 0, 1)[:, :, None], 3, axis=2).astype(np.float32))
        masks.append(mask)
    return pictures, masks
