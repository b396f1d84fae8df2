"""What an encoder sees of a study: small square pictures, each with the place it was taken from.

A picture keeps its shape, in millimetres where the spacing is known: its longer side fills the square, and the rest is
padded with the median level of its own border, so that no edge arises that is not in the picture.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError
from consilium.imaging.anatomy import Anatomy, anatomy_of
from consilium.imaging.normalise import Normaliser, normaliser_of
from consilium.imaging.normalise.sampling import evenly
from consilium.imaging.study import Plane, Study
from consilium.imaging.tissue import Tile, tissue_tiles

Kind = Literal["plane", "axial", "coronal", "sagittal", "frame", "minimum", "maximum", "tile"]

ANATOMICAL: tuple[Kind, ...] = ("axial", "coronal", "sagittal")
_MOST_READ = 256
"""Planes of a volume, or frames of a run, that are read for pictures across them: twice as many as a view has rows."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class View:
    """One picture for an encoder.

    Attributes:
        pixels: (side, side, 3) float32, 0..1, RGB.
        kind: a plane as it is; a section through a volume; a frame, or the least or greatest level over all frames; a
            tile of a slide.
        index: of the plane or frame; of a section, the position along its normal, in voxels; of a tile, its number.
        placed: (top, left, bottom, right) of the picture in `pixels`; the rest is padding.
        box: (top, left, bottom, right) in the plane that the picture shows; in pixels of level 0 for a tile. None for a
            section across the planes of the file.
        mirrored: left and right were exchanged.
        time_ms: of a frame.
    """

    pixels: NDArray[np.float32]
    kind: Kind
    index: int
    placed: tuple[int, int, int, int]
    box: tuple[int, int, int, int] | None = None
    mirrored: bool = False
    time_ms: float | None = None


def views(
    study: Study,
    side: int = 128,
    *,
    planes: Collection[Kind] = ANATOMICAL,
    slices: int = 16,
    frames: int = 16,
    tiles: int = 64,
) -> Iterator[View]:
    """The views of a study, read one plane at a time.

    Args:
        study: an opened one.
        side: pixels of a view.
        planes: which sections of a volume; in the order axial, coronal, sagittal as far as the file stores them so.
        slices: how many of each, evenly spaced; of a 4-D series the first volume counts.
        frames: how many of a run over time, evenly spaced. Angiography adds the least and the greatest level over time.
        tiles: at most so many of a slide, half of them at each of two scales.

    Yields:
        One view for a picture or the channels of one field (the first three as red, green and blue).

    Raises:
        InputError: a number is not positive.
        ConsiliumError: a plane cannot be read.
    """
    if min(side, slices, frames, tiles) < 1:
        raise InputError(
            "the sizes and numbers of views must be positive", where=study.where, way_out="Give 1 or more."
        )
    if study.source is not None and len(study) == 1:
        # Read once for the normaliser and for the view.
        study = replace(study, source=_Held(study.plane(0)))
    normaliser = normaliser_of(study)
    if study.slide is not None:
        yield from _tiles(study, normaliser, side, tiles)
    elif study.form == "volume" and study.modality == "mg":
        # Tomosynthesis resolves no depth: sections across its planes would show nothing.
        for index in evenly(len(study), slices):
            yield _plane_view(study, normaliser, study.plane(index), side, "plane")
    elif study.form == "volume":
        yield from _sections(study, normaliser, side, planes, slices)
    elif study.form == "channels":
        yield _channels(study, normaliser, side)
    elif len(study) == 1:
        yield _plane_view(study, normaliser, study.plane(0), side, "plane")
    else:
        yield from _run(study, normaliser, side, frames)


@dataclass(frozen=True)
class _Held:
    """The one plane of a study, while its view is made."""

    only: Plane

    def plane(self, index: int) -> Plane:
        return self.only


def _plane_view(study: Study, normaliser: Normaliser, plane: Plane, side: int, kind: Kind) -> View:
    top, left, bottom, right = normaliser.box
    part = plane.pixels[top:bottom, left:right]
    if normaliser.mirrored:
        part = part[:, ::-1]
    _, down, across = study.spacing_mm
    pixels, placed = _fitted(part, plane, normaliser, side, (down or 1.0) / (across or 1.0) if down and across else 1.0)
    return View(
        pixels=pixels,
        kind=kind,
        index=plane.index,
        placed=placed,
        box=normaliser.box,
        mirrored=normaliser.mirrored,
        time_ms=plane.time_ms,
    )


def _run(study: Study, normaliser: Normaliser, side: int, frames: int) -> Iterator[View]:
    """Frames in their order; with angiography, what any frame shows of the vessels, in two pictures."""
    shown = set(evenly(len(study), frames))
    projecting = study.modality == "xa"
    wanted = shown | set(evenly(len(study), _MOST_READ)) if projecting else shown
    least: NDArray[Any] | None = None
    greatest: NDArray[Any] | None = None
    last: Plane | None = None
    for index in sorted(wanted):
        plane = last = study.plane(index)
        if index in shown:
            yield _plane_view(study, normaliser, plane, side, "frame")
        if projecting:
            least = plane.pixels if least is None else np.minimum(least, plane.pixels)
            greatest = plane.pixels if greatest is None else np.maximum(greatest, plane.pixels)
    projections: tuple[tuple[Kind, NDArray[Any] | None], ...] = (("minimum", least), ("maximum", greatest))
    for kind, pixels in projections:
        if pixels is not None and last is not None:
            whole = Plane(index=0, pixels=pixels, voi=last.voi, white_is_low=last.white_is_low)
            yield _plane_view(study, normaliser, whole, side, kind)


def _channels(study: Study, normaliser: Normaliser, side: int) -> View:
    pictures = [
        _plane_view(study, normaliser, study.plane(index), side, "plane") for index in range(min(len(study), 3))
    ]
    pixels = np.zeros_like(pictures[0].pixels)
    for channel, picture in enumerate(pictures):
        pixels[..., channel] = picture.pixels[..., 0]
    first = pictures[0]
    return View(pixels=pixels, kind="plane", index=0, placed=first.placed, box=first.box)


def _sections(study: Study, normaliser: Normaliser, side: int, planes: Collection[Kind], slices: int) -> Iterator[View]:
    """Sections along the planes of the file as they are read, then those across them, gathered row by row."""
    anatomy = anatomy_of(study)
    depth = len(study) // study.volumes
    along, across_rows, across_columns = (anatomy.section(axis) for axis in range(3))
    direct = set(evenly(depth, slices)) if along in planes else set()
    gathering = across_rows in planes or across_columns in planes
    read = sorted(direct | set(evenly(depth, _MOST_READ))) if gathering else sorted(direct)
    rows, columns = evenly(study.shape[1], slices), evenly(study.shape[2], slices)
    by_row: list[NDArray[Any]] = []
    by_column: list[NDArray[Any]] = []
    last: Plane | None = None
    for index in read:
        plane = last = study.plane(index)
        if index in direct:
            yield _section(plane.pixels, plane, normaliser, side, anatomy, 0, index)
        if gathering:
            by_row.append(plane.pixels[rows].copy())
            by_column.append(plane.pixels[:, columns].copy())
    if last is None or not gathering:
        return
    stretch = depth / len(read)
    if across_rows in planes:
        for number, row in enumerate(rows):
            values = np.stack([gathered[number] for gathered in by_row])
            yield _section(values, last, normaliser, side, anatomy, 1, row, stretch)
    if across_columns in planes:
        for number, column in enumerate(columns):
            values = np.stack([gathered[:, number] for gathered in by_column])
            yield _section(values, last, normaliser, side, anatomy, 2, column, stretch)


def _section(
    values: NDArray[Any],
    plane: Plane,
    normaliser: Normaliser,
    side: int,
    anatomy: Anatomy,
    axis: int,
    index: int,
    stretch: float = 1.0,
) -> View:
    """One section, turned as radiologists hang it; `stretch`: planes of the file for each that was read."""
    turned, aspect = anatomy.hung(values, axis, stretch)
    pixels, placed = _fitted(turned, plane, normaliser, side, aspect)
    return View(
        pixels=pixels,
        kind=anatomy.section(axis),
        index=index,
        placed=placed,
        box=(0, 0, values.shape[0], values.shape[1]) if axis == 0 else None,
    )


def _tiles(study: Study, normaliser: Normaliser, side: int, most: int) -> Iterator[View]:
    for number, tile in enumerate(tissue_tiles(study, side, most)):
        values = study.region(tile.x, tile.y, tile.width, tile.height, tile.level)
        plane = Plane(index=number, pixels=values)
        pixels, placed = _fitted(values, plane, normaliser, side, 1.0)
        yield View(pixels=pixels, kind="tile", index=number, placed=placed, box=_at_level_0(study, tile))


def _at_level_0(study: Study, tile: Tile) -> tuple[int, int, int, int]:
    down = study.slide.levels[tile.level].downsample if study.slide is not None else 1.0
    edges = (tile.y, tile.x, tile.y + tile.height, tile.x + tile.width)
    top, left, bottom, right = (round(edge * down) for edge in edges)
    return top, left, bottom, right


def _fitted(
    values: NDArray[Any], plane: Plane, normaliser: Normaliser, side: int, aspect: float
) -> tuple[NDArray[np.float32], tuple[int, int, int, int]]:
    """Values as levels in a square; `aspect` is the height of a pixel over its width."""
    high, wide = values.shape[0] * aspect, float(values.shape[1])
    scale = side / max(high, wide)
    height, width = max(1, min(side, round(high * scale))), max(1, min(side, round(wide * scale)))
    levels = normaliser.levels(resized(values, height, width), plane)
    top, left = (side - height) // 2, (side - width) // 2
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    square = np.empty((side, side, 3), np.float32)
    square[:] = np.median(border, axis=0)
    square[top : top + height, left : left + width] = levels
    return square, (top, left, top + height, left + width)


def resized(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Values at another size: means over the area where it shrinks, straight lines between pixels where it grows.

    Args:
        values: (H, W) or (H, W, 3).
        height: of the result.
        width: of the result.

    Returns:
        uint8 where `values` is, else float32.
    """
    source = np.ascontiguousarray(values if values.dtype == np.uint8 else values.astype(np.float32))
    smaller = min(height, source.shape[0]), min(width, source.shape[1])
    if smaller != source.shape[:2]:
        source = cv2.resize(source, (smaller[1], smaller[0]), interpolation=cv2.INTER_AREA)
    if smaller != (height, width):
        source = cv2.resize(source, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(source)
