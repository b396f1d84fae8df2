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
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from consilium.generalist.network import rebuilt
from consilium.generalist.weights_file import Convolution, Weights
from consilium.specialist.penalised import Array, Loss
from consilium.specialist.tuning.steps import DEVICE, Settings, Stage, Steps, fitted_head, parts_from_the_top


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
    lots = torch.Generator().manual_seed(seed)
    rows = torch.from_numpy(np.flatnonzero(trained))
    head = fitted_head(frozen[trained], targets[trained], loss, settings.strength)
    steps = Steps(weights, row, head, settings)
    shown, fixed, wanted = (torch.from_numpy(one).to(DEVICE, torch.float32) for one in (maps, below, targets))
    for number in range(1, settings.rounds[-1] + 1):
        steps.go_through(rows, shown, fixed, wanted, lots)
        if number in settings.rounds:
            with steps.averaged():
                yield Candidate(
                    rounds=number,
                    features=steps.features(shown[:, 0], fixed[:, 0]),
                    convolutions=steps.convolutions(),
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
    layers = [parameter for part in parts_from_the_top(stage.pyramid) for parameter in part.parameters()]
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
