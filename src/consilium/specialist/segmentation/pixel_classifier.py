"""From the features of a pixel to the probability of each class: a linear model, or one with a hidden layer.

Both are fitted with NumPy alone: steps of Adam (Kingma and Ba 2015) on pixels drawn evenly from the classes of every
picture, with a penalty on the weights and a rate that falls as a half cosine. The draw gives rare classes more room
than they have; what that does to the probabilities, the threshold that is chosen afterwards undoes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.segmentation.pixel_features import PixelFeatures

Weights = NDArray[np.float32]
Classes = NDArray[np.intp]

_BATCH = 1024
_FEWEST_STEPS = 300
_RATE = 2e-3
_PENALTY = 3e-4
_MOMENTS = (0.9, 0.999)


@dataclass(frozen=True, kw_only=True)
class PixelClassifier:
    """A fitted classifier; standardisation is part of its weights.

    Attributes:
        layers: (weights (d, k), offset (k,)) each; rectified between two, softmax after the last.
    """

    layers: tuple[tuple[Weights, Weights], ...]

    @property
    def classes(self) -> int:
        """How many it tells apart, the background included."""
        return len(self.layers[-1][1])

    def probabilities(self, features: PixelFeatures) -> NDArray[np.float32]:
        """Probability of every class at every pixel, (classes, H, W)."""
        weights, offset = self.layers[0]
        found = features.projected(weights) + offset
        for weights, offset in self.layers[1:]:
            found = np.maximum(found, 0) @ weights + offset
        return np.ascontiguousarray(_softmax(found).transpose(2, 0, 1))


def draw_pixels(
    features: Sequence[PixelFeatures], targets: Sequence[Classes], *, most: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Classes]:
    """Draw pixels, as many of each class that a picture has.

    Args:
        features: of the pictures.
        targets: (H, W) class of every pixel, one a picture.
        most: pixels of a picture.
        rng: of the lots.

    Returns:
        Features (n, d) and classes (n,).
    """
    rows, truth = [], []
    for one, target in zip(features, targets, strict=True):
        present = np.unique(target)
        for number in present:
            places = np.flatnonzero(target == number)
            drawn = rng.choice(places, min(len(places), most // len(present)), replace=False)
            row, column = np.unravel_index(drawn, target.shape)
            rows.append(one.at(row, column))
            truth.append(np.full(len(drawn), number, np.intp))
    return np.concatenate(rows), np.concatenate(truth)


def fit_pixel_classifier(
    drawn: NDArray[np.float32], truth: Classes, *, classes: int, hidden: int, epochs: int = 12, seed: int = 0
) -> PixelClassifier:
    """Fit a classifier on drawn pixels.

    Args:
        drawn: (n, d) features.
        truth: (n,) classes, 0 to `classes` - 1.
        classes: how many there are.
        hidden: units of the hidden layer; 0 for a linear model.
        epochs: passes over the pixels, more where they are few.
        seed: of the first weights and of the order.
    """
    rng = np.random.default_rng(seed)
    mean = drawn.mean(0, dtype=np.float64)
    # Column by column and in single precision: in double, the copies would be four times the features.
    deviation = np.array([column.std(dtype=np.float64) for column in drawn.T])
    scale = np.where(deviation > 1e-6, deviation, np.inf)
    rows = drawn - mean.astype(np.float32)
    rows /= scale.astype(np.float32)
    sizes = [drawn.shape[1], *([hidden] if hidden else []), classes]
    state = []
    for wide, narrow in pairwise(sizes):
        first = rng.standard_normal((wide, narrow)) * np.sqrt(2 / wide) * (1.0 if hidden else 0.01)
        state += [first.astype(np.float32), np.zeros(narrow, np.float32)]
    _adam(state, rows, truth, epochs=epochs, rng=rng)
    # Standardisation goes into the first layer: w (x - m) / s = (w / s) x - w m / s.
    weights = state[0] / scale[:, None]
    offset = state[1] - mean @ weights
    layers = [(weights.astype(np.float32), offset.astype(np.float32))]
    if hidden:
        layers.append((state[2], state[3]))
    return PixelClassifier(layers=tuple(layers))


def _adam(
    state: list[Weights], rows: NDArray[np.float32], truth: Classes, *, epochs: int, rng: np.random.Generator
) -> None:
    """Change weights and offsets, in turn layer by layer, so that the log loss becomes small."""
    first, second = [np.zeros_like(one) for one in state], [np.zeros_like(one) for one in state]
    batches = max(len(rows) // _BATCH, 1)
    epochs = max(epochs, -(-_FEWEST_STEPS // batches))
    steps, step = epochs * batches, 0
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(rows)), batches):
            step += 1
            rate = _RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            for index, gradient in enumerate(_gradients(state, rows[part], truth[part])):
                first[index] += (1 - _MOMENTS[0]) * (gradient - first[index])
                second[index] += (1 - _MOMENTS[1]) * (np.square(gradient) - second[index])
                upright = first[index] / (1 - _MOMENTS[0] ** step)
                spread = np.sqrt(second[index] / (1 - _MOMENTS[1] ** step)) + 1e-8
                state[index] -= np.float32(rate) * (upright / spread)
                if state[index].ndim == 2:
                    state[index] *= np.float32(1 - rate * _PENALTY * 10)


def _gradients(state: list[Weights], rows: NDArray[np.float32], truth: Classes) -> list[Weights]:
    """Gradient of the mean log loss for each array of the state."""
    middle = np.maximum(rows @ state[0] + state[1], 0) if len(state) == 4 else rows
    wrong = _softmax(middle @ state[-2] + state[-1])
    wrong[np.arange(len(truth)), truth] -= 1
    wrong /= len(truth)
    last = [middle.T @ wrong, wrong.sum(0)]
    if len(state) == 2:
        return last
    back = (wrong @ state[-2].T) * (middle > 0)
    return [rows.T @ back, back.sum(0), *last]


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)
