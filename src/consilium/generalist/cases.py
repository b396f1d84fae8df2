"""From pictures to cases: a patient with thirty slices is one row for whoever learns from features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Cases:
    """The features of cases.

    Attributes:
        names: (K,) in the order in which they first came.
        features: (K, 3 D) float32: mean, maximum and standard deviation of each feature over the case's pictures.
        pictures: (K,) how many pictures each has.
    """

    names: tuple[str, ...]
    features: NDArray[np.float32]
    pictures: NDArray[np.intp]


def pool(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Many pictures as one vector.

    A mean keeps what all pictures show, a maximum what a single one shows, a standard deviation how they differ; on
    frozen features that holds its own against learnt pooling (SiMLP, arXiv 2502.20823; Raptor, arXiv 2507.08254).

    Args:
        image: (N, D) vectors of one case's pictures, N at least 1.

    Returns:
        (3 D,) float32: mean, maximum, standard deviation (0 of a single picture).

    Raises:
        ValueError: there is no picture.
    """
    if not len(image):
        raise ValueError("a case without pictures has no features")
    wide = image.astype(np.float64)
    return np.concatenate([wide.mean(0), wide.max(0), wide.std(0)]).astype(np.float32)


def pool_cases(image: NDArray[np.float32], cases: Sequence[str]) -> Cases:
    """The features of every case.

    Args:
        image: (N, D) one vector a picture.
        cases: (N,) the case of each picture.

    Raises:
        ValueError: there are not as many names as pictures.
    """
    if len(image) != len(cases):
        raise ValueError(f"{len(image)} pictures, but {len(cases)} names of cases")
    members: dict[str, list[int]] = {}
    for row, case in enumerate(cases):
        members.setdefault(case, []).append(row)
    pooled = [pool(image[rows]) for rows in members.values()]
    features = np.stack(pooled) if pooled else np.empty((0, 3 * image.shape[1]), np.float32)
    counts = np.asarray([len(rows) for rows in members.values()], np.intp)
    return Cases(names=tuple(members), features=features, pictures=counts)
