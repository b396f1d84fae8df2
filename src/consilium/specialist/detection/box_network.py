"""From features of a place to what is there and where it ends: one hidden layer, classes and four edges at once.

Fitted with NumPy alone: Adam (Kingma and Ba 2015) with a rate that falls as a half cosine, decoupled weight decay and
dropout (Srivastava et al. 2014). Rare classes weigh more, by the root of how rare they are: else the edges of the
common ones would take the hidden layer for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]
Classes = NDArray[np.intp]

EDGES = 4
_BATCH = 1024
_FEWEST_STEPS = 300
_RATE = 2e-3
_DECAY = 0.03
_DROPOUT = 0.3
_MOMENTS = (0.9, 0.999)
_HEAVIEST = 4.0
_OF_EDGES = 2.0
"""Weight of the loss of the edges beside that of the classes."""


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What a network learns from.

    Attributes:
        rows: (n, d) float32 features.
        classes: (n,), 0 is background.
        edges: (n, 4) float32 in the units of the task.
        bounded: (n,) whether the edges mean anything.
    """

    rows: NDArray[np.float32]
    classes: Classes
    edges: NDArray[np.float32]
    bounded: NDArray[np.bool_]


def joined(parts: list[Examples]) -> Examples:
    """Examples of several pictures as one."""
    return Examples(
        rows=np.concatenate([one.rows for one in parts]),
        classes=np.concatenate([one.classes for one in parts]),
        edges=np.concatenate([one.edges for one in parts]),
        bounded=np.concatenate([one.bounded for one in parts]),
    )


@dataclass(frozen=True, kw_only=True)
class BoxNetwork:
    """A fitted network; standardisation is part of its weights.

    Attributes:
        first: weights (d, hidden) and offset (hidden,).
        second: weights (hidden, classes + 4) and offset.
    """

    first: tuple[Weights, Weights]
    second: tuple[Weights, Weights]

    def read(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities (n, classes, the background first) and edges (n, 4) of features (n, d)."""
        return self.finish(rows @ self.first[0])

    def finish(self, projected: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The same from features that were multiplied by the first weights already, (n, hidden)."""
        out = np.maximum(projected + self.first[1], 0) @ self.second[0] + self.second[1]
        return _softmax(out[:, :-EDGES]), out[:, -EDGES:]


def fit_box_network(examples: Examples, *, classes: int, hidden: int, epochs: int, seed: int) -> BoxNetwork:
    """Fit a network.

    Args:
        examples: of every class.
        classes: how many there are, the background included.
        hidden: units of the hidden layer.
        epochs: passes over the examples, more where they are few.
        seed: of the first weights, the order and the dropout.
    """
    rng = np.random.default_rng(seed)
    middle, scale = _standard(examples.rows)
    rows = np.asarray((examples.rows - middle) / scale, np.float32)
    edge_middle, edge_scale = _standard(examples.edges[examples.bounded])
    edges = np.asarray((examples.edges - edge_middle) / edge_scale, np.float32)
    state = [
        (rng.standard_normal((rows.shape[1], hidden)) * np.sqrt(2 / rows.shape[1])).astype(np.float32),
        np.zeros(hidden, np.float32),
        (rng.standard_normal((hidden, classes + EDGES)) * np.sqrt(1 / hidden)).astype(np.float32),
        np.zeros(classes + EDGES, np.float32),
    ]
    standard = Examples(rows=rows, classes=examples.classes, edges=edges, bounded=examples.bounded)
    _adam(state, standard, classes=classes, epochs=epochs, rng=rng)
    # Standardisation goes into the layers: w (x - m) / s = (w / s) x - w m / s, and s y + m at the other end.
    weights = state[0] / scale[:, None]
    back = np.where(np.isfinite(edge_scale), edge_scale, 0.0)
    state[2][:, -EDGES:] *= back
    state[3][-EDGES:] = state[3][-EDGES:] * back + edge_middle
    return BoxNetwork(
        first=(weights.astype(np.float32), (state[1] - middle @ weights).astype(np.float32)),
        second=(state[2], state[3]),
    )


def _standard(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and deviations of the columns; infinite where nothing varies, so that it is ignored."""
    if not len(values):
        return np.zeros(values.shape[1]), np.full(values.shape[1], np.inf)
    deviation = values.std(0, dtype=np.float64)
    return values.mean(0, dtype=np.float64), np.where(deviation > 1e-6, deviation, np.inf)


def _adam(state: list[Weights], examples: Examples, *, classes: int, epochs: int, rng: np.random.Generator) -> None:
    """Change weights and offsets so that the loss becomes small."""
    first, second = [np.zeros_like(one) for one in state], [np.zeros_like(one) for one in state]
    counts = np.bincount(examples.classes, minlength=classes)
    heavy = np.clip(np.sqrt(counts.max() / np.maximum(counts, 1)), 1, _HEAVIEST).astype(np.float32)
    batches = max(len(examples.rows) // _BATCH, 1)
    epochs = max(epochs, -(-_FEWEST_STEPS // batches))
    steps, step = epochs * batches, 0
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(examples.rows)), batches):
            step += 1
            rate = np.float32(_RATE * 0.5 * (1 + np.cos(np.pi * step / steps)))
            for index, gradient in enumerate(_gradients(state, examples, part, heavy, rng)):
                first[index] += (1 - _MOMENTS[0]) * (gradient - first[index])
                second[index] += (1 - _MOMENTS[1]) * (np.square(gradient) - second[index])
                spread = np.sqrt(second[index] / (1 - _MOMENTS[1] ** step)) + 1e-8
                state[index] -= rate * (first[index] / (1 - _MOMENTS[0] ** step) / spread)
                if state[index].ndim == 2:
                    state[index] *= 1 - rate * np.float32(_DECAY)


def _gradients(
    state: list[Weights], examples: Examples, part: Classes, heavy: Weights, rng: np.random.Generator
) -> list[Weights]:
    """Gradients of log loss and of Huber's loss of the edges, over a part of the examples."""
    rows, truth, bounded = examples.rows[part], examples.classes[part], examples.bounded[part]
    middle = np.maximum(rows @ state[0] + state[1], 0)
    kept = (rng.random(middle.shape, np.float32) >= _DROPOUT).astype(np.float32) / np.float32(1 - _DROPOUT)
    out = (middle * kept) @ state[2] + state[3]
    weight = heavy[truth][:, None]
    wrong = _softmax(out[:, :-EDGES])
    wrong[np.arange(len(truth)), truth] -= 1
    wrong *= weight / weight.sum()
    of_edges = weight * bounded[:, None]
    off = np.clip(out[:, -EDGES:] - examples.edges[part], -1, 1) * of_edges
    off *= _OF_EDGES / max(float(of_edges.sum()), 1.0)
    error = np.concatenate([wrong, off], axis=1).astype(np.float32)
    back = (error @ state[2].T) * kept * (middle > 0)
    return [rows.T @ back, back.sum(0), (middle * kept).T @ error, error.sum(0)]


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)
