"""Models, specialists and the alliance in a real browser: what people do there, in both languages."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.specialist.drawn_pictures import draw, two_classes
from tests.web.an_alliance import alliance, history, home, put_models, put_people
from tests.web.live import Live, browser, check_accessible, follow, live, reading

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["alliance", "browser", "history", "home", "live"]


@pytest.fixture(autouse=True)
def same_home(home: Path, tmp_path: Path) -> None:
    """The workstation keeps what it keeps in `live`; here it is told to take the home of the test."""
    (tmp_path / "live").mkdir()
    home.mkdir(parents=True, exist_ok=True)
    (tmp_path / "live" / "home").symlink_to(home)


def kept(shown: Page, name: str) -> None:
    """Keep a picture of a page where somebody wants to look at it."""
    if folder := os.environ.get("CONSILIUM_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        shown.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(
    ("lang", "search", "approved"), [("en", "Search", "approved"), ("zh", "搜索", "已批准")]
)  # fmt: skip
def test_a_model_is_found_read_and_approved(
    shipped_models: None, home: Path, live: Live, browser: Browser, lang: str, search: str, approved: str
) -> None:
    pytest.importorskip("model_signing", reason="the library needs model_signing (extra library)")
    put_people(home)
    put_models(home).catalogue.close()
    with reading(browser, live, "ren", lang=lang) as shown:
        shown.goto("/models")
        check_accessible(shown)
        shown.locator("#words").fill("metaphase")
        follow(shown, shown.get_by_role("button", name=search))
        assert "words=metaphase" in shown.url
        kept(shown, f"models-{lang}")
        follow(shown, shown.get_by_role("link", name="karyotype"))
        check_accessible(shown)
        figure = shown.locator("figure").first
        assert figure.locator("svg[role=img] title").first.text_content()
        figure.locator("summary").click()
        assert figure.locator("tbody tr").count() >= 2
        kept(shown, f"model-{lang}")
        follow(shown, shown.locator("form[action$='/approve'] button"))
        assert shown.locator("h1").get_by_text(approved).count() == 1
        assert shown.locator("form[action$='/approve']").count() == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_specialist_is_fitted_from_a_zip_watched_read_and_asked(
    home: Path, live: Live, browser: Browser, tmp_path: Path, lang: str
) -> None:
    for module, extra in (("hyperqueue", "compute"), ("onnx", "specialist"), ("matplotlib", "specialist")):
        pytest.importorskip(module, reason=f"a specialist is built with {module} (extra {extra})")
    drawn = two_classes(tmp_path / "drawn", 12)
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as opened:
        for path in sorted(drawn.rglob("*.png")):
            opened.write(path, f"images/{path.relative_to(drawn)}")
    with reading(browser, live, "tang", lang=lang) as shown:
        shown.goto("/specialists")
        check_accessible(shown)
        kept(shown, f"specialists-empty-{lang}")
        shown.locator("#name").fill("discs")
        shown.locator("#archive").set_input_files(tmp_path / "images.zip")
        shown.locator("#build button:not(.quiet)").last.click()
        shown.wait_for_url("**/specialists/discs")
        check_accessible(shown)
        kept(shown, f"specialist-running-{lang}")
        # Nobody reloads: the page follows the job by itself to its end.
        shown.locator("#good").wait_for(timeout=200_000)
        check_accessible(shown)
        kept(shown, f"specialist-done-{lang}")
        with shown.context.expect_page() as opened_page:
            shown.locator(f"a[href='/specialists/discs/report/{lang}']").click()
        report = opened_page.value
        report.wait_for_load_state()
        title = {"en": "How good is this specialist?", "zh": "专科模型验证报告"}[lang]
        assert report.get_by_text(title).count() >= 1
        assert report.evaluate("document.styleSheets.length") == 1, "its own style is let in"
        assert report.evaluate("getComputedStyle(document.body).marginTop") == "0px"
        assert report.evaluate("self.origin") == "null", "it is of no origin"
        kept(report, f"report-{lang}")
        report.close()
        draw(tmp_path / "new.png", large=True, seed=77)
        shown.locator("#picture").set_input_files(tmp_path / "new.png")
        follow(shown, shown.locator("form[action$='/answers'] button"))
        assert shown.locator("#answer dd strong").text_content() == "tumour"
        check_accessible(shown)
        kept(shown, f"specialist-answer-{lang}")


@pytest.mark.timeout(300)
def test_a_folder_of_the_computer_is_handed_in(home: Path, live: Live, browser: Browser, tmp_path: Path) -> None:
    pytest.importorskip("hyperqueue", reason="a specialist is built by a job (extra compute)")
    pytest.importorskip("onnx", reason="a specialist is built with onnx (extra specialist)")
    drawn = two_classes(tmp_path / "drawn", 12)
    with reading(browser, live, "tang") as shown:
        shown.goto("/specialists")
        shown.locator("#name").fill("folder")
        shown.locator("#files").set_input_files(drawn)
        shown.locator("#build button:not(.quiet)").last.click()
        shown.wait_for_url("**/specialists/folder")
        assert sorted(one.name for one in (home / "specialists/own/folder").rglob("*") if one.is_dir())[:2] == [
            "data", "drawn",
        ]  # fmt: skip
        assert shown.get_by_text("24", exact=True).count() >= 1
        follow(shown, shown.locator("form[action$='/cancel'] button"))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [1280, 3840])
def test_the_operators_page_is_read(alliance: Path, live: Live, browser: Browser, lang: str, width: int) -> None:
    with reading(browser, live, "ada", lang=lang, width=width, height=width * 9 // 16) as shown:
        shown.goto("/alliance")
        check_accessible(shown)
        kept(shown, f"operator-{lang}-{width}")
        for drawing in shown.locator("svg.drawing").all():
            box, panel = drawing.bounding_box(), drawing.locator("xpath=ancestor::section").bounding_box()
            assert box is not None and panel is not None
            assert box["x"] + box["width"] <= panel["x"] + panel["width"] + 1, "nothing is cut off"
        week = shown.locator("section[aria-labelledby=weeks]")
        assert week.locator("rect.shade-7").count() >= 5, "the leases by day"
        week.locator("summary").click()
        assert week.locator("tbody tr").count() == 6
        with shown.expect_download() as loaded:
            shown.locator("a[href='/api/v1/compute/cost.csv']").click()
        assert "hospital_b" in Path(loaded.value.path()).read_text(encoding="utf-8")
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no scrolling sideways"


def test_parts_of_the_page_are_read_anew_and_what_is_open_stays_open(home: Path, live: Live, browser: Browser) -> None:
    import sys

    from consilium.alliance.compute.engines import engine_in
    from consilium.alliance.compute.job import Request

    pytest.importorskip("hyperqueue", reason="jobs are run by HyperQueue (extra compute)")
    with reading(browser, live, "tang") as shown:
        shown.goto("/alliance")
        capacity = shown.locator("section[aria-labelledby=capacity]")
        capacity.locator("summary").click()
        shown.locator("h1").click()
        request = Request(
            command=(sys.executable, "-c", "import time; time.sleep(60)"), folder="/", hospital="own", person="tang",
            name="a long one", memory_mb=64,
        )  # fmt: skip
        engine = engine_in(home)
        number = engine.submit(request).number
        shown.get_by_text("a long one").wait_for(timeout=60_000)
        assert capacity.locator("details").evaluate("one => one.open") is True
        kept(shown, "operator-alone-en")
        engine.cancel(number)
