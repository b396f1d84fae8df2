"""In which language an error is told: a reader's own on pages and to them, English to programs."""

from __future__ import annotations

from fastapi import FastAPI

from consilium.web.security.tokens import make_token
from tests.web.security.conftest import Seat


def test_a_reader_is_told_in_her_language_and_a_program_in_english(app: FastAPI, seat: Seat) -> None:
    browser, program = seat("tang"), seat()
    token, _ = make_token(app.state.accounts, "tang", name="lis", roles=["technologist"], days=3)
    program.headers["Authorization"] = f"Bearer {token}"
    for asked in (browser, program):
        asked.cookies.set("consilium_lang", "zh")
    shown = browser.get("/cases/K26-99999")
    assert shown.status_code == 404 and "没有此编号的病例。" in shown.text
    told = browser.get("/api/v1/cells/999999").json()["error"]
    assert (told["kind"], told["what"], told["way_out"]) == ("NotFound", "没有此编号的细胞", "病例页面列有全部细胞。")
    told = program.get("/api/v1/cells/999999").json()["error"]
    assert told["what"] == "there is no cell of this number"
    assert told["way_out"] == "The page of its case lists its cells."
    browser.cookies.set("consilium_lang", "en")
    assert "there is no case of this number." in browser.get("/cases/K26-99999").text
