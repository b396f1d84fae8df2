"""All cells of a case weighed together: what every cell shows counts, what one cell lost or misread does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.karyotype.flags import case_flags
from consilium.karyotype.metaphase import CLASSES, Chromosome, Instance, Metaphase, Quality
from consilium.karyotype.numerical import LOSS, MISSED, SUREST, SUSPECTED, cost, numerical_evidence
from consilium.karyotype.wording import sentence

AUTOSOMES = tuple(label for label in CLASSES[:22] for _ in range(2))
FEMALE, MALE = (*AUTOSOMES, "X", "X"), (*AUTOSOMES, "X", "Y")


def _object(label: str, *, second: str = "", doubt: float = 0.0, presence: float = 0.99) -> Chromosome:
    probabilities = np.full(24, 1e-4, np.float32)
    probabilities[CLASSES.index(label)] = 1 - doubt
    if second:
        probabilities[CLASSES.index(second)] = doubt
    mask = np.ones((1, 1), np.bool_)
    return Chromosome(
        instance=Instance(box=(0, 0, 1, 1), mask=mask, origin=(0, 0), score=presence),
        label=label, confidence=0.9, probabilities=probabilities, angle_deg=0.0, polarity=1.0,
    )  # fmt: skip


def _cell(labels: Sequence[str], *more: Chromosome, karyotype: str = "46,XX") -> Metaphase:
    return Metaphase(
        image="a.png", pixels=np.zeros((1, 1), np.uint8), inverted=False, synthetic=False,
        chromosomes=(*map(_object, labels), *more), count=len(labels) + len(more), karyotype=karyotype, gains=(),
        losses=(), quality=Quality(score=0.5, spread=1.0, overlap=0.0, sharpness=1.0, band_level=400),
    )  # fmt: skip


def _without(labels: Sequence[str], label: str) -> list[str]:
    left = list(labels)
    left.remove(label)
    return left


@pytest.mark.parametrize("usual", [FEMALE, MALE])
def test_nothing_is_suspected_of_a_normal_case(usual: tuple[str, ...]) -> None:
    assert numerical_evidence([_cell(usual)] * 3)[0].nats < -1
    assert case_flags([_cell(usual)] * 3) == ()


@pytest.mark.parametrize(
    ("labels", "change"),
    [
        ((*FEMALE, "21"), "+21"),
        ((*MALE, "13"), "+13"),
        (_without(MALE, "7"), "-7"),
        ((*AUTOSOMES, "X"), "-X"),
        ((*MALE, "X"), "+X"),
        ((*FEMALE, "X"), "+X"),
        ((*MALE, "Y"), "+Y"),
        ((*AUTOSOMES, "Y"), "-X"),
    ],
)
def test_what_every_cell_shows_is_found_and_named(labels: Sequence[str], change: str) -> None:
    strongest, second, *_ = numerical_evidence([_cell(labels)] * 4)
    assert strongest.change == change and strongest.cells == 4
    assert strongest.nats == pytest.approx(4 * SUREST if change[0] == "+" else 4 * MISSED - LOSS, abs=0.01)
    assert second.nats < strongest.nats


def test_a_gain_of_some_cells_is_a_mosaic_and_that_of_one_is_not() -> None:
    gained, normal = _cell((*MALE, "8")), _cell(MALE)
    mosaic = numerical_evidence([gained] * 2 + [normal] * 4)[0]
    assert (mosaic.change, mosaic.cells) == ("+8", 2) and mosaic.nats > SUSPECTED
    assert numerical_evidence([gained] + [normal] * 4)[0].nats < SUSPECTED


def test_chromosomes_lost_at_random_are_no_loss() -> None:
    lost = [_cell(_without(FEMALE, label)) for label in ("1", "9", "14", "21", "X")]
    assert numerical_evidence(lost)[0].nats < SUSPECTED
    same = [_cell(_without(FEMALE, "9"))] * 3 + [_cell(FEMALE)] * 2
    assert numerical_evidence(same)[0].change == "-9" and numerical_evidence(same)[0].nats > SUSPECTED


def test_a_doubtful_name_in_a_cell_of_46_speaks_for_nothing() -> None:
    doubtful = _cell(_without(FEMALE, "4"), _object("5", second="4", doubt=0.3))
    assert numerical_evidence([doubtful] * 4)[0].nats < 0


def test_an_object_that_is_hardly_a_chromosome_hardly_speaks() -> None:
    sure, doubtful = (_cell(FEMALE, _object("21", presence=presence)) for presence in (0.99, 0.3))
    assert numerical_evidence([sure])[0].nats == pytest.approx(SUREST, abs=0.01)
    assert numerical_evidence([doubtful])[0].nats < 0


def test_the_cheapest_explanation_is_found() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        objects = [
            replace(_object("1", presence=float(rng.uniform(0.2, 0.9))), probabilities=row)
            for row in rng.dirichlet(np.full(24, 0.3), 3).astype(np.float32)
        ]
        copies = np.zeros(24, int)
        copies[rng.integers(24, size=2)] += 1
        places = [*np.repeat(np.arange(24), copies), *[None] * 3]
        cheapest = np.inf
        for given_to in permutations(range(len(places)), 3):
            total = MISSED * (len(places) - 3 - sum(places[place] is not None for place in given_to))
            for one, place in zip(objects, given_to, strict=True):
                index, presence = places[place], one.instance.score
                none = min(float(np.log(presence / (1 - presence))), SUREST)
                named = none if index is None else min(-np.log(max(float(one.probabilities[index]), 1e-9)), 7.0)
                total += named
            cheapest = min(cheapest, total)
        assert cost(_cell((), *objects), tuple(copies)) == pytest.approx(cheapest, abs=1e-5)


def test_cells_in_which_nothing_was_found_say_nothing() -> None:
    assert numerical_evidence([]) == numerical_evidence([_cell(())]) == ()
    gained = _cell((*FEMALE, "21"))
    assert numerical_evidence([gained, _cell(())]) == numerical_evidence([gained])


@given(st.permutations(range(5)))
def test_the_order_of_the_cells_does_not_count(order: list[int]) -> None:
    made = [_cell(labels) for labels in (FEMALE, (*FEMALE, "8"), (*FEMALE, "8"), _without(FEMALE, "3"), FEMALE)]
    shuffled = numerical_evidence([made[index] for index in order])
    told = numerical_evidence(made)
    assert {one.change: one.cells for one in told} == {one.change: one.cells for one in shuffled}
    assert [one.nats for one in told] == pytest.approx([one.nats for one in shuffled])


def test_a_reader_is_told_what_the_votes_do_not_have() -> None:
    gained = [replace(_cell((*FEMALE, "8")), karyotype="47,XX,+8", gains=("8",))] * 2
    flags = case_flags([*gained, *[_cell(FEMALE)] * 3])
    assert [flag.code for flag in flags] == ["numerical_suspected"]
    assert (flags[0].values["change"], flags[0].values["cells"], flags[0].values["of"]) == ("+8", 2, 5)
    assert "+8 (2 of 5 cell(s) by themselves)" in sentence(flags[0], "en")
    assert "+8（5 个细胞中有 2 个单独支持）" in sentence(flags[0], "zh")
    # Where the votes have it, there is nothing to tell.
    assert case_flags(gained) == ()
