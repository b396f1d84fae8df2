"""What is seen: the layout of the field, linked highlighting, both languages, what helps the eye."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consilium.karyotype.metaphase import GROUPS
from tests.web.editor.conftest import Open
from tests.web.editor.faulty_reading import FaultyReading

HANDBOOK = Path(__file__).parents[3] / "docs" / "how-to" / "edit-a-karyogram.md"


def test_a_cell_is_shown_as_the_field_arranges_it(editor: Open) -> None:
    shown = editor()
    told = shown.told()
    assert shown.page.locator(".sheet .chromosome").count() == len(told["objects"])
    assert shown.page.locator(".metaphase .outline").count() == len(told["objects"])
    assert shown.page.locator(".karyotype").inner_text() == told["karyotype"]
    rows = [
        GROUPS["A"] + GROUPS["B"],
        GROUPS["C"],
        GROUPS["D"] + GROUPS["E"],
        GROUPS["F"] + GROUPS["G"] + ("X", "Y", "mar", "unsure"),
    ]
    tops = []
    for row in rows:
        slots = [shown.slot(label) for label in row]
        assert [slot["x"] for slot in slots] == sorted(slot["x"] for slot in slots)
        assert len({round(slot["y"]) for slot in slots}) == 1
        tops.append(slots[0]["y"])
    assert tops == sorted(tops)
    assert shown.page.locator(".bracket").all_inner_texts() == ["A", "B", "C", "D", "E", "F", "G"]


def test_centromeres_of_a_row_lie_on_one_line(editor: Open) -> None:
    shown = editor()
    scale = shown.page.evaluate("consiliumEditor.karyogram.layout.scale")
    for row in ("1", "6", "13", "19"):
        axis = shown.page.evaluate(
            """label => { const slot = document.querySelector(`.slot[data-label="${label}"]`);
               return slot.getBoundingClientRect().top + parseFloat(slot.querySelector('.axis').style.top); }""",
            row,
        )
        for one in shown.told()["objects"]:
            if one["label"] == row:
                box = shown.button(one["id"]).bounding_box()
                assert box["y"] + (one["centromere"] + 0.5) * scale == pytest.approx(axis, abs=1)


def test_highlighting_is_linked_both_ways(editor: Open) -> None:
    shown = editor()
    one = next(one for one in shown.told()["objects"] if one["label"] == "2")
    shown.button(one["id"]).hover()
    assert shown.outline(one["id"]).get_attribute("data-hovered") == ""
    x, y = (one["box"][0] + one["box"][2]) / 2, (one["box"][1] + one["box"][3]) / 2
    inside = shown.page.evaluate(
        "([id]) => { const p = consiliumEditor.cell.shown.get(id).polygons[0]; return p[Math.floor(p.length / 3)]; }",
        [one["id"]],
    )
    # Just inside of the outline, on the way to the middle of the box.
    point = inside[0] + (x - inside[0]) * 0.12, inside[1] + (y - inside[1]) * 0.12
    seen = shown.page.evaluate("p => consiliumEditor.metaphase.at(p)", list(point))
    shown.page.mouse.move(*shown.at(*point))
    assert shown.button(seen).get_attribute("data-hovered") == ""
    shown.page.mouse.click(*shown.at(*point))
    assert shown.chosen() == seen
    assert shown.outline(seen).get_attribute("data-chosen") == ""


def test_contrast_inversion_names_and_zoom_change_what_is_seen_and_nothing_that_is_kept(editor: Open) -> None:
    shown = editor()
    before = shown.told()
    filters = "getComputedStyle(document.querySelector('.metaphase .picture')).filter"
    assert shown.page.evaluate(filters) == "none"
    shown.page.get_by_label("Contrast").press("ArrowRight")
    shown.key("i")
    shown.page.locator(".metaphase").focus()
    shown.key("i", "t")
    assert shown.page.evaluate(filters) != "none"
    assert shown.page.locator(".metaphase .name").first.is_visible()
    view = shown.page.locator(".metaphase").get_attribute("viewBox")
    shown.key("+", "+")
    zoomed = shown.page.locator(".metaphase").get_attribute("viewBox")
    assert float(zoomed.split()[2]) < 0.6 * float(view.split()[2])
    shown.key("ArrowRight")
    assert shown.page.locator(".metaphase").get_attribute("viewBox") != zoomed
    shown.key("Home")
    assert shown.page.locator(".metaphase").get_attribute("viewBox") == view
    shown.page.locator('[data-act="plain"]').click()
    assert shown.page.evaluate(filters) == "none"
    assert shown.told() == before


def test_the_wheel_zooms_about_the_pointer(editor: Open) -> None:
    shown = editor()
    x, y = shown.at(300, 300)
    shown.page.mouse.move(x, y)
    zoom = shown.page.evaluate("consiliumEditor.metaphase.zoom")
    shown.page.mouse.wheel(0, -100)
    shown.page.wait_for_function("before => consiliumEditor.metaphase.zoom > 1.2 * before", arg=zoom)
    assert shown.at(300, 300) == pytest.approx((x, y), abs=2)


def test_an_ideogram_stands_beside_at_three_levels(editor: Open) -> None:
    shown = editor()
    shown.choose(next(one["id"] for one in shown.told()["objects"] if one["label"] == "7"))
    counts = []
    for level in ("400", "550", "850"):
        shown.page.select_option(".level select", level)
        counts.append(shown.page.locator(".stage .ideogram title").count())
    assert counts == sorted(counts) and len(set(counts)) == 3
    shown.page.locator(".sheet .chromosome[data-chosen]").focus()
    shown.key("b")
    assert shown.page.locator(".level select").input_value() == "400"


def test_a_class_is_compared_across_the_cells_of_a_case(editor: Open) -> None:
    shown = editor()
    shown.choose(next(one["id"] for one in shown.told()["objects"] if one["label"] == "9"))
    shown.key("g")
    shown.page.wait_for_selector("dialog.asked .of-cell img")
    assert shown.page.locator("dialog.asked .of-cell").count() > 1
    shown.page.locator("dialog.asked select").select_option("Y")
    shown.page.wait_for_function(
        "() => [...document.querySelectorAll('dialog.asked .of-cell img')].every(i => i.alt.startsWith('Chromosome Y'))"
    )
    shown.page.locator("dialog.asked .of-cell.open button").first.click()
    shown.page.wait_for_selector("dialog.asked", state="detached")
    assert shown.object(shown.chosen())["label"] == "Y"


def test_an_address_leads_to_a_chromosome_or_a_comparison(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    shown.open(f"?look={reading.turned}")
    assert shown.chosen() == reading.turned
    shown.open("?compare=13")
    shown.page.wait_for_selector("dialog.asked .of-cell img")
    assert shown.page.locator("dialog.asked select").input_value() == "13"
    assert shown.page.locator("dialog.asked .ideogram").count() == 1


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (3840, 2160)])
def test_everything_fits_the_screen(editor: Open, size: tuple[int, int]) -> None:
    shown = editor(size=size)
    assert shown.page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
    )
    assert shown.page.evaluate(
        """() => { const room = document.querySelector('.karyogram-room');
           return room.scrollHeight <= room.clientHeight + 1 && room.scrollWidth <= room.clientWidth + 1; }"""
    )
    longest = max(
        box["height"] for box in (one.bounding_box() for one in shown.page.locator(".sheet .chromosome").all())
    )
    assert longest > 0.14 * size[1]


def test_every_word_is_there_in_both_languages(editor: Open) -> None:
    shown = editor()
    words = shown.module("words", "it.WORDS")
    for key, (english, chinese) in words.items():
        assert english and chinese, key
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", chinese)), key
    folder = Path(__file__).parents[3] / "src" / "consilium" / "web" / "static" / "editor"
    for module in folder.glob("*.js"):
        for key in re.findall(r'\bsay\("([a-z_]+)"', module.read_text(encoding="utf-8")):
            assert key in words, (module.name, key)


def test_the_chinese_page_is_chinese(editor: Open) -> None:
    shown = editor(lang="zh")
    shown.key("?")
    text = shown.page.locator("#editor").inner_text() + shown.page.locator("dialog.asked").inner_text()
    assert "已保存" in text and "可疑" in text
    assert not re.findall(r"\b(?:tool|do|part|saved|act|name|hint)_[a-z_]+\b", text)
    english = set(re.findall(r"[A-Za-z]{4,}", text)) - {
        "bphs", "synthetic", "Space", "Enter", "Shift", "Ctrl", "Delete", "Backspace", "Escape", "Home", "PageUp",
        "PageDown", "ISCN", "cell",
    }  # fmt: skip
    assert not english


def test_the_help_and_the_handbook_have_every_key(editor: Open) -> None:
    shown = editor()
    shown.key("?")
    keys = shown.module("keys", "it.KEYS")
    assert shown.page.locator("dialog.asked dt").count() == len(keys)
    listed = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", HANDBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    words = shown.module("words", "it.WORDS")
    does = [
        (" ".join(f"`{key}`" for key in one["keys"].split(" ")), words[f"do_{one['act']}"][0]) for one in keys
    ]  # fmt: skip
    assert listed == does
    shown.key("Escape")
    shown.page.wait_for_selector("dialog.asked", state="detached")


def test_a_closed_case_is_read_and_not_changed(editor: Open, locked_cell: int, reading: FaultyReading) -> None:
    shown = editor(cell=locked_cell)
    shown.choose(reading.dirt)
    shown.key("1", "2", "Delete", "f", "Enter")
    assert shown.page.locator(".note").first.is_visible()
    assert shown.told()["version"] == 0
