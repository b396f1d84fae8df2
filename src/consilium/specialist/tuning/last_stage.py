"""The last stage of the encoder, trained on labelled cases (PyTorch, extra `train`).

All below stride 32 stays as it was, statistics of the normalisation included. What moves is held near where it started
(L2-SP; Li et al. 2018, ICML, "Explicit inductive bias for transfer learning"), the more so the lower it lies: rates
fall from block to block (Howard and Ruder 2018, ACL). The running mean of the weights is taken, not the last step. The
head starts as the linear model on frozen features: without that, random weights would first spoil what they read (Kumar
et al. 2022, ICLR). Classes are not weighted, so that probabilities stay those of the cases.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from consilium.generalist.network import (
    CROSSING,
    LAST_STAGE,
    Pyramid,
    means_and_spreads,
    rebuilt,
)
from consilium.generalist.weights_file import Convolution, Weights
from consilium.specialist.head import fit_head
from consilium.specialist.penalised import STRENGTHS, Array, Loss, basis_of

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


class Stage(nn.Module):
    """From a map of stride 16 to the part of the image vector that the last stage gives; the modality is fixed."""

    def __init__(self, pyramid: Pyramid, row: int) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.row = row

    def forward(self, x: Tensor) -> Tensor:
        """(N, 96, h, w) -> (N, DIMENSIONS - BELOW)."""
        return means_and_spreads(*self.pyramid.last_stage(x, torch.full((len(x),), self.row)))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The stage after some rounds.

    Attributes:
        rounds: over the cases that it learnt from.
        features: (n, D) float32, the image vectors of all cases, those it did not learn from among them.
        convolutions: what it became, by number, for `weights_file.with_convolutions`.
    """

    rounds: int
    features: NDArray[np.float32]
    convolutions: dict[int, Convolution]


def tuned(
    maps: NDArray[np.float32],
    below: NDArray[np.float32],
    targets: Array,
    trained: NDArray[np.bool_],
    *,
    weights: Weights,
    row: int,
    loss: Loss,
    frozen: NDArray[np.float32],
    seed: int,
    settings: Settings,
) -> Iterator[Candidate]:
    """Train the last stage on some cases.

    Args:
        maps: (n, views, 96, h, w) of stride 16, the first view being the picture as it is.
        below: (n, views, BELOW) the part of the image vector that the last stage has no part in.
        targets: (n, problems, columns) as heads take them.
        trained: (n,) cases to learn from.
        weights: of the encoder.
        row: of the modality in its table.
        loss: of the head.
        frozen: (n, D) features of the encoder as it came.
        seed: of order, views, and nothing else.
        settings: how.

    Yields:
        A candidate after each number of rounds in the settings.
    """
    how = settings
    torch.set_flush_denormal(True)
    lots = torch.Generator().manual_seed(seed)
    rows = torch.from_numpy(np.flatnonzero(trained))
    start = rebuilt(weights)
    stage = Stage(start, row).to(DEVICE, memory_format=torch.channels_last).requires_grad_(False)
    head = _Head(frozen[trained], targets[trained], loss, how.strength).to(DEVICE)
    layers = start.convolutions()[LAST_STAGE:]
    groups = _groups(start, head, how)
    started = [[one.detach().clone() for one in group["params"]] for group in groups]
    running = [[one.clone() for one in group] for group in started]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.0, foreach=True)
    shown, fixed, wanted = (torch.from_numpy(one).to(DEVICE, torch.float32) for one in (maps, below, targets))
    steps = 0
    for number in range(1, how.rounds[-1] + 1):
        order = rows[torch.randperm(len(rows), generator=lots)]
        for part in order.split(how.batch):
            if len(part) < min(2, len(rows)):
                continue
            view = torch.randint(shown.shape[1], (len(part),), generator=lots)
            seen = shown[part, view].contiguous(memory_format=torch.channels_last)
            cost = head.loss(torch.cat([fixed[part, view], stage(seen)], 1), wanted[part])
            optimiser.zero_grad()
            cost.backward()
            optimiser.step()
            steps += 1
            _hold(groups, started, how.near)
            _follow(running, groups, min(how.average, (1 + steps) / (10 + steps)))
        if number in how.rounds:
            with _averaged(groups, running):
                yield Candidate(
                    rounds=number,
                    features=_features(stage, shown[:, 0], fixed[:, 0]),
                    convolutions=_folded(layers),
                )


def seconds_a_case(weights: Weights, maps: NDArray[np.float32], row: int, *, batch: int = 32) -> tuple[float, float]:
    """Seconds to learn from a case once, and to look at one, on this machine now.

    Args:
        weights: of the encoder.
        maps: (n, 96, h, w) of stride 16.
        row: of the modality.
        batch: cases a step.
    """
    stage = Stage(rebuilt(weights), row).to(DEVICE, memory_format=torch.channels_last)
    shown = torch.from_numpy(np.resize(maps, (batch, *maps.shape[1:]))).to(DEVICE)
    shown = shown.contiguous(memory_format=torch.channels_last)
    layers = [parameter for part in _parts(stage.pyramid) for parameter in part.parameters()]
    stage.requires_grad_(False)
    for parameter in layers:
        parameter.requires_grad_(True)
    taken: list[tuple[float, float]] = []
    for _ in range(3):
        begun = time.perf_counter()
        with torch.no_grad():
            stage(shown)
        looked = time.perf_counter()
        stage(shown).square().mean().backward()
        taken.append((time.perf_counter() - looked, looked - begun))
    # The first also prepares kernels; moving weights takes a sixth of a step again.
    train, look = np.median(taken[1:], axis=0) / batch
    return float(train) * 7 / 6, float(look)


class _Head(nn.Module):
    """The linear model that training starts from, its penalty included."""

    def __init__(self, frozen: NDArray[np.float32], targets: Array, loss: Loss, strength: int) -> None:
        super().__init__()
        basis = basis_of(frozen)
        fitted = fit_head(frozen, targets, loss, np.full(targets.shape[1], strength, np.intp))
        self.kind = loss
        self.shape = targets.shape[1:]
        self.register_buffer("mean", torch.from_numpy(basis.mean))
        self.register_buffer("scale", torch.from_numpy(basis.scale))
        self.weight = nn.Parameter(torch.from_numpy(fitted.weights.copy()))
        self.offset = nn.Parameter(torch.from_numpy(fitted.intercepts.copy()))
        self.penalty = 0.5 / (STRENGTHS[strength] * len(frozen))
        # A quantity has a unit; costs of all kinds have to be of one size.
        self.unit = max(float(targets.std()), 1e-6) if loss == "squares" else 1.0

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


def _groups(pyramid: Pyramid, head: _Head, how: Settings) -> list[dict[str, Any]]:
    """Parameters with their rates, from the head down."""
    found: list[dict[str, Any]] = [{"params": list(head.parameters()), "lr": how.head_rate}]
    for depth, part in enumerate(_parts(pyramid)):
        kernels = [one.weight for one in part.modules() if isinstance(one, nn.Conv2d)]
        affine = [p for one in part.modules() if isinstance(one, nn.BatchNorm2d) for p in one.parameters()]
        for parameter in (*kernels, *affine):
            parameter.requires_grad_(True)
        rate = how.rate * how.fall**depth
        found += [{"params": kernels, "lr": rate}, {"params": affine, "lr": rate * how.affine}]
    return found


def _parts(pyramid: Pyramid) -> list[nn.Module]:
    """The last stage from the top down."""
    return [pyramid.last, *reversed(list(pyramid.blocks[CROSSING:]))]


def _hold(groups: list[dict[str, Any]], started: list[list[Tensor]], near: float) -> None:
    """Draw the stage back to where it started; the head has its own penalty."""
    with torch.no_grad():
        for group, before in zip(groups[1:], started[1:], strict=True):
            torch._foreach_lerp_(group["params"], before, near)


def _follow(running: list[list[Tensor]], groups: list[dict[str, Any]], kept: float) -> None:
    with torch.no_grad():
        for mean, group in zip(running, groups, strict=True):
            torch._foreach_lerp_(mean, group["params"], 1 - kept)


@contextmanager
def _averaged(groups: list[dict[str, Any]], running: list[list[Tensor]]) -> Iterator[None]:
    """Within it the stage has its running mean."""
    kept = [[one.detach().clone() for one in group["params"]] for group in groups]
    _give(groups, running)
    try:
        yield
    finally:
        _give(groups, kept)


def _give(groups: list[dict[str, Any]], values: list[list[Tensor]]) -> None:
    with torch.no_grad():
        for group, others in zip(groups, values, strict=True):
            torch._foreach_copy_(group["params"], others)


def _features(stage: Stage, maps: Tensor, below: Tensor, *, batch: int = 64) -> NDArray[np.float32]:
    parts = []
    with torch.no_grad():
        for seen, fixed in zip(maps.split(batch), below.split(batch), strict=True):
            parts.append(torch.cat([fixed, stage(seen.contiguous(memory_format=torch.channels_last))], 1))
    return np.asarray(torch.cat(parts).cpu().numpy(), np.float32)


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
