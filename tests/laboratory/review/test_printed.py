"""A report on paper and on screen: in both languages, with its state on every page, the same bytes each time."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consilium.errors import MissingFont, StorageBroken
from consilium.laboratory.review.content import Karyogram, Lang, ReportContent, content_sha256
from consilium.laboratory.review.printed import Identity, Report, printed
from consilium.laboratory.review.printed_html import report_html
from consilium.laboratory.review.signature import Signature, signature_sha256
from consilium.typesetting.fonts import find_chinese_font, usual_font_folders
from tests.laboratory.review.content_examples import content

WHO = Identity(name='张三 <b>#]"', birth_date="1990-02-03", hospital_number="H-12345", sex="female")


def picture() -> bytes:
    from PIL import Image

    made = io.BytesIO()
    Image.new("L", (40, 60), 200).save(made, "PNG")
    return made.getvalue()


PNG = picture()
PICTURES = {hashlib.sha256(PNG).hexdigest(): PNG}


def shown(**entries: Any) -> ReportContent:
    one = Karyogram(
        cell="01.png", karyotype="46,XX", sha256=next(iter(PICTURES)), interactions=7,
        synthetic=entries.pop("synthetic", False),
    )  # fmt: skip
    return content(karyograms=(one,), **entries)


def signed(told: ReportContent, **entries: Any) -> Report:
    signature = Signature(
        case_number=told.case_number, revision=told.revision, content_sha256=content_sha256(told), signer="dai",
        at="2026-03-09T08:00:00.000Z", method="password", previous="" if told.revision == 1 else "12" * 32,
    )  # fmt: skip
    return Report(content=told, signature=signature, **entries)


PRELIMINARY = Report(content=shown(), identity=WHO)
SIGNED = signed(shown(), identity=WHO, seal="A" * 86 + "==")
SUPERSEDED = signed(shown(), superseded_by=2)
AMENDED = signed(shown(revision=2, supersedes="34" * 32, amendment_reason="a line was missed"), identity=WHO)


def pages(report: Report, lang: Lang) -> list[str]:
    pytest.importorskip("typst", reason="the PDF needs typst (extra pdf)")
    pypdf = pytest.importorskip("pypdf", reason="pages are read with pypdf (extra dev)")
    from consilium.laboratory.review.printed_pdf import report_pdf

    if lang == "zh" and find_chinese_font(usual_font_folders()) is None:
        pytest.skip("no Chinese font on this machine")
    data = report_pdf(report, PICTURES, lang)
    assert data == report_pdf(report, PICTURES, lang), "another file for the same report"
    return [re.sub(r"\s+", " ", one.extract_text()) for one in pypdf.PdfReader(io.BytesIO(data)).pages]


@pytest.mark.parametrize(
    ("report", "lang", "note"),
    [
        (PRELIMINARY, "en", "Preliminary: not signed"), (PRELIMINARY, "zh", "初步报告：尚未签发"),
        (SUPERSEDED, "en", "Superseded by revision 2"), (SUPERSEDED, "zh", "已被第 2 版取代"),
        (SIGNED, "en", "Signed report"), (SIGNED, "zh", "已签发报告"),
        (AMENDED, "en", "Amended report, signed"), (AMENDED, "zh", "已签发的更正报告"),
    ],
)  # fmt: skip
def test_every_page_says_what_the_report_is_worth_and_its_number(report: Report, lang: Lang, note: str) -> None:
    told = pages(report, lang)
    assert len(told) >= 2
    for number, page in enumerate(told, start=1):
        assert note.replace(" ", "") in page.replace(" ", "")
        assert content_sha256(report.content)[:16] in page
        assert (f"Page {number} of {len(told)}" if lang == "en" else f"第{number}页") in (
            page if lang == "en" else page.replace(" ", "")
        )
        marked = {"preliminary": ("PRELIMINARY", "初步报告"), "superseded": ("SUPERSEDED", "已作废")}
        if report.status in marked:
            assert marked[report.status][lang == "zh"] in page.replace(" ", "")


def test_the_signature_and_both_hashes_are_printed_whole() -> None:
    assert SIGNED.signature is not None
    told = "".join(pages(SIGNED, "en")).replace(" ", "")
    for value in (content_sha256(SIGNED.content), signature_sha256(SIGNED.signature), SIGNED.seal):
        assert value in told
    assert "2026-03-0916:00:00+0800" in told and "dai" in told


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_first_page_names_who_signed_and_when_and_nobody_before(lang: Lang) -> None:
    said = {
        "en": "Revision 1, approved and signed by dai on 2026-03-09 16:00:00 +0800",
        "zh": "第 1 版，由 dai 于 2026-03-09 16:00:00 +0800 审核签发",
    }[lang]
    for report in (SIGNED, SUPERSEDED):
        assert said.replace(" ", "") in pages(report, lang)[0].replace(" ", "")
        assert said in report_html(report, PICTURES, lang)
    assert printed(PRELIMINARY, lang)["approval"] == ""
    assert "dai" not in pages(PRELIMINARY, lang)[0]


def test_an_amended_report_says_what_it_replaces_and_why() -> None:
    told = "".join(pages(AMENDED, "en"))
    assert "a line was missed" in told and "34" * 32 in told.replace(" ", "") and "revision 2" in told


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_html_has_no_script_and_fetches_nothing(lang: Lang) -> None:
    for report in (PRELIMINARY, SIGNED, SUPERSEDED, AMENDED):
        told = report_html(report, PICTURES, lang)
        assert "<script" not in told and "<b>" not in told and "http://" not in told and "https://" not in told
        assert "default-src 'none'" in told
        assert content_sha256(report.content) in told
        assert printed(report, lang)["note"] in told


def test_synthetic_cells_are_told_and_only_those() -> None:
    assert "SYNTHETIC" not in report_html(SIGNED, PICTURES, "en")
    drawn = signed(shown(synthetic=True))
    assert "drawn by a program" in report_html(drawn, PICTURES, "en")
    assert all("SYNTHETIC CELLS" in one for one in pages(drawn, "en"))


def test_who_may_not_know_the_patient_gets_a_report_without_a_name() -> None:
    told = report_html(replace(SIGNED, identity=None), PICTURES, "en")
    assert "张三" not in told and "H-12345" not in told and "1990" not in told and "P0000017" in told


def test_a_withheld_sex_is_nowhere_in_the_report() -> None:
    from consilium.laboratory.review.content import CellLine

    hidden = signed(
        shown(sex="withheld", iscn="46,U", lines=(CellLine(iscn="46,U[20]", cells=("01.png",)),)), identity=WHO
    )
    hidden = replace(
        hidden, content=replace(hidden.content, karyograms=(replace(hidden.content.karyograms[0], karyotype="46,U"),))
    )
    for lang, word in (("en", "female"), ("zh", "<td>女</td>")):
        told = report_html(hidden, PICTURES, lang)  # type: ignore[arg-type]
        assert "XX" not in told.replace("SHA", "") and word not in told


def test_a_picture_that_is_not_the_signed_one_is_refused() -> None:
    sha256 = next(iter(PICTURES))
    with pytest.raises(StorageBroken, match="not the one that was signed"):
        report_html(SIGNED, {sha256: PNG + b"x"}, "en")
    with pytest.raises(StorageBroken, match="missing"):
        report_html(SIGNED, {}, "en")


def test_chinese_without_a_chinese_font_says_what_to_install(tmp_path: Path) -> None:
    pytest.importorskip("typst", reason="the PDF needs typst (extra pdf)")
    from consilium.laboratory.review.printed_pdf import report_pdf

    with pytest.raises(MissingFont):
        report_pdf(SIGNED, PICTURES, "zh", font_folders=[tmp_path])


def test_reasons_and_overrides_stand_in_the_report() -> None:
    told = signed(shown(iscn_override="seen by FISH before", unreviewed=3))
    html = report_html(told, PICTURES, "en")
    assert "seen by FISH before" in html and "nobody looked at: 3" in html
