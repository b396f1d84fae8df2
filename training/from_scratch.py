"""ResNet-18 from random weights, on the few cases that a specialist is made of: what frozen features are held against.

Network as in He et al. (2016), with the stem of ImageNet; weights random, nothing learnt elsewhere. Pictures have 64
pixels a side and are cut, mirrored (those without an upper side turned as well) and made brighter or darker anew each
time. Stochastic gradient descent with Nesterov's momentum, one cycle of the rate, labels smoothed a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training.generalist.augment import cut, random_view
from training.networks import Residual, conv
from training.schedule import Schedule

SIDE = 64


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How it is taught.

    Attributes:
        epochs: how often each case is shown.
        least_steps: more epochs where there are so few cases that they make fewer steps.
        batch: pictures a step.
        rate: highest learning rate.
        decay: of weights.
        smoothing: of labels.
    """

    epochs: int = 30
    least_steps: int = 100
    batch: int = 32
    rate: float = 0.03
    decay: float = 5e-4
    smoothing: float = 0.05

    def steps(self, cases: int) -> int:
        """Steps for so many cases."""
        return max(self.epochs * cases // self.batch, self.least_steps)


class ResNet18(nn.Module):
    """(N, 3, H, W) standardised pictures to (N, classes) logits."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        inputs = 64
        for outputs, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            blocks += [Residual(inputs, outputs, stride=stride), Residual(outputs, outputs)]
            inputs = outputs
        self.stem = nn.Sequential(conv(3, 64, stride=2, kernel=7), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(*blocks)
        self.out = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.blocks(self.stem(x)).mean((2, 3)))


def shown(pictures: NDArray[np.float32]) -> Tensor:
    """(N, H, W, 3) float32 0..1 as (N, 3, SIDE, SIDE), by the mean of areas."""
    channels_first = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    return functional.interpolate(channels_first, (SIDE, SIDE), mode="area").contiguous()


def from_scratch(
    known: NDArray[np.float32],
    labels: NDArray[np.intp],
    asked: NDArray[np.float32],
    *,
    any_way_up: bool,
    seed: int,
    recipe: Recipe | None = None,
) -> NDArray[np.float64]:
    """Teach a ResNet-18 known pictures and ask it about others.

    Args:
        known: (N, H, W, 3) float32 0..1.
        labels: (N,) 0..classes - 1, every class among them.
        asked: (M, H, W, 3) float32 0..1.
        any_way_up: whether pictures have no upper side.
        seed: of weights, order and augmentation.
        recipe: how it is taught.

    Returns:
        (M, classes) probabilities.
    """
    recipe = recipe or Recipe()
    torch.manual_seed(seed)
    x, y = shown(known), torch.from_numpy(np.asarray(labels, np.int64))
    middle, spread = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True) + 1e-3
    network = ResNet18(int(y.max()) + 1).to(memory_format=torch.channels_last)
    weights = [one for one in network.parameters() if one.ndim > 1]
    rest = [one for one in network.parameters() if one.ndim == 1]
    groups = [{"params": weights, "weight_decay": recipe.decay}, {"params": rest, "weight_decay": 0.0}]
    optimiser = torch.optim.SGD(groups, lr=recipe.rate, momentum=0.9, nesterov=True)
    schedule = Schedule(recipe.rate, recipe.steps(len(y)))
    order = torch.empty(0, dtype=torch.long)
    network.train()
    while not schedule.over:
        if len(order) < recipe.batch:
            order = torch.cat([order, torch.randperm(len(y))])
        rows, order = order[: recipe.batch], order[recipe.batch :]
        batch = cut(x[rows], random_view(torch.full((len(rows),), any_way_up)), SIDE)
        gain = 1 + 0.2 * (2 * torch.rand(len(rows), 1, 1, 1) - 1)
        offset = 0.1 * (2 * torch.rand(len(rows), 1, 1, 1) - 1)
        logits = _logits(network, (batch * gain + offset - middle) / spread)
        loss = functional.cross_entropy(logits, y[rows], label_smoothing=recipe.smoothing)
        optimiser.zero_grad()
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = schedule.advance() if group is optimiser.param_groups[0] else schedule.now()
        optimiser.step()
    network.eval()
    with torch.inference_mode():
        parts = [_logits(network, (part - middle) / spread) for part in shown(asked).split(128)]
        return np.asarray(torch.cat(parts).softmax(1).double().numpy())


def _logits(network: nn.Module, batch: Tensor) -> Tensor:
    # Sums are kept in single precision; on processors that multiply in bfloat16 it takes two thirds of the time.
    with torch.autocast("cpu", torch.bfloat16):
        logits: Tensor = network(batch.contiguous(memory_format=torch.channels_last))
    return logits.float()
