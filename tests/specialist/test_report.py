"""The report: every item of the list on both papers and in both languages, figures as validated, nothing injected."""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest

from consilium.errors import MissingExtra, MissingFont, ModelError, OutputError
from consilium.specialist.evidence.validation import Validation, as_document
from consilium.specialist.report import sections
from consilium.specialist.report.facts import ModelFacts, ReportedCase
from consilium.specialist.report.items import ITEMS
from consilium.specialist.report.parts import Figure, Gallery, Table, interval, shortened
from consilium.specialist.report.verdict import verdict
from consilium.specialist.report.wording import NOT_A_DEVICE, Language
from consilium.specialist.report.write import matter_of, report, write_report
from consilium.typesetting.fonts import find_chinese_font, usual_font_folders
from tests.specialist.reported import TASKS, reported

CHINESE = find_chinese_font(usual_font_folders())
HOSTILE = '#panic("x") ] [ } { $x$ <script>alert(1)</script> \\ *b* _i_ @r `c` <l> & " // --'

needs_chinese_font = pytest.mark.skipif(
    CHINESE is None, reason="no font with Chinese characters is installed (apt-get install fonts-noto-cjk)"
)
LANGUAGES = ("en", pytest.param("zh", marks=needs_chinese_font))


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@cache
def _text_of_pdf(data: bytes) -> str:
    return _squeezed("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages))


def _text_of_html(data: bytes) -> str:
    page = re.sub(r"<style>.*?</style>", "", data.decode("utf-8"), flags=re.DOTALL)
    return _squeezed(html.unescape(re.sub(r"<[^>]*>", "", page)))


def _renamed(names: tuple[str, ...]) -> tuple[dict[str, Any], ModelFacts]:
    """The binary model with other names of its labels."""
    validation, facts = reported("binary")
    text = json.dumps(as_document(validation))
    for old, new in zip(("benign", "malignant"), names, strict=True):
        text = text.replace(f'"{old}"', json.dumps(new))
    return json.loads(text), replace(facts, names=names)


REPORTS = [(task, lang) for task in TASKS for lang in ("en", "zh") if (task, lang) != ("useless", "zh")]


@pytest.fixture(params=REPORTS, ids="-".join, scope="module")
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Language, Path]:
    task, lang = request.param
    if lang == "zh" and CHINESE is None:
        pytest.skip("no font with Chinese characters is installed (apt-get install fonts-noto-cjk)")
    folder = tmp_path_factory.mktemp(f"{task}_{lang}")
    validation, facts = reported(task)
    pictures = {case: np.full((40, 60), case, np.uint8) for case in range(0, len(facts.cases), 2)}
    write_report(validation, facts, folder, lang, pictures=pictures)
    return task, lang, folder


def test_every_item_stands_on_both_papers(written: tuple[str, Language, Path]) -> None:
    task, lang, folder = written
    pdf, page = _text_of_pdf((folder / "report.pdf").read_bytes()), _text_of_html((folder / "report.html").read_bytes())
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    notice = _squeezed(NOT_A_DEVICE[1 if lang == "zh" else 0])
    for text in (pdf, page):
        assert notice in text and _squeezed(record["verdict"]["headline"]) in text
        for number, _, english, chinese in ITEMS:
            assert _squeezed(f"{number}. {chinese if lang == 'zh' else english}") in text
        for item in record["items"]:
            assert item["status"] == "given" or _squeezed(item["reason"]) in text
        for told in record["checklists"]:
            assert _squeezed(told["title"]) in text, told
            assert _squeezed(told["answer"]) in text, told
        for one in record["verdict"]["not_for"]:
            assert _squeezed(one) in text
    assert {one["number"] for one in record["items"]} == {str(number) for number in range(1, 15)}
    if task == "few":
        assert {one["number"] for one in record["items"] if one["status"] == "given"} == {"2", "14"}
        assert record["verdict"]["grade"] == "not enough cases"
    if task == "useless":
        assert record["verdict"]["grade"] == "no better than chance"
    if task == "binary":
        left = {one["number"] for one in record["items"] if one["status"] != "given"}
        assert left == {"12"}


def test_what_one_paper_says_the_other_says_too(written: tuple[str, Language, Path]) -> None:
    task, lang, folder = written
    validation, facts = reported(task)
    told = report(validation, facts, lang, chinese=CHINESE if lang == "zh" else None)
    pdf, page = _text_of_pdf((folder / "report.pdf").read_bytes()), _text_of_html((folder / "report.html").read_bytes())
    figures = 0
    for section in told.sections:
        for part in section.parts:
            if isinstance(part, Table):
                words = [cell for row in part.rows for cell in row]
            elif isinstance(part, Gallery):
                words = [tile.title for tile in part.tiles]
            else:
                figures += isinstance(part, Figure)
                words = [part.caption if isinstance(part, Figure) else part.text]
            for one in words:
                assert _squeezed(one) in page, (section.key, one)
                assert _squeezed(one) in pdf, (section.key, one)
    assert (folder / "report.html").read_text(encoding="utf-8").count("data:image/svg+xml") == figures
    assert figures == {"binary": 9, "multiclass": 8, "multilabel": 8, "regress": 3, "few": 0, "useless": 8}[task]


def _estimates(value: object) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value] if {"value", "low", "high"} <= set(value) and "method" in value else []
        return own + [one for key, part in value.items() for one in _estimates(part) if key != "curve"]
    return [one for part in value for one in _estimates(part)] if isinstance(value, list) else []


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regress"])
def test_figures_are_those_of_the_validation(task: str, tmp_path: Path) -> None:
    validation, facts = reported(task)
    document = as_document(validation)
    write_report(validation, facts, tmp_path, "en", pdf=False)
    page = _text_of_html((tmp_path / "report.html").read_bytes())
    shown = [one["auc"] for one in document["figures"]] + [one["average_precision"] for one in document["figures"]]
    shown += _estimates(document["baselines"]) + _estimates(document["checks"] or {})
    shown += [one["auc"] for one in document["subgroups"] if "figure" not in one["auc"]]
    shown += _estimates(document["learning_curve"] or {}) + _estimates(document["regression"] or {})
    for one in shown:
        assert _squeezed(interval(one)) in page, one
    for one in document["figures"]:
        point, curve = one["operating_point"], one["calibration"]
        assert _squeezed(interval(curve["slope"], 2)) in page and f"{curve['ece']:.3f}" in page
        for key in ("sensitivity", "specificity", "ppv", "npv") if point else ():
            assert (
                f"{100 * point[key]['value']:.1f}%({100 * point[key]['low']:.1f}–{100 * point[key]['high']:.1f})"
                in page
            )
    record = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert record["validation"] == json.loads(json.dumps(document))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_same_bytes_each_time(lang: Language, tmp_path: Path) -> None:
    validation, facts = reported("binary")
    first, second = (
        [file.read_bytes() for file in write_report(validation, facts, tmp_path / place, lang)] for place in ("a", "b")
    )
    assert first == second
    assert len(first) == 3


@pytest.mark.parametrize("item", ["5", "7", "8", "10", "13"])
def test_an_item_that_cannot_be_told_is_an_error(item: str, tmp_path: Path) -> None:
    validation, facts = reported("binary")
    lacking: dict[str, Validation] = {
        "5": replace(validation, shortcut=None),
        "7": replace(validation, conformal=None),
        "8": replace(validation, gate=None),
        "10": replace(validation, learning_curve=None),
        "13": replace(validation, permutation=None),
    }
    with pytest.raises(ModelError, match=f"item {item} of the report cannot be told"):
        write_report(lacking[item], facts, tmp_path, "en")
    assert not list(tmp_path.iterdir())
    reason = "left out on purpose, for a demonstration"
    write_report(lacking[item], replace(facts, not_made={item: reason}), tmp_path, "en", pdf=False)
    assert _squeezed(reason) in _text_of_html((tmp_path / "report.html").read_bytes())


def test_facts_of_another_fit_are_refused(tmp_path: Path) -> None:
    validation, facts = reported("binary")
    turned = tuple(replace(case, target=(1 - case.target[0],)) for case in facts.cases[:7]) + facts.cases[7:]
    for other in (
        replace(facts, cases=facts.cases[:50]),
        replace(facts, names=("x", "y")),
        replace(facts, cases=turned),
    ):
        with pytest.raises(ModelError, match="facts"):
            write_report(validation, other, tmp_path, "en")
    document = as_document(validation)
    del document["gate"]
    with pytest.raises(ModelError, match="'gate'"):
        write_report(document, facts, tmp_path, "en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_names_are_text(lang: Language, tmp_path: Path) -> None:
    document, facts = _renamed((f"{HOSTILE} 0", f"{HOSTILE} 1"))
    cases = tuple(replace(case, file=f"{HOSTILE}\x07\u202e.png") for case in facts.cases)
    facts = replace(facts, cases=cases, name=HOSTILE, intended_use=HOSTILE, acquisition=({HOSTILE: HOSTILE},))
    write_report(document, facts, tmp_path, lang)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "\u202e" not in page and "\x07" not in page
    for text in (_text_of_html(page.encode()), _text_of_pdf((tmp_path / "report.pdf").read_bytes())):
        assert text.count(_squeezed(HOSTILE)) > 10


def test_very_long_names_fit(tmp_path: Path) -> None:
    document, facts = _renamed(("a" * 300, "b " * 300))
    write_report(document, facts, tmp_path, "en")
    assert "a" * 300 in _text_of_pdf((tmp_path / "report.pdf").read_bytes())


@needs_chinese_font
def test_chinese_names_in_an_english_report(tmp_path: Path) -> None:
    document, facts = _renamed(("良性", "恶性"))
    write_report(document, facts, tmp_path, "en")
    assert "恶性" in _text_of_pdf((tmp_path / "report.pdf").read_bytes())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_letter_that_no_font_has_is_told(lang: Language, tmp_path: Path) -> None:
    document, facts = _renamed(("benign", "🦠"))
    with pytest.raises(MissingFont, match="letter that no font at hand has"):
        write_report(document, facts, tmp_path, lang)
    assert not list(tmp_path.iterdir())


def test_a_chinese_report_needs_a_chinese_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consilium.specialist.report.write.usual_font_folders", lambda: ())
    with pytest.raises(MissingFont, match="no font with Chinese"):
        write_report(*reported("few"), tmp_path, "zh")
    write_report(*reported("binary"), tmp_path, "en")


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"consilium\[specialist\]"):
        write_report(*reported("binary"), tmp_path, "en")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(*reported("few"), tmp_path / "taken", "en", pdf=False)


def test_matplotlib_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, consilium.specialist.report.write; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_shortcut_and_a_better_baseline_are_in_the_verdict() -> None:
    validation, facts = reported("binary")
    document = json.loads(json.dumps(as_document(validation)))
    document["shortcut"]["alarm"] = "no better than metadata"
    assert verdict(matter_of(document, facts, "en")).grade == "shortcut"
    classic = next(one for one in document["baselines"] if one["name"] == "classic features")
    classic["gain"].update(value=-0.05, low=-0.08, high=-0.02)
    assert "A simpler way is better: classic features" in verdict(matter_of(document, facts, "en")).how_good


@pytest.mark.parametrize(
    ("low", "grade"),
    [(0.45, "no better than chance"), (0.6, "weak"), (0.75, "fair"), (0.85, "good"), (0.95, "very good")],
)
def test_the_word_goes_by_the_lower_end(low: float, grade: str) -> None:
    validation, facts = reported("binary")
    document = json.loads(json.dumps(as_document(validation)))
    document["macro_auc"]["low"] = low
    assert verdict(matter_of(document, facts, "en")).grade == grade


def test_a_long_label_keeps_both_ends() -> None:
    assert shortened("Bacterial pneumonia of the left lung", 16) == "Bacteria…ft lung"
    assert shortened("short", 16) == "short"
    assert len(shortened("肺" * 40, 16)) <= 9


def test_facts_with_several_images_a_patient() -> None:
    validation, facts = reported("binary")
    told = sections.ledger(matter_of(validation, facts, "en"))
    assert any("If no column names the patient" in getattr(part, "text", "") for part in told)
    grouped = replace(
        facts, cases=(*facts.cases[:-1], ReportedCase(file="z", group="0", target=facts.cases[-1].target))
    )
    told = sections.ledger(matter_of(validation, grouped, "en"))
    assert not any("If no column names the patient" in getattr(part, "text", "") for part in told)
