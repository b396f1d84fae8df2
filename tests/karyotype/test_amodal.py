"""Crops around boxes and back: what the mask network is shown, and what its answers stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consilium.karyotype.amodal import FILL, SIDE, box_channel, mask_crops, masks_from_logits
from consilium.karyotype.render import Rendered, karyotype_set, render_metaphase

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

PAGE = (90, 120)
NOTHING = np.full((1, SIDE, SIDE), -5.0, np.float32)
EVERYTHING = np.full((1, SIDE, SIDE), 5.0, np.float32)


def on_page(mask: Mask, origin: tuple[int, int], shape: tuple[int, int]) -> Mask:
    whole = np.zeros(shape, np.bool_)
    whole[origin[1] : origin[1] + mask.shape[0], origin[0] : origin[0] + mask.shape[1]] = mask
    return whole


def iou(first: Mask, second: Mask) -> float:
    return float((first & second).sum() / (first | second).sum())


def there_and_back(whole: Mask, box: tuple[float, ...]) -> Mask:
    """What comes back of a mask that the network would have found to the sample."""
    boxes = np.asarray([box], np.float32)
    logits = mask_crops(whole.astype(np.float32), boxes)[:, 0] - 0.5
    (mask, origin), *others = masks_from_logits(logits, boxes, (whole.shape[0], whole.shape[1]))
    assert not others
    return on_page(mask, origin, (whole.shape[0], whole.shape[1]))


@pytest.fixture(scope="module", params=[6.0, 18.0, 28.0], ids=lambda width: f"{width:g} pixels wide")
def cell(request: pytest.FixtureRequest) -> Rendered:
    rng = np.random.default_rng(5)
    return render_metaphase(karyotype_set("46,XY"), rng, width_px=request.param, nuclei=0, debris=0)


def test_a_true_mask_survives_the_crop_at_every_size(cell: Rendered) -> None:
    shape = (cell.pixels.shape[0], cell.pixels.shape[1])
    likeness, shifts = [], []
    for drawn in cell.truth:
        whole = on_page(drawn.mask, drawn.origin, shape)
        found = there_and_back(whole, drawn.box)
        likeness.append(iou(found, whole))
        shifts.append(np.mean(np.nonzero(found), axis=1) - np.mean(np.nonzero(whole), axis=1))
    assert min(likeness) > 0.94
    # An inverse that is off by a part of a sample shifts every mask the same way.
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.1


@pytest.mark.parametrize(("x", "y"), [(-9, 30), (106, 30), (50, -8), (50, 72), (-9, -8), (106, 72)])
def test_a_true_mask_survives_at_the_image_border(x: int, y: int) -> None:
    rows, columns = np.mgrid[: PAGE[0], : PAGE[1]]
    whole = ((columns - x - 11) / 11.5) ** 2 + ((rows - y - 13) / 13.5) ** 2 <= 1
    box = (max(x, 0), max(y, 0), min(x + 23, PAGE[1]), min(y + 27, PAGE[0]))
    assert iou(there_and_back(whole, box), whole) > 0.9


def test_a_crop_shows_its_box_in_the_middle_and_fills_it() -> None:
    darkness = np.zeros(PAGE, np.float32)
    darkness[20:60, 30:50] = 1.0
    crop, inside = mask_crops(darkness, np.asarray([[30, 20, 50, 60]], np.float32))[0]
    assert inside.sum() == pytest.approx((FILL * SIDE) ** 2 / 2, rel=0.06)
    assert np.abs(crop - inside).mean() < 0.03
    assert np.array_equal(inside, inside[::-1, ::-1])


def test_crops_keep_the_order_of_the_boxes() -> None:
    darkness = np.random.default_rng(0).random(PAGE, np.float32)
    boxes = np.asarray([[5, 5, 40, 60], [60, 10, 110, 40], [0, 0, 12, 12]], np.float32)
    together = mask_crops(darkness, boxes)
    assert together.shape == (3, 2, SIDE, SIDE) and together.dtype == np.float32
    for index in range(3):
        assert np.array_equal(together[index], mask_crops(darkness, boxes[index : index + 1])[0])


def test_no_box_no_crop() -> None:
    none = np.zeros((0, 4), np.float32)
    assert mask_crops(np.zeros(PAGE, np.float32), none).shape == (0, 2, SIDE, SIDE)
    assert masks_from_logits(np.zeros((0, SIDE, SIDE), np.float32), none, PAGE) == []


def test_the_box_channel_has_the_proportions_of_the_box() -> None:
    tall, wide = (box_channel(np.asarray(size, np.float32)) for size in ((10, 40), (40, 10)))
    assert np.array_equal(tall, wide.T)
    assert tall.any(axis=1).sum() == pytest.approx(4 * tall.any(axis=0).sum(), abs=4)


coordinates = st.floats(-60, 200, width=32, allow_nan=False)
sides = st.floats(0, 150, width=32)
answers = st.sampled_from(["nothing", "everything", "noise"])


@settings(max_examples=60)
@given(x=coordinates, y=coordinates, width=sides, height=sides, answer=answers)
def test_a_mask_is_never_empty_and_always_within_the_image(
    x: float, y: float, width: float, height: float, answer: str
) -> None:
    """Boxes partly or wholly outside the image and boxes without any size included."""
    noise = np.random.default_rng(1).normal(0, 4, (1, SIDE, SIDE)).astype(np.float32)
    logits = {"nothing": NOTHING, "everything": EVERYTHING, "noise": noise}[answer]
    boxes = np.asarray([[x, y, x + width, y + height]], np.float32)
    ((mask, (left, top)),) = masks_from_logits(logits, boxes, PAGE)
    assert mask.dtype == np.bool_ and mask.any()
    assert left >= 0 and top >= 0
    assert left + mask.shape[1] <= PAGE[1] and top + mask.shape[0] <= PAGE[0]
    assert np.isfinite(mask_crops(np.ones(PAGE, np.float32), boxes)).all()


def test_a_found_mask_is_cut_to_its_extent() -> None:
    logits = NOTHING.copy()
    logits[0, 20:44, 28:36] = 5.0
    ((mask, _),) = masks_from_logits(logits, np.asarray([[20, 10, 80, 80]], np.float32), PAGE)
    assert mask[0].any() and mask[-1].any() and mask[:, 0].any() and mask[:, -1].any()


def test_where_nothing_is_found_the_middle_of_the_box_stands_in() -> None:
    box = (30.0, 20.0, 70.0, 60.0)
    ((mask, origin),) = masks_from_logits(NOTHING, np.asarray([box], np.float32), PAGE)
    whole = on_page(mask, origin, PAGE)
    assert whole[40, 50]
    assert 0.3 < whole.sum() / (40 * 40) < 0.8


def test_specks_go_and_the_far_side_of_a_crossing_stays() -> None:
    """A chromosome under another one is seen in two pieces; a speck is no piece of it."""
    logits = NOTHING.copy()
    logits[0, 8:26, 28:36] = 5.0
    logits[0, 36:56, 28:36] = 5.0
    logits[0, 31:33, 50:52] = 5.0
    box = np.asarray([[20, 5, 84, 69]], np.float32)
    ((mask, _),) = masks_from_logits(logits, box, PAGE)
    rows = np.flatnonzero(mask.any(axis=1))
    assert mask.shape[0] > 50 and mask.shape[1] < 15
    assert len(rows) < mask.shape[0]
