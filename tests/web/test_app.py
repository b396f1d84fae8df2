"""What is the same for every page and every question."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from consilium.web.pages.language import own_address
from consilium.web.wording.language import language_of
from consilium.web.wording.words import words
from tests.web.conftest import Client


def test_it_says_that_it_runs(client: Client) -> None:
    answer = client().get("/api/v1/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_an_unknown_page_is_told_in_the_form_of_whoever_asked(client: Client) -> None:
    asked = client("tang")
    assert asked.get("/api/v1/nothing").json()["error"]["kind"] == "NotFound"
    shown = asked.get("/nothing")
    assert shown.status_code == 404
    assert "<h1>" in shown.text


def test_files_of_the_pages_are_kept_by_browsers_and_change_their_address(client: Client) -> None:
    shown = client("tang").get("/nothing").text
    address = re.search(r'href="(/static/base\.css\?v=[0-9a-f]{12})"', shown)
    assert address is not None
    assert "immutable" in client().get(address[1]).headers["cache-control"]


def test_templates_run_nothing_inline_and_every_word_is_there_in_both_languages() -> None:
    known = words()
    folder = resources.files("consilium.web").joinpath("templates")
    found = [one for one in folder.iterdir() if one.name.endswith(".j2")]
    assert found
    for template in found:
        text = template.read_text(encoding="utf-8")
        written = re.sub(r"\{[%{#].*?[%}#]\}", "", text, flags=re.DOTALL)
        assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=|<style|javascript:", written), template.name
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script or 'type="application/json"' in script, (template.name, script)
        for key in re.findall(r"""\bt\(\s*["']([a-z_.]+)["']\s*[,)]""", text):
            assert key in known, (template.name, key)
    for key, both in known.items():
        assert len(both) == 2 and all(both), key
        assert sorted(re.findall(r"\{(\w*)\}", both[0])) == sorted(re.findall(r"\{(\w*)\}", both[1])), key


@pytest.mark.parametrize(
    ("chosen", "accepted", "lang"),
    [
        ("zh", "en", "zh"), ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("", "de,en;q=0.5,zh;q=0.4", "en"), ("", "", "en"),
        ("fr", "zh;q=x, zh", "zh"),
    ],
)  # fmt: skip
def test_the_language_is_the_chosen_one_else_what_the_browser_asks_for(chosen: str, accepted: str, lang: str) -> None:
    assert language_of(chosen, accepted) == lang


def test_a_language_is_chosen_for_good(client: Client) -> None:
    asked = client("tang")
    answer = asked.post("/language", data={"lang": "zh", "back": "/nothing"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/nothing")
    assert 'lang="zh-CN"' in asked.get("/nothing").text


@pytest.mark.parametrize(
    "hostile", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", "x", "/a\r\nSet-Cookie: b"]
)
def test_nobody_is_sent_elsewhere(hostile: str) -> None:
    assert own_address(hostile) == "/"
