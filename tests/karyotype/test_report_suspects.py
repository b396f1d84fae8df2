"""What both reports show of a suspected chromosome, with the figures of the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import numpy as np
import pytest

from consilium.artefact.card import read_card
from consilium.karyotype.arrange import pictures
from consilium.karyotype.metaphase import Metaphase
from consilium.karyotype.models import WEIGHTS
from consilium.karyotype.record import case_record
from consilium.karyotype.report_suspects import CELLS_SHOWN, ShownSuspect, ideogram, shown_suspects, worth
from consilium.karyotype.wording import LANGUAGES, Language
from tests.karyotype.test_suspect_record import suspected_case

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]


def _shown(cell: Cell, labels: Labels, lang: Language = "en", **told: object) -> tuple[ShownSuspect, ...]:
    case = suspected_case(cell, labels, **told)  # type: ignore[arg-type]
    record = case_record(case, lang=lang, created=datetime(2026, 1, 2, tzinfo=UTC), version="1", models=[])
    return shown_suspects(case, record, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_both_homologues_and_where_one_looks_broken(cell: Cell, labels: Labels, lang: Language) -> None:
    (one,) = _shown(cell, labels, lang, cells=6)
    assert len(one.cells) == CELLS_SHOWN and [told.number for told in one.cells] == [1, 2, 3, 4]
    case = suspected_case(cell, labels)
    own, other = [
        picture
        for (picture, _), chromosome in zip(pictures(case.cells[0]), case.cells[0].chromosomes, strict=True)
        if chromosome.label == "5"
    ]
    shown = one.cells[0]
    assert shown.other is not None
    np.testing.assert_array_equal(shown.own, own)
    np.testing.assert_array_equal(shown.other, other)
    assert shown.row == round(0.7 * len(own))
    values = " | ".join(value for _, value in one.facts)
    assert "5q" in values and "chr5:" in values and "6" in values
    assert not one.note


def test_one_cell_is_worded_as_one_cell(cell: Cell, labels: Labels) -> None:
    (lone,) = _shown(cell, labels, cells=1)
    (several,) = _shown(cell, labels, cells=3)
    assert any("one cell only" in value for _, value in lone.facts)
    assert not any("one cell only" in value for _, value in several.facts)


def test_a_variable_region_is_named(cell: Cell, labels: Labels) -> None:
    (one,) = _shown(cell, labels, strange="9", place=0.4)
    assert "heteromorphism" in one.note


def test_the_ideogram_marks_the_interval(cell: Cell, labels: Labels) -> None:
    (one,) = suspected_case(cell, labels).suspects
    low = ElementTree.fromstring(ideogram(one))
    high = ElementTree.fromstring(ideogram(replace(one, place=0.1, interval=(0.05, 0.15))))
    assert {element.tag.rsplit("}")[-1] for element in low.iter()} == {"svg", "path"}, "no text: no font is needed"
    assert float(low.get("height", 0)) > 2 * float(low.get("width", 0)) > 0
    marks = [[path.get("d") for path in drawn.iter() if path.get("stroke") == "#b91c1c"] for drawn in (low, high)]
    assert len(marks[0]) == len(marks[1]) == 2 and marks[0] != marks[1]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_a_prompt_is_worth_is_what_the_card_says(lang: Language) -> None:
    measured = {one.name: one for one in read_card(WEIGHTS / "structure.json").metrics}
    said = worth(lang)
    for name in ("structure_specificity", "structure_sensitivity", "structure_specificity_one_cell"):
        for value in (measured[name].value, measured[name].low, measured[name].high):
            assert f"{100 * value:.0f}" in said, name
    real = measured["structure_real_cases"]
    assert str(real.n) in said and str(round(real.value * real.n)) in said
