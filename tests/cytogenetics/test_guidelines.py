"""Guideline figures, a laboratory's own file, and the arithmetic of mosaicism."""

from __future__ import annotations

import copy
import json
import random
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.cytogenetics.guidelines import (
    FIGURES,
    Figure,
    cells_needed,
    check,
    load,
    mosaicism_excluded,
)
from consilium.errors import InputError

OWN = resources.files("consilium.cytogenetics").joinpath("guidelines.json").read_text(encoding="utf-8")


def whats(*arguments: Any, **given_figures: Any) -> list[str]:
    return [shortfall.what for shortfall in check(*arguments, **given_figures)]


@pytest.fixture
def table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(OWN)
    return table


def write(tmp_path: Path, table: object) -> Path:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    return path


# The published table of such figures, to a tenth of a per cent: cells, confidence, per cent excluded.
@pytest.mark.parametrize(
    ("cells", "confidence", "percent"),
    [
        (10, 0.95, 25.9), (15, 0.95, 18.1), (20, 0.95, 13.9), (25, 0.95, 11.3), (30, 0.95, 9.5), (50, 0.95, 5.8),
        (100, 0.95, 3.0), (20, 0.99, 20.6), (30, 0.99, 14.2), (50, 0.99, 8.8),
    ],
)  # fmt: skip
def test_known_figures_of_mosaicism_excluded(cells: int, confidence: float, percent: float) -> None:
    assert round(100 * mosaicism_excluded(cells, confidence), 1) == percent


@given(cells=st.integers(1, 5000), confidence=st.floats(0.5, 0.999))
def test_the_chance_to_miss_what_is_excluded_is_what_confidence_leaves(cells: int, confidence: float) -> None:
    proportion = mosaicism_excluded(cells, confidence)
    assert 0.0 < proportion < 1.0
    assert (1.0 - proportion) ** cells == pytest.approx(1.0 - confidence, rel=1e-6)
    assert mosaicism_excluded(cells + 1, confidence) < proportion


@given(proportion=st.floats(0.001, 1.0), confidence=st.floats(0.5, 0.999))
def test_cells_needed_is_the_smallest_number_that_excludes(proportion: float, confidence: float) -> None:
    cells = cells_needed(proportion, confidence)
    assert mosaicism_excluded(cells, confidence) <= proportion
    assert cells == 1 or mosaicism_excluded(cells - 1, confidence) > proportion


@given(cells=st.integers(1, 2000), confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_the_two_are_inverses(cells: int, confidence: float) -> None:
    assert cells_needed(mosaicism_excluded(cells, confidence), confidence) == cells


def test_cells_needed_for_figures_that_laboratories_know() -> None:
    assert [cells_needed(p) for p in (0.10, 0.14, 0.20, 0.05)] == [29, 20, 14, 59]
    assert cells_needed(1.0) == 1


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.1, 95, float("nan"), float("inf")])
def test_what_is_no_confidence_is_an_error(confidence: float) -> None:
    for call in (lambda: mosaicism_excluded(20, confidence), lambda: cells_needed(0.1, confidence)):
        with pytest.raises(InputError):
            call()


@pytest.mark.parametrize("wrong", [0.0, 1.5, -1.0, float("nan")])
def test_what_is_no_proportion_is_an_error(wrong: float) -> None:
    with pytest.raises(InputError):
        cells_needed(wrong)


@pytest.mark.parametrize("cells", [0, -3])
def test_no_cells_exclude_nothing(cells: int) -> None:
    with pytest.raises(InputError):
        mosaicism_excluded(cells)


SPECIMENS = {
    # counted, analysed, karyotyped; None where no source at hand gives the figure
    "constitutional_blood": (20, 5, 2),
    "amniotic_in_situ": (15, 5, 2),
    "amniotic_flask": (20, 5, 2),
    "chorionic_villi": (20, None, None),
    "bone_marrow": (20, 20, 2),
    "products_of_conception": (20, None, 2),
    "skin_fibroblasts": (20, None, 2),
    "lymph_node_or_solid_tumour": (15, None, 3),
}


@pytest.mark.parametrize("specimen", SPECIMENS)
def test_the_package_has_the_figures_of_the_sources(specimen: str) -> None:
    asked = load().specimens[specimen]
    got = tuple(None if f is None else f.figure for f in (asked.counted, asked.analysed, asked.karyotyped))
    assert got == SPECIMENS[specimen]
    for name in FIGURES:
        figure: Figure | None = getattr(asked, name)
        assert figure is None or (figure.source.title and figure.source.where)
    assert asked.cultures is not None and asked.cultures.figure == 2


def test_the_package_has_no_other_specimens_and_every_source_is_used(table: dict[str, Any]) -> None:
    assert set(load().specimens) == set(SPECIMENS)
    text = json.dumps(table["specimens"]) + json.dumps(table["notes"])
    for key in table["sources"]:
        assert f'"source": "{key}"' in text


def test_a_complete_case_lacks_nothing() -> None:
    assert check("constitutional_blood", counted=20, analysed=5, karyotyped=2, band_level=550, cultures=2) == ()
    assert check("amniotic_in_situ", counted=15, cells_per_colony=[1] * 15, cultures=2) == ()
    assert check("amniotic_in_situ", cells_per_colony=[2] * 15) == (), "two from a colony are allowed"


def test_what_is_not_given_is_not_checked() -> None:
    assert check("constitutional_blood") == ()


def test_each_shortfall_says_what_was_asked_what_was_found_and_who_asks() -> None:
    shortfall, *others = check("constitutional_blood", counted=19, analysed=5, karyotyped=2)
    assert not others
    assert (shortfall.what, shortfall.asked, shortfall.found) == ("counted", 20, 19)
    for message in (shortfall.message, shortfall.message_zh):
        assert "19" in message and "20" in message and shortfall.source.title in message
    assert "外周血" in shortfall.message_zh


def test_everything_that_falls_short_is_told_in_order() -> None:
    assert whats(
        "amniotic_in_situ",
        counted=14,
        analysed=4,
        karyotyped=1,
        band_level=400,
        cells_per_colony=[3, 2, 0, 1],
        cultures=1,
    ) == ["counted", "analysed", "karyotyped", "band_level", "colonies", "cells_per_colony_at_most", "cultures"]


def test_a_suspected_mosaicism_asks_for_thirty_cells_and_fifty_at_most() -> None:
    (shortfall,) = check("constitutional_blood", counted=20, mosaicism_suspected=True)
    assert (shortfall.what, shortfall.asked) == ("mosaic_count", 30)
    assert "up to 50" in shortfall.message and "至多50" in shortfall.message_zh
    assert check("constitutional_blood", counted=30, mosaicism_suspected=True) == ()
    assert whats("bone_marrow", counted=19, mosaicism_suspected=True) == ["counted"], "no figure for it: the usual one"


def test_an_empty_colony_is_no_colony() -> None:
    (shortfall,) = check("amniotic_in_situ", cells_per_colony=[1] * 14 + [0])
    assert (shortfall.what, shortfall.found) == ("colonies", 14)
    assert whats("amniotic_in_situ", cells_per_colony=[]) == ["colonies"]


@given(
    counted=st.integers(0, 40),
    analysed=st.integers(0, 40),
    karyotyped=st.integers(0, 5),
    specimen=st.sampled_from(list(SPECIMENS)),
)
def test_a_shortfall_is_there_exactly_where_the_figure_is_below(
    counted: int, analysed: int, karyotyped: int, specimen: str
) -> None:
    found = {s.what for s in check(specimen, counted=counted, analysed=analysed, karyotyped=karyotyped)}
    expected = {
        what
        for what, number, asked in zip(
            ("counted", "analysed", "karyotyped"), (counted, analysed, karyotyped), SPECIMENS[specimen], strict=True
        )
        if asked is not None and number < asked
    }
    assert found == expected


@pytest.mark.parametrize(
    "wrong", [{"counted": -1}, {"cells_per_colony": [1, -1]}, {"cultures": -2}, {"band_level": -550}]
)
def test_a_number_below_zero_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        check("amniotic_in_situ", **wrong)


def test_an_unknown_specimen_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="constitutional_blood"):
        check("hair", counted=20)


def test_a_laboratory_loads_its_own_figures(tmp_path: Path, table: dict[str, Any]) -> None:
    table["name"] = "Our laboratory"
    table["sources"]["us"] = {"title": "Our procedure 12", "kind": "laboratory", "where": "folder 3"}
    table["specimens"]["constitutional_blood"]["counted"] = {"figure": 25, "source": "us"}
    own = load(write(tmp_path, table))
    assert own.name == "Our laboratory"
    (shortfall,) = check("constitutional_blood", counted=20, guidelines=own)
    assert (shortfall.asked, shortfall.source.title) == (25, "Our procedure 12")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(OWN, encoding="utf-8-sig")
    assert load(path) == load()


def changed(table: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    other = copy.deepcopy(table)
    *way, last = path.split(".")
    at: Any = other
    for key in way:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return other


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("name", ..., "lacks 'name'"),
        ("name", "", "name is no text"),
        ("sources", [], "sources is no object"),
        ("specimens", {}, "names no specimen"),
        ("specimens.bone_marrow", 20, "specimens.bone_marrow is no object"),
        ("specimens.bone_marrow.name_zh", None, "specimens.bone_marrow.name_zh is no text"),
        ("specimens.bone_marrow.count", {"figure": 1, "source": "eca"}, "'count', which is unknown"),
        ("specimens.bone_marrow.counted", 20, "specimens.bone_marrow.counted is no object"),
        ("specimens.bone_marrow.counted.figure", True, "counted.figure is True"),
        ("specimens.bone_marrow.counted.figure", 20.0, "counted.figure is 20.0"),
        ("specimens.bone_marrow.counted.figure", "20", "counted.figure is 20"),
        ("specimens.bone_marrow.counted.figure", 0, "counted.figure is 0"),
        ("specimens.bone_marrow.counted.figure", 10**30, "counted.figure is 1000"),
        ("specimens.bone_marrow.counted.source", "nobody", "counted.source is 'nobody'"),
        ("specimens.bone_marrow.counted.source", ["eca"], "counted.source is"),
        ("specimens.bone_marrow.counted.unit", "days", "'unit', which is unknown"),
        ("specimens.bone_marrow.turnaround_days.unit", "weeks", "turnaround_days.unit is 'weeks'"),
        ("specimens.bone_marrow.karyotyped.figure", 21, "karyotyped 21 and counted 20"),
        ("specimens.constitutional_blood.mosaic_count.figure", 10, "counted 20 and mosaic_count 10"),
        ("sources.eca.kind", "rumour", "sources.eca.kind is 'rumour'"),
        ("notes", {}, "notes is no list"),
        ("notes", [3], r"notes\[0\] is no object"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_the_place_and_the_way_out(
    tmp_path: Path, table: dict[str, Any], path: str, value: object, what: str
) -> None:
    file = write(tmp_path, changed(table, path, value))
    with pytest.raises(InputError, match=what) as raised:
        load(file)
    assert raised.value.where == str(file) and raised.value.way_out


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "20",
        '"text"',
        "{}",
        "[" * 5000,
        '{"name": 1' + "0" * 5000 + "}",
        '{"name": "a", "name": "b"}',
    ],
)
def test_what_is_no_guidelines_file_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load(path)
    assert raised.value.where == str(path) and raised.value.way_out


def test_a_missing_file_a_folder_and_other_bytes_are_errors(tmp_path: Path) -> None:
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00\x81")
    for path in (tmp_path / "none.json", tmp_path, tmp_path / "bytes.json"):
        with pytest.raises(InputError, match="cannot be read"):
            load(path)


def test_a_file_broken_anywhere_is_read_or_refused_and_never_falls_over(tmp_path: Path) -> None:
    generator = random.Random(7)
    path = tmp_path / "own.json"
    refused = 0
    for _ in range(400):
        text = list(OWN)
        for _ in range(generator.randint(1, 4)):
            index = generator.randrange(len(text))
            how = generator.random()
            if how < 0.4:
                text[index] = generator.choice('{}[]",:0179-.eE\\ntrue\x00\u200b汉')
            elif how < 0.7:
                del text[index : index + generator.randint(1, 40)]
            else:
                text.insert(index, generator.choice(['"', "{", "1", "null", "\\u12", "[", "]", ","]))
        path.write_text("".join(text), encoding="utf-8")
        try:
            load(path)
        except InputError as error:
            assert error.where == str(path) and error.way_out
            refused += 1
    assert refused > 200


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ),
    where=st.sampled_from(
        [
            "name",
            "sources",
            "sources.eca",
            "specimens",
            "specimens.bone_marrow",
            "specimens.bone_marrow.counted",
            "notes",
        ]
    ),
)
def test_any_value_in_any_place_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, value: object, where: str
) -> None:
    path = write(tmp_path_factory.mktemp("own"), changed(json.loads(OWN), where, value))
    try:
        load(path)
    except InputError as error:
        assert error.way_out
