"""Which part of a picture an answer hangs on: what changes when it is covered (Zeiler and Fergus 2014, ECCV, 3.2).

Covering works with every encoder and asks the very model that answers. It is a check whether the model looks at the
right place, not a finding: what lights up is what matters to the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError
from consilium.generalist.encoder import Encoder, Pictures
from consilium.specialist.case_features import one_vector
from consilium.specialist.specialist import Specialist

COVER = 4
"""A cover is this part of a side wide, and moves by a quarter of itself."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One picture and what the answer hangs on.

    Attributes:
        picture: (S, S, 3) float32 0..1, as the encoder saw it.
        drop: (S, S) float32, by how much the log odds of `label` fall where a place is covered, in the mean over the
            covers that lie on it; below 0 where they rise. Of a quantity, by how much its value falls.
        label: which label.
    """

    picture: NDArray[np.float32]
    drop: NDArray[np.float32]
    label: str


def explain(specialist: Specialist, encoder: Encoder, pictures: Pictures, label: str | None = None) -> Explanation:
    """Cover the parts of a case's middle picture one after the other.

    Args:
        specialist: who answers.
        encoder: of it.
        pictures: (N, S, S, 3) of one case; the others stay as they are.
        label: to be explained; the likeliest when left out.

    Raises:
        InputError: there is no such label.
    """
    middle = len(pictures) // 2
    vectors = encoder.embed(pictures, specialist.modality, levels=False).image
    column = _column(specialist, vectors, label)
    picture = pictures[middle]
    side = picture.shape[0]
    wide, step = side // COVER, max(side // COVER // 4, 1)
    starts = range(0, side - wide + 1, step)
    places = [(top, left) for top in starts for left in starts]
    covered = np.repeat(picture[None], len(places), axis=0)
    grey = np.median(picture, axis=(0, 1))
    for one, (top, left) in zip(covered, places, strict=True):
        one[top : top + wide, left : left + wide] = grey
    seen = encoder.embed(covered, specialist.modality, levels=False).image
    rows = []
    for vector in (vectors[middle], *seen):
        changed = vectors.copy()
        changed[middle] = vector
        rows.append(one_vector(changed, specialist.pooling))
    worth = _worth(specialist, np.stack(rows), column)
    fallen, covers = np.zeros((side, side)), np.zeros((side, side))
    for (top, left), value in zip(places, worth[1:], strict=True):
        fallen[top : top + wide, left : left + wide] += worth[0] - value
        covers[top : top + wide, left : left + wide] += 1
    name = specialist.labels[column] if specialist.labels else ""
    return Explanation(picture=picture, drop=np.asarray(fallen / np.maximum(covers, 1), np.float32), label=name)


def _column(specialist: Specialist, vectors: NDArray[np.float32], label: str | None) -> int:
    if not specialist.labels:
        return 0
    if label is None:
        return int(specialist.probabilities(one_vector(vectors, specialist.pooling)[None])[0].argmax())
    if label not in specialist.labels:
        raise InputError(f"there is no label {label!r}", way_out=f"Use one of {', '.join(specialist.labels)}.")
    return specialist.labels.index(label)


def _worth(specialist: Specialist, rows: NDArray[np.float32], column: int) -> NDArray[np.float64]:
    found = specialist.probabilities(rows)[:, column]
    if specialist.task == "regress":
        return np.asarray(found, np.float64)
    p = np.clip(found, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p / (1 - p)), np.float64)


def overlay(explanation: Explanation, size: int = 512) -> NDArray[np.uint8]:
    """The picture with what speaks for the label in warm and what speaks against it in cold colours.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    import cv2

    picture = cv2.resize(explanation.picture, (size, size), interpolation=cv2.INTER_LINEAR)
    drop = cv2.resize(explanation.drop, (size, size), interpolation=cv2.INTER_LINEAR)
    strength = (drop / max(float(np.abs(drop).max()), 1e-6))[..., None]
    warm, cold = np.array([1.0, 0.35, 0.0]), np.array([0.0, 0.45, 1.0])
    share = 0.6 * np.abs(strength)
    mixed = (1 - share) * picture.mean(2, keepdims=True) + share * np.where(strength > 0, warm, cold)
    return np.asarray(np.round(np.clip(mixed, 0, 1) * 255), np.uint8)
