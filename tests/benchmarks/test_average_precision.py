from __future__ import annotations

import contextlib
import io
import math

import numpy as np
import pytest

from benchmarks.average_precision import Outcomes, average_precision, greedy_matches, mean_average_precision
from consilium.karyotype.proposals import box_iou


def outcomes(scores: list[float], right: list[bool], truths: list[float], cells: list[int] | None = None) -> Outcomes:
    return Outcomes(
        scores=np.asarray(scores),
        right=np.asarray(right, np.bool_),
        cells=np.asarray(cells or [0] * len(scores), np.intp),
        truths=np.asarray(truths),
    )


def test_all_right_is_one_and_all_wrong_is_nothing() -> None:
    assert average_precision(outcomes([0.9, 0.8], [True, True], [2])) == 1.0
    assert average_precision(outcomes([0.9, 0.8], [False, False], [2])) == 0.0
    assert average_precision(outcomes([], [], [2])) == 0.0


def test_a_curve_computed_by_hand() -> None:
    # Right, wrong, right of 2: precision 1 up to recall 0.5 (51 points: 0.00 to 0.50), 2/3 beyond (50 points).
    assert average_precision(outcomes([0.9, 0.8, 0.7], [True, False, True], [2])) == pytest.approx(
        (51 * 1 + 50 * 2 / 3) / 101
    )


def test_missed_objects_cost_the_recall_they_would_have_given() -> None:
    # One of four found: recall 0.25 at precision 1, 26 of 101 points.
    assert average_precision(outcomes([0.9], [True], [4])) == pytest.approx(26 / 101)


def test_a_class_that_does_not_occur_is_left_out_of_the_mean() -> None:
    assert math.isnan(average_precision(outcomes([0.5], [False], [0])))
    classes = [outcomes([0.9], [True], [1]), outcomes([], [], [0])]
    assert mean_average_precision(classes, ["a"]).value == 1.0


def test_a_weight_of_two_is_the_same_as_the_cell_twice() -> None:
    once = outcomes([0.9, 0.8, 0.7], [True, False, True], [1, 2], cells=[0, 1, 1])
    twice = outcomes([0.9, 0.8, 0.8, 0.7, 0.7], [True, False, False, True, True], [1, 2, 2], cells=[0, 1, 2, 1, 2])
    assert average_precision(once, np.asarray([1.0, 2.0])) == pytest.approx(average_precision(twice))


def test_the_better_detection_takes_the_object_and_the_other_is_wrong() -> None:
    iou = np.asarray([[0.6], [0.9]])
    assert greedy_matches(iou, np.asarray([0.8, 0.7])).tolist() == [True, False]
    assert greedy_matches(iou, np.asarray([0.7, 0.8])).tolist() == [False, True]


def test_half_is_enough_and_less_is_not() -> None:
    assert greedy_matches(np.asarray([[0.5]]), np.asarray([0.8])).tolist() == [True]
    assert greedy_matches(np.asarray([[0.4999]]), np.asarray([0.8])).tolist() == [False]
    assert greedy_matches(np.zeros((1, 0)), np.asarray([0.8])).tolist() == [False]


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_pycocotools(seed: int) -> None:
    coco, cocoeval = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    rng = np.random.default_rng(seed)
    truth, found, own = [], [], []
    for image in range(12):
        boxes = random_boxes(rng, int(rng.integers(0, 9)))
        detected = np.concatenate([boxes + rng.normal(0, 4, boxes.shape), random_boxes(rng, 4)])
        scores = rng.random(len(detected)).round(2)
        truth += [coco_box(box, image) | {"id": len(truth) + i + 1} for i, box in enumerate(boxes)]
        found += [coco_box(box, image) | {"score": float(s)} for box, s in zip(detected, scores, strict=True)]
        own.append((scores, greedy_matches(box_iou(detected, boxes), scores), len(boxes)))
    mine = average_precision(
        Outcomes(
            scores=np.concatenate([scores for scores, _, _ in own]),
            right=np.concatenate([right for _, right, _ in own]),
            cells=np.repeat(np.arange(12), [len(scores) for scores, _, _ in own]),
            truths=np.asarray([number for _, _, number in own], np.float64),
        )
    )
    with contextlib.redirect_stdout(io.StringIO()):
        reference = coco.COCO()
        reference.dataset = {
            "images": [{"id": image} for image in range(12)],
            "categories": [{"id": 1}],
            "annotations": truth,
        }
        reference.createIndex()
        evaluation = cocoeval.COCOeval(reference, reference.loadRes(found), "bbox")
        evaluation.params.iouThrs = np.asarray([0.5])
        evaluation.evaluate()
        evaluation.accumulate()
    theirs = evaluation.eval["precision"][0, :, 0, 0, -1].mean()
    assert 0.05 < theirs < 0.95
    assert mine == pytest.approx(theirs, abs=1e-6)


def random_boxes(rng: np.random.Generator, number: int) -> np.ndarray:
    low = rng.uniform(0, 400, (number, 2))
    return np.concatenate([low, low + rng.uniform(20, 60, (number, 2))], 1)


def coco_box(box: np.ndarray, image: int) -> dict[str, object]:
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    return {
        "image_id": image,
        "category_id": 1,
        "bbox": [float(box[0]), float(box[1]), width, height],
        "area": width * height,
        "iscrowd": 0,
    }
