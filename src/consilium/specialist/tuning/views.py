"""What a picture may look like without being another case: a few fixed views of each, made once.

The stages below the one that is trained stay as they are, so their maps of these views are computed once and every
round of training draws from them. Views made anew each time would cost a run through the whole network each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from consilium.imaging.modalities import ANY_WAY_UP

VIEWS = 6
"""Of each picture; the first is the picture as it is."""
_LEAST_SIDE = 0.8
"""Of what is cut out, as a share of the picture's side."""
_GAMMA = 0.2
_GAIN = 0.1


def views_of(picture: NDArray[np.float32], modality: str | None, *, seed: int) -> NDArray[np.float32]:
    """The views of one picture.

    Args:
        picture: (S, S, 3) float32 0..1.
        modality: what has no upper side is turned, all else only mirrored.
        seed: of the lots.

    Returns:
        (VIEWS, S, S, 3) float32 0..1: the picture, its mirror image, and pieces of four fifths of a side at least,
        mirrored by lot and of slightly different brightness and contrast.
    """
    rng = np.random.default_rng(seed)
    free = modality in ANY_WAY_UP
    found = [picture, picture[:, ::-1]]
    while len(found) < VIEWS:
        piece = _piece(picture, rng)
        piece = piece[:, ::-1] if rng.random() < 0.5 else piece
        if free:
            piece = np.rot90(piece, int(rng.integers(4)))
        lit = np.clip(piece, 0, 1) ** np.exp(_GAMMA * rng.normal())
        middle = lit.mean()
        lit = (lit - middle) * np.exp(_GAIN * rng.normal()) + middle
        found.append(np.clip(lit, 0, 1).astype(np.float32))
    return np.ascontiguousarray(np.stack(found), np.float32)


def _piece(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    import cv2

    side = len(picture)
    cut = round(side * rng.uniform(_LEAST_SIDE, 1.0))
    top, left = (int(rng.integers(side - cut + 1)) for _ in range(2))
    piece = picture[top : top + cut, left : left + cut]
    return np.asarray(cv2.resize(piece, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)
