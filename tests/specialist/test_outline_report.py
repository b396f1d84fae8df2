"""The report on outlines: every item on both papers, in both languages, with figures and outlines as they are."""

from __future__ import annotations

import html
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
from PIL import Image

from consilium.errors import ModelError
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.report.facts import read_facts, write_facts
from consilium.specialist.report.items import ITEMS
from consilium.specialist.report.outline_pictures import OutlinedPictures
from consilium.specialist.report.parts import interval, percent_interval
from consilium.specialist.report.wording import Language
from consilium.specialist.report.write import report, write_report
from consilium.typesetting.fonts import find_chinese_font, usual_font_folders
from tests.specialist.outline_reported import KINDS, outline_reported

pytest.importorskip("matplotlib", reason="plots are drawn by matplotlib (extra specialist)")
CHINESE = find_chinese_font(usual_font_folders())


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _pages(folder: Path) -> tuple[str, str]:
    """Text of report.pdf and of report.html, without spaces."""
    pages = pypdf.PdfReader(io.BytesIO((folder / "report.pdf").read_bytes())).pages
    page = re.sub(r"<style>.*?</style>", "", (folder / "report.html").read_text(encoding="utf-8"), flags=re.DOTALL)
    return (
        _squeezed("".join(one.extract_text() for one in pages)),
        _squeezed(html.unescape(re.sub(r"<[^>]*>", "", page))),
    )


@pytest.mark.parametrize(
    ("kind", "lang"), [(kind, "en") for kind in KINDS] + [("lesion", "zh"), ("regions", "zh"), ("objects", "zh")]
)
def test_every_item_stands_on_both_papers(kind: str, lang: Language, tmp_path: Path) -> None:
    if lang == "zh" and CHINESE is None:
        pytest.skip("no font with Chinese characters is installed (apt-get install fonts-noto-cjk)")
    validation, facts = outline_reported(kind)
    write_report(validation, facts, tmp_path, lang)
    record = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    document = as_document(validation)
    shown = [one[key] for one in document["figures"] for key in ("dice", "surface")]
    shown += [one["gain"] for one in document["baselines"]] + [one["dice"] for one in document["baselines"]]
    shown += [document["learning_curve"]["gain"]] if document["learning_curve"] else []
    for text in _pages(tmp_path):
        assert _squeezed(record["verdict"]["headline"]) in text
        for number, _, english, chinese in ITEMS:
            assert _squeezed(f"{number}. {chinese if lang == 'zh' else english}") in text
        for item in record["items"]:
            assert item["status"] == "given" or _squeezed(item["reason"]) in text
        for one in record["verdict"]["not_for"]:
            assert _squeezed(one) in text
        for one in shown:
            assert _squeezed(interval(one)) in text
        for one in document["figures"]:
            assert _squeezed(percent_interval(one["missed"])) in text
    status = {one["number"]: one["status"] for one in record["items"]}
    assert [number for number, one in status.items() if one == "not applicable"] == ["4", "6", "7", "13"]
    given = {number for number, one in status.items() if one == "given"}
    assert given == ({"2", "14"} if kind == "few" else set(status) - {"4", "6", "7", "13"})
    grade = record["verdict"]["grade"]
    assert {"few": "not enough cases", "useless": "no better without learning"}.get(kind, grade) == grade
    if kind in {"lesion", "regions", "objects"}:
        assert grade in {"weak", "fair"}


def test_a_chinese_report_is_chinese() -> None:
    if CHINESE is None:
        pytest.skip("no font with Chinese characters is installed (apt-get install fonts-noto-cjk)")
    known = {"Dice", "AP", "AUC", "Bland", "Altman", "Otsu", "BCa", "Wilson", "SHA", "Consilium", "report", "json", "n"}
    told = report(*outline_reported("lesion"), "zh", chinese=CHINESE)
    for section in told.sections:
        if section.key == "card":
            continue
        for part in section.parts:
            for words in (getattr(part, "text", ""), getattr(part, "caption", "")):
                english = set(re.findall(r"[A-Za-z]{2,}", words)) - known
                assert english <= {"lesion", "age"}, (section.key, words)


def test_what_is_missing_or_of_another_fit_is_refused(tmp_path: Path) -> None:
    validation, facts = outline_reported("lesion")
    for lacking, told in (
        (replace(validation, gate=None), "item 8"),
        (replace(validation, baselines=()), "item 5"),
        (replace(validation, figures=()), "item 12"),
        (replace(validation, learning_curve=None), "item 10"),
    ):
        with pytest.raises(ModelError, match=told):
            report(lacking, facts, "en")
    left = replace(facts, not_made={"10": "no time"})
    assert "no time" in str(report(replace(validation, learning_curve=None), left, "en").sections)
    document = as_document(validation)
    del document["missed"]
    with pytest.raises(ModelError, match="'missed'"):
        report(document, facts, "en")
    with pytest.raises(ModelError, match="cannot report"):
        report({**document, "task": "compose"}, facts, "en")
    fewer = replace(facts, cases=facts.cases[:20])
    other = replace(facts, cases=tuple(replace(one, target=(1.0,)) for one in facts.cases))
    for strange in (fewer, other, replace(facts, names=("cyst",))):
        with pytest.raises(ModelError):
            report(validation, strange, "en")


def test_facts_with_masks_come_back(tmp_path: Path) -> None:
    _, facts = outline_reported("regions")
    write_facts(facts, tmp_path / "facts.json")
    assert read_facts(tmp_path / "facts.json") == facts


def test_both_outlines_are_drawn_on_the_file(tmp_path: Path) -> None:
    _, facts = outline_reported("lesion")
    down, across = np.mgrid[:60, :120]
    true, found = (np.hypot(down - 30, across - middle) < 15 for middle in (45, 75))
    (tmp_path / "masks").mkdir()

    def save(name: str, pixels: np.ndarray[Any, Any]) -> None:
        Image.fromarray((pixels * 255).astype(np.uint8)).save(tmp_path / name)

    save("case_000.png", np.full((60, 120), 0.3))
    save("case_000_mask.png", true)
    save("masks/00000.png", found)
    pictures = OutlinedPictures(facts, tmp_path, [tmp_path])
    picture = pictures[0]
    assert picture.shape == (120, 240, 3) and len(pictures) == 40
    blue, orange = ((picture == colour).all(2) for colour in ((86, 180, 233), (230, 159, 0)))
    # Twice as large as the file: outlines lie round 90 and 150, the dashed one with gaps.
    for line, middle in ((blue, 90), (orange, 150)):
        rows, columns = np.nonzero(line)
        radius = np.hypot(rows - 60, columns - middle)
        assert radius.min() > 25 and radius.max() < 33
    assert orange.sum() < 0.9 * blue.sum() and blue.sum() < 2.5 * orange.sum()
    assert pictures.get(1) is None
    save("masks/00000.png", found[:50])
    assert OutlinedPictures(facts, tmp_path, [tmp_path]).get(0) is None
    (tmp_path / "case_000_mask.png").write_text("no image")
    assert OutlinedPictures(facts, tmp_path, [tmp_path]).get(0) is None
