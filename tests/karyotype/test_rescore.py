"""An object among the others: what the third look is shown, and what becomes of its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit

from consilium.karyotype import rescore
from consilium.karyotype.find import seen_twice
from consilium.karyotype.karyotype_set import karyotype_set
from consilium.karyotype.normalise import normalise
from consilium.karyotype.positions import AS_IT_LIES, UPRIGHT
from consilium.karyotype.proposals import Proposals, box_iou
from consilium.karyotype.render import render_metaphase
from consilium.karyotype.rescore import LEAST_OPEN, RELATIONS, SIDE, crops_among, relations, rescored

Floats = NDArray[np.float32]
SHAPE = (200, 240)


def objects(*boxes: tuple[int, int, int, int], worth: list[float]) -> Proposals:
    """Rectangles, each filled by its mask."""
    return Proposals(
        boxes=np.asarray(boxes, np.float32).reshape(-1, 4),
        worth=np.asarray(worth, np.float32),
        masks=[(np.ones((y1 - y0, x1 - x0), np.bool_), (x0, y0)) for x0, y0, x1, y1 in boxes],
    )


CROSS = objects((100, 60, 112, 140), (66, 94, 146, 106), (10, 150, 20, 190), worth=[0.7, 0.4, 0.95])


class Recorded:
    """A network that answers as it is told and keeps what it was shown."""

    def __init__(self, answer: Callable[[Floats, Floats], Floats]) -> None:
        self.answer, self.crops, self.calls = answer, np.zeros((0, 4, SIDE, SIDE), np.float32), 0

    def run(self, *, crops: Floats, relations: Floats) -> dict[str, Floats]:
        self.crops, self.calls = np.concatenate([self.crops, crops]), self.calls + 1
        return {"odds": self.answer(crops, relations)}


def test_a_crop_shows_the_object_and_what_others_claim_around_it() -> None:
    darkness = np.zeros(SHAPE, np.float32)
    darkness[60:140, 100:112] = 0.8
    upright, lying, alone = crops_among(darkness, CROSS)
    # Eighty pixels are 48 samples: the box reaches from 24 to 72.
    assert upright[0, 25:71, 46:50] == pytest.approx(0.8, abs=0.01)
    assert upright[1].sum() == pytest.approx(upright[2].sum(), rel=0.15)
    assert upright[2, 30:66, 46:50] == pytest.approx(1)
    assert upright[3, 46:50, 26:70] == pytest.approx(0.4, abs=0.01)
    assert lying[3, 26:70, 46:50] == pytest.approx(0.7, abs=0.01)
    assert upright[3].sum() == pytest.approx(0.4 * lying[2].sum(), rel=0.02)
    assert not alone[0].any() and alone[3] == pytest.approx(0, abs=1e-5)
    assert crops_among(darkness, CROSS, only=[2, 0]) == pytest.approx(np.stack([alone, upright]))


def test_an_object_at_the_edge_is_shown_with_nothing_beyond() -> None:
    at_edge = objects((0, 0, 10, 40), (230, 170, 240, 200), worth=[0.5, 0.5])
    first, last = crops_among(np.ones(SHAPE, np.float32), at_edge)
    assert not first[0, :22].any() and not last[0, -22:].any()
    assert first[0, 26:70, 46:].all()


def test_figures_among_the_others() -> None:
    upright, lying, alone = relations(CROSS, 10.0, SHAPE)
    shared, area = 12 * 12, 12 * 80
    assert upright.shape == (RELATIONS,)
    assert upright[:3] == pytest.approx([logit(0.7), np.log(8), np.log(12 / 80)], rel=1e-3)
    assert upright[4] == pytest.approx(0.4 * shared / area, rel=1e-3) and upright[5] == 0
    assert lying[5] == pytest.approx(shared / area, rel=1e-3)
    assert lying[6] == pytest.approx(0.7 * shared / area, rel=1e-3) and upright[6] == 0
    assert lying[10] == pytest.approx(shared / (2 * area - shared), rel=1e-3)
    assert not alone[4:11].any()
    assert (upright[11], alone[11]) == pytest.approx((1, 1))
    assert alone[12] == pytest.approx(10 / rescore.EDGE)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_the_objects_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 150, (7, 2))
    boxes = np.concatenate([low, low + rng.integers(8, 50, (7, 2))], axis=1).tolist()
    worth, order = rng.uniform(0.05, 0.95, 7).tolist(), rng.permutation(7)
    darkness = rng.random(SHAPE).astype(np.float32)
    these = objects(*boxes, worth=worth)
    others = objects(*(boxes[k] for k in order), worth=[worth[k] for k in order])
    assert relations(others, 15.0, SHAPE) == pytest.approx(relations(these, 15.0, SHAPE)[order], abs=1e-5)
    assert crops_among(darkness, others) == pytest.approx(crops_among(darkness, these)[order], abs=1e-4)


def test_what_can_hardly_be_a_chromosome_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Recorded(lambda crops, _: np.full(len(crops), 2.0, np.float32))
    monkeypatch.setattr(rescore, "model", lambda name, *, threads=None: network)
    these = replace(CROSS, worth=np.asarray([0.7, 0.05, 0.95], np.float32))
    told = rescored(np.zeros(SHAPE, np.float32), these, 12.0, positions=(AS_IT_LIES,))
    open_ = these.worth > LEAST_OPEN
    assert told.worth[open_] == pytest.approx(expit(2.0))
    assert (told.worth[~open_] == these.worth[~open_]).all() and (~open_).any()
    assert told.boxes is these.boxes and told.masks is these.masks
    assert len(network.crops) == open_.sum()


def test_what_is_said_in_several_positions_is_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Recorded(lambda crops, _: crops[:, 0, :48].mean(axis=(1, 2)))
    monkeypatch.setattr(rescore, "model", lambda name, *, threads=None: network)
    darkness = np.zeros(SHAPE, np.float32)
    darkness[60:100, 100:112] = 1
    one = objects((100, 60, 112, 140), worth=[0.5])
    upper, both = (rescored(darkness, one, 12.0, positions=some).worth[0] for some in ((AS_IT_LIES,), UPRIGHT))
    assert network.calls == 5
    assert logit(both) == pytest.approx(logit(upper) / 2, abs=1e-3)


def test_a_cell_without_objects_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescore, "model", lambda name, *, threads=None: pytest.fail("asked"))
    dirt = objects((10, 10, 30, 60), worth=[0.06])
    assert rescored(np.zeros(SHAPE, np.float32), dirt, 12.0) is dirt
    nothing = objects(worth=[])
    assert rescored(np.zeros(SHAPE, np.float32), nothing, 12.0) is nothing


@pytest.mark.usefixtures("shipped_models")
def test_each_chromosome_is_claimed_once_and_what_is_none_is_not() -> None:
    """Over drawn cells with crossings: by how much all that is worth something is too much or too little."""
    before, after = [], []
    for seed in range(3):
        cell = render_metaphase(karyotype_set("normal male"), np.random.default_rng(seed), width_px=16, crowding=0.4)
        seen = normalise(cell.pixels)
        twice = seen_twice(seen.darkness)
        shared = box_iou(twice.boxes, np.asarray([one.box for one in cell.truth], np.float32))
        nearest = np.where(shared.max(1) >= 0.5, shared.argmax(1), len(cell.truth))
        once = np.append(np.ones(len(cell.truth)), 0.0)
        for told, into in ((twice, before), (rescored(seen.darkness, twice, seen.chromosome_width), after)):
            claimed = np.bincount(nearest, weights=told.worth, minlength=len(once))
            into.append(np.abs(claimed - once).sum())
    assert np.mean(after) < 0.7 * np.mean(before)
