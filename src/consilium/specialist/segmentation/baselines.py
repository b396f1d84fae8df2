"""Ways to an outline that learn nothing from the look of a picture: what a model has to beat.

The mean shape says the same of every case: where objects lay in training. The threshold says what is brighter, or
darker, than Otsu's level (Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics 9:62).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.segmentation.mask_scheme import MaskScheme
from consilium.specialist.segmentation.overlap import Labels, dice
from consilium.specialist.segmentation.working_grid import nearest

_GRID, _GRID_OF_VOLUMES = 64, 24
_LEVELS = tuple(share / 20 for share in range(1, 20))


@dataclass(frozen=True, kw_only=True)
class MeanShape:
    """Where each label lay in training.

    Attributes:
        masks: one a label, on a coarse grid.
    """

    masks: tuple[NDArray[np.bool_], ...]

    def outlined(self, shape: tuple[int, ...]) -> list[NDArray[np.bool_]]:
        """The masks in the shape of a case."""
        return [nearest(mask.astype(np.intp), shape) > 0 for mask in self.masks]


def fit_mean_shape(masks: Sequence[Labels], scheme: MaskScheme) -> MeanShape:
    """The share of training masks that have each place, cut where it agrees best with them (mean Dice)."""
    side = _GRID_OF_VOLUMES if scheme.volumes else _GRID
    kept = []
    for number in scheme.numbers:
        coarse = [nearest(scheme.of_label(one, number).astype(np.intp), (side,) * one.ndim) > 0 for one in masks]
        coarse = [one for one in coarse if one.any()]
        if not coarse:
            kept.append(np.zeros((side,) * masks[0].ndim, np.bool_))
            continue
        share = np.mean(coarse, axis=0)
        worth = [np.mean([dice(share >= level, one) for one in coarse]) for level in _LEVELS]
        kept.append(np.asarray(share >= _LEVELS[int(np.argmax(worth))], np.bool_))
    return MeanShape(masks=tuple(kept))


def otsu(values: NDArray[np.float32]) -> float:
    """The level between 0 and 1 that parts values best into two kinds."""
    counts, edges = np.histogram(values, bins=256, range=(0, 1))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    total = np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = below * above * (total / below - (total[-1] - total) / above) ** 2
    return float(edges[int(np.nanargmax(apart)) + 1]) if np.isfinite(apart).any() else 0.5


def thresholded(values: NDArray[np.float32], *, bright: bool) -> NDArray[np.bool_]:
    """What is brighter, or darker, than Otsu's level; values 0..1."""
    above = values >= otsu(values)
    return np.asarray(above if bright else ~above, np.bool_)


SimpleWay = Callable[[NDArray[np.float32], Labels], float]
"""Takes grey levels and true mask of a case, both on the working grid, and gives the Dice; NaN where nothing is to be
outlined."""


def simple_ways_of(scheme: MaskScheme) -> tuple[str, ...]:
    """Names of what `fit_simple_ways` gives."""
    # A level parts two kinds; with several labels it cannot say which is which.
    return ("mean shape", "threshold") if len(scheme.labels) == 1 else ("mean shape",)


def fit_simple_ways(masks: Sequence[Labels], scheme: MaskScheme) -> dict[str, SimpleWay]:
    """The ways that learn nothing from pictures, by name, from training masks of which one at least is not empty."""
    shape = fit_mean_shape(masks, scheme)
    usual = float(np.mean([(mask > 0).mean() for mask in masks if mask.any()]))

    def by_shape(_grey: NDArray[np.float32], true: Labels) -> float:
        told = [
            dice(ours, scheme.of_label(true, number))
            for number, ours in zip(scheme.numbers, shape.outlined(true.shape), strict=True)
            if scheme.of_label(true, number).any()
        ]
        return float(np.mean(told)) if told else float("nan")

    def by_level(grey: NDArray[np.float32], true: Labels) -> float:
        # Of the two sides, that which has nearly the size that objects have in training.
        both = [thresholded(grey, bright=bright) for bright in (True, False)]
        nearer = min(both, key=lambda one: abs(float(one.mean()) - usual))
        return dice(nearer, true > 0) if true.any() else float("nan")

    ways: dict[str, SimpleWay] = {"mean shape": by_shape, "threshold": by_level}
    return {name: ways[name] for name in simple_ways_of(scheme)}
