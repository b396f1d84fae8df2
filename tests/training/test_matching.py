"""One-to-one matching of boxes, against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.karyotype.proposals import box_iou
from training.matching import match

UNIT = [0.0, 0.0, 10.0, 10.0]


def boxes(*rows: list[float]) -> np.ndarray:
    return np.asarray(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (UNIT, 1.0),
        ([5, 0, 15, 10], 50 / 150),
        ([5, 5, 15, 15], 25 / 175),
        ([2, 2, 8, 8], 36 / 100),
        ([10, 0, 20, 10], 0.0),
        ([30, 30, 40, 40], 0.0),
        ([5, 5, 5, 9], 0.0),
    ],
    ids=["same", "half", "quarter", "inside", "touching", "apart", "without area"],
)
def test_intersection_over_union(other: list[float], expected: float) -> None:
    assert box_iou(boxes(UNIT), boxes(other))[0, 0] == pytest.approx(expected)
    assert box_iou(boxes(other), boxes(UNIT))[0, 0] == pytest.approx(expected)


def test_the_matrix_has_found_boxes_in_rows_and_true_ones_in_columns() -> None:
    matrix = box_iou(boxes(UNIT, [5, 0, 15, 10]), boxes([5, 0, 15, 10], UNIT, [50, 50, 60, 60]))
    assert matrix == pytest.approx(np.asarray([[1 / 3, 1, 0], [1, 1 / 3, 0]]))


def test_each_box_is_matched_once() -> None:
    pairs = match(boxes(UNIT, UNIT), np.asarray([0.9, 0.8]), boxes(UNIT))
    assert len(pairs) == 1 and pairs[0][1] == 0


def test_more_pairs_go_before_better_ones() -> None:
    """Greedily the first found box would take the first true one and leave the second without a partner."""
    found = boxes([0, 0, 10, 10], [0, 0, 10, 7])
    truth = boxes([0, 0, 10, 10], [0, 2, 10, 12])
    # By hand: IoU 1 and 2/3 for the first found box, 0.7 and 5/12 for the second.
    assert box_iou(found, truth) == pytest.approx(np.asarray([[1, 80 / 120], [0.7, 50 / 120]]))
    assert sorted(match(found, np.asarray([0.9, 0.8]), truth)) == [(0, 1), (1, 0)]


def test_among_as_many_pairs_the_better_ones_are_taken() -> None:
    found = boxes([0, 0, 10, 10], [1, 0, 11, 10])
    truth = boxes([1, 0, 11, 10], [0, 0, 10, 10])
    assert sorted(match(found, np.asarray([0.5, 0.9]), truth)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("least", "pairs"), [(0.5, 0), (0.3, 1)])
def test_too_little_in_common_is_no_match(least: float, pairs: int) -> None:
    assert len(match(boxes(UNIT), np.asarray([0.9]), boxes([5, 0, 15, 10]), least=least)) == pairs


def test_nothing_found_or_nothing_true() -> None:
    none, no_scores = boxes(), np.zeros(0)
    assert match(none, no_scores, boxes(UNIT)) == []
    assert match(boxes(UNIT), np.asarray([0.9]), none) == []


@settings(max_examples=50)
@given(seed=st.integers(0, 10**6), found=st.integers(1, 8), true=st.integers(1, 8))
def test_pairs_are_one_to_one_and_have_enough_in_common(seed: int, found: int, true: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 20, (found + true, 2))
    drawn = np.concatenate([low, low + rng.uniform(5, 20, (found + true, 2))], axis=1)
    pairs = match(drawn[:found], rng.random(found), drawn[found:])
    assert len({first for first, _ in pairs}) == len({second for _, second in pairs}) == len(pairs)
    iou = box_iou(drawn[:found], drawn[found:])
    assert all(iou[pair] >= 0.5 for pair in pairs)
    # No further pair could be added.
    free = np.ix_(
        [k for k in range(found) if k not in {first for first, _ in pairs}],
        [k for k in range(true) if k not in {second for _, second in pairs}],
    )
    assert iou[free].max(initial=0.0) < 0.5
