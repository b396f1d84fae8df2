"""How one region becomes several: cut along a line, or parted into two that cross.

Every pixel of the region is in one of the parts afterwards; after a cut in exactly one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from consilium.errors import InputError
from consilium.karyotype.editing.region import Point, Region, pieces, region_of, shared, united, without

REACH = 3.0
"""Pixels by which a line is carried on at both ends: a hand stops at the border that it sees, not at the mask's."""

LEAST_PART = 12
"""Pixels that a part needs, and it has to be three of them wide somewhere: the line's slips along a border are no
chromosomes, and stay with what they touch."""

_OFF_THE_GRID = np.array([0.013_7, 0.007_1])
"""A line through the very middle of a pixel would leave open on which side the pixel is."""

Places = NDArray[np.float64]


def cut(region: Region, line: Sequence[Point]) -> tuple[Region, ...]:
    """Part a region along a line, as scissors would: each pixel goes to one part.

    Args:
        region: what is cut.
        line: at least two points.

    Returns:
        Two parts or more, the largest first.

    Raises:
        InputError: the line does not go through, or only slips of the region lie on one side of it.
    """
    path = _carried_on(np.asarray(line, dtype=np.float64) + _OFF_THE_GRID - np.array(region.origin))
    whole = [(one, _parted(one, path, region.origin)) for one in pieces(region)]
    through = [parts for _, parts in whole if len(parts) > 1]
    if not through:
        raise InputError(
            "the line does not part it", way_out="Draw it from the background through it to the background."
        )
    parts = [part for found in through for part in found]
    for beside in (one for one, found in whole if len(found) == 1):
        parts = _with_the_nearest(parts, beside)
    return tuple(sorted(parts, key=lambda one: (-one.area, one.origin)))


def separate(region: Region, first: Region, second: Region) -> tuple[Region, Region]:
    """Part a region into two that may share pixels, as chromosomes that cross do.

    Args:
        region: what is parted.
        first: where one of them is; what is not of the region is left out.
        second: where the other one is.

    Returns:
        Both; together they are the region. Pixels in neither outline go to the nearer one.

    Raises:
        InputError: one of them has no pixel of it, or both are the same.
    """
    one, other = shared(region, first), shared(region, second)
    if one is None or other is None:
        raise InputError("an outline holds nothing of it", way_out="Draw both outlines over the object.")
    if one == other:
        raise InputError("both outlines hold the same", way_out="Draw one around each chromosome.")
    left = without(region, united((one, other)))
    if left is None:
        return one, other
    nearer = _distance(one, left) <= _distance(other, left)
    for_one = region_of(left.mask & nearer, left.origin)
    for_other = region_of(left.mask & ~nearer, left.origin)
    return (
        one if for_one is None else united((one, for_one)),
        other if for_other is None else united((other, for_other)),
    )


def _carried_on(path: Places) -> Places:
    kept = np.concatenate([[True], np.hypot(*np.diff(path, axis=0).T) > 0])
    path = path[kept]
    if len(path) < 2:
        raise InputError("a line needs two places", way_out="Draw it through the object.")
    first, last = path[0] - path[1], path[-1] - path[-2]
    path[0] = path[0] + REACH * first / np.hypot(*first)
    path[-1] = path[-1] + REACH * last / np.hypot(*last)
    return path


def _parted(piece: Region, path: Places, origin: tuple[int, int]) -> list[Region]:
    """The parts of a connected piece; one where the line does not go through."""
    own = path - (np.array(piece.origin) - np.array(origin))
    rows, columns = np.nonzero(piece.mask)
    number = np.full((piece.mask.shape[0] + 2, piece.mask.shape[1] + 2), -1, dtype=np.intp)
    number[rows + 1, columns + 1] = np.arange(len(rows))
    starts, ends = [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = number[rows + 1 + down, columns + 1 + right]
        linked = np.flatnonzero(other >= 0)
        starts.append(linked)
        ends.append(other[linked])
    start, end = np.concatenate(starts), np.concatenate(ends)
    places = np.column_stack([columns, rows]).astype(np.float64)
    open_ = ~_crossed(places[start], places[end], own)
    size = len(rows)
    links = coo_array((np.ones(int(open_.sum()), np.int8), (start[open_], end[open_])), shape=(size, size))
    _, labels = connected_components(links.tocsr(), directed=False)
    labels = _without_slips(labels, start, end, np.column_stack([rows, columns]))
    parts = []
    for label in np.unique(labels):
        mask = np.zeros_like(piece.mask)
        chosen = labels == label
        mask[rows[chosen], columns[chosen]] = True
        part = region_of(mask, piece.origin)
        assert part is not None
        parts.append(part)
    return parts


def _crossed(start: Places, end: Places, path: Places) -> NDArray[np.bool_]:
    """Which steps between neighbouring pixels cross the path."""
    crossed = np.zeros(len(start), dtype=np.bool_)
    low, high = np.minimum(start, end), np.maximum(start, end)
    for a, b in pairwise(path):
        near = np.flatnonzero(((low <= np.maximum(a, b)) & (high >= np.minimum(a, b))).all(axis=1) & ~crossed)
        p, q = start[near], end[near]
        sides = _side(a, b, p) * _side(a, b, q) < 0
        ends = _side(p, q, a) * _side(p, q, b) < 0
        crossed[near] = sides & ends
    return crossed


def _side(a: Places, b: Places, p: Places) -> NDArray[np.float64]:
    return np.asarray((b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1])
                      - (b[..., 1] - a[..., 1]) * (p[..., 0] - a[..., 0]))  # fmt: skip


def _without_slips(
    labels: NDArray[np.int32], start: NDArray[np.intp], end: NDArray[np.intp], places: NDArray[np.intp]
) -> NDArray[np.int32]:
    """Parts that are too small or too thin go to the part that they touch most, the smallest first."""
    labels = labels.copy()
    while True:
        names, sizes = np.unique(labels, return_counts=True)
        slips = [(int(size), int(name)) for name, size in zip(names, sizes, strict=True)
                 if size < LEAST_PART or _thin(places[labels == name])]  # fmt: skip
        if not slips or len(names) == 1:
            return labels
        one = min(slips)[1]
        a, b = labels[start], labels[end]
        touched = np.concatenate([b[(a == one) & (b != one)], a[(b == one) & (a != one)]])
        labels[labels == one] = int(np.argmax(np.bincount(touched)))


def _thin(places: NDArray[np.intp]) -> bool:
    low = places.min(axis=0) - 1
    page = np.zeros(places.max(axis=0) - low + 2, dtype=np.uint8)
    page[tuple((places - low).T)] = 1
    return not cv2.erode(page, np.ones((3, 3), np.uint8)).any()


def _with_the_nearest(parts: Sequence[Region], beside: Region) -> list[Region]:
    nearest = min(
        range(len(parts)), key=lambda index: (float(_distance(parts[index], beside)[beside.mask].min()), index)
    )
    return [united((one, beside)) if index == nearest else one for index, one in enumerate(parts)]


def _distance(source: Region, window: Region) -> NDArray[np.float32]:
    """How far each pixel of a region's window is from another region, in pixels."""
    both = united((source, window))
    (x, y), (height, width) = both.origin, both.mask.shape
    page = np.ones((height, width), dtype=np.uint8)
    sx, sy = source.origin[0] - x, source.origin[1] - y
    page[sy : sy + source.mask.shape[0], sx : sx + source.mask.shape[1]][source.mask] = 0
    # OpenCV's precise distances differ in their last bit from call to call: a log read again would be another cell.
    far = distance_transform_edt(page)
    wx, wy = window.origin[0] - x, window.origin[1] - y
    return np.asarray(far[wy : wy + window.mask.shape[0], wx : wx + window.mask.shape[1]], dtype=np.float32)
