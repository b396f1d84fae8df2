from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from consilium.specialist.detection.average_precision import (
    FALSE_ALARMS,
    THRESHOLDS,
    average_precision,
    best_thresholds,
    detection_figures,
    outcomes_of,
    sensitivities,
)
from consilium.specialist.detection.boxes import Boxes, merged, no_boxes, overlaps, within


def _boxes(*rows: tuple[float, ...], scores: tuple[float, ...] = (), classes: tuple[int, ...] | None = None) -> Boxes:
    return Boxes(
        corners=np.array(rows, np.float64).reshape(-1, 4),
        classes=np.array(classes if classes is not None else [0] * len(rows), np.intp),
        scores=np.array(scores, np.float64),
    )


def _scattered(seed: int, pictures: int = 12) -> tuple[list[Boxes], list[Boxes]]:
    """True boxes of two classes, and found ones: shaken, doubled, of the other class, and out of nowhere."""
    rng = np.random.default_rng(seed)
    found, true = [], []
    for _ in range(pictures):
        count = int(rng.integers(0, 9))
        low = rng.uniform(0, 80, (count, 2))
        real = np.concatenate([low, low + rng.uniform(5, 30, (count, 2))], axis=1)
        classes = rng.integers(0, 2, count)
        true.append(Boxes(corners=real, classes=classes.astype(np.intp)))
        shaken = np.concatenate([real, real[: count // 2]]) + rng.normal(0, 2, (count + count // 2, 4))
        shaken[:, 2:] = np.maximum(shaken[:, 2:], shaken[:, :2] + 1)
        named = np.concatenate([classes, classes[: count // 2]])
        named = np.where(rng.random(len(named)) < 0.2, 1 - named, named)
        found.append(Boxes(corners=shaken, classes=named.astype(np.intp), scores=rng.random(len(named))))
    return found, true


def test_average_precision_is_that_of_coco() -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    found, true = _scattered(3)

    def sized(corners: np.ndarray) -> list[list[float]]:
        return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).tolist()

    annotations, results = [], []
    for picture, (ours, theirs) in enumerate(zip(found, true, strict=True), start=1):
        for box, number in zip(sized(theirs.corners), theirs.classes.tolist(), strict=True):
            annotations.append(
                {"id": len(annotations) + 1, "image_id": picture, "category_id": number + 1, "bbox": box,
                 "area": box[2] * box[3], "iscrowd": 0}
            )  # fmt: skip
        for box, number, score in zip(sized(ours.corners), ours.classes.tolist(), ours.scores.tolist(), strict=True):
            results.append({"image_id": picture, "category_id": number + 1, "bbox": box, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {
            "info": {},
            "images": [{"id": picture + 1} for picture in range(len(true))],
            "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
            "annotations": annotations,
        }
        known.createIndex()
        judge = COCOeval(known, known.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
    theirs = judge.eval["precision"][:, :, :, 0, 2].mean(1).T
    ours = [
        [average_precision(outcomes_of(found, true, number), level) for level in range(len(THRESHOLDS))]
        for number in (0, 1)
    ]
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
    assert 0.1 < np.mean(ours) < 0.9


def test_a_curve_that_was_drawn_by_hand() -> None:
    # Sure and right, then wrong, then right: precision 1 up to half of the true boxes, 2/3 beyond.
    found = [_boxes((0, 0, 10, 10), (50, 50, 60, 60), (20, 20, 30, 30), scores=(0.9, 0.8, 0.7)), no_boxes()]
    true = [_boxes((0, 0, 10, 10), (20, 20, 30, 30)), no_boxes()]
    outcomes = outcomes_of(found, true, 0)
    assert average_precision(outcomes, 0) == pytest.approx((51 + 50 * 2 / 3) / 101)
    # One false alarm in two pictures is half a one a picture.
    assert sensitivities([outcomes]).tolist() == [0.5, 0.5, 1, 1, 1, 1, 1]
    assert len(FALSE_ALARMS) == 7
    assert best_thresholds(found, true, 1) == (pytest.approx(0.35),)


def test_a_true_box_is_used_once_and_a_drawn_picture_twice() -> None:
    found = [_boxes((0, 0, 10, 10), (0, 0, 10, 10), scores=(0.9, 0.8)), _boxes((0, 0, 1, 1), scores=(0.95,))]
    true = [_boxes((0, 0, 10, 10)), _boxes((5, 5, 9, 9))]
    outcomes = outcomes_of(found, true, 0)
    assert outcomes.right[0].tolist() == [False, True, False]
    assert average_precision(outcomes, 0, np.array([1.0, 0.0])) == pytest.approx(1.0)
    twice = average_precision(outcomes, 0, np.array([2.0, 1.0]))
    assert twice == pytest.approx(average_precision(outcomes_of([*found, found[0]], [*true, true[0]], 0), 0))


def test_figures_for_each_object_and_each_patient() -> None:
    found, true = _scattered(5, pictures=30)
    groups = np.arange(30) // 2
    figures = detection_figures(found, true, groups, labels=("a", "b"), thresholds=np.array([0.3, 0.3]), draws=60)
    assert (figures.pictures, figures.patients) == (30, 15)
    for one in (figures.map50, figures.map, figures.froc_mean, *figures.froc, figures.classes[0].sensitivity):
        assert 0 <= one.low <= one.value <= one.high <= 1
    assert figures.map50.value == pytest.approx(np.mean([one.ap50.value for one in figures.classes]))
    assert figures.map.value < figures.map50.value
    assert np.all(np.diff([one.value for one in figures.froc]) >= 0)
    first = figures.classes[0]
    reported = [one.chosen((one.classes == 0) & (one.scores >= 0.3)) for one in found]
    assert first.objects == sum((one.classes == 0).sum() for one in true)
    assert first.precision.value == pytest.approx(first.sensitivity.value * first.objects / sum(map(len, reported)))


def test_a_patient_without_the_object_is_clear_when_nothing_is_reported() -> None:
    found = [_boxes((0, 0, 10, 10), scores=(0.9,)), _boxes((0, 0, 9, 9), scores=(0.2,)), no_boxes()]
    true = [_boxes((0, 0, 10, 10)), no_boxes(), no_boxes()]
    (one,) = detection_figures(found, true, np.arange(3), labels=("x",), thresholds=np.array([0.5]), draws=20).classes
    assert (one.patients_found.value, one.patients_clear.value) == (1.0, 1.0)
    (one,) = detection_figures(found, true, np.arange(3), labels=("x",), thresholds=np.array([0.1]), draws=20).classes
    assert one.patients_clear.value == 0.5


def test_boxes_overlap_vote_and_end_at_the_border() -> None:
    assert overlaps(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 3, 2.0], [5, 5, 6, 6]])).tolist() == [[1 / 3, 0]]
    both = _boxes((0, 0, 10, 10), (0, 0, 10, 8), (30, 0, 40, 10), scores=(0.6, 0.2, 0.5))
    found = merged(both, apart=0.5, together=0.7, most=10)
    assert found.scores.tolist() == [0.6, 0.5]
    assert found.corners[0].tolist() == [0, 0, 10, pytest.approx(9.5)]
    assert len(merged(both, apart=0.5, together=0.7, most=1)) == 1
    assert within(np.array([[-5, 2, 300, 2.5]]), (50, 70)).tolist() == [[0, 2, 70, 4]]


def test_all_found_in_a_few_patients_is_no_certainty() -> None:
    true = [_boxes((0, 0, 10, 10)) for _ in range(12)]
    found = [_boxes((0, 0, 10, 10), scores=(0.9,)) for _ in true]
    figures = detection_figures(found, true, np.arange(12), labels=("a",), thresholds=np.array([0.5]), draws=60)
    # 12 of 12 by Clopper and Pearson, one-sided: .025 ^ (1 / 12).
    for one in (figures.map50, figures.froc_mean, figures.classes[0].sensitivity, figures.classes[0].precision):
        assert one.value == one.high == 1 and one.low == pytest.approx(0.7353, abs=1e-4)
