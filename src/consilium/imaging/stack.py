"""Planes put into order: which lie behind which in the patient, how far apart, and whether they make one volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.imaging.dicom_frame_groups import normal
from consilium.imaging.study import Affine, Vector, sensible_mm

_SAME_PLACE_MM = 0.01
_UNEVEN = 0.05  # of the gap; scanners round positions to hundredths of a millimetre
_SHEARED_MM = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """An order of planes.

    Attributes:
        order: indices into the planes as they were given; volumes one after the other, each from the lowest to the
            highest place along the normal.
        is_volume: there are at least two places.
        volumes: how often each place occurs.
        gap_mm: median distance between neighbouring places.
        affine: voxel to patient; None where the planes are not parallel, not evenly spaced, or of unknown spacing.
        notes: what is unusual.
    """

    order: tuple[int, ...]
    is_volume: bool
    volumes: int = 1
    gap_mm: float | None = None
    affine: Affine | None = None
    notes: tuple[str, ...] = ()


def stacked(
    *,
    positions: Sequence[Vector | None],
    orientations: Sequence[tuple[Vector, Vector] | None],
    in_plane: tuple[float, float] | None,
) -> Stack:
    """Sorts planes by their place along the normal; those at the same place keep their order (PS3.3 C.7.6.2.1.1).

    Args:
        positions: of the top left pixel of each plane, millimetres LPS.
        orientations: directions along a row and down a column of each plane.
        in_plane: millimetres between rows and between columns.

    Returns:
        The order given, as no volume, where a position or an orientation is missing or the planes are not parallel.
    """
    given = tuple(range(len(positions)))
    directions = orientations[0] if orientations else None
    known = [place for place in positions if place is not None]
    if len(given) < 2 or directions is None or len(known) < len(given):
        single = _affine(known[0], directions, np.zeros(3), in_plane) if len(given) == 1 and known else None
        return Stack(order=given, is_volume=False, affine=single)
    axis = normal(directions)
    if any(other is None or float(normal(other) @ axis) < 0.99 for other in orientations):
        return Stack(order=given, is_volume=False, notes=("the planes are not parallel",))
    places = np.asarray(known, dtype=np.float64)
    along = places @ axis
    levels = _levels(along)
    count = int(levels.max()) + 1
    if count < 2:
        return Stack(order=given, is_volume=False)
    repeats = np.bincount(levels, minlength=count)
    if int(repeats.min()) != int(repeats.max()):
        order = tuple(int(index) for index in np.argsort(levels, kind="stable"))
        return Stack(order=order, is_volume=True, notes=("some places hold more planes than others",))
    volumes = int(repeats[0])
    at_place = [np.flatnonzero(levels == level) for level in range(count)]
    order = tuple(int(at_place[level][volume]) for volume in range(volumes) for level in range(count))
    gaps = np.diff(np.sort([along[indices[0]] for indices in at_place]))
    gap = float(np.median(gaps))
    first, last = places[order[0]], places[order[count - 1]]
    step = (last - first) / (count - 1)
    notes: list[str] = []
    if float(np.abs(gaps - gap).max()) > _UNEVEN * gap:
        notes.append("the planes are not evenly spaced")
    elif float(np.linalg.norm(step - axis * (step @ axis))) * (count - 1) > _SHEARED_MM:
        notes.append("the planes are shifted against each other (gantry tilt)")
    affine = (
        None
        if notes[:1] == ["the planes are not evenly spaced"]
        else _affine(known[order[0]], directions, step, in_plane)
    )
    return Stack(order=order, is_volume=True, volumes=volumes, gap_mm=gap, affine=affine, notes=tuple(notes))


def _levels(along: NDArray[np.float64]) -> NDArray[np.int64]:
    """The rank of each place, equal ones together."""
    order = np.argsort(along, kind="stable")
    steps = np.concatenate(([0], np.diff(along[order]) > _SAME_PLACE_MM)).cumsum()
    levels = np.empty(len(along), dtype=np.int64)
    levels[order] = steps
    return levels


def _affine(
    origin: Vector,
    directions: tuple[Vector, Vector] | None,
    step: NDArray[np.float64],
    in_plane: tuple[float, float] | None,
) -> Affine | None:
    if directions is None or in_plane is None:
        return None
    along_row, down_column = np.asarray(directions[0]), np.asarray(directions[1])
    if not step.any():
        step = normal(directions)
    matrix = np.eye(4)
    # A step down a column is one row further; a step along a row is one column further.
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = step, down_column * in_plane[0], along_row * in_plane[1]
    matrix[:3, 3] = origin
    return as_affine(matrix)


def as_affine(matrix: NDArray[np.float64]) -> Affine | None:
    """A (4, 4) matrix as nested tuples, which can be compared and hashed.

    Returns:
        None where its axes have no sensible lengths, lie in one plane, or begin nowhere.
    """
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or float(np.abs(matrix).max()) > 1e9:
        return None
    lengths = [sensible_mm(float(np.linalg.norm(matrix[:3, axis]))) for axis in range(3)]
    if None in lengths:
        return None
    cosines = matrix[:3, :3] / np.asarray(lengths, dtype=np.float64)
    if abs(float(np.linalg.det(cosines))) < 1e-3:
        return None
    return tuple((float(row[0]), float(row[1]), float(row[2]), float(row[3])) for row in matrix)
