from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.abnormality import (
    agreement,
    built,
    case_evidence,
    cell_evidence,
    class_named,
    measure,
    sensitivity,
    sensitivity_at,
    strongest,
    surplus,
)


def copies(**changed: int) -> np.ndarray:
    usual = np.asarray([2] * 22 + [1, 1], np.float64)
    for label, number in changed.items():
        usual[{"X": 22, "Y": 23}.get(label, -1) if label in "XY" else int(label[1:]) - 1] = number
    return usual


@pytest.mark.parametrize(
    ("have", "expected"),
    [
        (copies(), {}),
        (copies(X=2, Y=0), {}),
        (copies(c21=3), {20: 1}),
        (copies(c18=1), {17: -1}),
        (copies(X=1, Y=0), {22: -1}),
        (copies(X=2, Y=1), {22: 1}),
        (copies(X=3, Y=0), {22: 1}),
        (copies(X=1, Y=2), {23: 1}),
    ],
)
def test_surplus_is_against_xy_where_there_is_a_y_and_xx_otherwise(have: np.ndarray, expected: dict[int, int]) -> None:
    over = surplus(have)
    assert {int(i): int(over[i]) for i in np.flatnonzero(over)} == expected


def test_sensitivity_at_a_specificity_by_hand() -> None:
    scores = np.asarray([0.1, 0.2, 0.3, 0.9, 0.25, 0.8])
    abnormal = np.asarray([False, False, False, False, True, True])
    ones = np.ones(6)
    assert sensitivity_at(scores, abnormal, ones, specificity=0.5) == 1.0
    assert sensitivity_at(scores, abnormal, ones, specificity=0.75) == 0.5
    assert sensitivity_at(scores, abnormal, ones, specificity=0.95) == 0.0
    # Without the normal one that looks worst, the threshold comes down.
    assert sensitivity_at(scores, abnormal, np.asarray([1, 1, 1, 0, 1, 1]), specificity=0.95) == 0.5


def test_without_normal_or_abnormal_units_it_is_not_defined() -> None:
    assert math.isnan(sensitivity_at(np.ones(2), np.asarray([True, True]), np.ones(2)))
    assert math.isnan(sensitivity_at(np.ones(2), np.asarray([False, True]), np.asarray([1.0, 0.0])))


def test_what_every_cell_shows_outweighs_what_one_cell_lost(make, normal) -> None:
    trisomy = (*normal, "21")
    whole = make(normal).reading.metaphase
    lost = make(normal[1:]).reading.metaphase
    extra = make(trisomy).reading.metaphase
    score, changed = strongest([extra, extra])
    single, _ = strongest([lost, whole, whole])
    assert changed == "21"
    assert score > 2 * single


def cases(make, normal):
    """20 normal cases of two cells, one trisomy 21 shown by both cells, one structural case."""
    cells = [make(normal, name=f"{case}{cell}", case=str(case)) for case in range(20) for cell in "ab"]
    trisomy = (*normal, "21")
    cells += [make(trisomy, name=f"t{c}", case="t", status="numerical", abnormality="21") for c in "ab"]
    cells.append(make(normal, name="s1", case="s", status="structural"))
    return cells


def test_cases_are_the_units_and_structural_ones_are_left_out(make, normal) -> None:
    units = case_evidence(cases(make, normal))
    assert len(units) == 21
    assert [one.name for one in units if one.abnormal] == ["t"]
    value, note = sensitivity(units)
    assert value.value == 1.0
    # One of one: all that can be said is that it is more than 1 in 40.
    assert (value.low, value.high) == (pytest.approx(0.025), 1.0)
    assert "1 abnormal of 21" in note
    assert class_named(units)[0].value == 1.0


def test_the_modal_karyotype_is_judged_as_the_product_writes_it(make, normal) -> None:
    made = cases(make, normal)
    said = agreement(made, case_evidence(made))
    assert said["modal_sensitivity"][0].value == 1.0
    assert said["modal_specificity"][0].value == 1.0
    hidden = [make(normal, name="h", case="h", status="numerical", abnormality="18")]
    assert agreement(hidden, case_evidence(hidden))["modal_sensitivity"][0].value == 0.0


def test_what_a_reader_is_told_is_a_modal_karyotype_or_a_flag(make, normal) -> None:
    gained, plain = (*normal, "13"), normal
    cells = [make(plain, name=f"n{cell}", case="n") for cell in "ab"]
    # Four of nine cells are outvoted; all nine together speak of them nevertheless.
    cells += [make(gained if cell in "abcd" else plain, name=f"m{cell}", case="m", status="numerical", abnormality="13")
              for cell in "abcdefghi"]  # fmt: skip
    said = agreement(cells, case_evidence(cells))
    assert said["modal_sensitivity"][0].value == 0.0
    assert (said["told_sensitivity"][0].value, said["told_specificity"][0].value) == (1.0, 1.0)


def test_changes_are_built_from_what_was_read(make, normal) -> None:
    cells = [make(normal, name=f"{case}{cell}", case=str(case)) for case in range(3) for cell in "abcd"]
    cells.append(make((*normal, "21"), name="ta", case="t", status="numerical", abnormality="21"))
    kinds = built(cells)
    assert {kind: len(units) for kind, units in kinds.items()} == {"gained": 3, "lost": 3, "mosaic": 3}
    for units in kinds.values():
        assert all(unit.abnormal and {unit.changed} == unit.truly_changed for unit in units)
    assert max(unit.score for unit in kinds["mosaic"]) < min(unit.score for unit in kinds["gained"])
    assert [unit.score for unit in built(cells)["lost"]] == [unit.score for unit in kinds["lost"]]


def test_cells_of_crops_are_their_own_units(make, normal) -> None:
    wrong = make((*normal, "13"), name="5.2", case="5", status="numerical")
    unclear = make(normal, name="6.1", case="6", status="")
    units = cell_evidence([make(normal, name="5.1", case="5"), wrong, unclear])
    assert [(one.name, one.abnormal, one.truly_changed) for one in units] == [
        ("5.1", False, frozenset()),
        ("5.2", True, frozenset({"13"})),
    ]
    assert units[1].changed == "13"


def test_the_section_lists_the_abnormal_units(make, normal) -> None:
    cells = cases(make, normal)
    section = measure({"consilium": cells}, cells[:3], image_data="images", crop_data="crops")
    assert {figure.name for figure in section.figures} == {
        "abnormal_sensitivity",
        "abnormal_class_named",
        "modal_sensitivity",
        "modal_specificity",
        "told_sensitivity",
        "told_specificity",
        "built_gained_sensitivity",
        "built_lost_sensitivity",
        "built_told",
        "gband612_abnormal_sensitivity",
        "gband612_abnormal_class_named",
    }
    listed = section.tables["cases_consilium"]
    assert isinstance(listed, list)
    assert listed[0]["name"] == "t"
    assert listed[0]["changed"] == "21"
