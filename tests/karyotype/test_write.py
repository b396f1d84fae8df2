"""What a case leaves on the disk."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from consilium.errors import OutputError
from consilium.karyotype import report_pdf, write
from consilium.karyotype.metaphase import Case, Failure
from consilium.karyotype.record import ModelReference, check_record
from consilium.karyotype.request import Request
from consilium.karyotype.wording import Language
from consilium.karyotype.write import is_written_case, refuse_output, write_case

MODEL = ModelReference(name="detector", version="1", sha256="0" * 64)
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _write(case: Case, out: Path, lang: Language = "en", **named: Any) -> Path:
    return write_case(case, out, lang=lang, created=CREATED, models=[MODEL], **named)


def _files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_case_becomes_a_record_a_report_and_karyograms(case: Case, tmp_path: Path, lang: Language) -> None:
    drawn: list[tuple[int, int]] = []
    report = _write(case, tmp_path / "out", lang, on_progress=lambda *numbers: drawn.append(numbers))
    assert drawn == [(1, 2), (2, 2)]
    assert report == tmp_path / "out" / "report.html"
    assert _files(tmp_path / "out") == [
        "case.json",
        "karyograms/01-a.png",
        "karyograms/01-a.svg",
        "karyograms/02-b.png",
        "karyograms/02-b.svg",
        "report.html",
    ]
    record = json.loads((tmp_path / "out" / "case.json").read_text(encoding="utf-8"))
    check_record(record)
    assert record["models"] == [{"name": "detector", "version": "1", "sha256": "0" * 64}]
    assert record["lang"] == lang
    for cell in record["cells"]:
        with Image.open(tmp_path / "out" / cell["karyogram"]["png"]) as picture:
            assert picture.format == "PNG" and min(picture.size) > 500
        svg = (tmp_path / "out" / cell["karyogram"]["svg"]).read_text(encoding="utf-8")
        assert svg.startswith("<svg") and svg.count("data-index=") == cell["count"]
        assert svg.strip() in report.read_text(encoding="utf-8")


def test_images_of_one_name_and_names_of_many_scripts(case: Case, tmp_path: Path) -> None:
    first, second = case.cells
    cells = (replace(first, image="玻片 A/细胞 1.png"), replace(second, image="slide <b>&/细胞 1.png"))
    failure = Failure(image="坏\ufffd.png", error="UnreadableImage", message="断")
    _write(replace(case, cells=cells, failures=(failure,), disagreeing=()), tmp_path / "输出 文件夹")
    names = _files(tmp_path / "输出 文件夹")
    assert "karyograms/01-细胞_1.svg" in names and "karyograms/02-细胞_1.svg" in names
    record = json.loads((tmp_path / "输出 文件夹" / "case.json").read_text(encoding="utf-8"))
    assert [cell["image"] for cell in record["cells"]] == ["玻片 A/细胞 1.png", "slide <b>&/细胞 1.png"]
    assert "slide <b>&/" not in (tmp_path / "输出 文件夹" / "report.html").read_text(encoding="utf-8")


def test_a_written_case_is_known_and_replaced(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _write(case, out)
    assert is_written_case(out)
    refuse_output(out)
    _write(replace(case, cells=case.cells[:1], disagreeing=()), out)
    assert _files(out) == ["case.json", "karyograms/01-a.png", "karyograms/01-a.svg", "report.html"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "stranger", ["notes.docx", "karyograms/notes.docx", "karyograms/mine/1-a.png", "case (1).json"]
)
def test_a_case_with_something_of_the_users_in_it_is_not_replaced(case: Case, tmp_path: Path, stranger: str) -> None:
    out = tmp_path / "out"
    _write(case, out)
    (out / stranger).parent.mkdir(exist_ok=True)
    (out / stranger).write_text("precious")
    assert not is_written_case(out)
    with pytest.raises(OutputError, match="something other than a case that Consilium wrote"):
        _write(case, out)
    assert (out / stranger).read_text() == "precious"


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "{", '{"cells": []}', "[" * 100_000, "\x00"])
def test_a_case_json_of_somebody_else_is_not_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "case.json").write_text(text)
    assert not is_written_case(tmp_path)


def test_a_folder_without_a_record_is_not_ours(case: Case, tmp_path: Path) -> None:
    _write(case, tmp_path / "out")
    (tmp_path / "out" / "case.json").unlink()
    assert not is_written_case(tmp_path / "out")
    assert not is_written_case(tmp_path)


@pytest.mark.parametrize(
    ("stage", "problem"),
    [
        ("arrange", KeyboardInterrupt()),
        ("to_svg", ValueError("x")),
        ("to_png", OSError(28, "No space left on device")),
        ("report_html", KeyboardInterrupt()),
    ],
)
def test_whatever_goes_wrong_the_former_case_stays(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, problem: BaseException
) -> None:
    out = tmp_path / "out"
    case = replace(case, cells=case.cells[:1], disagreeing=())
    _write(case, out)
    before = {name: (out / name).read_bytes() for name in _files(out)}

    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(write, stage, fail)
    with pytest.raises(OutputError if isinstance(problem, OSError) else type(problem)):
        _write(replace(case, name="another"), out)
    assert {name: (out / name).read_bytes() for name in _files(out)} == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_record_that_breaks_its_promise_is_not_written(case: Case, tmp_path: Path) -> None:
    broken = replace(case, cells=(replace(case.cells[0], gains=("99",)),), disagreeing=())
    with pytest.raises(OutputError, match="schema"):
        _write(broken, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_note_about_the_files_is_told_once(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = write.to_png
    monkeypatch.setattr(write, "to_png", lambda karyogram, lang: drawn(karyogram, lang, font_folders=[]))
    notes: list[str] = []
    _write(case, tmp_path / "out", "zh", on_note=notes.append)
    assert len(notes) == 1 and "font" in notes[0]
    _write(case, tmp_path / "out", "zh")


def test_the_pdf_is_one_more_file_of_the_case(case: Case, tmp_path: Path) -> None:
    notes: list[str] = []
    out = tmp_path / "out"
    _write(case, out, pdf=True, request=Request(patient_name="Jane Doe"), on_note=notes.append)
    assert notes == []
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    assert is_written_case(out)
    record = json.loads((out / "case.json").read_text(encoding="utf-8"))
    assert record["conclusion"]["request"]["identifiers"] == {"patient_name": "Jane Doe"}
    assert "Jane Doe" in (out / "report.html").read_text(encoding="utf-8")
    assert not any("Jane" in name for name in _files(out))
    assert not any("Jane" in svg.read_text(encoding="utf-8") for svg in out.glob("karyograms/*.svg"))
    _write(case, out)
    assert not (out / "report.pdf").exists()


def test_a_pdf_that_cannot_be_made_is_a_note_and_the_rest_is_written(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_pdf, "usual_font_folders", lambda: (tmp_path / "none",))
    notes: list[str] = []
    told = Request(patient_name="\u5f20\u4e09")
    for lang in ("zh", "en"):
        _write(case, tmp_path / lang, lang, pdf=True, request=told, on_note=notes.append)
        assert "report.html" in _files(tmp_path / lang) and "report.pdf" not in _files(tmp_path / lang)
    reasons = [note for note in notes if "no PDF report" in note]
    assert len(reasons) == 2 and all("fonts-noto-cjk" in note for note in reasons)
    assert not any("\u5f20" in note for note in notes)
