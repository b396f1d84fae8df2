"""The first look: every field of a grid says whether the middle of an object lies near it, and how far its edges are.

Dense and free of anchors, as FCOS (Tian et al. 2019, ICCV) is: fields near the middle of a box learn its class and the
logarithm of the distance to its edges, those at its rim are left out, all others are background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.detection.box_network import EDGES, BoxNetwork, Examples, fit_box_network, joined
from consilium.specialist.detection.boxes import Boxes, merged, no_boxes, overlaps, within
from consilium.specialist.detection.pyramid import PyramidFeatures

MIDDLE, RIM = 0.4, 0.6
"""Part of the way from the middle of a box to its edge within which a field is of it, and from which it is not."""
_FIELDS, _BACKGROUND = 8, 250
"""Fields of an object and of the background of a picture that are drawn at most."""
_CLOSEST = 2.0
"""Pixels; edges that are closer are taken for so far."""
_EPOCHS = 8
_CANDIDATES = 1000
_FARTHEST = 8.0
_VOTE = 0.6

Places = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FirstLook:
    """A network and the grid it is asked at.

    Attributes:
        network: of fields.
        fields: along each side of a picture.
    """

    network: BoxNetwork
    fields: int

    def propose(self, features: PyramidFeatures, *, least: float, apart: float, most: int) -> Boxes:
        """Where objects may be.

        Args:
            features: of a picture.
            least: probability from which a field proposes a box.
            apart: overlap from which two boxes of a class are one.
            most: boxes of a class.
        """
        rows, columns = grid(self.fields, features.shape)
        likely, edges = self.network.finish(features.projected(self.network.first[0], self.fields))
        far = np.exp(np.clip(edges.astype(np.float64), 0, _FARTHEST))
        found = [no_boxes()]
        for number in range(1, likely.shape[1]):
            chosen = np.flatnonzero(likely[:, number] >= least)
            chosen = chosen[np.argsort(-likely[chosen, number], kind="stable")[:_CANDIDATES]]
            corners = np.stack(
                [
                    columns[chosen] - far[chosen, 0],
                    rows[chosen] - far[chosen, 1],
                    columns[chosen] + far[chosen, 2],
                    rows[chosen] + far[chosen, 3],
                ],
                axis=1,
            )
            boxes = Boxes(
                corners=within(corners, features.shape),
                classes=np.full(len(chosen), number - 1, np.intp),
                scores=likely[chosen, number].astype(np.float64),
            )
            found.append(merged(boxes, apart=apart, together=_VOTE, most=most))
        return Boxes(
            corners=np.concatenate([one.corners for one in found]),
            classes=np.concatenate([one.classes for one in found]),
            scores=np.concatenate([one.scores for one in found]),
        )


def grid(fields: int, shape: tuple[int, int]) -> tuple[Places, Places]:
    """Rows and columns (fields * fields,) of the middles of a grid over a picture, in its pixels."""
    along = (np.arange(fields) + 0.5) / fields
    return np.repeat(along * shape[0], fields), np.tile(along * shape[1], fields)


def fields_of(boxes: Boxes, fields: int, shape: tuple[int, int]) -> NDArray[np.intp]:
    """The box (number) that each field of a grid is of, (fields * fields,): -1 background, -2 left out."""
    rows, columns = grid(fields, shape)
    if not len(boxes):
        return np.full(len(rows), -1, np.intp)
    left, top, right, bottom = boxes.corners.T
    down = np.abs(rows[:, None] - (top + bottom) / 2) / (bottom - top)
    across = np.abs(columns[:, None] - (left + right) / 2) / (right - left)
    part = 2 * np.maximum(down, across)
    # The field nearest to the middle is always of its box, however small that is.
    nearest = part.argmin(0), np.arange(len(boxes))
    part[nearest] = np.minimum(part[nearest], MIDDLE / 2)
    smallest = part.min(1)
    found = np.where(smallest < MIDDLE, part.argmin(1), np.where(smallest < RIM, -2, -1))
    return np.asarray(found, np.intp)


def fit_first_look(
    features: Sequence[PyramidFeatures],
    boxes: Sequence[Boxes],
    *,
    classes: int,
    fields: int,
    hidden: int,
    rng: np.random.Generator,
    seed: int,
) -> FirstLook:
    """Fit on pictures with boxes.

    Args:
        features: of the pictures.
        boxes: true ones.
        classes: without the background.
        fields: along each side of a picture.
        hidden: units of the hidden layer.
        rng: of the fields that are drawn.
        seed: of the network.
    """
    drawn = [_drawn(one, true, fields, rng) for one, true in zip(features, boxes, strict=True)]
    network = fit_box_network(joined(drawn), classes=classes + 1, hidden=hidden, epochs=_EPOCHS, seed=seed)
    return FirstLook(network=network, fields=fields)


def _drawn(features: PyramidFeatures, boxes: Boxes, fields: int, rng: np.random.Generator) -> Examples:
    owner = fields_of(boxes, fields, features.shape)
    lots = [rng.permutation(np.flatnonzero(owner == number))[:_FIELDS] for number in range(len(boxes))]
    chosen = np.concatenate([*lots, rng.permutation(np.flatnonzero(owner == -1))[:_BACKGROUND]])
    rows, columns = (axis[chosen] for axis in grid(fields, features.shape))
    of = owner[chosen]
    bounded = of >= 0
    classes = np.zeros(len(of), np.intp)
    edges = np.zeros((len(of), EDGES), np.float32)
    if bounded.any():
        classes[bounded] = boxes.classes[of[bounded]] + 1
        left, top, right, bottom = boxes.corners[of[bounded]].T
        far = np.stack([columns[bounded] - left, rows[bounded] - top, right - columns[bounded], bottom - rows[bounded]])
        edges[bounded] = np.log(np.maximum(far.T, _CLOSEST))
    return Examples(rows=features.at(rows, columns), classes=classes, edges=edges, bounded=bounded)


def recall(proposed: Sequence[Boxes], boxes: Sequence[Boxes], *, least: float = 0.5) -> float:
    """Share of true boxes that some proposal of any class overlaps enough; 1 where there is none."""
    best = [
        overlaps(ours.corners, theirs.corners).max(0, initial=0)
        for ours, theirs in zip(proposed, boxes, strict=True)
        if len(theirs)
    ]
    return float(np.mean(np.concatenate(best) >= least)) if best else 1.0
