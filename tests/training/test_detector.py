"""What the detector is taught: where the boxes of a turned, scaled and pasted canvas are, and what answers cost."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

import torch
from torch import Tensor

from consilium.karyotype.find import STRIDE
from training.amodal import cuttings
from training.cells import DARKNESS_SCALE, Cell
from training.detector import CANVAS, MOST, NO_CLASS, Batch, Canvas, canvas, collate, loss_of, places

BOXES = [(60, 80, 84, 190), (300, 90, 420, 116), (500, 300, 525, 420), (200, 360, 260, 384), (90, 470, 118, 560)]


def a_cell() -> Cell:
    darkness = np.zeros((620, 600), np.uint8)
    for x0, y0, x1, y1 in BOXES:
        darkness[y0:y1, x0:x1] = DARKNESS_SCALE
    masks = tuple((np.ones((y1 - y0, x1 - x0), np.bool_), (x0, y0)) for x0, y0, x1, y1 in BOXES)
    return Cell(
        name="one", source="tseng2023", case="1", part="train", width=24.0, darkness=darkness,
        boxes=np.asarray(BOXES, np.float32), labels=np.arange(len(BOXES), dtype=np.int16), masks=masks,
    )  # fmt: skip


def drawn(seed: int) -> Canvas:
    cell = a_cell()
    return canvas(cell, [cell], cuttings([cell]), np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(25))
def test_every_box_of_a_canvas_holds_a_chromosome_that_reaches_its_sides(seed: int) -> None:
    seen = drawn(seed)
    assert seen.darkness.shape == (CANVAS, CANVAS) and len(seen.boxes) == len(seen.labels) >= 1
    assert set(seen.labels.tolist()) <= set(range(len(BOXES)))
    for x0, y0, x1, y1 in seen.boxes:
        inside = seen.darkness[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] > 0.3 * DARKNESS_SCALE
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        # A pasted one may have a margin of three pixels, as boxes drawn by people have.
        assert rows[0] <= 5 and columns[0] <= 5
        assert len(inside) - 1 - rows[-1] <= 5 and inside.shape[1] - 1 - columns[-1] <= 5


def test_what_is_dark_lies_in_a_box_or_where_nothing_is_asked() -> None:
    for seed in range(25):
        seen = drawn(seed)
        told = np.zeros((CANVAS, CANVAS), np.bool_)
        for x0, y0, x1, y1 in (*seen.boxes, *seen.cut):
            told[max(int(y0) - 1, 0) : int(y1) + 2, max(int(x0) - 1, 0) : int(x1) + 2] = True
        assert not (seen.darkness[~told] > 0.3 * DARKNESS_SCALE).any()


def test_a_cell_at_the_edge_of_a_canvas_is_padded_with_background() -> None:
    corners = [drawn(seed).darkness for seed in range(40)]
    assert any((one[:40] == 0).all() or (one[:, :40] == 0).all() for one in corners)


# What answers cost


def answers(batch: Batch, *, shift: float = 0.0, score: float = 4.0) -> tuple[Tensor, Tensor, Tensor]:
    """One place for each chromosome, its box and its class right but for `shift`."""
    side = CANVAS // STRIDE
    count = len(batch.count)
    scores = torch.full((count, 2, side, side), -6.0)
    distances = torch.full((count, 4, side, side), 8.0)
    classes = torch.zeros(count, 24, side, side)
    centres = places(side, side, torch.device("cpu")).view(side, side, 2)
    for i in range(count):
        for box, label in zip(batch.boxes[i, : batch.count[i]], batch.labels[i], strict=False):
            x, y = ((box[:2] + box[2:]) / 2 / STRIDE).long().tolist()
            centre = centres[y, x]
            scores[i, :, y, x] = score
            distances[i, :, y, x] = torch.cat([centre - box[:2], box[2:] - centre]) + shift
            if label >= 0:
                classes[i, label, y, x] = 9.0
    return scores, distances, classes


def told() -> Batch:
    return collate([drawn(seed) for seed in (0, 3)])


def test_right_answers_cost_least() -> None:
    batch = told()
    right = loss_of(*answers(batch), batch)
    assert right["one"] < loss_of(*answers(batch, score=-3.0), batch)["one"]
    assert right["box"] < loss_of(*answers(batch, shift=6.0), batch)["box"]
    scores, distances, classes = answers(batch)
    assert right["class"] < loss_of(scores, distances, classes.roll(1, 1), batch)["class"]


def test_an_answer_where_nothing_is_costs_but_not_where_nothing_is_asked() -> None:
    empty = Canvas(
        np.zeros((CANVAS, CANVAS), np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, np.int64),
        np.asarray([[0, 0, 80, 320]], np.float32),
    )  # fmt: skip
    batch = collate([empty])
    quiet = answers(batch)
    costs = {}
    for name, column in (("asked", 60), ("not asked", 10)):
        scores = quiet[0].clone()
        scores[0, :, 40, column] = 5.0
        costs[name] = loss_of(scores, quiet[1], quiet[2], batch)["one"]
    assert costs["asked"] > 1 and costs["not asked"] < 0.1


def test_places_for_boxes_that_are_not_there_and_classes_that_nobody_told_teach_nothing() -> None:
    batch = told()
    before = loss_of(*answers(batch), batch)
    assert (batch.count < MOST).all()
    boxes = batch.boxes.clone()
    boxes[:, -1] = torch.tensor([10.0, 10.0, 300.0, 300.0])
    after = loss_of(*answers(batch), Batch(batch.darkness, boxes, batch.labels, batch.count, batch.ignore))
    assert {name: float(value) for name, value in before.items()} == {n: float(v) for n, v in after.items()}
    unknown = torch.full_like(batch.labels, NO_CLASS)
    scores, distances, classes = answers(batch)
    classes.requires_grad_()
    loss_of(scores, distances, classes, Batch(batch.darkness, batch.boxes, unknown, batch.count, batch.ignore))[
        "class"
    ].backward()
    assert classes.grad is not None and not classes.grad.any()
