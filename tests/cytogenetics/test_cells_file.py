"""The cells of a case as a JSON file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.cytogenetics.clones.cell import Cell, cell_from_iscn
from consilium.cytogenetics.clones.cells_file import MOST_CELLS, read_cells
from consilium.cytogenetics.clones.karyotype import clonal_karyotype
from consilium.errors import InputError

COUNTS = {**{str(number): 2 for number in range(1, 23)}, "X": 1, "Y": 1}


def read(*cells: Any, **case: Any) -> Any:
    return read_cells(json.dumps({"neoplastic": True, "sex": "XY", **case, "cells": list(cells)}), where="case.json")


def test_a_cell_is_told_in_three_ways_that_mean_the_same() -> None:
    told = read(
        {"name": "a", "iscn": "47,XY,+8"},
        {"name": "a", "sex": "XY", "gains": ["8"]},
        {"name": "a", "counts": {**COUNTS, "8": 3}},
    )
    first, second, third = told.cells
    assert first.items == second.items == third.items
    assert {one.chromosomes for one in told.cells} == {47} and {one.sex for one in told.cells} == {"XY"}


def test_cells_without_a_name_have_their_number_and_many_have_one_each() -> None:
    told = read({"iscn": "46,XY", "times": 2}, {"iscn": "46,XY", "culture": "B", "colony": "3"})
    assert [one.name for one in told.cells] == ["001.001", "001.002", "002"]
    assert (told.cells[2].culture, told.cells[2].colony) == ("B", "3")


def test_what_stands_beside_the_cells_is_the_setting() -> None:
    told = read({"iscn": "46,XY"}, previous=["t(9;22)(q34;q11.2)"], masked=True, prefix="mos")
    assert told.setting.neoplastic and told.setting.sex == "XY" and told.setting.masked
    assert told.setting.previous == ("t(9;22)(q34;q11.2)",) and told.setting.prefix == "mos"


def test_all_findings_of_a_cell_can_be_told() -> None:
    finding = {"sex": "X", "gains": ["8"], "losses": ["7"], "structural": ["+mar"], "count": 46, "incomplete": True}
    assert read({"name": "z", **finding}).cells == (
        Cell(name="z", sex="X", gains=("8",), losses=("7",), structural=("+mar",), count=46, incomplete=True),
    )


def test_the_string_comes_from_the_file() -> None:
    told = read({"iscn": "46,XY,t(9;22)(q34;q11.2)", "times": 6}, {"iscn": "47,XY,+8,t(9;22)(q34;q11.2)", "times": 5})
    karyotype = clonal_karyotype(told.cells, told.setting)
    assert str(karyotype) == "46,XY,t(9;22)(q34;q11.2)[6]/47,sl,+8[5]"


@pytest.mark.parametrize(
    ("cell", "case", "said"),
    [
        ({}, {}, "told by one of"),
        ({"iscn": "46,XY", "sex": "XY"}, {}, "told by one of"),
        ("46,XY", {}, "told by one of"),
        ({"iscn": "46,XY", "gains": []}, {}, "'gains' is not known"),
        ({"iscn": 46}, {}, "'iscn' is not text"),
        ({"iscn": "46,XY", "times": True}, {}, "'times' is not a whole number"),
        ({"iscn": "46,XY", "times": 0}, {}, "0 such cells"),
        ({"iscn": "46,XY", "times": MOST_CELLS + 1}, {}, "such cells"),
        ({"iscn": "47,XY"}, {}, "add up to 46"),
        ({"iscn": "46,XY,foo"}, {}, "cannot stand here"),
        ({"sex": "YX"}, {}, "no sex chromosomes"),
        ({"sex": "XY", "gains": ["X"]}, {}, "no autosome"),
        ({"sex": "XY", "gains": [8]}, {}, "'gains' is not a list of texts"),
        ({"sex": "XY", "incomplete": 1}, {}, "'incomplete' is not true or false"),
        ({"counts": {"23": 2}}, {}, "'23': 2 is no number"),
        ({"counts": {"1": -1}}, {}, "'1': -1 is no number"),
        ({"counts": {"1": "2"}}, {}, "is no number"),
        ({"iscn": "46,XY"}, {"sex": "female"}, "no sex chromosomes"),
        ({"iscn": "46,XY"}, {"sex": ""}, "no sex chromosomes"),
        ({"iscn": "46,XY"}, {"prefix": "con"}, "neither mos nor chi"),
        ({"iscn": "46,XY"}, {"neoplastic": "yes"}, "'neoplastic' is not true or false"),
        ({"iscn": "46,XY"}, {"patient": "name"}, "'patient' is not known"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(cell: Any, case: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=r"case\.json") as caught:
        read(cell, **case)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, '{"neoplastic": true}', '{"cells": []}'])
def test_a_text_that_is_no_case_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_cells(text, where="case.json")


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(InputError, match="more than"):
        read({"iscn": "46,XY", "times": MOST_CELLS}, {"iscn": "46,XY"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.sampled_from(["", "XY", "8", "46,XX", "+mar", "del(5)(q13)"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["iscn", "sex", "gains", "counts", "structural", "times", "8", "X"]), inner)
    ),
    max_leaves=8,
)


@given(json_values)
def test_no_cell_breaks_the_reader(cell: Any) -> None:
    try:
        told = read(cell)
    except InputError:
        return
    assert all(isinstance(one, Cell) for one in told.cells)


def test_cells_without_a_normal_sex_chromosome_are_read() -> None:
    cell = cell_from_iscn("a", "46,t(X;4)(q22;q31),t(Y;9)(q11.2;p22)")
    assert cell.sex == "" and cell.chromosomes == 46
