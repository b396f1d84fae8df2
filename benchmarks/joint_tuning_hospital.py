"""A hospital's part of a round in which several train the last stage together (PyTorch, extra `train`).

What a hospital sends hangs on the common weights, its cases and the number of the round alone: nothing is kept from
round to round, so that one that was away, or began again, goes on from the next common weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from consilium.generalist.weights_file import Convolution, Weights
from consilium.specialist.head import Head
from consilium.specialist.penalised import Array
from consilium.specialist.tuning.steps import DEVICE, LinearHead, Settings, Steps

Vector = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What all hospitals have alike.

    Attributes:
        weights: of the encoder they start from.
        row: of the modality in its table.
        head: they start from, on features of the encoder as it came.
        penalty: of the head, 1 / (C n) with n the cases of all hospitals.
        settings: how the weights move; the last number of `rounds` says how often a round goes through the cases.
    """

    weights: Weights
    row: int
    head: Head
    penalty: float
    settings: Settings

    def steps(self, common: Vector | None = None) -> Steps:
        """The weights, at the common ones or at the start."""
        return Steps(self.weights, self.row, LinearHead(self.head, self.penalty), self.settings, common)

    def start(self) -> Vector:
        """(length,) the weights of the encoder and the head."""
        return self.steps().vector()


def moved(
    ground: Ground, common: Vector, maps: NDArray[np.float32], below: NDArray[np.float32], targets: Array, *, seed: int
) -> Vector:
    """The common weights after some steps on a hospital's cases.

    Args:
        ground: what all have alike.
        common: (length,) where all are.
        maps: (n, views, 96, h, w) of stride 16.
        below: (n, views, BELOW) the part of the image vector below.
        targets: (n, problems, columns).
        seed: of order and views.

    Returns:
        (length,) the running mean of the weights.
    """
    steps = ground.steps(common)
    lots = torch.Generator().manual_seed(seed)
    shown, fixed, wanted = (torch.from_numpy(one).to(DEVICE, torch.float32) for one in (maps, below, targets))
    for _ in range(ground.settings.rounds[-1]):
        steps.go_through(torch.arange(len(shown)), shown, fixed, wanted, lots)
    with steps.averaged():
        return steps.vector()


def features_of(
    ground: Ground, common: Vector, maps: NDArray[np.float32], below: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n, D) image vectors by the common weights, of maps (n, 96, h, w) and what lies below (n, BELOW)."""
    return ground.steps(common).features(*(torch.from_numpy(one).to(DEVICE) for one in (maps, below)))


def convolutions_of(ground: Ground, common: Vector) -> dict[int, Convolution]:
    """The stage's convolutions at the common weights, for `weights_file.with_convolutions`."""
    return ground.steps(common).convolutions()
