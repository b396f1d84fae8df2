"""What the third look is taught: one object for each chromosome, whichever way its crop is laid."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

import torch

from consilium.karyotype.proposals import Proposals
from consilium.karyotype.rescore import RELATIONS, SIDE
from training.cells import DARKNESS_SCALE, Cell
from training.networks import Rescorer, SecondLook
from training.objects import Objects
from training.rescorer import A_CELL, look, truth_of


def objects(boxes: list[tuple[int, int, int, int]], true: list[tuple[int, int, int, int]]) -> Objects:
    darkness = np.zeros((160, 200), np.uint8)
    for x0, y0, x1, y1 in true:
        darkness[y0:y1, x0:x1] = DARKNESS_SCALE
    cell = Cell(
        name="one", source="tseng2023", case="1", part="train", width=14.0, darkness=darkness,
        boxes=np.asarray(true, np.float32).reshape(-1, 4), labels=np.zeros(len(true), np.int16),
        masks=(None,) * len(true),
    )  # fmt: skip
    proposals = Proposals(
        boxes=np.asarray(boxes, np.float32),
        worth=np.linspace(0.3, 0.7, len(boxes)).astype(np.float32),
        masks=[(np.ones((y1 - y0, x1 - x0), np.bool_), (x0, y0)) for x0, y0, x1, y1 in boxes],
    )
    return Objects(cell, proposals)


def test_of_two_that_fit_a_chromosome_the_better_one_is_it() -> None:
    told = truth_of(objects(
        [(20, 20, 40, 90), (22, 20, 42, 95), (20, 20, 40, 50), (100, 20, 120, 90)],
        [(20, 20, 40, 92), (100, 60, 120, 150)],
    ))  # fmt: skip
    assert told.tolist() == [1, 0, 0, 0]
    assert truth_of(objects([(20, 20, 40, 90)], [])).tolist() == [0]


def test_an_object_between_two_chromosomes_is_the_one_that_no_other_fits() -> None:
    told = truth_of(objects([(20, 20, 40, 90), (20, 35, 40, 100)], [(20, 20, 40, 85), (20, 40, 40, 110)]))
    assert told.tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(6))
def test_channels_are_laid_together(seed: int) -> None:
    many = objects([(10 + 6 * k, 20, 22 + 6 * k, 90) for k in range(28)], [(10, 20, 22, 90)])
    crops, figures, truth = look(many, np.random.default_rng(seed))
    assert crops.shape == (A_CELL, 4, SIDE, SIDE) and figures.shape == (A_CELL, RELATIONS) and truth.sum() <= 1
    inside = crops[:, 1] > 0
    assert (crops[:, 2][inside] > 0.5).mean() > 0.9 and (crops[:, 2][~inside] < 0.5).mean() > 0.98
    whole, _, told = look(many, np.random.default_rng(0), augment=False)
    assert len(whole) == len(told) == 28 and told.sum() == 1


def test_it_starts_from_the_second_look_and_says_first_what_that_said() -> None:
    torch.manual_seed(0)
    second, third = SecondLook().eval(), Rescorer().eval()
    third.start_from(second)
    crops = torch.rand(3, 4, SIDE, SIDE)
    with torch.no_grad():
        known = second.down3(second.down2(second.down1(second.stem(crops[:, :2]))))
        mine = third.down3(third.down2(third.down1(third.stem(crops))))
        assert torch.allclose(known, mine, atol=1e-5)
        relations = torch.randn(3, RELATIONS)
        third.odds[-1].weight.zero_()
        third.odds[-1].bias.zero_()
        assert torch.allclose(third(crops, relations), relations[:, 0])
