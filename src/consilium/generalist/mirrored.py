"""An encoder that looks twice: each picture and its mirror image, and what it says of both is averaged.

Left and right tell nothing about most of what is asked, and an encoder says something else of a mirrored picture; with
few cases a head has to learn to overlook that. Averaging does it beforehand, for twice the time. What it brought by set
is in `benchmarks/results/breast.md`.
"""

from __future__ import annotations

import hashlib

import numpy as np

from consilium.generalist.encoder import Encoder, Features, Level, Pictures


class MirroredEncoder:
    """Another encoder's image vectors, averaged over a picture and its mirror image; it has no pyramid."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def name(self) -> str:
        """That of the encoder."""
        return self._encoder.name

    @property
    def fingerprint(self) -> str:
        """Not that of the encoder, since its features are others."""
        return mirrored_fingerprint(self._encoder.fingerprint)

    @property
    def side(self) -> int:
        """Pixels of a side that the encoder does best with."""
        return self._encoder.side

    @property
    def dimensions(self) -> int:
        """Length of the image vector."""
        return self._encoder.dimensions

    @property
    def levels(self) -> tuple[Level, ...]:
        """None: maps of a picture and of its mirror image do not lie over each other."""
        return ()

    def embed(self, images: Pictures, modality: str | None = None, *, levels: bool = True) -> Features:
        """The image vectors of some pictures; see `Encoder.embed`."""
        seen = self._encoder.embed(images, modality, levels=False).image
        mirrored = self._encoder.embed(np.ascontiguousarray(images[:, :, ::-1]), modality, levels=False).image
        return Features(image=np.asarray((seen + mirrored) / np.float32(2), np.float32))


def mirrored_fingerprint(fingerprint: str) -> str:
    """The fingerprint of an encoder that looks twice."""
    return hashlib.sha256(f"{fingerprint} and mirrored".encode()).hexdigest()
