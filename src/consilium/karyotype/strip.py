"""The strips the classifier reads: each chromosome sampled along its own axis, on the cell's common scale.

A strip is a measuring frame, not a picture for people: it holds the darkness around the medial axis and the
cover of the amodal mask, so that the network sees what lies beside and across the chromosome too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.metaphase import Instance
from consilium.karyotype.short_arm_up import angle_to_short_arm_up
from consilium.karyotype.straighten import medial_axis

ROWS, COLUMNS = 128, 24
"""Size of a strip: along the axis, across it."""

PITCH = 1.3
"""Original pixels between samples in a cell of nominal size."""

NOMINAL_AREA = 1000.0
"""Median area of a chromosome, in pixels, in the cells the classifier was trained on."""

GEOMETRY = ("log_length", "log_area", "width", "darkness", "contrast", "crossing", "off_axis")
"""What is told about each object besides its strip; lengths and areas on the cell's scale."""

_AXIS_WIDTH = 6.0
"""The axis is traced on a mask reduced to about this width: a finer grid costs time and finds the same axis."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Strips:
    """The strips of one cell.

    Attributes:
        images: (N, 2, 128, 24) float32, darkness and cover.
        geometry: (N, 7) float32 in the order of `GEOMETRY`.
        angles: (N,) float32, counter-clockwise degrees that turn the original so that row 0 is on top.
    """

    images: NDArray[np.float32]
    geometry: NDArray[np.float32]
    angles: NDArray[np.float32]


def strips(darkness: NDArray[np.float32], instances: Sequence[Instance]) -> Strips:
    """Sample every object of a cell along its axis.

    Args:
        darkness: (H, W) float32, 0 background, about 1 the darkest bands.
        instances: the objects; their masks set the cell's scale.
    """
    areas = np.asarray([max(int(i.mask.sum()), 1) for i in instances], np.float64)
    unit = float(np.sqrt(np.median(areas) / NOMINAL_AREA)) if len(areas) else 1.0
    images = np.zeros((len(instances), 2, ROWS, COLUMNS), np.float32)
    geometry = np.zeros((len(instances), len(GEOMETRY)), np.float32)
    angles = np.zeros(len(instances), np.float32)
    shared = _shared_fraction(darkness.shape, instances)
    for index, instance in enumerate(instances):
        axis, traced = _axis(instance.mask)
        length = float(np.hypot(*np.diff(axis, axis=0).T).sum()) + 1.0
        image = images[index]
        image[:] = _sample(darkness, instance, axis, length, unit)
        inside = image[0][image[1] > 0.5]
        mean, deviation = (float(inside.mean()), float(inside.std())) if inside.size else (0.0, 0.0)
        geometry[index] = (
            np.log(length / unit / 60), np.log(areas[index] / unit**2 / NOMINAL_AREA),
            areas[index] / length / unit / 16, mean, deviation, shared[index], not traced,
        )  # fmt: skip
        angles[index] = angle_of(axis)
    return Strips(images=images, geometry=geometry, angles=angles)


def angle_of(axis: NDArray[np.float64]) -> float:
    """Counter-clockwise rotation, degrees in [0, 360), that puts the axis's start on top.

    Args:
        axis: (L, 2) points (x, y), y down.
    """
    third = max(len(axis) // 3, 1)
    x, y = axis[:third].mean(0) - axis[-third:].mean(0)
    return angle_to_short_arm_up(float(x), float(y)) if x or y else 0.0


def _axis(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], bool]:
    """(L, 2) points in mask coordinates from end to end, and whether a medial axis could be followed."""
    area = int(mask.sum())
    padded = np.pad(mask, 2).astype(np.uint8)
    thickness = 2 * float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max())
    factor = max(thickness / _AXIS_WIDTH, 1.0)
    size = (max(round(padded.shape[1] / factor), 1), max(round(padded.shape[0] / factor), 1))
    small = cv2.resize(padded * 255, size, interpolation=cv2.INTER_AREA) > 110
    axis = medial_axis(small) if area >= 40 else None
    if axis is not None and len(axis) >= 4:
        scale = np.asarray([padded.shape[1] / size[0], padded.shape[0] / size[1]])
        return (axis + 0.5) * scale - 2.5, True
    rows, columns = np.nonzero(mask)
    points = np.column_stack([columns, rows]).astype(np.float64)
    centre = points.mean(0)
    _, _, directions = np.linalg.svd(points - centre, full_matrices=False)
    along = (points - centre) @ directions[0]
    return centre + np.linspace(along.min(), along.max(), 16)[:, None] * directions[0], False


def _sample(
    darkness: NDArray[np.float32], instance: Instance, axis: NDArray[np.float64], length: float, unit: float
) -> NDArray[np.float32]:
    """(2, 128, 24) darkness and cover on rows at right angles to the axis."""
    pitch = PITCH * unit
    row_pitch = max(pitch, length / (ROWS - 4))
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(axis, axis=0).T))])
    wanted = (np.arange(ROWS) - (ROWS - 1) / 2) * row_pitch + arc[-1] / 2
    centres = np.column_stack([np.interp(wanted, arc, axis[:, k]) for k in (0, 1)])
    ends = np.clip(wanted, 0, arc[-1])
    step = max(arc[-1] / 12, 1.0)
    ahead = np.column_stack([np.interp(ends + step, arc, axis[:, k]) for k in (0, 1)])
    behind = np.column_stack([np.interp(ends - step, arc, axis[:, k]) for k in (0, 1)])
    tangent = ahead - behind
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-6)[:, None]
    centres = centres + (wanted - ends)[:, None] * tangent  # beyond its ends the axis goes straight on
    normal = np.column_stack([tangent[:, 1], -tangent[:, 0]])
    offsets = (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * pitch
    places = (centres[:, None] + offsets[None, :, None] * normal[:, None]).astype(np.float32)
    cover = cv2.remap(instance.mask.astype(np.float32), places[..., 0], places[..., 1], cv2.INTER_LINEAR)
    places += np.asarray(instance.origin, np.float32)
    return np.stack([cv2.remap(darkness, places[..., 0], places[..., 1], cv2.INTER_LINEAR), cover])


def _shared_fraction(shape: tuple[int, ...], instances: Sequence[Instance]) -> NDArray[np.float32]:
    """Fraction of each mask that another mask covers too."""
    owners = np.zeros(shape[:2], np.uint8)
    windows = []
    for instance in instances:
        (x, y), (h, w) = instance.origin, instance.mask.shape
        windows.append(owners[y : y + h, x : x + w])
        windows[-1][:] += instance.mask
    return np.asarray(
        [(w[i.mask] > 1).mean() if i.mask.any() else 0.0 for w, i in zip(windows, instances, strict=True)], np.float32
    )
