from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from consilium.specialist.report.curves import confusion, confusion_at, precision_recall, roc


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    positive = rng.random(150) < 0.4
    return np.round(rng.normal(size=150) + positive * 1.2, 1), positive


def test_the_roc_curve_is_that_of_scikit_learn(scored: tuple[np.ndarray, np.ndarray]) -> None:
    scores, positive = scored
    curve = roc(scores, positive, np.arange(150))
    across, up, _ = roc_curve(positive, scores, drop_intermediate=False)
    # Where the curve climbs straight up there are two values; between those places there is one.
    unique = ~np.isclose(np.abs(curve.across[:, None] - across).min(1), 0)
    assert np.allclose(curve.up[unique], np.interp(curve.across[unique], across, up))
    assert (curve.low <= curve.up + 1e-9).mean() > 0.95 and (curve.up <= curve.high + 1e-9).mean() > 0.95


def test_precision_is_that_of_scikit_learn(scored: tuple[np.ndarray, np.ndarray]) -> None:
    scores, positive = scored
    curve = precision_recall(scores, positive, np.arange(150))
    precision, recall, _ = precision_recall_curve(positive, scores)
    for place in (10, 40, 75, 100):
        # The highest threshold that reaches the recall.
        candidates = precision[np.isclose(recall, recall[recall >= curve.across[place] - 1e-12].min())]
        assert np.isclose(candidates, curve.up[place]).any(), place


def test_patients_with_several_images_widen_the_band(scored: tuple[np.ndarray, np.ndarray]) -> None:
    scores, positive = scored
    scores, positive = np.tile(scores, 4), np.tile(positive, 4)
    alone = roc(scores, positive, np.arange(600))
    together = roc(scores, positive, np.tile(np.arange(150), 4))
    assert (together.high - together.low).mean() > 1.5 * (alone.high - alone.low).mean()


def test_confusion() -> None:
    assert confusion_at(0.9, 0.8, 20, 50).tolist() == [[40.0, 10.0], [2.0, 18.0]]
    found = confusion(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), 3)
    assert found.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
