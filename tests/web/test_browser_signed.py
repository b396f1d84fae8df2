"""From analysed cells to an amended report in a browser: written, read again, signed, printed, reopened, signed."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("fastapi", reason="the workstation needs fastapi (extra web)")
pytest.importorskip("playwright", reason="browser tests need playwright (extra dev)")

from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.files import Files
from tests.laboratory.review.conftest import DOWN, analysed_case
from tests.web.live import Live, browser
from tests.web.test_review_pages import PASSWORD, live, seated

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser", "live"]

KARYOTYPE = "47,XX,+21"
REASON = "advice on the parents was left out"
ADVICE = "The karyotypes of both parents should be looked at."


@pytest.mark.timeout(300)
def test_from_analysed_cells_to_an_amended_report(live: Live, browser: Browser) -> None:
    pypdf = pytest.importorskip("pypdf", reason="reads the PDF")
    number, cells = analysed_case(live.records, OpenCells(Files(live.files)), (DOWN,) * 2)

    with seated(browser, live, "tang", "en") as bench:
        _write(bench, number)
        missing = " ".join(bench.locator("ol.blockers strong").all_inner_texts())
        assert re.fullmatch(r"The second reader has .*The second reader has .*The case was not reviewed\.", missing)
    with seated(browser, live, "ren", "en") as reader:
        _read_again(reader, number, cells)
    with seated(browser, live, "dai", "en") as director:
        first = _sign(director, number)
        text = _printed(pypdf, director, revision=1)
        assert first in text and KARYOTYPE in text and REASON not in text
        assert _holds(director, number) == {1: None}
        _reopen(director, number)

    with seated(browser, live, "tang", "en") as bench:
        _write(bench, number, ADVICE)
        bench.goto(f"/cases/{number}")
        bench.get_by_role("button", name="Analysis is done").click()
        bench.get_by_role("status").filter(has_text="recorded").wait_for()
    with seated(browser, live, "ren", "en") as reader:
        _read_again(reader, number, cells)
    with seated(browser, live, "dai", "en") as director:
        second = _sign(director, number)
        assert second != first
        text = _printed(pypdf, director, revision=2)
        assert second in text and REASON in text and ADVICE in text
        assert first in _printed(pypdf, director, revision=1), "what was signed stays readable"
        assert director.locator("article.revision").last.locator(".tag.bad").inner_text() == "superseded by revision 2"
        assert _holds(director, number) == {1: 2, 2: None}


def _write(page: Page, number: str, advice: str = "") -> None:
    """Keep the text as it is drafted or was kept, with a reason for each figure that is missed."""
    page.goto(f"/cases/{number}/report")
    if advice:
        english = page.locator("[name=interpretation_en]")
        english.fill(f"{english.input_value()}\n{advice}")
    for reason in page.locator("input[name^=reason_]").all():
        reason.fill("a test has few cells")
    page.get_by_role("button", name="Keep the text").click()
    page.wait_for_url("**/report?done=written")


def _read_again(page: Page, number: str, cells: list[int]) -> None:
    """Read each cell and the case a second time, blind, and bring the case to reviewed."""
    page.goto(f"/cases/{number}/review")
    assert KARYOTYPE not in page.locator("main").inner_text()
    for place in (*(f"#cell-{cell}" for cell in cells), "#case"):
        form = page.locator(f"{place} form")
        form.locator("[name=karyotype]").fill(KARYOTYPE)
        form.get_by_role("button", name="Record my reading").click()
        page.locator(f"{place} dd", has_text="read blind").wait_for()
    page.get_by_role("button", name="Review is done").click()
    page.wait_for_url("**/report?done=reviewed")


def _sign(page: Page, number: str) -> str:
    """Sign what is shown; its hash."""
    page.goto(f"/cases/{number}/report")
    shown = page.locator("[name=shown]").get_attribute("value")
    page.get_by_role("button", name="Sign…").click()
    page.locator("#sign-password").fill(PASSWORD)
    page.get_by_role("button", name="Sign", exact=True).click()
    page.wait_for_url("**/report?done=signed")
    assert shown is not None and shown in page.locator("article.revision").first.inner_text()
    return shown


def _printed(pypdf: object, page: Page, *, revision: int) -> str:
    """What stands in the PDF of a signed revision, as its link gives it; no blank between words counts."""
    link = page.locator(f"article.revision a[href$='reports/{revision}/file.pdf?lang=en']")
    answer = page.request.get(str(link.get_attribute("href")))
    assert answer.ok and answer.headers["content-type"] == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(answer.body())).pages  # type: ignore[attr-defined]
    return " ".join(" ".join(one.extract_text() for one in pages).split())


def _holds(page: Page, number: str) -> dict[int, int | None]:
    """By which revision each is superseded, once the page and the interface say of each that it holds."""
    told = page.request.get(f"/api/v1/cases/{number}/reports/verification").json()
    assert [one["problems"] for one in told] == [[]] * len(told)
    assert page.locator("article.revision .tag.good").all_inner_texts() == ["What is kept is what was signed."] * len(
        told
    )
    reports = page.request.get(f"/api/v1/cases/{number}/reports").json()
    return {one["revision"]: one["superseded_by"] for one in reports}


def _reopen(page: Page, number: str) -> None:
    page.locator("summary", has_text="Amend this report").click()
    page.locator("[name=reason]").fill(REASON)
    page.get_by_role("button", name="Amend this report").click()
    page.wait_for_url("**/report?done=reopened")
    assert REASON in page.locator("p.notice").first.inner_text()
    assert page.get_by_role("button", name="Sign…").is_disabled()
