from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from benchmarks.object_detection import Components, _defined, rows_of, worst_first
from consilium.specialist.detection.average_precision import average_precision, detection_figures, outcomes_of
from consilium.specialist.detection.boxes import Boxes, no_boxes


def _smears(count: int) -> tuple[list[np.ndarray], list[Boxes]]:
    """Pale red discs (class 0) and deep blue ones (class 1) on a light ground, (160, 200, 3)."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:160, :200]
    pictures, truth = [], []
    for _ in range(count):
        picture = np.full((160, 200, 3), 0.9, np.float32)
        corners, classes = [], []
        for row in (40, 120):
            for column in (35, 100, 165):
                kind = int(rng.random() < 0.3)
                radius = int(rng.integers(12, 15) if kind else rng.integers(18, 24))
                picture[np.hypot(rows - row, columns - column) < radius] = (0.35, 0.1, 0.7) if kind else (0.9, 0.6, 0.6)
                corners.append([column - radius, row - radius, column + radius, row + radius])
                classes.append(kind)
        pictures.append(np.clip(picture + 0.03 * rng.standard_normal(picture.shape), 0, 1).astype(np.float32))
        truth.append(Boxes(corners=np.array(corners, np.float64), classes=np.array(classes, np.intp)))
    return pictures, truth


def test_the_baseline_finds_and_names_discs_that_lie_apart() -> None:
    pictures, truth = _smears(12)
    baseline = Components(pictures[:8], truth[:8], 2)
    found = [baseline.find(one) for one in pictures[8:]]
    for number in (0, 1):
        assert average_precision(outcomes_of(found, truth[8:], number), 0) > 0.8
    assert len(baseline.find(np.full((160, 200, 3), 0.9, np.float32))) == 0


def test_what_is_not_defined_is_said_so_and_is_valid_json() -> None:
    _, truth = _smears(3)
    figures = detection_figures(
        [no_boxes()] * 3, truth, np.arange(3), labels=("pale", "deep"), thresholds=np.array([0.5, 0.5]), draws=10
    )
    shown = rows_of(json.loads(json.dumps(_defined(asdict(figures)), allow_nan=False)), "Nothing")
    assert "not defined" in shown and "0.000" in shown
    assert shown == rows_of(figures, "Nothing")


def test_the_worst_picture_comes_first() -> None:
    _, truth = _smears(3)
    right = [Boxes(corners=one.corners, classes=one.classes, scores=np.full(len(one), 0.9)) for one in truth]
    order = worst_first([right[0], no_boxes(), right[2]], truth, np.array([0.5, 0.5]))
    assert order.tolist() == [1, 0, 2]
