"""Which read cells count as wholly read, and how many are more than mistakes of reading."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consilium.karyotype.analysable import MOST_DOUBTFUL_NAMES, cells_beyond_mistakes, read_cells
from consilium.karyotype.metaphase import UNSURE, Flag, Metaphase

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]


def test_a_plain_cell_is_wholly_read(cell: Cell, labels: Labels) -> None:
    (read,) = read_cells([cell((*labels("XY"), "21"), image="a.png")])
    assert read.why == () and not read.cell.incomplete
    assert (read.cell.name, read.cell.sex, read.cell.gains, read.cell.losses) == ("a.png", "XY", ("21",), ())


def test_a_count_far_from_46_is_believed_in_company_only(cell: Cell, labels: Labels) -> None:
    normal = [cell(labels(), image=f"{number}.png") for number in range(5)]
    few = cell(labels()[3:], image="few.png")
    assert read_cells([*normal, few])[-1].why == ("far_count",)
    assert read_cells([*normal, cell(labels()[2:], image="near.png")])[-1].why == ()
    triploid = (*labels(), *labels()[::2])
    together = read_cells([cell(triploid, image=f"3n{number}.png") for number in range(3)])
    assert [one.why for one in together] == [()] * 3
    assert read_cells([*normal, cell(triploid, image="3n.png")])[-1].why == ("far_count",)


def test_a_part_of_a_cell_is_no_haploid_one(cell: Cell, labels: Labels) -> None:
    (read,) = read_cells([cell(labels()[::2])])
    assert read.cell.ploidy == 2 and read.cell.incomplete


def test_too_many_doubtful_names(cell: Cell, labels: Labels) -> None:
    from dataclasses import replace

    doubt = Flag(code="low_confidence", values={"label": "1", "confidence": 0.5})
    plain = cell(labels())

    def doubted(number: int) -> Metaphase:
        return replace(
            plain,
            chromosomes=tuple(
                replace(one, flags=(doubt,)) if index < number else one for index, one in enumerate(plain.chromosomes)
            ),
        )

    assert read_cells([doubted(MOST_DOUBTFUL_NAMES)])[0].why == ()
    assert read_cells([doubted(MOST_DOUBTFUL_NAMES + 1)])[0].why == ("doubtful_names",)


def test_an_unsure_object_may_be_what_is_missing(cell: Cell, labels: Labels) -> None:
    assert read_cells([cell((*labels()[1:], UNSURE))])[0].why == ("unsure",)
    (marker,) = read_cells([cell((*labels(), UNSURE))])
    assert marker.why == () and marker.cell.structural == ("+mar",)


def test_without_an_x_a_cell_is_not_compared(cell: Cell, labels: Labels) -> None:
    (read,) = read_cells([cell(labels("Y"))])
    assert read.why == ("no_x",) and not read.comparable


def test_images_of_one_name_stay_two_cells(cell: Cell, labels: Labels) -> None:
    assert [one.cell.name for one in read_cells([cell(labels()), cell(labels())])] == ["cell.png", "cell.png (2)"]


@pytest.mark.parametrize("kind", ["more", "fewer"])
@pytest.mark.parametrize("sex", [True, False])
def test_more_cells_ask_for_more_and_one_is_never_enough(kind: str, sex: bool) -> None:
    asked = [cells_beyond_mistakes(cells, kind, sex=sex) for cells in range(1, 101)]  # type: ignore[arg-type]
    assert asked == sorted(asked) and asked[0] == 2
    assert all(more < cells for cells, more in enumerate(asked[9:], start=10))


def test_how_many_of_twenty() -> None:
    assert cells_beyond_mistakes(20, "more") == 4
    assert cells_beyond_mistakes(20, "fewer") == 6
    assert cells_beyond_mistakes(20, "more", sex=True) == 6
