"""What is around every page, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.live import Live, browser, check_accessible, follow, live, reading

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser", "live"]


def test_the_language_is_switched_from_any_page_and_what_is_shown_is_accessible(live: Live, browser: Browser) -> None:
    with reading(browser, live, "tang") as shown:
        shown.goto("/nothing")
        assert shown.locator("html").get_attribute("lang") == "en"
        check_accessible(shown)
        follow(shown, shown.get_by_role("button", name="切换到中文"))
        assert shown.locator("html").get_attribute("lang") == "zh-CN"
        check_accessible(shown)


def test_a_server_that_was_killed_comes_back_with_its_records(live: Live) -> None:
    import httpx

    with live.client("tang") as asked:
        assert asked.get("/api/v1/health").status_code == 200
        live.kill()
        with pytest.raises(httpx.TransportError):
            asked.get("/api/v1/health")
        live.start()
        assert asked.get("/api/v1/health").status_code == 200


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_of_people_and_accounts_are_accessible(live: Live, browser: Browser, lang: str) -> None:
    with reading(browser, live, "ada", lang=lang) as shown:
        for address in ("/sign-in", "/account", "/people"):
            shown.goto(address)
            check_accessible(shown)
            if address == "/people":
                assert shown.locator("#staff-title").is_visible()
                shown.keyboard.press("Tab")
