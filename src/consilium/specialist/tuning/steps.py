"""One network being trained: its last stage, a linear head above, and the steps both take (PyTorch, extra `train`).

`last_stage.tuned` goes through the cases of one place with it; of hospitals that train together each goes its own few
rounds from where all of them are (`from_common`), and what is sent is the flat `vector` of the weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from consilium.generalist.network import CROSSING, LAST_STAGE, Pyramid, means_and_spreads, rebuilt
from consilium.generalist.weights_file import Convolution, Weights
from consilium.specialist.head import Head, fit_head
from consilium.specialist.penalised import STRENGTHS, Array, Loss

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the stage is trained.

    Attributes:
        rounds: after how many rounds over the cases a candidate is kept, rising.
        batch: cases a step.
        rate: of the last layer (AdamW).
        fall: by what the rate falls from a block to the one below.
        affine: how many times faster gains and offsets of the normalisation move.
        near: weight of staying near the start.
        head_rate: of the head.
        strength: C of the head that training starts from.
        average: share of the running mean of the weights that a step leaves.
        proximal: weight of staying near where these steps began, which with hospitals is where all of them are
            (FedProx; Li et al. 2020, MLSys).
    """

    rounds: tuple[int, ...]
    batch: int = 32
    rate: float = 1e-3
    fall: float = 0.7
    affine: float = 3.0
    near: float = 1e-2
    head_rate: float = 1e-3
    strength: int = 2
    average: float = 0.9
    proximal: float = 0.0


class Stage(nn.Module):
    """From a map of stride 16 to the part of the image vector that the last stage gives; the modality is fixed."""

    def __init__(self, pyramid: Pyramid, row: int) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.row = row

    def forward(self, x: Tensor) -> Tensor:
        """(N, 96, h, w) -> (N, DIMENSIONS - BELOW)."""
        return means_and_spreads(*self.pyramid.last_stage(x, torch.full((len(x),), self.row)))


class LinearHead(nn.Module):
    """The linear model above the stage, its penalty included.

    Args:
        start: it begins as this one.
        penalty: weight of half its squared length, beside the mean loss of the cases.
        unit: of the targets of a regression.
    """

    def __init__(self, start: Head, penalty: float, unit: float = 1.0) -> None:
        super().__init__()
        self.kind = start.loss
        self.register_buffer("mean", torch.from_numpy(start.mean))
        self.register_buffer("scale", torch.from_numpy(start.scale))
        self.weight = nn.Parameter(torch.from_numpy(start.weights.copy()))
        self.offset = nn.Parameter(torch.from_numpy(start.intercepts.copy()))
        self.penalty = 0.5 * penalty
        self.unit = unit

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Mean over the cases, with the penalty."""
        logits = ((features - self.mean) / self.scale) @ self.weight + self.offset
        wanted = targets.flatten(1)
        if self.kind == "softmax":
            cost = functional.cross_entropy(logits, wanted)
        elif self.kind == "logistic":
            cost = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(1).mean()
        else:
            cost = ((logits - wanted) / self.unit).square().sum(1).mean()
        return cost + self.penalty * (self.weight / self.unit).square().sum()


def fitted_head(frozen: NDArray[np.float32], targets: Array, loss: Loss, strength: int) -> LinearHead:
    """The linear model on the frozen features of the cases in one place."""
    fitted = fit_head(frozen, targets, loss, np.full(targets.shape[1], strength, np.intp))
    # A quantity has a unit; costs of all kinds have to be of one size.
    unit = max(float(targets.std()), 1e-6) if loss == "squares" else 1.0
    return LinearHead(fitted, 1 / (STRENGTHS[strength] * len(frozen)), unit)


@contextmanager
def _without_subnormals() -> Iterator[None]:
    """Numbers too small to be normal count as zero, which is quicker; whoever computes next has them again."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


class Steps:
    """The weights on their way.

    Args:
        weights: of the encoder, near which they are held.
        row: of the modality in its table.
        head: above the stage.
        how: how they move.
        common: (length,) where all hospitals are, to begin there; the encoder and the head given, when left out.
    """

    def __init__(
        self, weights: Weights, row: int, head: LinearHead, how: Settings, common: NDArray[np.float32] | None = None
    ) -> None:
        network = rebuilt(weights)
        self.stage = Stage(network, row).to(DEVICE, memory_format=torch.channels_last).requires_grad_(False)
        self.head = head.to(DEVICE)
        self._how = how
        self._layers = network.convolutions()[LAST_STAGE:]
        self._groups = _groups(network, self.head, how)
        self._anchor = self._copied()
        if common is not None:
            _give(self._groups, self._from_flat(common))
        self._began = self._copied()
        self._running = self._copied()
        self._optimiser = torch.optim.AdamW(self._groups, weight_decay=0.0, foreach=True)
        self._taken = 0

    def go_through(self, rows: Tensor, shown: Tensor, fixed: Tensor, wanted: Tensor, lots: torch.Generator) -> None:
        """Learn once from each of some cases, of one view each, drawn by lot.

        Args:
            rows: (m,) their numbers.
            shown: (n, views, 96, h, w) maps of stride 16.
            fixed: (n, views, BELOW) the part of the image vector below.
            wanted: (n, problems, columns) targets.
            lots: for order and views.
        """
        how = self._how
        order = rows[torch.randperm(len(rows), generator=lots)]
        with _without_subnormals():
            for part in order.split(how.batch):
                if len(part) < min(2, len(rows)):
                    continue
                view = torch.randint(shown.shape[1], (len(part),), generator=lots)
                seen = shown[part, view].contiguous(memory_format=torch.channels_last)
                cost = self.head.loss(torch.cat([fixed[part, view], self.stage(seen)], 1), wanted[part])
                self._optimiser.zero_grad()
                cost.backward()
                self._optimiser.step()
                self._taken += 1
                _hold(self._groups, self._anchor, how.near)
                if how.proximal > 0:
                    _hold(self._groups, self._began, how.proximal)
                _follow(self._running, self._groups, min(how.average, (1 + self._taken) / (10 + self._taken)))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it the weights are their running mean."""
        kept = self._copied()
        _give(self._groups, self._running)
        try:
            yield
        finally:
            _give(self._groups, kept)

    def vector(self) -> NDArray[np.float32]:
        """(length,) all weights that move, those of the stage first."""
        with torch.no_grad():
            flat = [one.detach().contiguous().reshape(-1) for one in self._every(self._groups)]
            return np.asarray(torch.cat(flat).cpu().numpy(), np.float32)

    def features(self, maps: Tensor, below: Tensor, *, batch: int = 64) -> NDArray[np.float32]:
        """(n, D) image vectors of (n, 96, h, w) and (n, BELOW)."""
        parts = []
        with torch.no_grad():
            for seen, fixed in zip(maps.split(batch), below.split(batch), strict=True):
                seen = seen.contiguous(memory_format=torch.channels_last)
                parts.append(torch.cat([fixed, self.stage(seen)], 1))
        return np.asarray(torch.cat(parts).cpu().numpy(), np.float32)

    def convolutions(self) -> dict[int, Convolution]:
        """Those of the stage with their normalisation folded in, as the file has them."""
        return _folded(self._layers)

    def _copied(self) -> list[list[Tensor]]:
        return [[one.detach().clone() for one in group["params"]] for group in self._groups]

    @staticmethod
    def _every(groups: list[dict[str, Any]]) -> list[Tensor]:
        return [one for group in (*groups[1:], groups[0]) for one in group["params"]]

    def _from_flat(self, vector: NDArray[np.float32]) -> list[list[Tensor]]:
        every = self._every(self._groups)
        sizes = [one.numel() for one in every]
        if vector.shape != (sum(sizes),):
            raise ValueError(f"{vector.shape} weights where the network has {sum(sizes)}")
        parts = torch.from_numpy(np.array(vector, np.float32)).to(DEVICE).split(sizes)
        values = {id(one): part.reshape(one.shape) for one, part in zip(every, parts, strict=True)}
        return [[values[id(one)] for one in group["params"]] for group in self._groups]


def _groups(pyramid: Pyramid, head: LinearHead, how: Settings) -> list[dict[str, Any]]:
    """Parameters with their rates, from the head down."""
    found: list[dict[str, Any]] = [{"params": list(head.parameters()), "lr": how.head_rate}]
    for depth, part in enumerate(parts_from_the_top(pyramid)):
        kernels = [one.weight for one in part.modules() if isinstance(one, nn.Conv2d)]
        affine = [p for one in part.modules() if isinstance(one, nn.BatchNorm2d) for p in one.parameters()]
        for parameter in (*kernels, *affine):
            parameter.requires_grad_(True)
        rate = how.rate * how.fall**depth
        found += [{"params": kernels, "lr": rate}, {"params": affine, "lr": rate * how.affine}]
    return found


def parts_from_the_top(pyramid: Pyramid) -> list[nn.Module]:
    """The last stage from the top down."""
    return [pyramid.last, *reversed(list(pyramid.blocks[CROSSING:]))]


def _hold(groups: list[dict[str, Any]], started: list[list[Tensor]], near: float) -> None:
    """Draw the stage to where it was; the head has its own penalty."""
    with torch.no_grad():
        for group, before in zip(groups[1:], started[1:], strict=True):
            torch._foreach_lerp_(group["params"], before, near)


def _follow(running: list[list[Tensor]], groups: list[dict[str, Any]], kept: float) -> None:
    with torch.no_grad():
        for mean, group in zip(running, groups, strict=True):
            torch._foreach_lerp_(mean, group["params"], 1 - kept)


def _give(groups: list[dict[str, Any]], values: list[list[Tensor]]) -> None:
    with torch.no_grad():
        for group, others in zip(groups, values, strict=True):
            torch._foreach_copy_(group["params"], others)


def _folded(layers: list[nn.Module]) -> dict[int, Convolution]:
    """The stage's convolutions with their normalisation folded in, as the file has them."""
    found = {}
    with torch.no_grad():
        for number, layer in enumerate(layers, start=LAST_STAGE):
            norm = layer.norm
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            kernel = layer.conv.weight * gain[:, None, None, None]
            offset = norm.bias - norm.running_mean * gain
            found[number] = (kernel.cpu().contiguous().numpy().copy(), offset.cpu().numpy().copy())
    return found
