"""Which pixels of a picture belong to an object, and their outlines.

Pixels are counted, never estimated: what a region gives away another one has, unless a command says that it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError
from consilium.karyotype.metaphase import Box

Point = tuple[float, float]
Polygon = tuple[Point, ...]

_EIGHT = 8
"""Pixels that touch at a corner are of one piece, as chromosomes two pixels wide are."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels of a picture, at least one.

    Attributes:
        origin: (x, y) of the mask's first pixel in the picture.
        mask: (h, w) bool, read-only; each border row and column has a pixel.
    """

    origin: tuple[int, int]
    mask: NDArray[np.bool_]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Region)
            and self.origin == other.origin
            and self.mask.shape == other.mask.shape
            and bool((self.mask == other.mask).all())
        )

    def __hash__(self) -> int:
        return hash((self.origin, self.mask.shape, self.mask.tobytes()))

    @property
    def area(self) -> int:
        """Its pixels."""
        return int(np.count_nonzero(self.mask))

    @property
    def box(self) -> Box:
        """(xmin, ymin, xmax, ymax), exclusive maxima."""
        (x, y), (height, width) = self.origin, self.mask.shape
        return float(x), float(y), float(x + width), float(y + height)

    def on(self, width: int, height: int) -> NDArray[np.bool_]:
        """The region on its picture, (height, width) bool."""
        page = np.zeros((height, width), dtype=np.bool_)
        (x, y), (rows, columns) = self.origin, self.mask.shape
        page[y : y + rows, x : x + columns] = self.mask
        return page


def region_of(mask: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)) -> Region | None:
    """A mask as a region, without empty borders; None where no pixel is set.

    Args:
        mask: (h, w) bool.
        origin: (x, y) of its first pixel in the picture.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    inner = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    if np.shares_memory(inner, mask):
        inner = inner.copy()
    inner.setflags(write=False)
    return Region(origin=(origin[0] + int(columns[0]), origin[1] + int(rows[0])), mask=inner)


def filled(polygon: Sequence[Point], width: int, height: int) -> Region | None:
    """The pixels of a polygon, those on its border too, as far as they are in the picture.

    Args:
        polygon: at least three points; what lies outside of the picture is cut off.
        width: of the picture.
        height: of the picture.
    """
    points = np.round(np.asarray(polygon, dtype=np.float64)).astype(np.int64)
    low, high = np.maximum(points.min(axis=0), -1), np.minimum(points.max(axis=0) + 1, (width + 1, height + 1))
    if (low >= high).any():
        return None
    page = np.zeros((int(high[1] - low[1]), int(high[0] - low[0])), dtype=np.uint8)
    cv2.fillPoly(page, [(points - low).astype(np.int32)], 1)
    left, top = int(low[0]), int(low[1])
    inside = page[max(-top, 0) : height - top, max(-left, 0) : width - left].astype(np.bool_)
    return region_of(inside, (max(left, 0), max(top, 0)))


def united(regions: Iterable[Region]) -> Region:
    """All pixels of some regions."""
    return reduce(_united, regions)


def without(region: Region, taken: Region) -> Region | None:
    """The pixels of a region that another one has not; None where that is none."""
    mask = region.mask.copy()
    here, there = _windows(region, taken)
    if here is not None and there is not None:
        mask[here] &= ~taken.mask[there]
    return region_of(mask, region.origin)


def shared(first: Region, second: Region) -> Region | None:
    """The pixels that two regions have both; None where that is none."""
    here, there = _windows(first, second)
    if here is None or there is None:
        return None
    mask = np.zeros_like(first.mask)
    mask[here] = first.mask[here] & second.mask[there]
    return region_of(mask, first.origin)


def pieces(region: Region) -> tuple[Region, ...]:
    """The connected pieces of a region, from the top down."""
    count, parts = cv2.connectedComponents(region.mask.astype(np.uint8), connectivity=_EIGHT)
    found = (region_of(np.asarray(parts == number, dtype=np.bool_), region.origin) for number in range(1, count))
    return tuple(one for one in found if one is not None)


def in_one_piece(region: Region) -> bool:
    """Whether every pixel can be reached from every other one."""
    return int(cv2.connectedComponents(region.mask.astype(np.uint8), connectivity=_EIGHT)[0]) == 2


def outlines(region: Region) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The outer borders of its pieces as closed polygons in pixels of the picture, the largest first.

    Filling them, border included, gives the region without its holes.
    """
    borders, _ = cv2.findContours(region.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    ranked = sorted(borders, key=lambda one: (cv2.contourArea(one), len(one)), reverse=True)
    x, y = region.origin
    return tuple(tuple((int(px) + x, int(py) + y) for px, py in one.reshape(-1, 2)) for one in ranked)


def upright_angle(region: Region) -> float:
    """The counter-clockwise rotation, in degrees, -90..90, that makes the longest direction of a region vertical."""
    rows, columns = np.nonzero(region.mask)
    if len(rows) < 2:
        return 0.0
    x, y = columns - columns.mean(), rows - rows.mean()
    lean = 0.5 * np.arctan2(2 * float((x * y).mean()), float((x * x).mean() - (y * y).mean()))
    # The long axis lies `lean` below the horizontal; turning by `lean + 90` (image rows go down) puts it upright.
    turn = float(np.rad2deg(lean)) + 90.0
    return round(turn - 180.0 if turn > 90.0 else turn, 3)


def needed(region: Region | None, what: str) -> Region:
    """A region that has pixels.

    Raises:
        InputError: it has none.
    """
    if region is None:
        raise InputError(what, way_out="Draw it again, on the picture.")
    return region


def _united(first: Region, second: Region) -> Region:
    left, top = min(first.origin[0], second.origin[0]), min(first.origin[1], second.origin[1])
    right, bottom = int(max(first.box[2], second.box[2])), int(max(first.box[3], second.box[3]))
    mask = np.zeros((bottom - top, right - left), dtype=np.bool_)
    for one in (first, second):
        (x, y), (height, width) = one.origin, one.mask.shape
        mask[y - top : y - top + height, x - left : x - left + width] |= one.mask
    mask.setflags(write=False)
    return Region(origin=(left, top), mask=mask)


_Window = tuple[slice, slice]


def _windows(first: Region, second: Region) -> tuple[_Window, _Window] | tuple[None, None]:
    """Where two regions' masks lie over each other, in each."""
    a, b = first.box, second.box
    x0, y0, x1, y1 = (int(v) for v in (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    if x0 >= x1 or y0 >= y1:
        return None, None
    (ax, ay), (bx, by) = first.origin, second.origin
    return (
        (slice(y0 - ay, y1 - ay), slice(x0 - ax, x1 - ax)),
        (slice(y0 - by, y1 - by), slice(x0 - bx, x1 - bx)),
    )
