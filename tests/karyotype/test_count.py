"""The karyotype adds up, follows the constitutional convention, and calls no random loss."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.karyotype.count import count_cell, modal_karyotype, single_cell_changes
from consilium.karyotype.metaphase import CLASSES, UNSURE, Metaphase, Quality

FEMALE = (*(label for label in CLASSES[:22] for _ in range(2)), "X", "X")
MALE = (*FEMALE[:44], "X", "Y")


def _with(labels: Iterable[str], *, plus: Iterable[str] = (), minus: Iterable[str] = ()) -> list[str]:
    changed = [*labels, *plus]
    for label in minus:
        changed.remove(label)
    return changed


def _cell(labels: Iterable[str], *, image: str = "a.png", score: float = 0.5) -> Metaphase:
    count, karyotype, gains, losses = count_cell(labels)
    return Metaphase(
        image=image,
        pixels=np.zeros((1, 1), np.uint8),
        inverted=False,
        synthetic=True,
        chromosomes=(),
        quality=Quality(score=score, spread=1.0, overlap=0.0, sharpness=1.0, band_level=400),
        count=count,
        karyotype=karyotype,
        gains=gains,
        losses=losses,
    )


def _case(*cells: tuple[Iterable[str], int], score: float = 0.5) -> list[Metaphase]:
    every = [labels for labels, number in cells for _ in range(number)]
    return [_cell(labels, image=f"{index}.png", score=score) for index, labels in enumerate(every)]


@pytest.mark.parametrize(
    ("labels", "karyotype", "gains", "losses"),
    [
        (FEMALE, "46,XX", (), ()),
        (MALE, "46,XY", (), ()),
        (_with(MALE, plus=["21"]), "47,XY,+21", ("21",), ()),
        (_with(FEMALE, minus=["7"]), "45,XX,-7", (), ("7",)),
        (_with(FEMALE, minus=["X"]), "45,X", (), ("X",)),
        (_with(MALE, plus=["X"]), "47,XXY", ("X",), ()),
        (_with(MALE, plus=["Y"]), "47,XYY", ("Y",), ()),
        (_with(FEMALE, plus=["X"]), "47,XXX", ("X",), ()),
        (_with(MALE, plus=["X", "Y"]), "48,XXYY", ("X", "Y"), ()),
        (_with(MALE, minus=["X"]), "45,Y", (), ("X",)),
        (_with(FEMALE, plus=["18", "8", "8"], minus=["13"]), "48,XX,+8,+8,-13,+18", ("8", "8", "18"), ("13",)),
        (_with(FEMALE, minus=["7", "7"]), "44,XX,-7,-7", (), ("7", "7")),
        (_with(FEMALE, plus=[UNSURE]), "47,XX,+mar", (), ()),
        (_with(FEMALE, plus=[UNSURE, UNSURE]), "48,XX,+2mar", (), ()),
        (_with(FEMALE, plus=[UNSURE, "21"]), "48,XX,+21,+mar", ("21",), ()),
        (_with(FEMALE, plus=[UNSURE], minus=["9"]), "46,XX,-9,inc", (), ("9",)),
        (_with(FEMALE, plus=[UNSURE], minus=["X"]), "46,X,inc", (), ("X",)),
        (FEMALE[:44], "44,?", (), ("X", "X")),
    ],
)
def test_strings(labels: Iterable[str], karyotype: str, gains: tuple[str, ...], losses: tuple[str, ...]) -> None:
    assert count_cell(labels) == (len(labels), karyotype, gains, losses)


@given(labels=st.lists(st.sampled_from(CLASSES), max_size=120))
def test_the_arithmetic_holds_for_any_cell(labels: list[str]) -> None:
    count, karyotype, gains, losses = count_cell(labels)
    assert count == len(labels) == 46 + len(gains) - len(losses)
    assert count_cell(reversed(labels)) == (count, karyotype, gains, losses)
    written, sex, *items = karyotype.split(",")
    assert int(written) == len(labels)
    assert sex.strip("?") == "X" * labels.count("X") + "Y" * labels.count("Y")
    for label in CLASSES[:22]:
        assert 2 + items.count("+" + label) - items.count("-" + label) == labels.count(label)
    numbers = [int(re.sub(r"\D", "", item)) for item in items]
    assert numbers == sorted(numbers)


def test_most_cells_win_and_the_others_are_named() -> None:
    cells = _case((FEMALE, 3), (_with(FEMALE, plus=["21"]), 2))
    assert modal_karyotype(cells) == ("46,XX", ("3.png", "4.png"))


def test_trisomy_in_all_cells_is_the_karyotype() -> None:
    assert modal_karyotype(_case((_with(MALE, plus=["21"]), 4))) == ("47,XY,+21", ())


def test_random_losses_do_not_make_a_karyotype() -> None:
    losses = [_with(FEMALE, minus=[label]) for label in ("7", "9", "9", "20", "X")]
    cells = _case(*((labels, 1) for labels in losses))
    karyotype, disagreeing = modal_karyotype(cells)
    assert karyotype == "46,XX"
    assert len(disagreeing) == 5
    assert [(one.change, one.cells, one.needed) for one in single_cell_changes(cells)] == [
        ("-7", 1, 3),
        ("-9", 2, 3),
        ("-20", 1, 3),
        ("-X", 1, 3),
    ]


def test_a_lost_sex_chromosome_is_restored_as_the_other_cells_have_it() -> None:
    cells = _case((MALE, 1), (_with(MALE, minus=["Y"]), 2), (_with(MALE, minus=["7"]), 2))
    assert modal_karyotype(cells).karyotype == "46,XY"


def test_random_loss_beside_a_trisomy_leaves_the_trisomy() -> None:
    trisomy = _with(MALE, plus=["21"])
    cells = _case((trisomy, 2), (_with(trisomy, minus=["4"]), 1), (_with(trisomy, minus=["Y"]), 1), (MALE, 1))
    assert modal_karyotype(cells).karyotype == "47,XY,+21"


def test_a_loss_in_three_cells_is_called() -> None:
    cells = _case((_with(FEMALE, minus=["7"]), 3), (FEMALE, 2))
    assert modal_karyotype(cells).karyotype == "45,XX,-7"
    assert single_cell_changes(cells) == ()


def test_a_gain_in_one_of_many_cells_is_not_called() -> None:
    cells = [_cell(_with(FEMALE, plus=["8"]), score=1.0), _cell(FEMALE, image="b.png", score=0.1)]
    assert modal_karyotype(cells).karyotype == "46,XX"
    assert [one.change for one in single_cell_changes(cells)] == ["+8"]


def test_a_single_cell_speaks_for_its_case_but_is_flagged() -> None:
    cells = _case((_with(FEMALE, plus=["21"]), 1))
    assert modal_karyotype(cells) == ("47,XX,+21", ())
    assert [(one.change, one.cells) for one in single_cell_changes(cells)] == [("+21", 1)]


def test_tetrasomy_in_one_cell_is_a_trisomy_and_one_unsupported_copy() -> None:
    cells = _case((_with(FEMALE, plus=["21", "21"]), 1), (_with(FEMALE, plus=["21"]), 2))
    assert modal_karyotype(cells).karyotype == "47,XX,+21"
    assert [one.change for one in single_cell_changes(cells)] == ["+21,+21"]


@pytest.mark.parametrize("first", [True, False])
def test_ties_go_to_the_better_cells(first: bool) -> None:
    scores = (0.9, 0.2) if first else (0.2, 0.9)
    cells = [
        _cell(labels, image=f"{labels[-1]}{index}", score=score)
        for labels, score in zip((FEMALE, MALE), scores, strict=True)
        for index in range(2)
    ]
    expected = "46,XX" if first else "46,XY"
    assert modal_karyotype(cells).karyotype == modal_karyotype(cells[::-1]).karyotype == expected


def test_ties_go_to_the_change_that_enough_cells_show() -> None:
    gained = [_cell(_with(FEMALE, plus=["21"]), image=f"gained{k}.png", score=0.1) for k in range(2)]
    normal = [_cell(FEMALE, image=f"normal{k}.png", score=0.9) for k in range(2)]
    assert modal_karyotype([*gained, *normal]).karyotype == "47,XX,+21"
    assert modal_karyotype([*gained, *normal, _cell(FEMALE, image="z.png", score=0.1)]).karyotype == "46,XX"


def test_incomplete_cells_do_not_vote_where_others_can() -> None:
    unsure = _with(FEMALE, plus=[UNSURE], minus=["9"])
    assert modal_karyotype(_case((unsure, 3), (FEMALE, 1))).karyotype == "46,XX"
    assert modal_karyotype(_case((unsure, 3))).karyotype.startswith("4")


def test_marker_in_two_cells_is_called() -> None:
    marker = _with(FEMALE, plus=[UNSURE])
    assert modal_karyotype(_case((marker, 2), (FEMALE, 1))).karyotype == "47,XX,+mar"
    assert modal_karyotype(_case((marker, 1), (FEMALE, 1))).karyotype == "46,XX"


def test_no_cells() -> None:
    assert modal_karyotype([]) == ("", ())


@given(
    cells=st.lists(
        st.tuples(
            st.sampled_from([FEMALE, MALE]),
            st.lists(st.sampled_from([*CLASSES, UNSURE]), max_size=2),
            st.lists(st.sampled_from(CLASSES[:22]), max_size=2, unique=True),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_order_of_cells_never_matters(cells: list[tuple[tuple[str, ...], list[str], list[str]]]) -> None:
    made = [
        _cell(_with(labels, plus=plus, minus=minus), image=str(index), score=index / 10)
        for index, (labels, plus, minus) in enumerate(cells)
    ]
    forwards, backwards = modal_karyotype(made), modal_karyotype(made[::-1])
    assert forwards.karyotype == backwards.karyotype
    assert set(forwards.disagreeing) == set(backwards.disagreeing)
