"""What is known about each pixel of a picture: the encoder's maps around it, and the picture itself close by.

The maps of an encoder are coarse (a step of 4 to 32 pixels), so an outline cannot come from them alone; grey levels,
edges and blobs at full resolution are put beside them (hypercolumns: Hariharan et al. 2015, CVPR).

Maps are enlarged bilinearly. Enlarging and a linear map may be swapped, so what a model reads is computed on the coarse
maps and enlarged afterwards: no array of all features of all pixels is ever made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.generalist.encoder import Encoder
from consilium.specialist.two_sides import Picture, maps_at_two_sides

_BLURS = (1.0, 2.0, 4.0, 8.0)
_EDGES = (1.0, 2.0, 4.0)
FINE = 3 + len(_BLURS) + 2 * len(_EDGES) + 1 + 5
"""Channels of `fine_channels`."""


@dataclass(frozen=True, kw_only=True)
class PixelFeatures:
    """Features of the pixels of one picture.

    Attributes:
        levels: (C, h, w) float16, the maps of the encoder at two sizes, each covering the whole picture.
        fine: (channels, H, W) float16 at the resolution of the picture; see `fine_channels`.
    """

    levels: tuple[NDArray[np.float16], ...]
    fine: NDArray[np.float16]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the picture."""
        return self.fine.shape[1], self.fine.shape[2]

    @property
    def width(self) -> int:
        """Number of features of a pixel."""
        return sum(len(level) for level in self.levels) + len(self.fine)

    def at(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Features (n, width) of n pixels."""
        parts = [_between(level, rows, columns, self.shape) for level in self.levels]
        return np.concatenate([*parts, self.fine[:, rows, columns].T.astype(np.float32)], axis=1)

    def projected(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Linear maps of the features of all pixels.

        Args:
            weights: (width, k).

        Returns:
            (H, W, k).
        """
        import cv2

        height, width = self.shape
        start = self.width - len(self.fine)
        flat = self.fine.reshape(len(self.fine), -1).T.astype(np.float32)
        found = (flat @ weights[start:]).reshape(height, width, -1)
        begin = 0
        for level in self.levels:
            channels, rows, columns = level.shape
            coarse = level.reshape(channels, -1).T.astype(np.float32) @ weights[begin : begin + channels]
            begin += channels
            shaped = np.ascontiguousarray(coarse.reshape(rows, columns, -1))
            enlarged = np.asarray(cv2.resize(shaped, (width, height), interpolation=cv2.INTER_LINEAR))
            found += enlarged.reshape(height, width, -1)
        return np.asarray(found, np.float32)


def _between(
    level: NDArray[np.float16], rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Bilinear values (n, C) of a map (C, h, w) at pixels of a picture, pixel centres being half a step in."""
    ends, weights = [], []
    for place, size, steps in ((rows, shape[0], level.shape[1]), (columns, shape[1], level.shape[2])):
        at = np.clip((place + 0.5) * steps / size - 0.5, 0, steps - 1)
        low = np.minimum(at.astype(np.intp), max(steps - 2, 0))
        ends.append((low, np.minimum(low + 1, steps - 1)))
        weights.append((at - low).astype(np.float32))
    found = np.zeros((len(rows), len(level)), np.float32)
    for row, of_row in zip(ends[0], (1 - weights[0], weights[0]), strict=True):
        for column, of_column in zip(ends[1], (1 - weights[1], weights[1]), strict=True):
            found += level[:, row, column].T * (of_row * of_column)[:, None]
    return found


def fine_channels(picture: Picture) -> NDArray[np.float16]:
    """Colour, blurred levels, edges, blobs, local spread and place of every pixel.

    Args:
        picture: (H, W, 3) float32 0..1.

    Returns:
        (FINE, H, W): 3 colours; grey blurred by 1, 2, 4, 8 pixels; gradient and Laplacian of Gaussians of 1, 2, 4
        pixels; deviation within 2 pixels; row, column (-1 to 1), their squares and their product.
    """
    import cv2

    grey = np.ascontiguousarray(picture.mean(2), np.float32)
    height, width = grey.shape
    parts: list[NDArray[np.float32]] = [picture[:, :, channel] for channel in range(3)]
    blurred = {sigma: np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma), np.float32) for sigma in _BLURS}
    parts += blurred.values()
    for sigma in _EDGES:
        slopes = [np.asarray(cv2.Sobel(blurred[sigma], cv2.CV_32F, x, 1 - x), np.float32) for x in (0, 1)]
        parts.append(np.asarray(sigma * np.hypot(*slopes), np.float32))
        parts.append(np.asarray(sigma**2 * cv2.Laplacian(blurred[sigma], cv2.CV_32F), np.float32))
    squares = np.asarray(cv2.GaussianBlur(np.square(grey), (0, 0), 2.0), np.float32)
    parts.append(np.sqrt(np.maximum(squares - np.square(blurred[2.0]), 0)))
    down = np.repeat(np.linspace(-1, 1, height, dtype=np.float32)[:, None], width, axis=1)
    across = np.repeat(np.linspace(-1, 1, width, dtype=np.float32)[None], height, axis=0)
    parts += [down, across, down**2, across**2, down * across]
    return np.stack(parts).astype(np.float16)


def pixel_features(
    encoder: Encoder, pictures: Sequence[Picture], *, side: int, modality: str | None
) -> list[PixelFeatures]:
    """Features of all pixels of some pictures, seen twice: at a side, and at half of it, where more is in view.

    Args:
        encoder: that has a pyramid.
        pictures: of any sizes.
        side: pixels to which a picture is resized for the encoder, a multiple of 64.
        modality: how they were made, None where that is not known.

    Raises:
        ModelError: the encoder gives no pyramid.
        InputError: it does not know the modality, or cannot take that side.
    """
    found = []
    for picture in pictures:
        levels = maps_at_two_sides(encoder, picture, side=side, modality=modality)
        found.append(
            PixelFeatures(
                levels=tuple(np.asarray(np.clip(level, -60000, 60000), np.float16) for level in levels),
                fine=fine_channels(picture),
            )
        )
    return found
