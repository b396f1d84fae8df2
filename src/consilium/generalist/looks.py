"""Several looks at each picture: at two sizes, and mirrored; what an encoder says of all of them is averaged.

With few cases a head cannot learn to overlook what does not matter; averaging does it beforehand. Mirror images take
twice the time; a size of 224 pixels beside 128 takes four times as long as 128 alone. What they brought is in
`benchmarks/results/looks.md`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.generalist.encoder import Encoder, Features, Level, Pictures


@dataclass(frozen=True, kw_only=True)
class Looks:
    """How often a picture is looked at.

    Attributes:
        sides: pixels of a side, rising; pictures come in the last, the others are made of it.
        mirrored: whether its mirror image is looked at too; not where left and right matter.
    """

    sides: tuple[int, ...]
    mirrored: bool


def looking(encoder: Encoder, looks: Looks) -> Encoder:
    """An encoder that looks so; the encoder itself where that is one look at the size it does best with."""
    return encoder if looks == Looks(sides=(encoder.side,), mirrored=False) else LookingEncoder(encoder, looks)


class LookingEncoder:
    """Another encoder's image vectors, averaged over looks; no pyramid, since maps do not lie over each other."""

    def __init__(self, encoder: Encoder, looks: Looks) -> None:
        self._encoder = encoder
        self._looks = looks

    @property
    def name(self) -> str:
        """That of the encoder."""
        return self._encoder.name

    @property
    def fingerprint(self) -> str:
        """Not that of the encoder, since its features are others."""
        told = f"{self._encoder.fingerprint} {self._looks.sides} {self._looks.mirrored}"
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def side(self) -> int:
        """Pixels of the finest look."""
        return self._looks.sides[-1]

    @property
    def dimensions(self) -> int:
        """Length of the image vector."""
        return self._encoder.dimensions

    @property
    def levels(self) -> tuple[Level, ...]:
        """None."""
        return ()

    def embed(self, images: Pictures, modality: str | None = None, *, levels: bool = True) -> Features:
        """The image vectors of some pictures (N, side, side, 3); see `Encoder.embed`."""
        found = []
        for side in self._looks.sides:
            seen = images if side == images.shape[1] else shrunk(images, side)
            found.append(self._encoder.embed(seen, modality, levels=False).image)
            if self._looks.mirrored:
                turned = np.ascontiguousarray(seen[:, :, ::-1])
                found.append(self._encoder.embed(turned, modality, levels=False).image)
        return Features(image=np.asarray(np.mean(found, axis=0, dtype=np.float64), np.float32))


def area_weights(size: int, side: int) -> NDArray[np.float32]:
    """(side, size) by which rows of `size` pixels become `side`, each the mean of those it covers, parts included."""
    reach = size / side
    edges = np.arange(side)[:, None] * reach
    pixels = np.arange(size)[None]
    covered = np.minimum(edges + reach, pixels + 1) - np.maximum(edges, pixels)
    return np.asarray(np.maximum(covered, 0) / reach, np.float32)


def shrunk(images: Pictures, side: int) -> Pictures:
    """Pictures (N, S, S, 3) in a smaller size."""
    weights = area_weights(images.shape[1], side)
    smaller = weights @ images.transpose(0, 3, 1, 2) @ weights.T
    return np.ascontiguousarray(np.clip(smaller, 0, 1).transpose(0, 2, 3, 1), np.float32)
