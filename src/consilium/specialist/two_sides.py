"""The maps of an encoder that looks at a picture twice: at a side, and at half of it, where more is in view."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ModelError
from consilium.generalist.encoder import Encoder
from consilium.generalist.pictures import as_square

Picture = NDArray[np.float32]
"""(H, W, 3) float32 0..1."""


def maps_at_two_sides(
    encoder: Encoder, picture: Picture, *, side: int, modality: str | None
) -> Iterator[NDArray[np.float32]]:
    """The maps of a picture, (channels, rows, columns) each, finest first, of the larger side first.

    Args:
        encoder: that has a pyramid.
        picture: of any size.
        side: pixels to which a picture is resized for the encoder, a multiple of 64.
        modality: how it was made, None where that is not known.

    Raises:
        ModelError: the encoder gives no pyramid.
        InputError: it does not know the modality, or cannot take that side.
    """
    if not encoder.levels:
        raise ModelError(
            "outlines and boxes need the maps of a pyramid, and this encoder gives none",
            where=encoder.name,
            way_out="Use the shipped encoder, or a convolutional one.",
        )
    for size in (side, side // 2):
        for level in encoder.embed(as_square(picture, size)[None], modality, levels=True).levels:
            yield level[0]
