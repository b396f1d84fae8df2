"""Name the objects of a cell: every strip read, then all of them compared with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.metaphase import CLASSES, Instance, Normalised
from consilium.karyotype.models import model
from consilium.karyotype.strip import Strips, strips


@dataclass(frozen=True, kw_only=True, slots=True)
class Classified:
    """What the classifier says of the objects of one cell, in their order.

    Attributes:
        probabilities: (N, 24) float32, calibrated on validation cells, rows sum to 1.
        angles: (N,) float32, counter-clockwise degrees that put the short arm up.
        polarity: (N,) float32, probability that it then is up, 0.5..1.
        upside_down: (N,) bool, the strip that was read has its long arm first.
        strips: what was read; None where there was nothing to read.
    """

    probabilities: NDArray[np.float32]
    angles: NDArray[np.float32]
    polarity: NDArray[np.float32]
    upside_down: NDArray[np.bool_]
    strips: Strips | None = None


def classify(normalised: Normalised, instances: Sequence[Instance], *, threads: int | None = None) -> Classified:
    """Classify and orient every object of a cell.

    Args:
        normalised: the cell.
        instances: its objects; all are compared with each other, so hand in whole cells.
        threads: processor threads the model may use; None: all.
    """
    if not instances:
        empty = np.zeros(0, np.float32)
        return Classified(
            probabilities=np.zeros((0, len(CLASSES)), np.float32), angles=empty, polarity=empty,
            upside_down=np.zeros(0, np.bool_),
        )  # fmt: skip
    return classify_strips(strips(normalised.darkness, instances), threads=threads)


def classify_strips(read: Strips, *, threads: int | None = None) -> Classified:
    """Classify and orient every object of a cell whose strips are at hand.

    Args:
        read: the strips of all objects of a cell, at least one.
        threads: processor threads the model may use; None: all.
    """
    network = model("classifier", threads=threads)
    temperature = float(network.card.constants["temperature"])  # type: ignore[arg-type]
    # Each strip is read both ways round, as nobody knows yet which end is the short arm.
    upright = network.run(strips=read.images, geometry=read.geometry)
    turned = network.run(strips=np.ascontiguousarray(read.images[:, :, ::-1, ::-1]), geometry=read.geometry)
    logits = (upright["logits"] + turned["logits"]) / (2 * temperature)
    down = (upright["upside_down"] - turned["upside_down"]) / 2
    upside_down = down > 0
    angles = np.where(upside_down, read.angles + 180, read.angles) % 360
    return Classified(
        probabilities=_softmax(logits),
        angles=angles.astype(np.float32),
        polarity=(1 / (1 + np.exp(-np.abs(down)))).astype(np.float32),
        upside_down=upside_down,
        strips=read,
    )


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True), np.float32)
