"""The second look: each proposed box is read at places relative to it, named again, and its edges are moved.

What Fast R-CNN (Girshick 2015, ICCV) does, on maps that stay as they are, twice in turn as Cascade R-CNN (Cai and
Vasconcelos 2018, CVPR) does. It learns from proposals of a first look that had not seen the picture, so that it meets
the mistakes it will meet later, and from true boxes that were shaken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from consilium.specialist.detection.box_network import EDGES, BoxNetwork, Examples, fit_box_network, joined
from consilium.specialist.detection.boxes import Boxes, Corners, overlaps, within
from consilium.specialist.detection.pyramid import PyramidFeatures

RIGHT, NEAR = 0.5, 0.35
"""Overlap from which a box is of its object, and from which it can be moved to it."""
_BACKGROUND = 40
_SHAKEN, _SHAKEN_IN_ALL = 12, 24_000
"""Shaken boxes of an object at most, and of all objects of a class together."""
_FEWEST_SHAKEN = 2
_SHAKE = 0.12
_EPOCHS = 12
_FARTHEST = 0.6
"""Part of the size of a box by which one look moves an edge at most."""


@dataclass(frozen=True, kw_only=True)
class SecondLook:
    """A network of boxes.

    Attributes:
        network: of what `PyramidFeatures.of_boxes` tells.
    """

    network: BoxNetwork

    def look(self, features: PyramidFeatures, proposed: Boxes, *, least: float) -> Boxes:
        """Name proposed boxes again and move their edges; one box a class and proposal that is likely enough.

        Args:
            features: of the picture.
            proposed: boxes whose classes no longer matter.
            least: probability from which a box is kept.
        """
        if not len(proposed):
            return proposed
        likely, edges = self.network.read(features.of_boxes(proposed.corners))
        corners = moved(proposed.corners, edges, features.shape)
        likely, edges = self.network.read(features.of_boxes(corners))
        corners = moved(corners, edges, features.shape)
        rows, numbers = np.nonzero(likely[:, 1:] >= least)
        return Boxes(
            corners=corners[rows],
            classes=np.asarray(numbers, np.intp),
            scores=likely[rows, numbers + 1].astype(np.float64),
        )


def moved(corners: Corners, edges: np.ndarray, shape: tuple[int, int]) -> Corners:
    """Boxes whose edges are moved by parts (n, 4) of their width and height."""
    size = np.tile(corners[:, 2:] - corners[:, :2], 2)
    return within(corners + np.clip(edges.astype(np.float64), -_FARTHEST, _FARTHEST) * size, shape)


def fit_second_look(
    features: Sequence[PyramidFeatures],
    boxes: Sequence[Boxes],
    proposed: Sequence[Boxes],
    *,
    classes: int,
    hidden: int,
    rng: np.random.Generator,
    seed: int,
) -> SecondLook:
    """Fit on pictures with boxes.

    Args:
        features: of the pictures.
        boxes: true ones.
        proposed: for each picture, by a first look that had not seen it.
        classes: without the background.
        hidden: units of the hidden layer.
        rng: of shaking and drawing.
        seed: of the network.
    """
    counts = np.bincount(np.concatenate([one.classes for one in boxes]), minlength=classes)
    shaken = np.clip(_SHAKEN_IN_ALL // (4 * np.maximum(counts, 1)), _FEWEST_SHAKEN, _SHAKEN)
    drawn = [_drawn(one, true, ours, shaken, rng) for one, true, ours in zip(features, boxes, proposed, strict=True)]
    network = fit_box_network(joined(drawn), classes=classes + 1, hidden=hidden, epochs=_EPOCHS, seed=seed)
    return SecondLook(network=network)


def _drawn(
    features: PyramidFeatures, boxes: Boxes, proposed: Boxes, shaken: np.ndarray, rng: np.random.Generator
) -> Examples:
    copies = np.repeat(boxes.corners, shaken[boxes.classes], axis=0)
    size = np.tile(copies[:, 2:] - copies[:, :2], 2)
    much = _SHAKE * rng.uniform(0.3, 1.5, (len(copies), 1))
    copies = within(copies + size * much * rng.standard_normal(copies.shape), features.shape)
    corners = np.concatenate([proposed.corners, copies])
    # A picture without objects has one of no size beside it, which nothing overlaps.
    true = boxes if len(boxes) else Boxes(corners=np.full((1, 4), -1.0), classes=np.zeros(1, np.intp))
    shared = overlaps(corners, true.corners)
    owner, best = shared.argmax(1), shared.max(1)
    classes = np.where(best >= RIGHT, true.classes[owner] + 1, 0)
    bounded = best >= NEAR
    kept = np.flatnonzero(classes > 0)
    kept = np.concatenate([kept, rng.permutation(np.flatnonzero(classes == 0))[:_BACKGROUND]])
    chosen, targets = corners[kept], true.corners[owner[kept]]
    edges = ((targets - chosen) / np.tile(chosen[:, 2:] - chosen[:, :2], 2)).reshape(-1, EDGES)
    return Examples(
        rows=features.of_boxes(chosen),
        classes=np.asarray(classes[kept], np.intp),
        edges=np.asarray(np.where(bounded[kept][:, None], edges, 0), np.float32),
        bounded=bounded[kept],
    )
