"""Copies of the same picture, found before folds are dealt: whatever looks the same stays together.

Public sets hold many (of the breast ultrasound set BUSI about a tenth): a copy in another fold is a test case that was
trained on. Three looks: equal bytes (SHA-256), equal looks (a 64-bit hash of the low frequencies of the picture, within
a few bits), and nearly equal features. What is found is merged with the patients, not thrown away, and listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.intp]
How = Literal["same bytes", "same looks", "same features"]

BITS = 4
"""Bits of 64 in which the hashes of two pictures may differ."""
COSINE = 0.99
FEWEST_FEATURES = 32
"""Features below which their angle says nothing about a picture."""
_SIDE, _KEPT = 32, 8


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """Two cases that are the same.

    Attributes:
        first, second: their numbers, the smaller first.
        how: what is the same.
    """

    first: int
    second: int
    how: How


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes; of a folder, of its files' bytes in the order of their names.

    Raises:
        OSError: it cannot be read.
    """
    total = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def looks(picture: NDArray[Any]) -> int:
    """Hash what a picture looks like: signs of the 64 lowest cosine frequencies but the mean, against their median.

    Args:
        picture: (h, w) or (h, w, 3), any number type.

    Returns:
        64 bits. Resampling, compression and brightness change few of them. A picture of one level has the hash 0.
    """
    import cv2

    grey = np.asarray(picture, np.float32)
    grey = grey.mean(2) if grey.ndim == 3 else grey
    small = np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)
    if float(np.ptp(small)) < 1e-6:
        return 0
    low = np.asarray(cv2.dct(small))[:_KEPT, :_KEPT].ravel()
    low[0] = np.median(low[1:])
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def same_bytes(digests: Sequence[str]) -> list[Duplicate]:
    """Pairs of equal digests: every copy with the first."""
    first: dict[str, int] = {}
    found = []
    for number, one in enumerate(digests):
        if first.setdefault(one, number) != number:
            found.append(Duplicate(first=first[one], second=number, how="same bytes"))
    return found


def same_looks(hashes: Sequence[int], *, bits: int = BITS) -> list[Duplicate]:
    """Pairs of hashes that differ in a few bits; hash 0 (nothing to see) is like no other."""
    codes = np.array(hashes, np.uint64)
    octets = codes.view(np.uint8).reshape(-1, 8)
    found = []
    for number in range(len(codes)):
        if not codes[number]:
            continue
        different = np.bitwise_count(octets[number + 1 :] ^ octets[number]).sum(1)
        alike = np.flatnonzero((different <= bits) & (codes[number + 1 :] != 0)) + number + 1
        found += [Duplicate(first=number, second=int(other), how="same looks") for other in alike]
    return found


def same_features(features: NDArray[np.float32], *, cosine: float = COSINE) -> list[Duplicate]:
    """Pairs of cases whose standardised features (n, d) point the same way; none where d is small."""
    if features.shape[1] < FEWEST_FEATURES or len(features) < 3:
        return []
    deviation = features.std(0)
    varying = deviation > 1e-6 * np.maximum(np.abs(features.mean(0)), 1e-30)
    if varying.sum() < FEWEST_FEATURES:
        return []
    centred = (features[:, varying] - features[:, varying].mean(0)) / deviation[varying]
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    first, second = np.nonzero(np.triu(unit @ unit.T > cosine, 1))
    return [
        Duplicate(first=int(one), second=int(other), how="same features")
        for one, other in zip(first, second, strict=True)
    ]


def merged(groups: Codes, duplicates: Iterable[Duplicate]) -> Codes:
    """Join the groups (n,) of cases that are the same; numbers 0 to g - 1 come back."""
    numbers = np.unique(groups, return_inverse=True)[1].reshape(-1)
    above = list(range(int(numbers.max(initial=-1)) + 1))

    def root(group: int) -> int:
        while above[group] != group:
            above[group] = above[above[group]]
            group = above[group]
        return group

    for duplicate in duplicates:
        one, other = root(int(numbers[duplicate.first])), root(int(numbers[duplicate.second]))
        above[max(one, other)] = min(one, other)
    roots = np.array([root(int(group)) for group in numbers], np.intp)
    return np.asarray(np.unique(roots, return_inverse=True)[1], np.intp).reshape(-1)


def contradictions(duplicates: Iterable[Duplicate], labels: Sequence[object]) -> list[Duplicate]:
    """Duplicates whose two cases have different labels: one of them is wrong."""
    return [duplicate for duplicate in duplicates if labels[duplicate.first] != labels[duplicate.second]]
