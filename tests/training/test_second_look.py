"""What the second look is told of a proposal: overlap, shifts and mask, whichever way its crop is laid."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

from training.cells import DARKNESS_SCALE, Cell
from training.proposals import Proposed
from training.second_look import SIDE, Looked, look, turned

BOX = np.asarray([[40, 30, 60, 90]], np.float32)


def seen(proposal: tuple[float, float, float, float]) -> Looked:
    mask = np.ones((60, 20), np.bool_)
    darkness = np.zeros((160, 160), np.uint8)
    darkness[30:90, 40:60] = DARKNESS_SCALE
    cell = Cell(
        name="one", source="tseng2023", case="1", part="train", width=17.0, darkness=darkness, boxes=BOX,
        labels=np.zeros(1, np.int16), masks=((mask, (40, 30)),),
    )  # fmt: skip
    proposed = Proposed(np.asarray([proposal], np.float32), np.asarray([0.5], np.float32))
    return look(cell, proposed, np.random.default_rng(0), augment=False)


def test_the_shifts_lead_from_the_proposal_to_the_chromosome() -> None:
    told = seen((34, 30, 60, 70))
    assert told.overlap == pytest.approx([20 * 40 / (20 * 60 + 6 * 40)])
    assert told.shifts[0] * 40 == pytest.approx([6, 0, 0, 20], abs=1e-4)


def test_the_mask_lies_where_the_chromosome_is_dark() -> None:
    told = seen((38, 28, 63, 95))
    assert set(np.unique(told.masks)) == {0.0, 1.0}
    assert ((told.crops[0, 0] > 0.5) == (told.masks[0] > 0.5)).mean() > 0.99


def test_a_proposal_of_something_else_is_told_neither_mask_nor_place() -> None:
    told = seen((100, 100, 140, 140))
    assert told.overlap[0] == 0 and (told.masks[0] == -1).all()


@pytest.mark.parametrize("seed", range(12))
def test_crops_masks_and_shifts_turn_together(seed: int) -> None:
    """The box that the shifts lead to holds the mask, however the crop is laid."""
    told = seen((36, 32, 66, 86))
    crops, shifts, masks = turned(told.crops, told.shifts, told.masks, np.random.default_rng(seed))
    assert ((crops[0, 0] > 0.5) == (masks[0] > 0.5)).mean() > 0.99
    inside = np.argwhere(crops[0, 1] > 0)
    (top, left), (bottom, right) = inside.min(0), inside.max(0) + 1
    longest = max(bottom - top, right - left)
    led = np.asarray([left, top, right, bottom]) + shifts[0] * longest
    rows, columns = np.nonzero(masks[0])
    held = np.asarray([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert led == pytest.approx(held, abs=1.5)
    assert crops.shape[-1] == SIDE
