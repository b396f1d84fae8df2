"""The machine's entry of a cell: read as it is, and refused where it is none."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.errors import InputError
from consilium.karyotype.editing.cell import EditedCell
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.editing.told import told
from consilium.karyotype.metaphase import CLASSES, Metaphase
from tests.karyotype.editing.conftest import entry_of


def test_the_reading_says_what_the_machine_said(cell: EditedCell, drawn: Metaphase) -> None:
    says = told(cell)
    assert (says.count, says.karyotype) == (46, "46,XX")
    assert [one.label for one in cell.objects] == [one.label for one in drawn.chromosomes]
    assert [one.id for one in cell.objects] == [f"c{index}" for index in range(46)]
    for one, chromosome in zip(cell.objects, drawn.chromosomes, strict=True):
        mask = chromosome.instance.mask
        assert one.region.on(cell.width, cell.height).sum() == mask.sum()
        assert one.region.origin >= chromosome.instance.origin


def test_the_surer_homologue_comes_first(drawn: Metaphase) -> None:
    entry = entry_of(drawn)
    entry["chromosomes"][0]["confidence"] = 0.5
    assert [one.id for one in read_cell(entry).beside("1")] == ["c1", "c0"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: entry.pop("chromosomes"),
        lambda entry: entry.update(width=0),
        lambda entry: entry.update(width=10**9),
        lambda entry: entry.update(more=1),
        lambda entry: entry["chromosomes"][0].update(label="23"),
        lambda entry: entry["chromosomes"][0].update(polygon=[[0, 0]]),
        lambda entry: entry["chromosomes"][0].update(polygon=[[10**7, 10**7]] * 3),
        lambda entry: entry["chromosomes"][0]["probabilities"].pop("1"),
        lambda entry: entry["quality"].update(score=2),
    ],
)
def test_what_is_no_entry_is_refused(drawn: Metaphase, spoil: Any) -> None:
    entry = copy.deepcopy(entry_of(drawn))
    spoil(entry)
    with pytest.raises(InputError):
        read_cell(entry)


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["image", "width", "chromosomes"]), inner)
        ),
        max_leaves=8,
    )
)
def test_any_json_is_an_entry_or_an_input_error(document: Any) -> None:
    with pytest.raises(InputError):
        read_cell(document)


def test_probabilities_are_in_the_order_of_classes(cell: EditedCell) -> None:
    for one in cell.objects:
        assert CLASSES[max(range(24), key=one.probabilities.__getitem__)] == one.label
