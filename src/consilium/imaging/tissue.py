"""Where on a slide there is tissue, and the tiles that cover it at two scales."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.imaging.normalise.sampling import evenly
from consilium.imaging.study import Study

SCALES_UM = (1.0, 4.0)
"""Micrometres a pixel of a view: cells at about 10x, architecture at 2.5x."""

_USUAL_UM = 0.5  # a pixel of a 20x scan, where the file does not say
_OVERVIEW_SIDE = 2048
_BLOCK = 2048
_MOST_TILES = 250_000
_LEAST_TISSUE = 0.4
_LEAST_SATURATION = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A square of a slide, in pixels of one level.

    Attributes:
        tissue: share of it that is tissue, 0..1.
    """

    x: int
    y: int
    width: int
    height: int
    level: int
    tissue: float


def tissue_tiles(study: Study, side: int, most: int) -> list[Tile]:
    """Tiles that hold tissue, evenly chosen over the slide.

    Args:
        study: a slide.
        side: pixels of a view, which a tile is to fill at each of `SCALES_UM`.
        most: so many tiles in all, half of them at each scale.

    Returns:
        The tiles of the finer scale, then those of the coarser one. Where none is tissue enough, the one that has most.
    """
    mask = tissue_mask(overview(study))
    finest = study.spacing_mm[2] or study.spacing_mm[1]
    micrometres = _USUAL_UM if finest is None else finest * 1000.0
    chosen: list[Tile] = []
    for share, scale in zip((most - most // 2, most // 2), SCALES_UM, strict=True):
        if share:
            chosen += _chosen(_grid(study, mask, side * scale / micrometres, scale / micrometres), share)
    return chosen


def overview(study: Study) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the whole slide, at most 2,048 pixels on a side, from the level that suits; read in blocks."""
    if study.slide is None:
        raise TypeError("only a slide has an overview")
    levels = study.slide.levels
    fitting = [index for index, level in enumerate(levels) if max(level.width, level.height) >= _OVERVIEW_SIDE]
    index = fitting[-1] if fitting else 0
    level = levels[index]
    shrink = max(1.0, max(level.width, level.height) / _OVERVIEW_SIDE)
    canvas = np.full((max(1, int(level.height / shrink)), max(1, int(level.width / shrink)), 3), 255, np.uint8)
    for y in range(0, level.height, _BLOCK):
        for x in range(0, level.width, _BLOCK):
            width, height = min(_BLOCK, level.width - x), min(_BLOCK, level.height - y)
            top, left = int(y / shrink), int(x / shrink)
            bottom, right = int((y + height) / shrink), int((x + width) / shrink)
            bottom, right = min(bottom, canvas.shape[0]), min(right, canvas.shape[1])
            if bottom > top and right > left:
                block = study.region(x, y, width, height, index)
                canvas[top:bottom, left:right] = cv2.resize(
                    block, (right - left, bottom - top), interpolation=cv2.INTER_AREA
                )
    return canvas


def tissue_mask(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W) of an overview: where it is stained.

    Otsu's threshold on saturation parts stain from glass; on an overview without colour, such as a fluorescence scan in
    grey, the threshold is on how far the level lies from the background's.
    """
    saturation = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)[..., 1]
    if float(saturation.max()) < 255 * _LEAST_SATURATION:
        grey = picture.astype(np.int16).mean(axis=2)
        saturation = np.clip(np.abs(grey - np.median(grey)), 0, 255).astype(np.uint8)
    blurred = cv2.medianBlur(np.ascontiguousarray(saturation), 5) if min(saturation.shape) > 5 else saturation
    threshold, _ = cv2.threshold(blurred, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(blurred > threshold)


def _grid(study: Study, mask: NDArray[np.bool_], span: float, scale: float) -> list[Tile]:
    """All tiles of `span` pixels of level 0, read at the coarsest level that still has the scale."""
    levels = study.slide.levels if study.slide is not None else ()
    index = max(number for number, level in enumerate(levels) if number == 0 or level.downsample <= scale * 1.01)
    level = levels[index]
    # A file that names an absurd size of its pixels must not make millions of tiles.
    least = int((level.width * level.height / _MOST_TILES) ** 0.5) + 1
    step = max(least, round(span / level.downsample))
    down, across = mask.shape[0] / level.height, mask.shape[1] / level.width
    tiles = []
    for y in range(0, max(1, level.height - step // 2), step):
        for x in range(0, max(1, level.width - step // 2), step):
            part = mask[
                int(y * down) : max(int((y + step) * down), int(y * down) + 1),
                int(x * across) : max(int((x + step) * across), int(x * across) + 1),
            ]
            share = float(part.mean()) if part.size else 0.0
            width, height = min(step, level.width), min(step, level.height)
            tiles.append(Tile(x=x, y=y, width=width, height=height, level=index, tissue=share))
    return tiles


def _chosen(tiles: list[Tile], most: int) -> list[Tile]:
    enough = [tile for tile in tiles if tile.tissue >= _LEAST_TISSUE]
    if not enough:
        return [max(tiles, key=lambda tile: tile.tissue)]
    return [enough[index] for index in evenly(len(enough), most)]
