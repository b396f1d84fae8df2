"""How the axes of a volume lie in the patient, and how its sections are hung."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from consilium.imaging.study import Study

Section = Literal["axial", "coronal", "sagittal"]

_SECTIONS: tuple[Section, ...] = ("sagittal", "coronal", "axial")  # normal to x, y, z
_HUNG: dict[Section, tuple[tuple[int, int], tuple[int, int]]] = {
    "axial": ((1, 1), (0, 1)),
    "coronal": ((2, -1), (0, 1)),
    "sagittal": ((2, -1), (1, 1)),
}
"""Section -> (patient axis, direction) downwards and to the right, LPS: the head or the front is on top, the front
of a sagittal section and the patient's right on the left side of the picture, as radiologists hang them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Anatomy:
    """The axes of a volume.

    Attributes:
        axes: for plane, row and column index the patient axis it runs along most: 0 = x (to the left), 1 = y (to the
            back), 2 = z (to the head).
        directions: +1 or -1 along it.
        steps_mm: between planes, rows and columns; 1 where nobody says.
    """

    axes: tuple[int, int, int]
    directions: tuple[int, int, int]
    steps_mm: tuple[float, float, float]

    def section(self, axis: int) -> Section:
        """What a section is called that cuts across one of the axes of the file (0 planes, 1 rows, 2 columns)."""
        return _SECTIONS[self.axes[axis]]

    def hung(self, values: NDArray[Any], axis: int, stretch: float = 1.0) -> tuple[NDArray[Any], float]:
        """Turns a section the way it is hung.

        Args:
            values: (H, W) or (H, W, 3), with the two other axes of the file in their order.
            axis: of the file, that the section cuts across.
            stretch: how many planes of the file one row stands for, where the plane axis lies in the section.

        Returns:
            The turned values, and the height of a pixel over its width.
        """
        first, second = [other for other in range(3) if other != axis]
        steps = {
            first: self.steps_mm[first] * (stretch if first == 0 else 1.0),
            second: self.steps_mm[second],
        }
        (downwards, down_direction), (_, right_direction) = _HUNG[self.section(axis)]
        if self.axes[first] != downwards:
            values, first, second = np.swapaxes(values, 0, 1), second, first
        if self.directions[first] != down_direction:
            values = values[::-1]
        if self.directions[second] != right_direction:
            values = values[:, ::-1]
        return values, steps[first] / steps[second]


def anatomy_of(study: Study) -> Anatomy:
    """The axes of a volume by its affine or orientation; planes are taken for axial ones where it has neither."""
    known = [step if step is not None and step > 0 else None for step in study.spacing_mm]
    in_plane = known[1] or known[2] or 1.0
    steps = (known[0] or in_plane, known[1] or in_plane, known[2] or in_plane)
    if study.affine is not None:
        matrix = np.asarray(study.affine)[:3, :3]
    elif study.orientation is not None:
        along_row, down_column = (np.asarray(direction) for direction in study.orientation)
        matrix = np.stack([np.cross(along_row, down_column), down_column, along_row], axis=1)
    else:
        return Anatomy(axes=(2, 1, 0), directions=(1, 1, 1), steps_mm=steps)
    cosines = matrix / np.linalg.norm(matrix, axis=0)
    axes = [0, 0, 0]
    left = np.abs(cosines)
    for _ in range(3):
        # The clearest axis first, so that oblique volumes use each patient axis once.
        patient, index = np.unravel_index(int(np.argmax(left)), left.shape)
        axes[int(index)] = int(patient)
        left[patient, :], left[:, index] = -1.0, -1.0
    directions = [1 if cosines[axes[index], index] >= 0 else -1 for index in range(3)]
    return Anatomy(
        axes=(axes[0], axes[1], axes[2]), directions=(directions[0], directions[1], directions[2]), steps_mm=steps
    )
