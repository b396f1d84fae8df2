"""What is known of a picture at any place and size: the encoder's maps and the picture itself, at several sizes.

Maps are read between their points bilinearly. The picture is kept at full, half, quarter size and so on (Williams 1983,
SIGGRAPH), so that a large object is read from as few pixels as a small one, without aliasing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.generalist.encoder import Encoder
from consilium.specialist.detection.boxes import Corners
from consilium.specialist.two_sides import Picture, maps_at_two_sides

AROUND = 1.5
"""A box is read together with what lies round it: so many times its size."""
_POINTS = {4: 5, 8: 5, 16: 3}
"""Points along each side of a box at which a map is read, by its step; coarser ones, and the half view, once."""
_PATCH = 12
_HALVINGS = 5

Places = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PyramidFeatures:
    """One picture.

    Attributes:
        levels: (h, w, C) float16, each covering the whole picture: those of the encoder at its side, finest first,
            then those at half of it.
        strides: step of each level, of the resized picture.
        sizes: (h, w, 3) uint8, the picture at full size and halved again and again.
    """

    levels: tuple[NDArray[np.float16], ...]
    strides: tuple[int, ...]
    sizes: tuple[NDArray[np.uint8], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the picture."""
        return self.sizes[0].shape[0], self.sizes[0].shape[1]

    def at(self, rows: Places, columns: Places) -> NDArray[np.float32]:
        """All maps at n places, pixels of the picture: (n, width)."""
        return np.concatenate(
            [_between(level, rows[:, None], columns[:, None], self.shape) for level in self.levels], 1
        )

    def projected(self, weights: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """Linear maps of `at` at the middle of each field of a grid of count x count over the picture.

        Enlarging and a linear map may be swapped, so few channels are enlarged and not all.

        Args:
            weights: (width, k).
            count: fields along each side.

        Returns:
            (count * count, k), row by row.
        """
        import cv2

        found = np.zeros((count, count, weights.shape[1]), np.float32)
        begin = 0
        for level in self.levels:
            rows, columns, channels = level.shape
            coarse = level.reshape(-1, channels).astype(np.float32) @ weights[begin : begin + channels]
            begin += channels
            shaped = np.ascontiguousarray(coarse.reshape(rows, columns, -1))
            enlarged = np.asarray(cv2.resize(shaped, (count, count), interpolation=cv2.INTER_LINEAR))
            found += enlarged.reshape(count, count, -1)
        return found.reshape(count * count, -1)

    def of_boxes(self, corners: Corners) -> NDArray[np.float32]:
        """Maps and colours in and round each of n boxes, at places relative to it: (n, d)."""
        width, height = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
        parts = []
        half = len(self.levels) // 2
        for place, (level, stride) in enumerate(zip(self.levels, self.strides, strict=True)):
            points = _POINTS.get(stride, 1) if place < half else 1
            if place < half or stride == self.strides[-1]:
                parts.append(_between(level, *_raster(corners, points), self.shape))
        # The size of the picture at which a step between two points of the patch is a pixel or less.
        step = np.sqrt(width * height) * AROUND / _PATCH
        chosen = np.clip(np.round(np.log2(np.maximum(step, 1))), 0, len(self.sizes) - 1).astype(np.intp)
        patches = np.empty((len(corners), _PATCH * _PATCH * 3), np.float32)
        for number in np.unique(chosen):
            own = chosen == number
            patches[own] = _between(self.sizes[number], *_raster(corners[own], _PATCH), self.shape) / np.float32(255)
        rows, columns = self.shape
        told = [
            np.log(width / columns), np.log(height / rows),
            corners[:, 0] < 1, corners[:, 1] < 1, corners[:, 2] > columns - 1, corners[:, 3] > rows - 1,
        ]  # fmt: skip
        return np.concatenate([*parts, patches, np.stack(told, 1).astype(np.float32)], axis=1)


def _raster(corners: Corners, points: int) -> tuple[Places, Places]:
    """Rows and columns (n, points * points) of a square raster over and round each box."""
    along = ((np.arange(points) + 0.5) / points - 0.5) * (AROUND if points > 1 else 0)
    down, across = (axis.ravel() for axis in np.meshgrid(along, along, indexing="ij"))
    height, width = corners[:, 3:4] - corners[:, 1:2], corners[:, 2:3] - corners[:, :1]
    middle = (corners[:, 1:2] + corners[:, 3:4]) / 2, (corners[:, :1] + corners[:, 2:3]) / 2
    return middle[0] + down * height, middle[1] + across * width


def _between(level: NDArray[np.generic], rows: Places, columns: Places, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear values (n, k * C) of a map (h, w, C) at places (n, k) of a picture; the border goes on beyond it."""
    ends, weights = [], []
    for place, size, steps in ((rows, shape[0], level.shape[0]), (columns, shape[1], level.shape[1])):
        at = np.clip(place * (steps / size) - 0.5, 0, steps - 1)
        low = np.minimum(at.astype(np.intp), max(steps - 2, 0))
        ends.append((low, np.minimum(low + 1, steps - 1)))
        weights.append((at - low).astype(np.float32))
    found = np.zeros((*rows.shape, level.shape[2]), np.float32)
    for row, of_row in zip(ends[0], (1 - weights[0], weights[0]), strict=True):
        for column, of_column in zip(ends[1], (1 - weights[1], weights[1]), strict=True):
            found += level[row, column] * (of_row * of_column)[..., None]
    # Of no places at all the width could not be worked out.
    return found.reshape(len(rows), rows.shape[1] * level.shape[2])


def pyramid_features(
    encoder: Encoder, pictures: Sequence[Picture], *, side: int, modality: str | None
) -> list[PyramidFeatures]:
    """Features of some pictures, seen twice: at a side, and at half of it, where more is in view.

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
        levels = [
            level.transpose(1, 2, 0) for level in maps_at_two_sides(encoder, picture, side=side, modality=modality)
        ]
        found.append(
            PyramidFeatures(
                levels=tuple(np.ascontiguousarray(np.clip(one, -60000, 60000), np.float16) for one in levels),
                strides=tuple(level.stride for level in encoder.levels) * 2,
                sizes=_halved(picture),
            )
        )
    return found


def _halved(picture: Picture) -> tuple[NDArray[np.uint8], ...]:
    import cv2

    sizes = [np.asarray(np.round(np.clip(picture, 0, 1) * 255), np.uint8)]
    while len(sizes) < _HALVINGS and min(sizes[-1].shape[:2]) >= 2 * _PATCH:
        rows, columns = sizes[-1].shape[:2]
        small = cv2.resize(sizes[-1], (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
        sizes.append(np.asarray(small, np.uint8))
    return tuple(sizes)
