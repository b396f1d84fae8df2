"""The report stands alone, says first what matters, and treats every name as text."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from consilium.karyotype.arrange import arrange, to_svg
from consilium.karyotype.flags import case_flags
from consilium.karyotype.metaphase import UNSURE, Case, Failure, Flag, Metaphase
from consilium.karyotype.record import case_record
from consilium.karyotype.report import report_html
from consilium.karyotype.request import Request
from consilium.karyotype.structure import suspects
from consilium.karyotype.wording import LANGUAGES, Language
from tests.karyotype.test_structure import looking

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]


class _Page(HTMLParser):
    """Collects elements, attributes and text; complains about unbalanced elements."""

    VOID = frozenset({"meta", "img", "br", "input", "link", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _report(case: Case, lang: Language = "en") -> str:
    record = case_record(case, lang=lang, created=datetime(2026, 1, 2, tzinfo=UTC), version="9.9.9", models=[])
    return report_html(case, record, {cell.image: to_svg(arrange(cell), lang) for cell in case.cells}, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_is_one_well_formed_page_that_asks_for_nothing(case: Case, lang: Language) -> None:
    text = _report(case, lang)
    page = _Page(text)
    assert page.open == []
    assert text.lower().count("<!doctype html>") == 1
    names = {tag for tag, _ in page.elements}
    assert not names & {"script", "link", "iframe", "object", "embed", "form", "base", "foreignobject"}
    for _, attributes in page.elements:
        assert not any(key.startswith("on") for key in attributes)
        assert "style" not in attributes
        for key in ("src", "href", "xlink:href", "action", "data"):
            assert attributes.get(key, "#").startswith(("data:image/", "#"))
    assert "@import" not in text and "url(" not in text
    assert page.of("html")[0]["lang"] == ("zh-Hans" if lang == "zh" else "en")


def test_the_policy_admits_the_style_sheet_and_nothing_else(case: Case) -> None:
    text = _report(case)
    policy = next(meta["content"] for meta in _Page(text).of("meta") if "http-equiv" in meta)
    (style,) = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_summary_comes_first_and_names_what_disagrees(case: Case) -> None:
    text = " ".join(" ".join(_Page(_report(case)).texts).split())
    assert "47,XX,+21 instead of 46,XX" in text
    assert "47 chromosomes counted, not 46" in text
    assert "1 flagged chromosome(s): 21" in text
    order = [
        "Karyotype (ISCN 2024)",
        "Karyotype of most cells 46,XX",
        "What needs a look",
        "Cells, best first",
        "Karyogram",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_conclusion_leads_and_what_was_told_is_text(case: Case, lang: Language) -> None:
    hostile = "<img src=x onerror=alert(1)> & {{ 7*7 }}"
    request = Request(specimen="constitutional_blood", patient_name=hostile, laboratory=hostile)
    record = case_record(
        case, lang=lang, created=datetime(2026, 1, 2, tzinfo=UTC), version="1", models=[], request=request
    )
    text = report_html(case, record, {cell.image: to_svg(arrange(cell), lang) for cell in case.cells}, lang)
    page = _Page(text)
    assert "onerror=alert(1)>" not in text.replace("&gt;", "")
    assert not any("onerror" in attributes for _, attributes in page.elements)
    words = "".join(page.texts)
    assert words.count(hostile) == 2
    assert {"en": "DRAFT", "zh": "草稿"}[lang] in words
    said = record["conclusion"]
    for sentence in (*said["interpretation"], *said["limitations"], *said["reasoning"]):
        assert sentence in words
    assert words.index("ISCN 2024") < words.index({"en": "What needs a look", "zh": "需要复核的内容"}[lang])


def test_anchors_lead_somewhere_and_ids_are_unique(case: Case) -> None:
    page = _Page(_report(case))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for attributes in page.of("a")}
    assert targets and targets <= set(ids)


def test_every_cell_shows_outlines_karyogram_and_flags(case: Case) -> None:
    page = _Page(_report(case))
    sections = [one for one in page.of("section") if one.get("class") == "cell"]
    assert len(sections) == 2
    outlines = [one["class"] for one in page.of("polygon") if "outline" in one.get("class", "")]
    assert len(outlines) == 46 + 47
    assert outlines.count("outline flagged") == 1
    assert sum("data-index" in one for one in page.of("g")) == 46 + 47


def test_doubtful_chromosomes_show_the_original_pixels_beside_their_homologue(case: Case) -> None:
    page = _Page(_report(case))
    crops = {one["alt"]: one["src"] for one in page.of("img") if one.get("alt")}
    assert set(crops) == {"as photographed", "straightened", "homologue, straightened"}
    raw = np.asarray(Image.open(io.BytesIO(base64.b64decode(crops["as photographed"].split(",")[1]))))
    cell = case.cells[1]
    xmin, ymin, xmax, ymax = (int(side) for side in cell.chromosomes[42].instance.box)
    np.testing.assert_array_equal(raw, cell.pixels[ymin - 8 : ymax + 8, xmin - 8 : xmax + 8])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_suspected_chromosome_is_shown_beside_its_homologue(cell: Cell, labels: Labels, lang: Language) -> None:
    cells = tuple(looking(cell(labels(), image=f"{number}.png"), {"5": 6.0}) for number in range(3))
    suspected = suspects(cells)
    case = Case(
        name="del(5)", cells=cells, failures=(), modal_karyotype="46,XX", disagreeing=(),
        flags=case_flags(cells, suspected), suspects=suspected,
    )  # fmt: skip
    page = _Page(_report(case, lang))
    assert page.open == [] or page.open == ["image"] * len(page.of("image"))
    shown = [one for one in page.of("image") if one.get("href", "").startswith("data:image/png")]
    assert len(shown) >= 2 * len(cells)
    assert any("70%" in text for text in page.texts)


def test_an_unsure_object_has_no_homologue(cell: Cell, labels: Labels) -> None:
    doubt = Flag(code="unsure_class", values={"best": "9", "probability": 0.3})
    odd = cell((*labels(), UNSURE, UNSURE), karyotype="48,XX,+2mar", chromosome_flags=(doubt,), flagged=47)
    case = Case(name="c", cells=(odd,), failures=(), modal_karyotype="48,XX,+2mar", disagreeing=())
    assert "homologue, straightened: none" in "".join(_Page(_report(case)).texts)


def test_names_and_messages_are_text(cell: Cell, labels: Labels) -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)>.png'
    bad = Failure(image=hostile, error="UnreadableImage", message=f"{hostile}: <b>truncated</b>")
    case = Case(
        name=hostile,
        cells=(cell(labels(), image=hostile, karyotype="<i>46</i>"),),
        failures=(bad,),
        modal_karyotype="<u>46,XX</u>",
        disagreeing=(hostile,),
        flags=(Flag(code="single_cell_change", values={"change": "<s>+8</s>", "cells": 1, "needed": 2}),),
    )
    text = _report(case)
    page = _Page(text)
    assert not {tag for tag, _ in page.elements} & {"script", "i", "u", "s"}
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert "<script" not in text
    assert any("<script>alert(1)</script>" in words for words in page.texts)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_synthetic_cells_are_marked_and_photographs_are_not(
    cell: Cell, labels: Labels, case: Case, lang: Language
) -> None:
    assert "SYNTHETIC" in _report(case, lang)
    real = replace(case, cells=tuple(replace(one, synthetic=False) for one in case.cells))
    assert "SYNTHETIC" not in _report(real, lang)


def test_both_languages_carry_the_caution(case: Case) -> None:
    for lang in LANGUAGES:
        text = _report(case, lang)
        assert "not a diagnosis" in text and "不作为诊断" in text


def test_a_case_without_a_usable_cell_says_so() -> None:
    failure = Failure(image="x.png", error="NoMetaphase", message="x.png: no chromosome was found")
    case = Case(name="empty", cells=(), failures=(failure,), modal_karyotype="", disagreeing=())
    text = "".join(_Page(_report(case)).texts)
    assert "No cell could be used" in text
    assert "x.png: no chromosome was found" in text


def test_a_missing_karyogram_is_an_error(case: Case) -> None:
    record = case_record(case, lang="en", created=datetime(2026, 1, 2, tzinfo=UTC), version="1", models=[])
    with pytest.raises(KeyError):
        report_html(case, record, {}, "en")
