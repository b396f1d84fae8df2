"""What is done to a batch before the network sees it; masks and boxes follow the pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class View:
    """How each picture of a batch is cut: a square of side `scale` around `centre`, then mirrored and transposed.

    Attributes:
        centre: (N, 2) x and y in -1..1. scale: (N, 2) half sides in x and y, 1 is the whole picture.
        mirror: (N, 2) 1 or -1 in x and y. transpose: (N,) bool.
    """

    centre: Tensor
    scale: Tensor
    mirror: Tensor
    transpose: Tensor


def random_view(free: Tensor) -> View:
    """A view for each picture.

    Args:
        free: (N,) bool, whether the picture has no upper side.
    """
    n = len(free)
    side = 0.6 + 0.4 * torch.rand(n, 1)
    scale = (side * torch.exp(0.12 * torch.randn(n, 2))).clamp(0.4, 1.0)
    centre = (2 * torch.rand(n, 2) - 1) * (1 - scale)
    mirror = torch.where(torch.rand(n, 2) < 0.5, -1.0, 1.0)
    mirror[:, 1] = torch.where(free, mirror[:, 1], torch.ones(n))
    return View(centre, scale, mirror, free & (torch.rand(n) < 0.5))


def cut(pictures: Tensor, view: View, side: int, *, nearest: bool = False) -> Tensor:
    """(N, C, H, W) -> (N, C, side, side)."""
    steps = (torch.arange(side, dtype=torch.float32) + 0.5) * 2 / side - 1
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    swap = view.transpose[:, None, None]
    across, down = torch.where(swap, y, x), torch.where(swap, x, y)
    grid = torch.stack([across, down], -1) * (view.mirror * view.scale)[:, None, None] + view.centre[:, None, None]
    how = "nearest" if nearest else "bilinear"
    return functional.grid_sample(pictures, grid, mode=how, padding_mode="border", align_corners=False)


def move_boxes(boxes: Tensor, view: View, which: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes into the views, and which of them still have their centre inside.

    Args:
        boxes: (M, 5) class, x, y, width, height in 0..1.
        view: of the pictures.
        which: (M,) the picture of each box.
    """
    place = (boxes[:, 1:3] * 2 - 1 - view.centre[which]) / (view.scale * view.mirror)[which]
    size = boxes[:, 3:5] / view.scale[which]
    turned = view.transpose[which][:, None]
    place, size = (torch.where(turned, one.flip(1), one) for one in (place, size))
    inside = (place.abs() < 1).all(1)
    return torch.cat([boxes[:, :1], place / 2 + 0.5, size], 1), inside


def change_look(pictures: Tensor) -> Tensor:
    """Other gain, gamma, colour, sharpness, noise; grey pictures are now and then inverted. (N, 3, H, W) 0..1."""
    n = len(pictures)

    def some(chance: float) -> Tensor:
        return (torch.rand(n, 1, 1, 1) < chance).float()

    grey = (pictures[:, :1] - pictures[:, 1:2]).abs().amax((1, 2, 3), keepdim=True) < 0.02
    x = pictures.clamp(1e-4, 1) ** torch.exp(0.25 * torch.randn(n, 1, 1, 1) * some(0.7))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * torch.exp(0.2 * torch.randn(n, 1, 1, 1)) + mean + 0.06 * torch.randn(n, 1, 1, 1)
    x = torch.where(grey, x, x * torch.exp(0.06 * torch.randn(n, 3, 1, 1)))
    colourless = x.mean(1, keepdim=True)
    keep = 1 - some(0.3) * torch.rand(n, 1, 1, 1)
    x = x * keep + colourless * (1 - keep)
    soft = functional.avg_pool2d(x, 3, 1, 1)
    x = torch.lerp(x, soft, (some(0.3) * torch.rand(n, 1, 1, 1)).expand_as(x))
    x = x + torch.randn_like(x) * 0.04 * some(0.2) * torch.rand(n, 1, 1, 1)
    inverted = grey & (torch.rand(n, 1, 1, 1) < 0.1)
    return torch.where(inverted, 1 - x, x).clamp(0, 1)
