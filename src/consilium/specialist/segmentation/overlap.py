"""How well a mask agrees with the true one: Dice, surface distances, and for many objects average precision.

The choice of figures is that of Metrics Reloaded (Maier-Hein et al. 2024, Nature Methods 21:195): overlap and a
distance of outlines together, case by case. Two empty masks agree fully.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

Mask = NDArray[np.bool_]
Labels = NDArray[np.intp]


def dice(predicted: Mask, true: Mask) -> float:
    """Twice the common pixels over the sum of both; 1 where both are empty."""
    together = int(predicted.sum()) + int(true.sum())
    return 2 * int((predicted & true).sum()) / together if together else 1.0


@dataclass(frozen=True, kw_only=True)
class SurfaceAgreement:
    """How far two outlines lie apart.

    Attributes:
        normalised: share of both outlines within the tolerance of the other, 0 to 1 (Nikolov et al. 2021, JMIR
            23:e26151).
        hausdorff95: the larger of the two 95th percentiles of distances, in the unit of the spacing; where one mask is
            empty and the other is not, the diagonal of the picture.
    """

    normalised: float
    hausdorff95: float


def surface_agreement(
    predicted: Mask, true: Mask, *, tolerance: float, spacing: tuple[float, ...] | None = None
) -> SurfaceAgreement:
    """Compare the outlines of two masks of the same shape (2-D or 3-D).

    Args:
        predicted: mask.
        true: mask.
        tolerance: distance that does not count, in the unit of the spacing.
        spacing: size of a pixel along each axis; None: 1 each.
    """
    sizes = spacing or (1.0,) * true.ndim
    if not predicted.any() and not true.any():
        return SurfaceAgreement(normalised=1.0, hausdorff95=0.0)
    if not predicted.any() or not true.any():
        far = float(np.linalg.norm(np.array(true.shape) * np.array(sizes)))
        return SurfaceAgreement(normalised=0.0, hausdorff95=far)
    outlines = [mask & ~ndimage.binary_erosion(mask) for mask in (predicted, true)]
    away = [ndimage.distance_transform_edt(~outline, sampling=sizes) for outline in outlines]
    gaps = away[1][outlines[0]], away[0][outlines[1]]
    within = sum(int((gap <= tolerance).sum()) for gap in gaps) / sum(len(gap) for gap in gaps)
    return SurfaceAgreement(normalised=float(within), hausdorff95=float(max(np.percentile(gap, 95) for gap in gaps)))


@dataclass(frozen=True, kw_only=True)
class ObjectsFound:
    """How many objects of one picture were found.

    Attributes:
        hits: predicted objects that overlap a true one enough, one each.
        surplus: predicted ones that do not.
        missed: true ones that were not found.
    """

    hits: int
    surplus: int
    missed: int

    @property
    def precision(self) -> float:
        """Hits over hits, surplus and missed: the average precision of the 2018 Data Science Bowl; 1 of nothing."""
        count = self.hits + self.surplus + self.missed
        return self.hits / count if count else 1.0


def objects_found(predicted: Labels, true: Labels, *, least: float = 0.5) -> ObjectsFound:
    """Pair the objects of two label maps (0 is background) so that the most pairs overlap enough.

    Args:
        predicted: (H, W) numbers of objects.
        true: the same.
        least: intersection over union from which a pair counts.
    """
    _, ours = np.unique(predicted, return_inverse=True)
    _, theirs = np.unique(true, return_inverse=True)
    ours, theirs = ours.ravel(), theirs.ravel()
    offset = (0 if (predicted == 0).any() else 1), (0 if (true == 0).any() else 1)
    ours, theirs = ours + offset[0], theirs + offset[1]
    shape = int(ours.max()) + 1, int(theirs.max()) + 1
    common = np.bincount(ours * shape[1] + theirs, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    union = common.sum(1)[:, None] + common.sum(0)[None] - common
    enough = (common / np.maximum(union, 1))[1:, 1:] >= least
    rows, columns = linear_sum_assignment(enough, maximize=True)
    hits = int(enough[rows, columns].sum())
    return ObjectsFound(hits=hits, surplus=shape[0] - 1 - hits, missed=shape[1] - 1 - hits)
