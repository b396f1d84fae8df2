"""The generalist as a PyTorch module: MobileNetV2 (Sandler et al. 2018) that is told the modality, as a pyramid.

Strides 4, 8, 16 and 32 come out. Padding is that of TensorFlow (one column and row at the far side where a stride is
2), so that ImageNet weights trained there mean the same here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from consilium.generalist.weights_file import Weights

MODALITIES = (
    "ct", "mr", "us", "xr", "mg", "dx-dental", "xa", "pt", "nm", "op", "opt", "es", "dms", "xc", "sm", "cyto", "smear",
    "karyo", "fluo",
)  # fmt: skip
"""The nineteen, in the order of the rows of every modality table; the row after them stands for an unknown one."""

UNKNOWN = len(MODALITIES)

BLOCKS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
"""Expansion, channels, repeats and first stride of each group of blocks (Sandler et al. 2018, table 2)."""

LEVELS = {4: 24, 8: 32, 16: 96, 32: 320}
"""Stride and channels of what the pyramid gives."""

LAST = 1280
EXPANDED = 576
"""Channels of the last stage of stride 16 where it is widest, in the block that goes over to stride 32."""

LEARNT_ON = EXPANDED + LAST
"""Dimensions of what the tasks of an image read: means of the widest map of stride 16 and of the last map."""

DIMENSIONS = 2 * (sum(LEVELS.values()) + LEARNT_ON)
"""Of the image vector: mean and standard deviation of every level, of the widest map of stride 16, of the last map.

Chosen by probes on sets that may be learnt from, features as ImageNet left them: the spread of a map tells of texture
what its mean does not, and the fine levels of what is small."""


CROSSING = 13
"""The block that goes over to stride 32: it and what follows are the last stage."""

LAST_STAGE = 3 * CROSSING
"""Number of the first convolution of the last stage, in the order in which they run: of the first block there are two,
of the others three, and the stem is one."""

BELOW = 2 * (LEVELS[4] + LEVELS[8] + LEVELS[16])
"""Dimensions at the beginning of the image vector that the last stage has no part in."""


class Convolution(nn.Module):
    """Convolution and batch normalisation, then ReLU6 unless it is the linear end of a block."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, *, linear: bool = False
    ):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, (kernel // 2) * (stride == 1), groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.linear = linear
        self.far = kernel > 1 and stride == 2

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""
        if self.far:
            x = functional.pad(x, (0, 1, 0, 1))
        x = self.norm(self.conv(x))
        return x if self.linear else functional.relu6(x)


class Block(nn.Module):
    """The inverted residual."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = Convolution(inputs, wide, 1) if expansion > 1 else nn.Identity()
        self.depth = Convolution(wide, wide, 3, stride, wide)
        self.project = Convolution(wide, outputs, 1, linear=True)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""
        y = self.project(self.depth(self.expand(x)))
        return x + y if self.residual else y


class Modulation(nn.Module):
    """A gain and an offset a channel for each modality (FiLM, Perez et al. 2018); at first they change nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Parameter(torch.zeros(len(MODALITIES), 2 * channels))

    def table(self, seen: Tensor) -> Tensor:
        """(20, 2C): the rows of the modalities that were learnt, and their mean for all others.

        Args:
            seen: (19,) float, 1 for a modality that was learnt.
        """
        mean = (self.change * seen[:, None]).sum(0, keepdim=True) / seen.sum().clamp(min=1)
        rows = torch.where(seen[:, None] > 0, self.change, mean)
        return torch.cat([rows, mean])

    def forward(self, x: Tensor, modality: Tensor, seen: Tensor) -> Tensor:
        """(N, C, H, W) and (N,) the row of each picture's modality -> (N, C, H, W)."""
        gain, offset = self.table(seen)[modality].chunk(2, 1)
        return x * (1 + gain[:, :, None, None]) + offset[:, :, None, None]


@dataclass(frozen=True)
class Maps:
    """What the trunk gives: the pyramid, and the two maps whose means are the image vector."""

    levels: tuple[Tensor, Tensor, Tensor, Tensor]
    expanded: Tensor
    last: Tensor

    def means(self) -> Tensor:
        """(N, LEARNT_ON) what the tasks of an image read while the network learns."""
        return torch.cat([self.expanded.mean((2, 3)), self.last.mean((2, 3))], 1)

    def image(self) -> Tensor:
        """(N, DIMENSIONS) the image vector."""
        return means_and_spreads(*self.levels, self.expanded, self.last)


def means_and_spreads(*maps: Tensor) -> Tensor:
    """(N, 2 C ...) mean and standard deviation of each channel, map after map."""
    parts = []
    for one in maps:
        mean = one.mean((2, 3))
        # Written out, as the export has no operator for it.
        spread = (one - mean[:, :, None, None]).square().mean((2, 3)).clamp(min=1e-12).sqrt()
        parts += [mean, spread]
    return torch.cat(parts, 1)


class Pyramid(nn.Module):
    """(N, 3, H, W) in 0..1 and the number of each picture's modality -> `Maps`; sides are multiples of 32."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, 32, 3, 2)
        blocks, inputs = [], 32
        for expansion, outputs, repeats, stride in BLOCKS:
            for number in range(repeats):
                blocks.append(Block(inputs, outputs, expansion, stride if number == 0 else 1))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.last = Convolution(320, LAST, 1)
        self.modulations = nn.ModuleList(Modulation(channels) for channels in (32, *LEVELS.values()))
        self.register_buffer("seen", torch.zeros(len(MODALITIES)))

    def forward(self, pictures: Tensor, modality: Tensor) -> Maps:
        """(N, 3, H, W) 0..1 and (N,) the row of each picture's modality -> its maps."""
        stem, *per_level = self.modulations
        x = stem(self.stem(pictures * 2 - 1), modality, self.seen)
        levels: list[Tensor] = []
        for number, block in enumerate(self.blocks[:CROSSING]):
            x = block(x)
            if number in (2, 5, CROSSING - 1):
                x = per_level[len(levels)](x, modality, self.seen)
                levels.append(x)
        coarsest, expanded, last = self.last_stage(x, modality)
        return Maps((levels[0], levels[1], levels[2], coarsest), expanded, last)

    def last_stage(self, x: Tensor, modality: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From the level of stride 16 (N, 96, H / 16, W / 16) to that of 32, the widest map of 16, and the last map."""
        crossing = self.blocks[CROSSING]
        expanded = crossing.expand(x)
        x = crossing.project(crossing.depth(expanded))
        for block in self.blocks[CROSSING + 1 :]:
            x = block(x)
        x = self.modulations[-1](x, modality, self.seen)
        return x, expanded, self.last(x)

    def convolutions(self) -> list[Convolution]:
        """In the order in which they run."""
        return [layer for layer in self.modules() if isinstance(layer, Convolution)]


def rebuilt(weights: Weights) -> Pyramid:
    """The network of an ONNX file, ready for use; what it gives differs from the file's by rounding alone.

    Batch normalisation, folded in the file, is the identity with an offset, so that it can be learnt again.

    Raises:
        ValueError: the weights are of another network.
    """
    network = Pyramid()
    network.eval()
    with torch.no_grad():
        for layer, (kernel, offset) in zip(network.convolutions(), weights.convolutions, strict=True):
            layer.conv.weight.copy_(_of_shape(kernel, layer.conv.weight))
            layer.norm.bias.copy_(_of_shape(offset, layer.norm.bias))
            layer.norm.running_var.fill_(1 - layer.norm.eps)
        learnt = weights.modulations[0][:UNKNOWN] != weights.modulations[0][UNKNOWN]
        # A row that equals the mean of the others may as well count as not learnt; a lone one must not.
        network.seen.copy_(torch.from_numpy(learnt.any(1)) if learnt.any() else torch.ones(UNKNOWN))
        for modulation, rows in zip(network.modulations, weights.modulations, strict=True):
            modulation.change.copy_(_of_shape(rows[:UNKNOWN], modulation.change))
    return network


def _of_shape(values: NDArray[np.float32], like: Tensor) -> Tensor:
    if values.shape != tuple(like.shape):
        raise ValueError(f"weights of shape {values.shape} where the network has {tuple(like.shape)}")
    return torch.from_numpy(values)
