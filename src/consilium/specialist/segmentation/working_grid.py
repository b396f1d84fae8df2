"""The grid on which outlines are found: pictures and volumes made no larger than is worth their memory, and back.

The encoder sees a picture at 256 pixels a side and a section at 128, so a finer grid would add edges of the picture and
no knowledge, at the square of the price. Figures are of the full grid all the same: masks are enlarged before they
are held against the truth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consilium.specialist.segmentation.overlap import Labels

SIDE, SIDE_OF_VOLUMES = 256, 128
"""Pixels at which the encoder sees a picture and a section of a volume, and longest side of the grid of either."""


def working_shape(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """A shape whose longest side is at most so long, in proportion; as it is where it is small enough."""
    factor = min(1.0, most / max(shape))
    return tuple(max(round(size * factor), 1) for size in shape)


def reduced_picture(picture: NDArray[np.float32], most: int = SIDE) -> NDArray[np.float32]:
    """A picture (H, W, 3) 0..1 on the working grid, each pixel the mean of those it covers."""
    import cv2

    rows, columns = working_shape(picture.shape[:2], most)
    if (rows, columns) == picture.shape[:2]:
        return picture
    return np.clip(np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.float32), 0, 1)


def reduced_volume(volume: NDArray[np.float32], most: int = SIDE_OF_VOLUMES) -> NDArray[np.float32]:
    """A volume of values 0..1 on the working grid."""
    shape = working_shape(volume.shape, most)
    if shape == volume.shape:
        return volume
    # Blurred by what is left out, or small things would come and go with the sampling.
    blurred = ndimage.gaussian_filter(
        volume, [max(old / new - 1, 0) / 2 for old, new in zip(volume.shape, shape, strict=True)]
    )
    return np.asarray(np.clip(_zoomed(blurred, shape), 0, 1), np.float32)


def nearest(mask: Labels, shape: tuple[int, ...]) -> Labels:
    """A mask in another shape, each number from the nearest place."""
    if mask.shape == shape:
        return mask
    places = [((np.arange(new) + 0.5) * old / new).astype(np.intp) for old, new in zip(mask.shape, shape, strict=True)]
    return np.asarray(mask[np.ix_(*places)], np.intp)


def enlarged(mask: Labels, shape: tuple[int, ...]) -> Labels:
    """A mask of classes in a larger shape, with outlines between the old pixels and no steps."""
    if mask.shape == shape:
        return mask
    best = np.full(shape, 0.5, np.float32)
    found = np.zeros(shape, np.intp)
    for number in np.unique(mask[mask > 0]).tolist():
        share = _zoomed((mask == number).astype(np.float32), shape)
        more = share > best
        best[more], found[more] = share[more], number
    return found


def _zoomed(values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Linear values in another shape, both covering the same."""
    factors = [new / old for old, new in zip(values.shape, shape, strict=True)]
    found = ndimage.zoom(values, factors, output=np.float32, order=1, mode="nearest", grid_mode=True)
    return np.asarray(found, np.float32)
