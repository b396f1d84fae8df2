"""A laboratory's day in a real browser: a specimen comes in, is prepared, its cells are read and counted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consilium.karyotype.demo_case import demo_cells
from consilium.karyotype.render import save_synthetic
from consilium.laboratory.boxes import make_box
from consilium.laboratory.preparation import start_culture
from tests.laboratory.conftest import ORDER, received
from tests.web.live import Live, browser, check_accessible, follow, live, reading

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser", "live"]

WORDS = {
    "en": {
        "new": "New specimen", "name": "Name", "kind": "Specimen", "blood": "blood, constitutional",
        "indication": "Indication", "record": "Record the specimen", "culture": "Start a culture",
        "harvest": "Record a harvest", "slide": "Make a slide", "read": "Read 2 pictures", "count": "Count",
        "analyse": "Analyse", "counted": "counted", "started": "Culture was started", "harvested": "Harvest is done",
        "find": "Scan or type a label or number",
    },
    "zh": {
        "new": "接收新标本", "name": "姓名", "kind": "标本类型", "blood": "外周血（体质性）", "indication": "临床指征",
        "record": "登记标本", "culture": "开始培养", "harvest": "登记收获", "slide": "制片", "read": "读取 2 张图像",
        "count": "计数", "analyse": "分析", "counted": "已计数", "started": "开始培养", "harvested": "收获完成",
        "find": "扫描或输入标签、编号",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two drawn cells, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    found = []
    for number, cell in enumerate(demo_cells()[:2], start=1):
        found.append(folder / f"synthetic_{number:02d}.png")
        save_synthetic(cell, found[-1])
    (folder / "letter.png").write_bytes(b"Dear colleague")
    return [*found, folder / "letter.png"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_from_the_specimen_to_counted_cells(live: Live, browser: Browser, pictures: list[Path], lang: str) -> None:
    say = WORDS[lang]
    with reading(browser, live, "tang", lang=lang) as shown:
        shown.set_default_timeout(60_000)
        shown.goto("/")
        follow(shown, shown.get_by_role("link", name=say["new"]))
        check_accessible(shown)
        shown.get_by_label(say["name"], exact=True).fill("Synthetic Patient")
        shown.get_by_label(say["kind"], exact=True).select_option(say["blood"])
        shown.get_by_label(say["indication"], exact=True).fill("a test")
        follow(shown, shown.get_by_role("button", name=say["record"]))
        check_accessible(shown)
        for made in ("culture", "harvest", "slide"):
            shown.get_by_role("button", name=say[made]).click()
            shown.wait_for_url(re.compile(rf"-{made[0].upper()}1\?done=made$"))
        check_accessible(shown)
        follow(shown, shown.get_by_role("link", name=re.compile("K26-00001")).first)
        for step in ("started", "harvested"):
            follow(shown, shown.get_by_role("button", name=say[step]))
        _upload_and_read(shown, pictures, say)
        _count_and_analyse(shown, say)
        check_accessible(shown)


def _upload_and_read(shown: Page, pictures: list[Path], say: dict[str, str]) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=60_000)
    shown.set_input_files("#files", list(map(str, pictures)))
    expect(shown.locator("ul.files li")).to_have_count(3)
    expect(shown.locator("ul.files .tag.good")).to_have_count(2)
    expect(shown.locator("ul.files li", has=shown.locator(".bad-word"))).to_contain_text("letter.png")
    shown.get_by_role("button", name=say["read"]).click()
    expect(shown.locator("[data-live] progress")).to_be_visible()
    check_accessible(shown)
    expect(shown.locator("li.cell")).to_have_count(2, timeout=200_000)


def _count_and_analyse(shown: Page, say: dict[str, str]) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=60_000)
    for number in range(2):
        cell = shown.locator("li.cell").nth(number)
        cell.get_by_role("button", name=say["count"], exact=True).press("Enter")
        expect(cell.locator("details.act summary")).to_contain_text(say["counted"])
        cell.get_by_role("button", name=say["analyse"], exact=True).press("Enter")
        expect(cell.locator("details.act")).to_have_count(2)
    figures = shown.locator("#sheet .figures")
    expect(figures).to_contain_text("2")
    shown.locator("#findings").scroll_into_view_if_needed()
    expect(shown.locator("#findings .iscn").first).to_be_visible()


def test_a_label_is_scanned_anywhere_and_nothing_that_was_typed_is_lost(live: Live, browser: Browser) -> None:
    label, _, _ = received(live.records, ORDER)
    with live.records.changing("tang") as change:
        culture = start_culture(change, label).label
    with reading(browser, live, "tang") as shown:
        shown.goto("/worklist")
        shown.keyboard.type(culture.lower())
        shown.keyboard.press("Enter")
        shown.wait_for_url(f"**/things/{culture}")
        shown.goto("/reception")
        field = shown.get_by_label("Indication", exact=True)
        field.press_sequentially("short", delay=90)
        shown.keyboard.type(label)
        shown.keyboard.press("Enter")
        asked = shown.locator("#leave")
        asked.get_by_role("link").wait_for()
        assert label in asked.inner_text()
        assert field.input_value() == "short", "what the scanner typed is taken out again"
        assert shown.url.endswith("/reception")
        asked.get_by_role("link").click()
        shown.wait_for_url(f"**/things/{label}")


def test_the_worklist_is_walked_by_keyboard(live: Live, browser: Browser) -> None:
    numbers = [received(live.records, ORDER)[1] for _ in range(3)]
    with reading(browser, live, "tang") as shown:
        shown.goto("/worklist")
        for _ in range(2):
            shown.keyboard.press("j")
            shown.wait_for_timeout(150)
        assert shown.locator("tr[data-here] th").inner_text() == numbers[1]
        shown.keyboard.press("o")
        shown.wait_for_url(f"**/cases/{numbers[1]}")
        shown.keyboard.press("/")
        shown.wait_for_timeout(150)
        assert shown.evaluate("() => document.activeElement.id") == "find"
        shown.keyboard.press("Escape")
        shown.locator("h1").click()
        shown.keyboard.press("?")
        shown.locator("dialog[open]").wait_for()
        check_accessible(shown)
        shown.get_by_label("Use keys of one letter").uncheck()
        shown.get_by_role("button", name="Close").click()
        shown.keyboard.press("w")
        shown.wait_for_timeout(250)
        assert shown.url.endswith(numbers[1]), "whoever switched them off is left alone"


@pytest.mark.parametrize("width", [1280, 3840])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_are_accessible_and_fit(live: Live, browser: Browser, lang: str, width: int) -> None:
    label, number, patient = received(live.records, ORDER, name="Synthetic Patient")
    with live.records.changing("ada") as change:
        make_box(change, "F1", "B1", rows=9, columns=9)
    with reading(browser, live, "both", lang=lang, width=width, height=800 if width < 2000 else 2160) as shown:
        for address in (
            "/worklist", "/worklist?view=all", "/reception", f"/cases/{number}", f"/things/{label}", "/storage",
            "/storage/F1/B1", f"/patients/{patient}", "/records", f"/labels?label={label}", "/find?q=nothing",
        ):  # fmt: skip
            shown.goto(address)
            check_accessible(shown)
            shape = shown.evaluate("() => [document.body.scrollWidth, document.documentElement.clientWidth]")
            too_wide = shape[0] - shape[1]
            assert too_wide <= 0, (address, too_wide)
