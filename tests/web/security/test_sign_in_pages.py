"""Signing in and one's own account, as a person does it in a browser."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from consilium.web.security.audit import What
from consilium.web.wording.words import words
from tests.web.security.conftest import PASSWORD, Seat


def hidden(page: str, name: str = "csrf") -> str:
    found = re.findall(rf'name="{name}" value="([^"]+)"', page)
    return str(found[-1])


def entered(browser: object, person: str = "tang", password: str = PASSWORD, back: str = "/account", **more: str):  # type: ignore[no-untyped-def]
    page = browser.get("/sign-in")  # type: ignore[attr-defined]
    form = {"person": person, "password": password, "back": back, "csrf": hidden(page.text)} | more
    return browser.post("/sign-in", data=form)  # type: ignore[attr-defined]


def test_one_signs_in_and_comes_to_where_one_wanted(seat: Seat) -> None:
    browser = seat()
    asked = browser.get("/account")
    assert asked.headers["location"] == "/sign-in?next=%2Faccount"
    assert 'name="back" value="/account"' in browser.get(asked.headers["location"]).text
    answer = entered(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "tang" in browser.get("/account").text
    assert browser.get("/sign-in?next=/account").headers["location"] == "/account"


def test_a_wrong_password_is_told_in_the_readers_language_and_the_name_stays(seat: Seat) -> None:
    browser = seat()
    answer = entered(browser, password="wrong, all of them")
    assert answer.status_code == 401
    assert 'value="tang"' in answer.text
    assert "wrong, all of them" not in answer.text
    browser.headers["Accept-Language"] = "zh-CN"
    assert "用户名或密码不正确" in entered(browser, password="wrong").text


def test_too_many_attempts_are_told_with_how_long_to_wait(seat: Seat) -> None:
    browser = seat()
    for _ in range(5):
        assert entered(browser, password="wrong").status_code == 401
    answer = entered(browser)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("back", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example"])
def test_signing_in_leads_nowhere_else(seat: Seat, back: str) -> None:
    browser = seat()
    assert entered(browser, back=back).headers["location"] == "/"
    assert browser.get("/sign-in", params={"next": back}).headers["location"] == "/"


def test_no_other_site_signs_a_browser_in_as_somebody_else(seat: Seat) -> None:
    browser = seat()
    for csrf in ("", "wrong", hidden(seat().get("/sign-in").text)):
        answer = entered(browser, csrf=csrf)
        assert answer.status_code == 403
        assert "consilium_session" not in answer.headers.get("set-cookie", "")
    assert seat().post("/sign-in", data={"person": "tang", "password": PASSWORD}).status_code == 403


def test_the_cookie_before_signing_in_is_not_the_one_after(seat: Seat) -> None:
    browser = seat()
    browser.cookies.set("consilium_session", "chosen-by-an-attacker", domain="testserver.local")
    answer = entered(browser)
    token = re.search(r"consilium_session=([^;]+)", answer.headers["set-cookie"])
    assert token is not None and token[1] != "chosen-by-an-attacker"


def test_who_signs_out_is_out(seat: Seat) -> None:
    browser = seat()
    entered(browser)
    stolen = browser.cookies["consilium_session"]
    form = {"csrf": hidden(browser.get("/account").text)}
    answer = browser.post("/sign-out", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert browser.get("/account").status_code == 303
    again = seat()
    assert again.get("/api/v1/session", headers={"Cookie": f"consilium_session={stolen}"}).status_code == 401


def test_one_changes_the_password(seat: Seat) -> None:
    browser, elsewhere = seat(), seat("tang")
    entered(browser)
    new = "four lamps beside the quiet sea"

    def change(old: str, chosen: str, again: str):  # type: ignore[no-untyped-def]
        csrf = hidden(browser.get("/account").text)
        return browser.post("/account/password", data={"old": old, "new": chosen, "again": again, "csrf": csrf})

    assert change(PASSWORD, new, new + "x").status_code == 422
    assert change("wrong", new, new).status_code == 403
    assert change(PASSWORD, "tangtangtangtang", "tangtangtangtang").status_code == 422
    assert change(PASSWORD, PASSWORD, PASSWORD).status_code == 422
    assert elsewhere.get("/api/v1/session").status_code == 200
    answer = change(PASSWORD, new, new)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=password")
    assert "was changed" in browser.get("/account?done=password").text
    assert elsewhere.get("/api/v1/session").status_code == 401
    assert entered(seat(), password=PASSWORD).status_code == 401
    assert entered(seat(), password=new).status_code == 303


def test_a_token_is_shown_once_works_and_is_revoked(seat: Seat) -> None:
    browser, program = seat(), seat()
    entered(browser, "both")
    form = {"csrf": hidden(browser.get("/account").text), "name": "lis <1>", "days": "30", "roles": ["technologist"]}
    shown = re.search(r'id="token">(consilium_[\w-]+)<', browser.post("/account/tokens", data=form).text)
    assert shown is not None
    program.headers["Authorization"] = f"Bearer {shown[1]}"
    told = program.get("/api/v1/session").json()
    assert (told["person"], told["roles"], told["csrf"]) == ("both", ["technologist"], "")
    page = browser.get("/account").text
    assert shown[1] not in page
    assert "lis &lt;1&gt;" in page
    again = browser.post("/account/tokens", data=form)
    assert again.status_code == 422 and "of this name" in again.text
    browser.post("/account/tokens/revoke", data={"csrf": form["csrf"], "name": "lis <1>"})
    assert program.get("/api/v1/session").status_code == 401


def test_one_ends_a_session_elsewhere(seat: Seat) -> None:
    browser, elsewhere = seat(), seat("tang")
    entered(browser)
    page = browser.get("/account").text
    (number,) = re.findall(r"/account/sessions/(\d+)/end", page)
    assert browser.post(f"/account/sessions/{number}/end", data={"csrf": hidden(page)}).status_code == 303
    assert elsewhere.get("/api/v1/session").status_code == 401
    assert browser.get("/api/v1/session").status_code == 200


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_account_page_has_every_word(seat: Seat, lang: str) -> None:
    browser = seat()
    entered(browser, password="wrong")
    entered(browser)
    browser.cookies.set("consilium_lang", lang)
    text = browser.get("/account").text
    assert ("登录中的会话" in text) == (lang == "zh")
    assert text.count("csrf") > 3
    assert {"en": "sign-in failed", "zh": "登录失败"}[lang] in text
    for what in get_args(What):
        assert len(words()["event." + what.replace(" ", "_").replace("-", "_")]) == 2
