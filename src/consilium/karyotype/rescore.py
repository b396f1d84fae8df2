"""What an object is worth among the others: the third look.

The second look judges each proposal by itself, so the halves of a cross that two chromosomes may claim look as good as
the chromosomes, and what lies in a cluster looks like a fold of its neighbour. Here each object is seen with what the
others already explain (Hosang et al. 2017, Hu et al. 2018, who let detections see each other): the picture around it,
its own mask, and how much of the picture others claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from consilium.karyotype.amodal import box_channel, crop_around
from consilium.karyotype.models import model
from consilium.karyotype.positions import BOTH_ENDS_UP, Position
from consilium.karyotype.proposals import Proposals, pixels_shared

SIDE = 96
"""Side of a crop, in samples."""

FILL = 0.5
"""The longer side of the box takes this part of the crop: what lies around tells as much as what lies inside."""

RELATIONS = 13
"""Figures of an object among the others, see `relations`."""

EDGE = 50
"""Pixels from the edge of the picture beyond which it does not matter how far an object is."""

LEAST_OPEN = 0.1
"""Objects worth less by their own looks stay as they are: almost none is a chromosome. All others are looked at, the
sure ones too, so that what they are worth has one meaning."""

_BATCH = 64


def rescored(
    darkness: NDArray[np.float32],
    proposals: Proposals,
    chromosome_width: float,
    *,
    threads: int | None = None,
    positions: Sequence[Position] = BOTH_ENDS_UP,
) -> Proposals:
    """The objects with what they are worth among the others.

    Args:
        darkness: (H, W) the cell at its working scale.
        proposals: what may be a chromosome.
        chromosome_width: median width of a chromosome in pixels of `darkness`.
        threads: processor threads.
        positions: in which each is looked at; what they say is averaged.
    """
    open_ = np.flatnonzero(proposals.worth > LEAST_OPEN)
    if not len(open_):
        return proposals
    crops = crops_among(darkness, proposals, only=open_)
    figures = relations(proposals, chromosome_width, darkness.shape)[open_]
    network = model("rescorer", threads=threads)
    odds = np.zeros(len(open_))
    for start in range(0, len(open_), _BATCH):
        window = slice(start, start + _BATCH)
        for position in positions:
            odds[window] += network.run(crops=position.of(crops[window]), relations=figures[window])["odds"]
    worth = proposals.worth.copy()
    worth[open_] = expit(odds / len(positions))
    return replace(proposals, worth=worth)


def crops_among(
    darkness: NDArray[np.float32], proposals: Proposals, *, only: Sequence[int] | NDArray[np.intp] | None = None
) -> NDArray[np.float32]:
    """What the network sees of some objects.

    Args:
        darkness: (H, W).
        proposals: all objects of the cell.
        only: which of them; None: all.

    Returns:
        (n, 4, 96, 96) float32: darkness; 1 inside the box; 1 inside the mask; what others that claim a pixel are worth,
        added up.
    """
    chosen = range(len(proposals.worth)) if only is None else only
    windows = [(slice(y, y + mask.shape[0]), slice(x, x + mask.shape[1])) for mask, (x, y) in proposals.masks]
    claimed, own = np.zeros_like(darkness), np.zeros_like(darkness)
    for window, (mask, _), worth in zip(windows, proposals.masks, proposals.worth, strict=True):
        claimed[window] += mask * worth
    out = np.zeros((len(chosen), 4, SIDE, SIDE), np.float32)
    for crop, k in zip(out, chosen, strict=True):
        box = proposals.boxes[k]
        own[windows[k]] = proposals.masks[k][0]
        crop[0], crop[2], around = (crop_around(one, box, side=SIDE, fill=FILL) for one in (darkness, own, claimed))
        crop[1] = box_channel(box[2:] - box[:2], side=SIDE, fill=FILL)
        crop[3] = around - proposals.worth[k] * crop[2]
        own[windows[k]] = 0
    return out


def relations(proposals: Proposals, chromosome_width: float, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Figures of each object among the others.

    Args:
        proposals: the objects.
        chromosome_width: median width of a chromosome in pixels.
        shape: (H, W) of the picture.

    Returns:
        (n, 13) float32, in this order: log-odds of the worth; logs of the box's longer side in chromosome widths, of
        its shorter side in longer ones and of the mask's area in those of the usual object; the most of it that
        another claims, times what that one is worth; the most of it that a better one claims; what all better ones
        claim of it, times their worth, added up; the most it claims of another, times what that one is worth; what it
        claims of worse ones, times their worth, added up; the most intersection over union with another, times what
        that one is worth; the same with a better one; the part of the box that the mask fills; the distance from the
        edge of the picture, in `EDGE`.
    """
    boxes, worth = proposals.boxes.astype(np.float64), proposals.worth.astype(np.float64)
    area = np.asarray([np.count_nonzero(mask) for mask, _ in proposals.masks], np.float64)
    shared = np.zeros((len(area), len(area)))
    for first, second in combinations(range(len(area)), 2):
        shared[first, second] = shared[second, first] = pixels_shared(proposals.masks[first], proposals.masks[second])
    of_it, of_other = shared / area[:, None], shared / area[None]
    union = shared / (area[:, None] + area[None] - shared)
    better = worth[None] > worth[:, None]
    sides = np.sort(boxes[:, 2:] - boxes[:, :2], axis=1)
    usual = np.median(area[worth > 0.5] if (worth > 0.5).any() else area)
    limits = np.asarray([shape[1], shape[0]])
    edge = np.concatenate([boxes[:, :2], limits - boxes[:, 2:]], axis=1).min(axis=1)
    return np.stack([
        logit(np.clip(worth, 1e-3, 1 - 1e-3)),
        np.log(sides[:, 1] / chromosome_width),
        np.log(sides[:, 0] / sides[:, 1]),
        np.log(area / usual + 1e-3),
        (of_it * worth).max(axis=1),
        (of_it * better).max(axis=1),
        np.minimum((of_it * worth * better).sum(axis=1), 3),
        (of_other * worth).max(axis=1),
        np.minimum((of_other * worth * ~better).sum(axis=1), 3),
        (union * worth).max(axis=1),
        (union * better).max(axis=1),
        area / sides.prod(axis=1),
        np.clip(edge, 0, EDGE) / EDGE,
    ], axis=1).astype(np.float32)  # fmt: skip
