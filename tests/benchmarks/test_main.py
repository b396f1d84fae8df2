from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import results
from benchmarks.figures import Figure, Section
from benchmarks.intervals import Estimate
from consilium.karyotype.record import ModelReference

SECTIONS = ("detection", "cost")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sections that measure nothing but say which part and how many cells they were asked for."""

    def section(benchmark: command.Benchmark) -> Section:
        size = float(benchmark.limit or 0)
        return Section(
            figures=(
                Figure(name="memory_gb", estimate=Estimate(value=size, low=size, high=size, n=1), data=benchmark.part),
            ),
            tables={},
        )

    monkeypatch.setattr(command, "SECTIONS", dict.fromkeys(SECTIONS, section))
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(command, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(results, "model_references", lambda: (ModelReference(name="m", version="1", sha256="0" * 64),))
    monkeypatch.setenv("CONSILIUM_DATA", str(tmp_path))
    return tmp_path


def test_without_data_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSILIUM_DATA", raising=False)
    result = CliRunner().invoke(command.main, [])
    assert result.exit_code == 2
    assert "CONSILIUM_DATA" in result.output


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ([], "results"),
        (["--part", "validation"], "runs/benchmarks/validation"),
        (["--limit", "5"], "runs/benchmarks/test_5"),
    ],
)
def test_only_the_whole_test_part_goes_where_it_is_quoted(folders: Path, arguments: list[str], place: str) -> None:
    result = CliRunner().invoke(command.main, arguments)
    assert result.exit_code == 0, result.output
    written = [str(path.parent.relative_to(folders)) for path in folders.rglob("karyotype.json")]
    assert written == [place]
    document = json.loads((folders / place / "karyotype.json").read_text())
    assert set(document["sections"]) == set(SECTIONS)
    assert (folders / place / "karyotype.md").exists()


def test_only_one_section_is_run_when_asked(folders: Path) -> None:
    assert CliRunner().invoke(command.main, ["--only", "cost"]).exit_code == 0
    document = json.loads((folders / "results" / "karyotype.json").read_text())
    assert list(document["sections"]) == ["cost"]
