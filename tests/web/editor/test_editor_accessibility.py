"""Reachable without a pointer, and without serious findings of axe (WCAG 2.2) in either language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.web.editor.conftest import Editor, Open
from tests.web.editor.faulty_reading import FaultyReading


def serious(shown: Editor) -> list[str]:
    """What axe finds that is serious or worse."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    source = (Path(str(package.__file__)).parent / "axe.min.js").read_text(encoding="utf-8")
    # The page's policy allows no foreign script: axe comes in by the debugger, which stands above it.
    shown.page.evaluate(source)
    told: dict[str, Any] = json.loads(shown.page.evaluate("axe.run().then(JSON.stringify)"))
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in told["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_axe_finds_nothing_serious(editor: Open, reading: FaultyReading, lang: str) -> None:
    shown = editor(lang=lang)
    assert serious(shown) == []
    shown.choose(reading.dirt)
    shown.key("Delete")
    assert serious(shown) == []
    shown.key("Escape", "?")
    assert serious(shown) == []
    shown.key("Escape", "g")
    shown.page.wait_for_selector("dialog.asked .of-cell img")
    assert serious(shown) == []
    shown.key("Escape")
    shown.choose(reading.joined[0])
    shown.key("o")
    assert serious(shown) == []


def test_every_control_is_reached_by_keys_and_shows_its_focus(editor: Open) -> None:
    shown = editor()
    shown.page.evaluate("document.activeElement.blur()")
    seen: set[str] = set()
    for _ in range(40):
        shown.key("Tab")
        name = shown.page.evaluate(
            """() => { const here = document.activeElement;
               const room = here.closest(
                 '[role=toolbar], .cell-acts, .sheet, .inspector, .cell-figures, .metaphase-room');
               if (here !== document.body && getComputedStyle(here).outlineStyle === 'none')
                 return 'no outline: ' + here.outerHTML.slice(0, 120);
               return room ? room.className : here.tagName; }"""
        )
        seen.add(name)
    assert not [one for one in seen if one.startswith("no outline")]
    assert {"tools", "view-tools", "metaphase-room", "sheet", "cell-acts", "cell-figures"} <= seen
    shown.page.locator('[data-act="next_doubtful"]').focus()
    shown.key("ArrowRight")
    assert shown.page.evaluate("document.activeElement.dataset.act") == "confirm"


def test_a_reader_of_screens_hears_what_a_chromosome_is_and_that_it_is_saved(
    editor: Open, reading: FaultyReading
) -> None:
    shown = editor()
    (id_, _), *_ = reading.misnamed.items()
    label = shown.button(id_).get_attribute("aria-label")
    assert label.startswith("Chromosome 11, 55 % sure, doubtful: ")
    shown.choose(id_)
    shown.key("8")
    shown.saved()
    assert shown.button(id_).get_attribute("aria-label") == "Chromosome 8, confirmed"
    assert shown.page.locator(".cell-figures [role=status]").inner_text() == "Saved"
