"""Truth for the recipes: instances of label maps, masks of chromosomes that lie alone, the split by case."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from consilium.karyotype.normalise import normalise
from consilium.karyotype.render import Rendered, karyotype_set, render_metaphase
from training.cells import (
    DARKNESS_SCALE,
    Cell,
    boxes_of,
    half_of,
    isolated_masks,
    label_map_instances,
    learnt,
    part_of,
    unlearnt_half,
)

Mask = NDArray[np.bool_]
OVERLAP = 255


def on_page(mask: Mask, origin: tuple[int, int], shape: tuple[int, ...]) -> Mask:
    whole = np.zeros(shape, np.bool_)
    whole[origin[1] : origin[1] + mask.shape[0], origin[0] : origin[0] + mask.shape[1]] = mask
    return whole


# Label maps


def test_a_label_map_without_overlaps() -> None:
    page = np.zeros((60, 60), np.uint8)
    page[5:45, 5:11], page[5:45, 20:26], page[10:30, 40:46] = 3, 3, 24
    masks, labels = label_map_instances(page)
    assert labels.tolist() == [2, 2, 23]
    assert sorted(origin for _, origin in masks) == [(5, 5), (20, 5), (40, 10)]
    assert boxes_of(masks).tolist() == [[5, 5, 11, 45], [20, 5, 26, 45], [40, 10, 46, 30]]


def test_chromosomes_that_cross_both_own_the_overlap() -> None:
    page = np.zeros((60, 60), np.uint8)
    page[5:55, 25:33] = 1
    page[25:33, 5:55] = 2
    page[25:33, 25:33] = OVERLAP
    masks, labels = label_map_instances(page)
    assert labels.tolist() == [0, 1]
    upright, across = (on_page(*mask, page.shape) for mask in masks)
    assert upright.sum() == across.sum() == 50 * 8
    assert (upright & across).sum() == 64
    assert upright[5:55, 25:33].all() and across[25:33, 5:55].all()


def test_an_overlap_elsewhere_joins_nothing() -> None:
    page = np.zeros((60, 60), np.uint8)
    page[5:20, 5:12], page[40:55, 5:12] = 7, 7
    page[25:35, 40:50] = OVERLAP
    masks, labels = label_map_instances(page)
    assert labels.tolist() == [6, 6]
    assert all(not on_page(*mask, page.shape)[25:35, 40:50].any() for mask in masks)


def test_specks_of_a_label_are_no_chromosomes() -> None:
    page = np.zeros((60, 60), np.uint8)
    page[5:10, 5:10] = 4
    assert label_map_instances(page)[0] == []
    assert boxes_of([]).shape == (0, 4)


# Masks by threshold


def seen(cell: Rendered) -> NDArray[np.uint8]:
    return np.clip(normalise(cell.pixels).darkness * DARKNESS_SCALE, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=[0.0, 0.8], ids=lambda crowding: f"crowding {crowding:g}")
def cell(request: pytest.FixtureRequest) -> Rendered:
    rng = np.random.default_rng(6)
    return render_metaphase(karyotype_set("46,XY"), rng, width_px=16, crowding=request.param, debris=0)


def test_masks_are_those_of_the_truth_and_of_chromosomes_alone(cell: Rendered) -> None:
    darkness = seen(cell)
    truth = np.asarray([one.box for one in cell.truth], np.float32)
    found = list(isolated_masks(darkness, truth))
    alone = [one.visible == 1.0 for one in cell.truth]
    crossed = [one.visible < 0.95 for one in cell.truth]
    given = [mask is not None for mask in found]
    assert len(found) == len(cell.truth)
    likeness = []
    for one, mask in zip(cell.truth, found, strict=True):
        if mask is not None:
            first, second = on_page(*mask, darkness.shape), on_page(one.mask, one.origin, darkness.shape)
            likeness.append((first & second).sum() / (first | second).sum())
    assert min(likeness) > 0.75 and np.mean(likeness) > 0.88
    # A mask of a chromosome that another one lies on would teach the network a wrong outline.
    assert not any(has and lies for has, lies in zip(given, crossed, strict=True))
    assert sum(given) > 0.7 * sum(alone)


def test_a_box_on_nothing_has_no_mask() -> None:
    page = np.zeros((80, 80), np.uint8)
    page[10:60, 10:22] = 140
    boxes = np.asarray([[10, 10, 22, 60], [40, 40, 70, 70], [200, 200, 220, 240]], np.float32)
    first, second, third = isolated_masks(page, boxes)
    assert first is not None and second is None and third is None
    assert first[1] == (10, 10)


def test_a_hole_in_the_stain_is_part_of_the_chromosome() -> None:
    page = np.zeros((80, 80), np.uint8)
    page[10:60, 10:26] = 140
    page[30:36, 15:21] = 0
    (found,) = isolated_masks(page, np.asarray([[10, 10, 26, 60]], np.float32))
    assert found is not None and found[0].all()


def test_touching_chromosomes_have_no_mask_of_their_own() -> None:
    page = np.zeros((80, 80), np.uint8)
    page[10:60, 10:22] = page[30:42, 22:70] = 140
    boxes = np.asarray([[10, 10, 22, 60], [22, 30, 70, 42]], np.float32)
    assert list(isolated_masks(page, boxes)) == [None, None]


# The split


def test_a_case_is_always_in_the_same_part() -> None:
    cases = [f"case {number}" for number in range(4000)]
    parts = [part_of(case) for case in cases]
    assert parts == [part_of(case) for case in cases]
    assert set(parts) == {"train", "validation"}
    assert parts.count("validation") / len(parts) == pytest.approx(1 / 20, abs=0.015)
    assert [part_of(case, one_in=1) for case in cases[:5]] == ["validation"] * 5


# Halves


def a_cell(case: str, source: str = "tseng2023", part: str = "train") -> Cell:
    return Cell(
        name=case, source=source, case=case, part=part, width=17.0, darkness=np.zeros((8, 8), np.uint8),
        boxes=np.zeros((0, 4), np.float32), labels=np.zeros(0, np.int16), masks=(),
    )  # fmt: skip


def test_each_cell_is_left_out_by_the_looks_that_are_asked_about_it() -> None:
    cells = [a_cell(f"case {number}") for number in range(400)]
    halves = [half_of(cell.case) for cell in cells]
    assert 150 < sum(halves) < 250
    for cell in cells:
        without = unlearnt_half(cell)
        assert without is not None
        assert cell not in learnt(cells, without) and cell in learnt(cells, 1 - without) and cell in learnt(cells)


def test_the_halves_of_the_train_part_are_about_as_large() -> None:
    assert half_of("123") == half_of("123")
    halves = [half_of(str(number)) for number in range(4000) if part_of(str(number)) == "train"]
    assert 0.45 < np.mean(halves) < 0.55


def test_validation_cells_are_learnt_from_by_none_and_other_stains_by_all() -> None:
    held, other = a_cell("1", part="validation"), a_cell("V01", source="adir_mfish")
    for without in (None, 0, 1):
        assert learnt([held, other], without) == [other]
    assert unlearnt_half(held) is None and unlearnt_half(other) is None
