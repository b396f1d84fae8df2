from __future__ import annotations

import numpy as np

from consilium.specialist.detection.boxes import Boxes, no_boxes
from consilium.specialist.detection.doubtful import doubtful_boxes


def test_forgotten_renamed_and_unseen_boxes_are_pointed_at() -> None:
    true = Boxes(
        corners=np.array([[0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60.0]]), classes=np.array([0, 1, 0], np.intp)
    )
    found = Boxes(
        corners=np.array([[0, 0, 10, 9], [20, 20, 30, 31], [80, 80, 90, 90], [70, 0, 80, 10.0]]),
        classes=np.array([0, 0, 1, 1], np.intp),
        scores=np.array([0.9, 0.7, 0.8, 0.3]),
    )
    doubts = doubtful_boxes([no_boxes(), found], [no_boxes(), true])
    assert [(one.picture, one.doubt, one.number, one.score) for one in doubts] == [
        (1, "no box", 1, 0.8),
        (1, "another label", 0, 0.7),
        (1, "not seen", 0, 0.0),
    ]
    assert doubts[2].corners == (50, 50, 60, 60)


def test_nothing_found_leaves_every_true_box_unseen() -> None:
    true = Boxes(corners=np.array([[0, 0, 10, 10.0]]), classes=np.zeros(1, np.intp))
    assert [one.doubt for one in doubtful_boxes([no_boxes()], [true])] == ["not seen"]
    assert doubtful_boxes([no_boxes()], [no_boxes()]) == ()
