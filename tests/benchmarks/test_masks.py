from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.judged import judge
from benchmarks.masks import mask_iou, measure


def test_iou_of_placed_masks_by_hand() -> None:
    square = np.ones((4, 4), np.bool_)
    assert mask_iou((square, (0, 0)), (square, (0, 0))) == 1.0
    assert mask_iou((square, (0, 0)), (square, (2, 0))) == pytest.approx(8 / 24)
    assert mask_iou((square, (0, 0)), (square, (9, 0))) == 0.0
    assert mask_iou((square, (3, 3)), (square, (0, 0))) == pytest.approx(1 / 31)


def test_masks_that_fit_poorly_are_not_found_though_their_boxes_are(truth, reading, rod) -> None:
    good, poor = rod(0, "1"), rod(1, "1")
    thin = poor.instance.mask.copy()
    thin[:, 3:] = False
    poor = replace(poor, instance=replace(poor.instance, mask=thin))
    one = judge(truth(["1", "1"]), reading([good, poor]))
    assert len(one.pairs) == 2
    section = measure({"adir_mfish": {"consilium": [one]}}, data={"adir_mfish": "made"})
    got = {figure.name: figure.estimate.value for figure in section.figures}
    assert got["mask_recall_adir"] == 0.5
    assert got["mask_iou_adir"] == 1.0
    assert got["mask_ap50_adir"] == pytest.approx(51 / 101)
