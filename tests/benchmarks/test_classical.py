from __future__ import annotations

import cv2
import numpy as np

from benchmarks.classical import find_classically
from consilium.karyotype.normalise import normalise


def page() -> np.ndarray:
    """Six rods 12 wide, the last two touching at a corner, a nucleus 60 wide and a speck."""
    grey = np.full((300, 400), 225, np.uint8)
    for number in range(4):
        grey[30:90, 30 + 50 * number : 42 + 50 * number] = 70
    cv2.line(grey, (60, 150), (60, 205), (70,), 12)
    cv2.line(grey, (68, 218), (120, 240), (70,), 12)
    cv2.circle(grey, (300, 200), 30, (70,), -1)
    grey[20:23, 350:353] = 70
    return grey


def test_rods_are_found_and_nucleus_and_speck_are_not() -> None:
    found = find_classically(normalise(page()))
    assert len(found) == 6
    upper = sorted(one.box for one in found[:4])
    for number, box in enumerate(upper):
        assert np.allclose(box, (30 + 50 * number, 30, 42 + 50 * number, 90), atol=3)


def test_masks_do_not_overlap() -> None:
    found = find_classically(normalise(page()))
    owners = np.zeros((300, 400), np.int64)
    for one in found:
        (x, y), (h, w) = one.origin, one.mask.shape
        owners[y : y + h, x : x + w] += one.mask
    assert owners.max() == 1
