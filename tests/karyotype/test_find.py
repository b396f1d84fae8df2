"""Finding chromosomes, with networks that answer the truth in place of the trained ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit

from consilium.errors import ImageOutOfBounds, NoMetaphase
from consilium.karyotype import find, rescore
from consilium.karyotype.find import (
    FEWEST,
    LEAST_SCORE,
    REDUCTION,
    STRIDE,
    USUAL_WIDTHS,
    working_scale,
)
from consilium.karyotype.metaphase import Normalised
from consilium.karyotype.normalise import NOMINAL_WIDTH, normalise
from consilium.karyotype.positions import AS_IT_LIES, TURNED
from consilium.karyotype.proposals import Placed, Proposals, box_iou
from consilium.karyotype.render import Rendered, karyotype_set, render_metaphase

Floats = NDArray[np.float32]
Boxes = Sequence[tuple[float, float, float, float]]


class TruthfulDetector:
    """Answers boxes given in pixels of the picture it is shown, each at the place nearest to the box's middle."""

    def __init__(self, boxes: Boxes, scores: Sequence[float] | None = None) -> None:
        self.boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        self.scores = [0.9] * len(self.boxes) if scores is None else scores
        self.shown: Floats | None = None

    def run(self, *, darkness: Floats) -> dict[str, Floats]:
        assert darkness.dtype == np.float32 and darkness.shape[:2] == (1, 1)
        self.shown = darkness[0, 0]
        height, width = (side // STRIDE for side in self.shown.shape)
        scores, distances = np.zeros((1, 1, height, width), np.float32), np.zeros((1, 4, height, width), np.float32)
        for box, score in zip(self.boxes * REDUCTION, self.scores, strict=True):
            column, row = ((box[:2] + box[2:]) / 2 / STRIDE).astype(int)
            if not (row < height and column < width):
                continue  # the picture is shown at another scale than theirs
            while scores[0, 0, row, column]:
                column += 1
            x, y = column * STRIDE + STRIDE / 2, row * STRIDE + STRIDE / 2
            scores[0, 0, row, column] = score
            distances[0, :, row, column] = x - box[0], y - box[1], box[2] - x, box[3] - y
        return {"scores": scores, "distances": distances}


class Threshold:
    """Masks by darkness, as far as the box reaches."""

    card = SimpleNamespace(constants={"threshold": 0.5, "same_object": 0.6})
    batches: list[int]

    def __init__(self) -> None:
        self.batches = []
        self.shifts = (0.0, 0.0, 0.0, 0.0)
        self.quality = 1.0

    def run(self, *, crops: Floats) -> dict[str, Floats]:
        count = len(crops)
        self.batches.append(count)
        return {
            "logits": np.where(crops[:, 1] > 0, crops[:, :1].mean(1) - 0.25, -1.0)[:, None].astype(np.float32),
            "quality": np.full(count, self.quality, np.float32),
            "shifts": np.tile(np.asarray(self.shifts, np.float32), (count, 1)),
        }


class Unmoved:
    """What an object is worth by its own looks."""

    def run(self, *, crops: Floats, relations: Floats) -> dict[str, Floats]:
        assert crops.shape == (len(relations), 4, rescore.SIDE, rescore.SIDE)
        return {"odds": relations[:, 0]}


Install = Callable[..., dict[str, Any]]


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Install:
    def install(boxes: Boxes, scores: Sequence[float] | None = None) -> dict[str, Any]:
        made = {"detector": TruthfulDetector(boxes, scores), "amodal": Threshold(), "rescorer": Unmoved()}
        for looks in (find, rescore):
            monkeypatch.setattr(looks, "model", lambda name, *, threads=None: made[name])
        # They answer for the picture as it lies, however it is shown to them.
        monkeypatch.setattr(find, "TURNED", (AS_IT_LIES,))
        monkeypatch.setattr(find, "UPRIGHT", (AS_IT_LIES,))
        return made

    return install


def draw(width: float, **dials: float) -> Rendered:
    return render_metaphase(
        karyotype_set("47,XY,+21"), np.random.default_rng(2), width_px=width, crowding=0, nuclei=0, debris=0, **dials
    )  # type: ignore[arg-type]


def iou(first: Sequence[float], second: Sequence[float]) -> float:
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    sides = [(one[2] - one[0]) * (one[3] - one[1]) for one in (first, second)]
    return shared / (sum(sides) - shared)


# The scale


@given(width=st.floats(2, 80))
def test_unusual_widths_are_brought_to_the_nominal_one(width: float) -> None:
    scale = working_scale(width)
    if USUAL_WIDTHS[0] <= width <= USUAL_WIDTHS[1]:
        assert scale == 1.0
    else:
        assert scale * width == pytest.approx(NOMINAL_WIDTH)


# From answers to boxes


@settings(max_examples=40)
@given(height=st.integers(64, 300), width=st.integers(64, 300), seed=st.integers(0, 10**6))
def test_boxes_come_back_in_pixels_of_the_picture(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, [width - 40, height - 40], (5, 2))
    boxes = np.concatenate([low, low + rng.uniform(8, 40, (5, 2))], axis=1)
    detector = TruthfulDetector([tuple(box) for box in boxes], scores=[0.9, 0.8, 0.7, 0.6, LEAST_SCORE / 2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find, "model", lambda name, *, threads=None: detector)
        found, scores = find.detect(np.zeros((height, width), np.float32))
    # The last one lies under the threshold.
    order = np.argsort(-scores)
    assert found[order] == pytest.approx(boxes[:4], abs=1e-3)
    assert scores[order] == pytest.approx([0.9, 0.8, 0.7, 0.6])
    assert detector.shown is not None and all(side % 32 == 0 for side in detector.shown.shape)


def test_boxes_stay_within_the_picture(networks: Install) -> None:
    networks([(-30, -20, 60, 50), (150, 80, 260, 140)])
    found, _ = find.detect(np.zeros((100, 200), np.float32))
    assert found.tolist() == [[0, 0, 60, 50], [150, 80, 200, 100]]


def test_another_threshold_can_be_asked_for(networks: Install) -> None:
    networks([(0, 0, 40, 40), (50, 50, 90, 90)], scores=[0.3, 0.9])
    assert len(find.detect(np.zeros((100, 100), np.float32))[0]) == 2
    assert len(find.detect(np.zeros((100, 100), np.float32), threshold=0.5)[0]) == 1


def test_what_is_right_of_and_below_the_picture_is_background(networks: Install) -> None:
    made = networks([])
    find.detect(np.ones((70, 100), np.float32))
    shown, (height, width) = made["detector"].shown, (round(70 * REDUCTION), round(100 * REDUCTION))
    assert shown.shape == (64, 96)
    assert shown[:height, :width].min() == pytest.approx(1.0)
    assert shown[height:].max() == 0.0 and shown[:, width:].max() == 0.0


# Nearly the same box twice


def test_of_boxes_that_nearly_coincide_the_better_one_is_proposed(networks: Install) -> None:
    networks([(10, 10, 40, 60), (11, 10, 41, 60), (10, 10, 60, 60)], scores=[0.6, 0.9, 0.7])
    boxes, scores = find.propose(np.zeros((100, 100), np.float32), positions=(AS_IT_LIES,))
    assert scores == pytest.approx([0.9, 0.7])
    assert boxes == pytest.approx(np.asarray([(11, 10, 41, 60), (10, 10, 60, 60)]), abs=1e-3)


# In several positions


def test_what_several_positions_say_of_an_object_is_averaged() -> None:
    first = (np.asarray([(10, 10, 40, 60), (70, 70, 90, 90)], np.float32), np.asarray([0.8, 0.3], np.float32))
    second = (np.asarray([(12, 10, 42, 60)], np.float32), np.asarray([0.6], np.float32))
    boxes, scores = find._together([first, second])
    assert boxes == pytest.approx(np.asarray([(11, 10, 41, 60), (70, 70, 90, 90)]), abs=1e-4)
    both, alone = ((logit(0.8) + logit(0.6)) / 2, (logit(0.3) + logit(find.NOT_PROPOSED)) / 2)
    assert scores == pytest.approx([expit(both), expit(alone)], abs=1e-4)


def test_what_is_proposed_does_not_hang_on_how_a_cell_is_turned() -> None:
    darkness = normalise(draw(14.0).pixels).darkness
    # Reduced, its sides are multiples of 32: nothing is padded on one side alone.
    darkness = darkness[: darkness.shape[0] // 320 * 320, : darkness.shape[1] // 320 * 320]
    boxes, scores = find.propose(darkness)
    for position in TURNED[1:]:
        turned, _ = find.propose(position.of(darkness))
        found = position.boxes_back(turned, darkness.shape[1], darkness.shape[0])
        # Where the positions disagree it matters a little which one is heard first.
        assert np.mean(box_iou(boxes[scores > 0.5], found).max(1) > 0.95) > 0.9


# The second look


def test_the_second_look_moves_the_sides_by_parts_of_the_longer_one(networks: Install) -> None:
    made = networks([])
    made["amodal"].shifts = (-0.1, 0.05, 0.0, 0.2)
    boxes, scores = np.asarray([(20, 20, 40, 60), (0, 50, 90, 95)], np.float32), np.asarray([0.9, 0.5], np.float32)
    seen = find.look_again(np.zeros((100, 100), np.float32), boxes, scores, positions=(AS_IT_LIES,))
    assert seen.boxes == pytest.approx(np.asarray([(16, 22, 40, 68), (0, 54.5, 90, 100)]), abs=1e-4)
    assert len(seen.masks) == 2


@pytest.mark.parametrize(("score", "quality", "worth"), [(0.5, 0.0, 0.5), (0.9, 0.0, 0.75), (0.5, 2.0, 0.7311)])
def test_detector_and_second_look_weigh_the_same(score: float, quality: float, worth: float, networks: Install) -> None:
    made = networks([])
    made["amodal"].quality = quality
    box = np.asarray([(20, 20, 40, 60)], np.float32)
    seen = find.look_again(
        np.zeros((100, 100), np.float32), box, np.asarray([score], np.float32), positions=(AS_IT_LIES,)
    )
    assert seen.worth == pytest.approx([worth], abs=1e-4)


def bar(x: int, y: int, width: int, height: int) -> Placed:
    return np.ones((height, width), np.bool_), (x, y)


def test_what_is_worth_too_little_is_not_reported() -> None:
    proposals = Proposals(
        boxes=np.zeros((3, 4), np.float32),
        worth=np.asarray([0.4, 0.8, 0.6], np.float32),
        masks=[bar(0, 0, 5, 5), bar(50, 0, 5, 5), bar(100, 0, 5, 5)],
    )
    assert find.chromosomes_among(proposals, threshold=0.5, same_object=0.6) == [1, 2]
    assert find.chromosomes_among(proposals, threshold=0.3, same_object=0.6) == [1, 2, 0]


# The whole stage


@pytest.mark.parametrize("width", [6.0, 12.0, 27.0])
def test_every_chromosome_is_found_once_in_pixels_of_the_original(width: float, networks: Install) -> None:
    cell = draw(width)
    seen = normalise(cell.pixels)
    scale = working_scale(seen.chromosome_width)
    assert (scale == 1.0) == (width == 12.0)
    boxes = [tuple(scale * side for side in one.box) for one in cell.truth]
    # The first five are reported twice, a little off.
    again = [(x0 + 1, y0, x1 + 1, y1) for x0, y0, x1, y1 in boxes[:5]]
    networks([*boxes, *again], scores=[0.9] * len(boxes) + [0.6] * 5)
    found = find.find_chromosomes(seen)
    assert len(found) == len(cell.truth) == 47
    truth = list(cell.truth)
    for one in found:
        nearest = max(truth, key=lambda drawn: iou(drawn.box, one.box))
        truth.remove(nearest)
        assert iou(nearest.box, one.box) > 0.9
        (x, y), (height, across) = one.origin, one.mask.shape
        assert iou(nearest.box, (x, y, x + across, y + height)) > 0.7
        assert one.score == pytest.approx(expit((logit(0.9) + 1) / 2))
    tops = [one.box[1] for one in found]
    assert tops == sorted(tops)


@pytest.mark.usefixtures("shipped_models")
def test_a_width_that_is_estimated_too_small_is_not_believed() -> None:
    """As where the grain of nuclei passes for narrow chromosomes; narrow ones themselves are enlarged."""
    cell = draw(16.0)
    seen = normalise(cell.pixels)
    assert working_scale(seen.chromosome_width) == 1.0
    usual = find.find_chromosomes(seen)
    doubtful = find.find_chromosomes(replace(seen, chromosome_width=8.0))
    assert len(usual) >= 40 and [one.box for one in doubtful] == [one.box for one in usual]
    narrow = normalise(draw(7.0).pixels)
    assert find._recognised_scale(narrow, threads=None) == working_scale(narrow.chromosome_width) > 1.5


def test_masks_are_asked_for_in_batches(networks: Install) -> None:
    cell = draw(12.0)
    halves = [(x0, y0, x1, (y0 + y1) / 2) for x0, y0, x1, y1 in (one.box for one in cell.truth)]
    made = networks([*(one.box for one in cell.truth), *halves])
    find.find_chromosomes(normalise(cell.pixels))
    assert sum(made["amodal"].batches) == 94 and max(made["amodal"].batches) <= 64


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_too_few_objects_are_no_metaphase(count: int, networks: Install) -> None:
    networks([(20.0 * k, 10.0, 20.0 * k + 15, 60.0) for k in range(count)])
    page = Normalised(darkness=np.ones((100, 200), np.float32), inverted=False, chromosome_width=15.0)
    with pytest.raises(NoMetaphase, match=f"only {count} ") as problem:
        find.find_chromosomes(page)
    assert problem.value.way_out


def test_a_page_of_tiny_objects_is_refused_before_it_is_enlarged(networks: Install) -> None:
    """A page of text or a whole slide would need gigabytes at the models' scale."""
    made = networks([])
    page = Normalised(darkness=np.zeros((1300, 1300), np.float32), inverted=False, chromosome_width=4.0)
    with pytest.raises(ImageOutOfBounds, match="4 pixels wide in a picture of 1300 x 1300"):
        find.find_chromosomes(page)
    assert made["detector"].shown is None


def test_few_objects_reported_often_are_no_metaphase(networks: Install) -> None:
    networks([(20.0 * k, 10.0, 20.0 * k + 15, 60.0) for k in range(FEWEST - 1)] * 3)
    page = Normalised(darkness=np.ones((100, 200), np.float32), inverted=False, chromosome_width=15.0)
    with pytest.raises(NoMetaphase, match=f"only {FEWEST - 1} "):
        find.find_chromosomes(page)


@settings(max_examples=150)
@given(
    width=st.floats(3, 9.4) | st.floats(24.1, 90),
    sides=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    from_end=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    line=st.booleans(),
)
def test_masks_survive_the_way_back_to_the_original_size(
    width: float, sides: tuple[int, int], from_end: tuple[int, int], line: bool
) -> None:
    """Of a pixel or a thin line, and in the last row and column too."""
    shape, scale = (61, 83), working_scale(width)
    rows, columns = (max(round(side * scale), 1) for side in shape)
    height, across = min(sides[0], rows), min(sides[1], columns)
    mask = np.eye(height, across, dtype=np.bool_) if line else np.ones((height, across), np.bool_)
    x, y = max(columns - across - from_end[0], 0), max(rows - height - from_end[1], 0)
    box = np.asarray([x, y, x + across, y + height], np.float32)
    one = find._instance(box, mask, (x, y), 0.9, scale, shape)
    assert one.mask.any()
    assert 0 <= one.origin[0] <= shape[1] - one.mask.shape[1]
    assert 0 <= one.origin[1] <= shape[0] - one.mask.shape[0]
    assert one.mask.shape[0] <= height / scale + 1 and one.mask.shape[1] <= across / scale + 1
