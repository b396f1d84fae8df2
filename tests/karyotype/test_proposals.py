"""Which of the objects that may be chromosomes are the same one."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.karyotype.proposals import Placed, distinct, mask_iou, pixels_shared


def bar(x: int, y: int, width: int, height: int) -> Placed:
    return np.ones((height, width), np.bool_), (x, y)


def diagonal(*, falling: bool, size: int = 60, thickness: int = 9) -> Placed:
    page = np.zeros((size, size), np.uint8)
    cv2.line(page, (4, 4), (size - 5, size - 5), (1,), thickness)
    mask = page.astype(np.bool_)
    return (mask if falling else mask[:, ::-1]), (20, 30)


def test_of_an_object_found_twice_the_better_report_stays() -> None:
    masks = [bar(10, 10, 10, 60), bar(11, 10, 10, 60), bar(40, 10, 10, 60)]
    assert distinct(masks, np.asarray([0.6, 0.9, 0.7], np.float32), same_object=0.6) == [1, 2]


def test_chromosomes_that_cross_are_two_though_their_boxes_are_one() -> None:
    crossing = [diagonal(falling=True), diagonal(falling=False)]
    assert sorted(distinct(crossing, np.asarray([0.9, 0.8], np.float32), same_object=0.6)) == [0, 1]
    upright = [bar(25, 0, 10, 60), bar(0, 25, 60, 10)]
    assert sorted(distinct(upright, np.asarray([0.9, 0.8], np.float32), same_object=0.6)) == [0, 1]


def test_a_short_chromosome_on_a_long_one_stays() -> None:
    assert sorted(
        distinct([bar(0, 0, 12, 90), bar(0, 30, 12, 30)], np.asarray([0.9, 0.8], np.float32), same_object=0.6)
    ) == [0, 1]


def test_masks_far_apart_share_nothing() -> None:
    masks = [bar(0, 0, 5, 5), bar(500, 500, 5, 5), bar(5, 0, 5, 5)]
    assert len(distinct(masks, np.asarray([0.5, 0.6, 0.7], np.float32), same_object=0.6)) == 3
    assert distinct([], np.zeros(0, np.float32), same_object=0.6) == []


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_the_reports_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = [bar(*rng.integers(0, 30, 2).tolist(), *rng.integers(8, 30, 2).tolist()) for _ in range(12)]
    scores = rng.permutation(12).astype(np.float32)
    order = rng.permutation(12)
    kept = set(distinct(masks, scores, same_object=0.6))
    assert {int(order[k]) for k in distinct([masks[k] for k in order], scores[order], same_object=0.6)} == kept
    assert int(scores.argmax()) in kept


@given(st.tuples(*[st.integers(0, 30)] * 4), st.tuples(*[st.integers(1, 20)] * 4))
def test_pixels_that_two_masks_have_both(corners: tuple[int, ...], sides: tuple[int, ...]) -> None:
    first, second = bar(*corners[:2], *sides[:2]), bar(*corners[2:], *sides[2:])
    page = np.zeros((60, 60), np.intp)
    for mask, (x, y) in (first, second):
        page[y : y + mask.shape[0], x : x + mask.shape[1]] += mask
    assert pixels_shared(first, second) == pixels_shared(second, first) == (page == 2).sum()
    assert mask_iou(first, second) == (page == 2).sum() / (page > 0).sum()
