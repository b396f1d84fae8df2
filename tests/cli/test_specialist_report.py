from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from consilium.cli.specialist_report import report
from consilium.errors import ModelError
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.report.facts import facts_file, write_facts
from tests.specialist.reported import reported


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder, as far as the report reads it."""
    folder = tmp_path / "model"
    folder.mkdir()
    validation, facts = reported("useless")
    facts_file(folder).parent.mkdir()
    write_facts(facts, facts_file(folder))
    (folder / "validation.json").write_text(json.dumps(as_document(validation)), encoding="utf-8")
    return folder


def test_three_files_beside_the_model(model: Path) -> None:
    before = sorted(model.iterdir())
    result = CliRunner().invoke(report, [str(model), "--lang", "en"], catch_exceptions=False)
    assert result.exit_code == 0
    written = [Path(line) for line in result.output.split("\n") if line]
    assert [one.name for one in written] == ["report.html", "report.pdf", "report.json"]
    assert {one.parent for one in written} == {model.with_name("model-report")}
    assert all(one.stat().st_size > 1000 for one in written)
    assert sorted(model.iterdir()) == before


def test_without_typst_all_but_the_pdf_is_written(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    result = CliRunner().invoke(report, [str(model), "--lang", "en"], catch_exceptions=False)
    assert result.exit_code == 0
    assert [Path(line).name for line in result.stdout.split("\n") if line] == ["report.html", "report.json"]
    assert "there is no PDF report" in result.stderr and "pip install 'consilium[pdf]'" in result.stderr


def test_pictures_where_they_are(model: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    _, facts = reported("useless")
    for case in facts.cases[:89]:
        Image.fromarray(np.full((40, 90), 120, np.uint8)).save(images / case.file)
    (images / facts.cases[89].file).write_text("no image")
    out = tmp_path / "out"
    words = [str(model), "--lang", "en", "--no-pdf", "--images", str(images), "--out", str(out)]
    assert CliRunner().invoke(report, words, catch_exceptions=False).exit_code == 0
    assert "data:image/png" in (out / "report.html").read_text(encoding="utf-8")
    assert not (out / "report.pdf").exists()


@pytest.mark.parametrize("name", ["facts.json", "validation.json"])
@pytest.mark.parametrize("content", ["", "[]", '{"name": 3}'])
def test_a_file_that_is_damaged_is_named(model: Path, name: str, content: str) -> None:
    (facts_file(model) if name == "facts.json" else model / name).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=name):
        CliRunner().invoke(report, [str(model), "--lang", "en"], catch_exceptions=False)


def test_a_file_that_is_not_there_is_named(model: Path) -> None:
    facts_file(model).unlink()
    with pytest.raises(ModelError, match=r"facts\.json"):
        CliRunner().invoke(report, [str(model)], catch_exceptions=False)


def test_facts_with_a_bad_date_are_refused(model: Path) -> None:
    write_facts(replace(reported("useless")[1], created="yesterday"), facts_file(model))
    with pytest.raises(ModelError, match="malformed"):
        CliRunner().invoke(report, [str(model)], catch_exceptions=False)
