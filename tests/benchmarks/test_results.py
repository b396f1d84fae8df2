from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.figures import ASKED, Figure, Section
from benchmarks.intervals import Estimate
from benchmarks.results import shown, table, write
from consilium.karyotype.record import ModelReference


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = ModelReference(name="detector", version="1", sha256="ab" * 32)
    monkeypatch.setattr(results, "model_references", lambda: (reference,))


def figure(name: str, value: float, **more: str) -> Figure:
    return Figure(name=name, estimate=Estimate(value=value, low=value - 0.01, high=value + 0.01, n=7), data="d", **more)


@pytest.mark.parametrize(
    ("name", "value", "reached"),
    [
        ("detection_recall", 0.985, True),
        ("detection_recall", 0.9849, False),
        ("seconds_per_metaphase", 1.4, True),
        ("seconds_per_metaphase", 1.6, False),
        ("mask_ap50_adir", 0.1, None),
    ],
)
def test_a_line_is_reached_from_its_right_side(name: str, value: float, reached: bool | None) -> None:
    assert figure(name, value).reached is reached


def test_the_name_of_a_figure_is_its_own() -> None:
    assert figure("map50", 0.5).key == "map50"
    assert figure("map50", 0.5, subset="difficult").key == "map50_difficult"
    assert figure("map50", 0.5, method="classical", subset="difficult").key == "map50_classical_difficult"


def test_the_lines_are_those_that_were_asked() -> None:
    least = {name: asked.least for name, asked in ASKED.items() if asked.least is not None}
    assert least == {
        "detection_recall": 0.985,
        "detection_precision": 0.985,
        "class_accuracy": 0.975,
        "map50": 0.95,
        "cells_counted_exactly": 0.75,
        "cells_wholly_right": 0.5,
        "gband612_polarity": 0.93,
        "gband612_accuracy": 0.85,
        "errors_flagged": 0.9,
        "seconds_per_metaphase": 1.5,
        "memory_gb": 1.5,
    }


def test_the_file_says_when_where_and_with_what(tmp_path: Path) -> None:
    path = tmp_path / "karyotype.json"
    write(path, "test", {"detection": Section(figures=(figure("detection_recall", 0.9),), tables={"t": [1]})})
    document = json.loads(path.read_text())
    section = document["sections"]["detection"]
    assert section["models"] == {"detector": "ab" * 32}
    assert {"date", "machine", "versions"} <= section.keys()
    assert section["tables"] == {"t": [1]}
    (only,) = document["figures"]
    assert (only["value"], only["low"], only["high"], only["n"]) == (0.9, 0.89, 0.91, 7)
    assert (only["asked"], only["aim"], only["reached"]) == (0.985, 0.999, False)
    assert not list(tmp_path.glob("*.partial"))


def test_a_section_measured_again_replaces_itself_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "karyotype.json"
    write(path, "test", {"detection": Section(figures=(figure("detection_recall", 0.9),), tables={})})
    write(path, "test", {"cost": Section(figures=(figure("memory_gb", 1.0),), tables={})})
    document = write(path, "test", {"detection": Section(figures=(figure("detection_recall", 0.99),), tables={})})
    assert set(document["sections"]) == {"detection", "cost"}
    assert {figure["name"]: figure["value"] for figure in document["figures"]} == {
        "detection_recall": 0.99,
        "memory_gb": 1.0,
    }


def test_the_table_says_by_how_much_a_line_is_missed(tmp_path: Path) -> None:
    figures = (
        figure("detection_recall", 0.97),
        figure("detection_recall", 0.4, method="classical"),
        figure("detection_recall", 0.8, subset="difficult"),
        figure("memory_gb", 1.0),
        figure("abnormal_sensitivity", float("nan")),
    )
    write(tmp_path / "k.json", "validation", {"detection": Section(figures=figures, tables={})})
    text = (tmp_path / "k.md").read_text()
    assert "| 0.985 | 0.999 | 0.9700 (0.9600 to 0.9800) | 7 | no, by 0.0150 |" in text
    assert "| <= 1.5 | <= 0.6 | 1.00 (0.99 to 1.01) | 7 | yes |" in text
    assert "not defined here" in text
    assert "| detection recall | 0.9700 (0.9600 to 0.9800) | 0.8000 (0.7900 to 0.8100) | 0.4000" in text
    assert "Development figures" in text


def test_the_table_lists_what_each_flag_catches() -> None:
    row = {"chromosomes": 5, "share_of_all": 0.1, "wrong": 2, "share_of_wrong": 0.5, "wrong_caught_by_it_alone": 1}
    naming = {
        "date": "2026-01-01",
        "machine": "m",
        "models": {},
        "figures": [],
        "tables": {"flags_consilium": {"a": row}},
    }
    assert "| `a` | 0.1000 | 0.5000 | 1 |" in table({"part": "test", "figures": [], "sections": {"naming": naming}})


def test_figures_of_different_models_are_not_mixed_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "k.json"
    write(path, "test", {"detection": Section(figures=(figure("detection_recall", 0.9),), tables={})})
    write(path, "test", {"cost": Section(figures=(figure("memory_gb", 1.0),), tables={})})
    assert "not measured with the same models" not in path.with_suffix(".md").read_text()
    other = ModelReference(name="detector", version="2", sha256="cd" * 32)
    monkeypatch.setattr(results, "model_references", lambda: (other,))
    write(path, "test", {"cost": Section(figures=(figure("memory_gb", 1.0),), tables={})})
    assert "not measured with the same models" in path.with_suffix(".md").read_text()


def test_an_unknown_bound_is_shown_as_such() -> None:
    assert shown({"figure": "map50", "value": 0.5, "low": None, "high": None}) == "0.5000 (? to ?)"
