from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from consilium.errors import ModelError, UnusableDataset
from consilium.specialist.detection import detector as module
from consilium.specialist.detection.average_precision import average_precision, outcomes_of
from consilium.specialist.detection.box_file import read_box_file
from consilium.specialist.detection.boxes import Boxes, no_boxes
from consilium.specialist.detection.cross_validate import FOLDS, folds_of, validate_detector
from consilium.specialist.detection.detector import (
    Detector,
    detect,
    detect_all,
    detector_of,
    detector_state,
    fit_detector,
    reported,
)
from consilium.specialist.detection.draw import MISSED, draw_boxes
from consilium.specialist.detection.find_file import answer_file, drawn_file
from consilium.specialist.detection.first_look import fields_of
from consilium.specialist.detection.pyramid import PyramidFeatures, pyramid_features
from consilium.specialist.detection.score_calibration import calibrated, fit_calibration
from tests.specialist.shapes import MeansEncoder

SIDE = 64
LABELS = ("disc", "square")


def scenes(count: int, *, seed: int = 0) -> tuple[list[np.ndarray], list[Boxes]]:
    """Noisy pictures (64, 80, 3) of bright discs and of dark squares, each at a place of its own, some empty."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:64, :80]
    pictures, truth = [], []
    for number in range(count):
        grey = np.full((64, 80), 0.5)
        corners, classes = [], []
        for middle in (14, 40, 66) if number % 6 else ():
            row, half, kind = int(rng.integers(14, 50)), int(rng.integers(6, 11)), int(rng.integers(0, 2))
            inside = np.hypot(rows - row, columns - middle) <= half
            if kind:
                inside = (np.abs(rows - row) <= half) & (np.abs(columns - middle) <= half)
            grey[inside] += -0.3 if kind else 0.3
            corners.append([middle - half, row - half, middle + half + 1, row + half + 1])
            classes.append(kind)
        grey = np.clip(grey + 0.05 * rng.standard_normal(grey.shape), 0, 1)
        pictures.append(np.repeat(grey[:, :, None], 3, axis=2).astype(np.float32))
        truth.append(Boxes(corners=np.array(corners, np.float64).reshape(-1, 4), classes=np.array(classes, np.intp)))
    return pictures, truth


@pytest.fixture(scope="module")
def taught() -> tuple[Detector, list[np.ndarray], list[Boxes], list[PyramidFeatures]]:
    """A detector of 14 pictures, and 10 more that it has not seen."""
    pictures, truth = scenes(24)
    features = pyramid_features(MeansEncoder(), pictures, side=SIDE, modality=None)
    detector = fit_detector(
        MeansEncoder(), features[:14], truth[:14], np.arange(14), side=SIDE, labels=LABELS, modality=None
    )
    return detector, pictures[14:], truth[14:], features[14:]


def test_objects_are_found_named_and_bounded(taught: tuple) -> None:
    detector, pictures, truth, features = taught
    found = [detect_all(detector, one) for one in features]
    for number in (0, 1):
        outcomes = outcomes_of(found, truth, number)
        assert average_precision(outcomes, 0) > 0.8, LABELS[number]
    assert detector.choice is not None
    assert detector.choice.taken == "two looks" and detector.second is not None
    count = sum(len(reported(detector, one)) for one in found)
    assert abs(count - sum(map(len, truth))) <= 6
    told = detect(detector, MeansEncoder(), pictures[1])
    assert {one.label for one in told} <= set(LABELS)
    assert [one.score for one in told] == sorted((one.score for one in told), reverse=True)
    assert all(
        0 <= one.corners[0] < one.corners[2] <= 80 and 0 <= one.corners[1] < one.corners[3] <= 64 for one in told
    )


def test_a_detector_is_kept_and_made_again(taught: tuple, tmp_path: Path) -> None:
    detector, _, _, features = taught
    document, arrays = detector_state(detector)
    np.savez(tmp_path / "d.npz", **arrays)
    with np.load(tmp_path / "d.npz") as kept:
        again = detector_of(json.loads(json.dumps(document)), kept)
    before, after = detect_all(detector, features[1]), detect_all(again, features[1])
    assert np.array_equal(before.corners, after.corners) and np.array_equal(before.scores, after.scores)
    one_look = detector_of(*detector_state(replace(detector, second=None)))
    assert one_look.second is None
    for broken in ({**document, "version": 99}, {**document, "labels": ["a"]}, {"task": "segment"}):
        with pytest.raises(ModelError, match="state of a detector"):
            detector_of(broken, arrays)
    with pytest.raises(ModelError, match="shapes"):
        detector_of(document, {**arrays, "second_weights2": np.zeros((3, 3))})


def test_a_file_becomes_a_line_and_a_drawing(taught: tuple, tmp_path: Path) -> None:
    detector, pictures, _, _ = taught
    cv2.imwrite(str(tmp_path / "x.png"), (pictures[1] * 255).astype(np.uint8))
    answer = answer_file(detector, MeansEncoder(), tmp_path / "x.png")
    assert answer["file"].endswith("x.png") and answer["boxes"]
    (tmp_path / "x.json").write_text(json.dumps(answer))
    named = read_box_file(tmp_path / "x.json").of(tmp_path / "x.png")
    assert named is not None
    assert [box.label for box in named] == [box["label"] for box in answer["boxes"]]
    drawn = drawn_file(detector, MeansEncoder(), tmp_path / "x.png")
    assert drawn.shape == (64, 80, 3) and drawn.dtype == np.uint8
    assert (drawn != (pictures[1] * 255).round().astype(np.uint8)).any()


def test_another_encoder_is_refused(taught: tuple) -> None:
    detector, pictures, _, _ = taught
    other = MeansEncoder()
    other.fingerprint = "1" * 64
    with pytest.raises(ModelError, match="another encoder"):
        detect(detector, other, pictures[0])
    other.levels = ()
    with pytest.raises(ModelError, match="pyramid"):
        pyramid_features(other, pictures[:1], side=SIDE, modality=None)


def test_too_few_cases_are_refused() -> None:
    pictures, truth = scenes(3)
    features = pyramid_features(MeansEncoder(), pictures, side=SIDE, modality=None)
    with pytest.raises(UnusableDataset, match="no box"):
        fit_detector(MeansEncoder(), features, [no_boxes()] * 3, np.arange(3), side=SIDE, labels=LABELS)
    with pytest.raises(UnusableDataset, match="too few"):
        fit_detector(MeansEncoder(), features, truth, np.arange(3), side=SIDE, labels=LABELS)
    with pytest.raises(UnusableDataset, match="without a label"):
        fit_detector(MeansEncoder(), features, truth, np.arange(3), side=SIDE, labels=("disc",))


def test_folds_keep_patients_together_and_spread_rare_classes() -> None:
    truth = [
        Boxes(corners=np.array([[0, 0, 5, 5.0]]), classes=np.array([int(number % 8 == 0)], np.intp))
        for number in range(80)
    ]
    groups = np.arange(80) // 2
    fold = folds_of(truth, groups, classes=2, seed=1)
    assert all(len(set(fold[groups == group].tolist())) == 1 for group in range(40))
    rare = [sum(1 for one, part in zip(truth, fold, strict=True) if part == k and one.classes[0]) for k in range(FOLDS)]
    assert rare == [2] * 5
    with pytest.raises(UnusableDataset, match="folds needs 5"):
        folds_of(truth[:8], groups[:8], classes=2, seed=1)


def test_each_picture_is_judged_by_a_detector_that_had_not_seen_its_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, truth = scenes(20, seed=4)
    groups = np.arange(20) // 2
    features = pyramid_features(MeansEncoder(), pictures, side=SIDE, modality=None)
    seen: list[set[int]] = []
    monkeypatch.setattr("consilium.specialist.detection.box_network._FEWEST_STEPS", 60)
    numbered = {id(one): number for number, one in enumerate(features)}
    stand_in = fit_detector(MeansEncoder(), features[:8], truth[:8], np.arange(8), side=SIDE, labels=LABELS)

    def fitted(encoder: object, rows: list, *_: object, **__: object) -> Detector:
        seen.append({int(groups[numbered[id(one)]]) for one in rows})
        return stand_in

    monkeypatch.setattr("consilium.specialist.detection.cross_validate.fit_detector", fitted)
    steps: list[tuple[int, int]] = []
    found = validate_detector(
        MeansEncoder(), features, truth, groups, side=SIDE, labels=LABELS, progress=lambda *step: steps.append(step)
    )
    assert len(seen) == FOLDS + 1 and steps[-1] == (FOLDS + 1, FOLDS + 1)
    for part in range(FOLDS):
        assert not seen[part] & set(groups[found.fold == part].tolist())
    assert seen[-1] == set(groups.tolist())
    assert found.figures.patients == 10 and 0 < found.figures.map50.value <= 1
    assert all((one.scores >= 0.1 * min(stand_in.thresholds)).all() for one in found.reported)


def test_fields_near_a_middle_are_of_the_box() -> None:
    boxes = Boxes(corners=np.array([[0, 0, 40, 40], [70, 70, 71, 71.0]]), classes=np.zeros(2, np.intp))
    owner = fields_of(boxes, 10, (100, 100)).reshape(10, 10)
    assert owner[1:3, 1:3].tolist() == [[0, 0], [0, 0]]
    assert owner[7, 7] == 1 or owner[6, 6] == 1
    assert owner[9, 0] == -1
    assert (owner == 1).sum() == 1


def test_scores_become_how_often_a_box_is_right() -> None:
    rng = np.random.default_rng(0)
    found, true = [], []
    for _ in range(200):
        # Scores of .9 that are right half the time.
        there = rng.random() < 0.5
        box = np.array([[0, 0, 10, 10.0]])
        found.append(Boxes(corners=box, classes=np.zeros(1, np.intp), scores=np.array([rng.uniform(0.88, 0.92)])))
        true.append(Boxes(corners=box + (0 if there else 50), classes=np.zeros(1, np.intp)))
    lines = fit_calibration(found, true, 2)
    assert calibrated(found[0], lines).scores[0] == pytest.approx(0.5, abs=0.1)
    assert lines[1].tolist() == [1, 0]


def test_a_missed_box_is_drawn_dashed() -> None:
    picture = np.full((60, 60, 3), 0.5, np.float32)
    missed = Boxes(corners=np.array([[10, 10, 50, 50.0]]), classes=np.zeros(1, np.intp))
    drawn = draw_boxes(picture, no_boxes(), LABELS, true=missed)
    share = (drawn[10, 10:50] == MISSED).all(1).mean()
    assert 0.2 < share < 0.95
    hit = Boxes(corners=missed.corners, classes=missed.classes, scores=np.ones(1))
    assert not (draw_boxes(picture, hit, LABELS, true=missed) == MISSED).all(2).any()


def test_the_simpler_way_is_taken_where_it_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, truth = scenes(14, seed=2)
    features = pyramid_features(MeansEncoder(), pictures, side=SIDE, modality=None)
    monkeypatch.setattr(module, "_loss", lambda *_: 0.25)
    monkeypatch.setattr("consilium.specialist.detection.box_network._FEWEST_STEPS", 20)
    found = fit_detector(MeansEncoder(), features, truth, np.arange(14), side=SIDE, labels=LABELS)
    assert found.choice is not None and found.choice.taken == "one look"
    assert found.second is None
