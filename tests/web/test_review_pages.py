"""From the second reading to an amended report in a real browser, in both languages, by people who sign in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("fastapi", reason="the workstation needs fastapi (extra web)")
pytest.importorskip("playwright", reason="browser tests need playwright (extra dev)")

from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.files import Files
from consilium.web.security.accounts import Accounts, change_password, reset_password
from tests.laboratory.review.conftest import FEMALE, analysed_case
from tests.web.live import Live, browser, check_accessible, follow, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]

PASSWORD = "seven otters under a green piano"
SHOTS = os.environ.get("CONSILIUM_SHOTS", "")
"""A folder for pictures of the pages, for whoever wants to look at them."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("live"), "tests.web.sign_in_server") as made:
        accounts = Accounts(made.database)
        for person in ("tang", "ren", "dai"):
            reset_password(accounts, person, by="ada")
            change_password(accounts, person, new=PASSWORD)
        accounts.close()
        yield made


@contextmanager
def seated(browser: Browser, live: Live, person: str, lang: str, width: int = 1280) -> Iterator[Page]:
    """A page of somebody who signed in; an error of a script or of the policy fails the test."""
    context = browser.new_context(
        base_url=live.url, viewport={"width": width, "height": 900}, locale={"en": "en-GB", "zh": "zh-CN"}[lang]
    )
    context.add_cookies([{"name": "consilium_lang", "value": lang, "url": live.url}])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on(
        "console",
        lambda said: (
            faults.append(said.text) if said.type == "error" and "Failed to load resource" not in said.text else None
        ),
    )
    try:
        page.goto("/sign-in")
        page.locator("[name=person]").fill(person)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("main form button").first.click()
        page.wait_for_url("**/worklist")
        yield page
        assert not faults, faults
    finally:
        context.close()


def looked_at(page: Page, name: str) -> None:
    """Hold a page against axe and, where somebody wants to look, keep a picture."""
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page scrolls sideways"
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_from_the_second_reading_to_an_amended_report(live: Live, browser: Browser, lang: str) -> None:
    number, ids = analysed_case(live.records, OpenCells(Files(live.files)), (FEMALE,) * 3)
    say = {
        "en": ("Record my reading", "Decide", "Review is done", "Keep the text", "Sign…", "Sign", "Amend this report"),
        "zh": ("记录我的判读", "裁定", "复核完成", "保存文字", "签发……", "签发", "更正本报告"),
    }[lang]

    with seated(browser, live, "ren", lang) as page:
        page.goto(f"/cases/{number}/report")
        assert "46,XX" not in page.locator("main").inner_text(), "a blind reader is shown nothing of the first reading"
        page.goto(f"/cases/{number}/review")
        assert "46,XX" not in page.locator("main").inner_text()
        looked_at(page, f"review-blind-{lang}")
        for cell, count, karyotype in ((ids[0], "47", "47,XX,+21"), (ids[1], "46", "46,XX")):
            form = page.locator(f"#cell-{cell} form")
            form.locator("[name=count]").fill(count)
            form.locator("[name=karyotype]").fill(karyotype)
            follow(page, form.get_by_role("button", name=say[0]))
        page.locator("#case [name=karyotype]").fill("46,XX")
        follow(page, page.locator("#case").get_by_role("button", name=say[0]))
        rows = page.locator("#differences tbody tr")
        assert rows.count() == 2 and "+21" in rows.nth(1).inner_text()
        looked_at(page, f"review-differences-{lang}")
        assert page.get_by_role("button", name=say[2]).is_disabled()
        for row in range(2):
            rows.nth(row).locator("summary").click()
            rows.nth(row).locator("[name=kept][value=first]").check()
            rows.nth(row).locator("[name=reason]").fill("debris / 杂质")
            follow(page, rows.nth(row).get_by_role("button", name=say[1]))
        looked_at(page, f"review-settled-{lang}")
        page.get_by_role("button", name=say[2]).click()
        page.wait_for_url(f"**/cases/{number}/report*")

    with seated(browser, live, "dai", lang) as page:
        page.goto(f"/cases/{number}/report")
        assert page.get_by_role("button", name=say[4]).is_disabled()
        field = page.locator("#text-iscn")
        field.fill("46,XX,+21")
        page.locator("#text-iscn-said mark").first.wait_for()
        assert field.get_attribute("aria-invalid") == "true"
        looked_at(page, f"report-wrong-{lang}")
        page.locator("#text-iscn-said button").first.click() if page.locator("#text-iscn-said button").count() else None
        page.locator("button[data-take=text-iscn]").click()
        page.locator("#text-iscn-said .tag.good").wait_for()
        for one in page.locator("input[name^=reason_]").all():
            one.fill("no more cells / 无更多细胞")
        follow(page, page.get_by_role("button", name=say[3]))
        assert page.locator("ol.blockers").count() == 0
        looked_at(page, f"report-ready-{lang}")
        shown = page.locator("[name=shown]").get_attribute("value")
        page.get_by_role("button", name=say[4]).click()
        page.locator("#sign-password").fill("another password")
        page.get_by_role("button", name=say[5], exact=True).click()
        page.locator("dialog [role=alert]").wait_for()
        assert page.locator("#sign-password").input_value() == ""
        looked_at(page, f"report-dialog-{lang}")
        page.locator("#sign-password").fill(PASSWORD)
        page.get_by_role("button", name=say[5], exact=True).click()
        page.locator("article.revision").wait_for()
        assert shown is not None and shown in page.locator("article.revision").inner_text()
        looked_at(page, f"report-signed-{lang}")
        with page.expect_download() as got:
            page.locator("article.revision a[href*='file.html?lang=zh']").first.click()
        assert shown in Path(str(got.value.path())).read_text(encoding="utf-8")
        page.locator("summary", has_text=say[6]).click()
        page.locator("[name=reason]").fill("a line was missed / 漏报一个细胞系")
        follow(page, page.get_by_role("button", name=say[6]))
        assert page.locator(".notice", has_text="a line was missed").is_visible()
        looked_at(page, f"report-reopened-{lang}")

    with seated(browser, live, "tang", lang) as page:
        page.goto(f"/cases/{number}/report")
        assert page.get_by_role("button", name=say[4]).count() == 0, "a technologist does not sign"
        assert page.locator("article.revision").count() == 1


def test_a_report_that_changed_while_the_dialog_was_open_is_not_signed(live: Live, browser: Browser) -> None:
    from tests.laboratory.review.conftest import command, ready_case

    opened = OpenCells(Files(live.files))
    number, ids = ready_case(live.records, opened)
    with seated(browser, live, "dai", "en") as page:
        page.goto(f"/cases/{number}/report")
        page.get_by_role("button", name="Sign…").click()
        command(live.records, opened, "tang", ids[0], {"kind": "flip", "object": "c0", "axis": "vertical"})
        page.locator("#sign-password").fill(PASSWORD)
        page.get_by_role("button", name="Sign", exact=True).click()
        page.locator(".problem", has_text="something else by now").first.wait_for()
        assert page.locator("article.revision").count() == 0
        assert not page.locator("#sign-dialog").evaluate("dialog => dialog.open"), "what changed has to be read first"


def test_a_server_that_is_killed_after_it_answered_has_the_signature(live: Live, browser: Browser) -> None:
    from tests.laboratory.review.conftest import ready_case

    number, _ = ready_case(live.records, OpenCells(Files(live.files)))
    with seated(browser, live, "dai", "en") as page:
        page.goto(f"/cases/{number}/report")
        page.get_by_role("button", name="Sign…").click()
        page.locator("#sign-password").fill(PASSWORD)
        page.get_by_role("button", name="Sign", exact=True).click()
        page.locator("article.revision").wait_for()
        live.kill()
        live.start()
        page.reload()
        assert page.locator("article.revision .tag.good").count() == 1
