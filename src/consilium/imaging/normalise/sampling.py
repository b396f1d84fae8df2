"""What is to be known of a whole study before its planes are evened out, from a few planes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.imaging.study import Plane, Study

PLANES_SAMPLED = 16
_SIDE_SAMPLED = 1024
_VALUES_A_PLANE = 1 << 16


def evenly(count: int, wanted: int) -> list[int]:
    """`wanted` indices spread evenly over 0 .. count-1, each in the middle of its share; all where there are fewer."""
    if count <= wanted:
        return list(range(count))
    return [int((2 * index + 1) * count / (2 * wanted)) for index in range(wanted)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Some planes of a study, thinned so that they fit in memory together.

    Attributes:
        planes: evenly spread.
        step: every so many rows and columns were kept.
    """

    planes: tuple[Plane, ...]
    step: int

    def in_full(self, box: tuple[int, int, int, int], study: Study) -> tuple[int, int, int, int]:
        """A box of a thinned plane (top, left, bottom, right) in the pixels of the study."""
        _, rows, columns = study.shape
        top, left, bottom, right = (edge * self.step for edge in box)
        return top, left, min(bottom, rows), min(right, columns)


def sampled(study: Study, wanted: int = PLANES_SAMPLED) -> Sample:
    """Planes spread evenly over the first volume of a study."""
    first_volume = len(study) // study.volumes if study.form == "volume" else len(study)
    step = max(1, max(study.shape[1:]) // _SIDE_SAMPLED)
    planes = (study.plane(index) for index in evenly(first_volume, wanted))
    return Sample(planes=tuple(_thinned_plane(plane, step) for plane in planes), step=step)


def _thinned_plane(plane: Plane, step: int) -> Plane:
    return plane if step == 1 else replace(plane, pixels=plane.pixels[::step, ::step].copy())


def some_values(planes: Iterable[Plane]) -> NDArray[np.float64]:
    """A regular sample of the values of planes, without padding and without what is no number."""
    parts = []
    for plane in planes:
        values = plane.pixels[..., :3] @ LUMINANCE if plane.pixels.ndim == 3 else plane.pixels
        parts.append(_thinned(values, plane.padding))
    together = np.concatenate(parts, dtype=np.float64) if parts else np.zeros(0)
    return together if together.size else np.zeros(1)


def percentiles(planes: Sequence[Plane], low: float, high: float) -> tuple[float, float]:
    """Two percentiles of the values of planes."""
    at = np.percentile(some_values(planes), (low, high))
    return float(at[0]), float(at[1])


LUMINANCE = np.asarray([0.299, 0.587, 0.114], dtype=np.float32)
"""ITU-R BT.601."""


def _thinned(values: NDArray[Any], padding: float | None) -> NDArray[np.float32]:
    step = max(1, int(np.sqrt(values.size / _VALUES_A_PLANE)))
    thin = values[::step, ::step].astype(np.float32).ravel()
    keep = np.isfinite(thin)
    if padding is not None:
        keep &= thin != np.float32(padding)
    return thin[keep]
