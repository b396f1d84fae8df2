"""The editor's page, its modules and its bands, without a browser."""

from __future__ import annotations

import json
import re

from consilium.cytogenetics.bands import bands
from consilium.web.pages.editor import modules
from tests.web.conftest import Client


def test_the_page_names_modules_of_one_version(client: Client) -> None:
    asked = client("tang")
    shown = asked.get("/cells/7")
    assert shown.status_code == 200
    address = re.search(r'src="(/editor/[0-9a-f]{16})/editor\.js"', shown.text)
    assert address is not None
    for name in modules():
        answer = asked.get(f"{address[1]}/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        for imported in re.findall(r'from "\./([a-z]+\.js)"', answer.text):
            assert imported in modules(), (name, imported)
    facts = re.search(r'id="editor-facts">(.*?)</script>', shown.text)
    assert facts is not None
    assert json.loads(facts[1])["cell"] == 7
    assert asked.get("/editor/0123456789abcdef/editor.js").status_code == 404
    assert asked.get(f"{address[1]}/../../base.css").status_code == 404


def test_nobody_sees_it_without_signing_in(client: Client) -> None:
    assert client().get("/cells/7").status_code in (303, 401)
    assert client().get("/api/v1/bands").status_code == 401


def test_the_bands_are_those_of_the_ideogram(client: Client) -> None:
    told = client("tang").get("/api/v1/bands").json()
    for level in (400, 550, 850):
        for chromosome in ("1", "13", "X"):
            assert [band["name"] for band in told[str(level)][chromosome]] == [
                f"{band.arm}{band.name}" for band in bands(chromosome, level)
            ]


def test_no_module_writes_markup_or_asks_elsewhere() -> None:
    for name, content in modules().items():
        text = content.decode()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|document\.write", text), (
            name
        )
        assert not re.search(r"https?://(?!www\.w3\.org)", text), name
