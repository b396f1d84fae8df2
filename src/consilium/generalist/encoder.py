"""What an encoder is: pictures in, features out. The shipped one and every one of the hub are used through this.

Whoever builds on features takes an `Encoder` and asks no further: `shipped_encoder()`, `hub_encoder("timm:NAME")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError

Pictures = NDArray[np.float32]
"""(N, S, S, 3) float32 0..1, RGB; a grey picture has three equal channels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One map of the pyramid: pixels of the picture a step, and channels."""

    stride: int
    channels: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Features:
    """What an encoder says of N pictures.

    Attributes:
        image: (N, D) float32, one vector a picture.
        levels: one (N, C, S / stride, S / stride) float32 for each of the encoder's levels, finest first; empty when
            they were not asked for or the encoder has none.
    """

    image: NDArray[np.float32]
    levels: tuple[NDArray[np.float32], ...] = ()


@runtime_checkable
class Encoder(Protocol):
    """Pictures in, features out."""

    @property
    def name(self) -> str:
        """What it is called in records, e.g. "generalist 1.0.0" or "timm:resnet18"."""
        ...

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that change whenever the same picture may give other features."""
        ...

    @property
    def side(self) -> int:
        """Pixels of a picture's side that it does best with."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of the image vector."""
        ...

    @property
    def levels(self) -> tuple[Level, ...]:
        """Of the pyramid, finest first; empty when there is none."""
        ...

    def embed(self, images: Pictures, modality: str | None = None, *, levels: bool = True) -> Features:
        """The features of some pictures.

        Args:
            images: (N, S, S, 3) float32 0..1.
            modality: identifier of how they were made, such as "us"; None where that is not known.
            levels: whether the pyramid is wanted too; of many pictures it needs much memory.

        Raises:
            InputError: the pictures have another form, or there is no such modality.
        """
        ...


def check_pictures(images: Pictures, *, multiple: int) -> None:
    """Refuses what no encoder can take.

    Args:
        images: to be looked at.
        multiple: of which the side has to be one.

    Raises:
        InputError: not (N, S, S, 3) float32, a side that does not fit, or values that are no number or not in 0..1.
    """
    where = f"pictures of shape {images.shape}, {images.dtype}"
    if images.ndim != 4 or images.shape[3] != 3 or images.shape[1] != images.shape[2] or images.dtype != np.float32:
        raise InputError(
            "an encoder takes squares of three channels", where=where, way_out="Give (N, S, S, 3) float32 from 0 to 1."
        )
    if images.shape[1] % multiple or not images.shape[1]:
        raise InputError(
            f"the side is not a multiple of {multiple}", where=where, way_out=f"Use {multiple * 4} or {multiple * 7}."
        )
    # Comparing this way round refuses NaN too.
    if images.size and not (images.min() >= -1e-4 and images.max() <= 1 + 1e-4):
        raise InputError("the values are not all between 0 and 1", where=where, way_out="Divide 8-bit levels by 255.")


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover `count` pictures."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
