"""The tools on the metaphase: with the pointer and with the keyboard alone, judged against what was drawn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.render import DrawnChromosome
from tests.web.editor.conftest import Editor, Open
from tests.web.editor.faulty_reading import FaultyReading, on_page


def mask_of(polygons: list[list[list[float]]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    page = np.zeros(shape, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(page, [np.round(np.array(polygon)).astype(np.int32)], 1)
    return page > 0


def likeness(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def shape_of(reading: FaultyReading) -> tuple[int, int]:
    height, width = reading.cell.pixels.shape
    return height, width


def border_of(one: DrawnChromosome) -> list[tuple[float, float]]:
    """Its outline, as a hand goes round it."""
    found, _ = cv2.findContours(one.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    border = max(found, key=len).reshape(-1, 2) + np.array(one.origin)
    return [(float(x), float(y)) for x, y in [*border, border[0]]]


def across(told: dict[str, object]) -> list[tuple[float, float]]:
    """A line across the middle of an object's bounding box, along its shorter side."""
    x0, y0, x1, y1 = told["box"]  # type: ignore[misc]
    if x1 - x0 > y1 - y0:
        return [((x0 + x1) / 2, y0 - 4), ((x0 + x1) / 2, y1 + 4)]
    return [(x0 - 4, (y0 + y1) / 2), (x1 + 4, (y0 + y1) / 2)]


def made(shown: Editor, before: dict[str, object]) -> list[dict[str, object]]:
    known = {one["id"] for one in before["objects"]}  # type: ignore[attr-defined]
    return [one for one in shown.told()["objects"] if one["id"] not in known]


def test_a_line_cuts_and_the_parts_are_joined_again(editor: Open) -> None:
    shown = editor()
    before = shown.told()
    one = next(one for one in before["objects"] if one["label"] == "2")
    shown.choose(one["id"])
    shown.key("c")
    shown.draw(across(one))
    parts = made(shown, before)
    assert len(parts) == 2
    assert set(shown.page.evaluate("consiliumEditor.cell.selection")) == {part["id"] for part in parts}
    shown.key("j")
    joined = made(shown, before)
    assert len(joined) == 1
    shown.key("Control+z", "Control+z")
    assert {one["id"] for one in shown.told()["objects"]} == {one["id"] for one in before["objects"]}


def test_cutting_with_the_keyboard_alone(editor: Open) -> None:
    shown = editor()
    before = shown.told()
    one = next(one for one in before["objects"] if one["label"] == "21")
    shown.choose(one["id"])
    shown.key("c")
    (x0, y0), (x1, y1) = across(one)
    middle = round((one["box"][0] + one["box"][2]) / 2), round((one["box"][1] + one["box"][3]) / 2)

    def go(dx: int, dy: int) -> None:
        for step, plus, minus in ((dx, "ArrowRight", "ArrowLeft"), (dy, "ArrowDown", "ArrowUp")):
            tens, ones = divmod(abs(step), 10)
            shown.key(*[f"Shift+{plus if step > 0 else minus}"] * tens, *[plus if step > 0 else minus] * ones)

    go(round(x0) - middle[0], round(y0) - middle[1])
    shown.key("Space")
    go(round(x1) - round(x0), round(y1) - round(y0))
    shown.key("Space", "Enter")
    assert len(made(shown, before)) == 2


def test_a_line_over_nothing_says_so(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    shown.choose(reading.dirt)
    shown.key("c")
    shown.draw([(2, 2), (2, 12)])
    assert "crosses no chromosome" in shown.page.locator(".note").last.inner_text()
    shown.key("Escape")
    assert shown.told()["version"] == 0


def test_what_crosses_is_separated_by_the_first_guess(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    before = shown.told()
    joined, *both = reading.joined
    shown.choose(joined)
    shown.key("o")
    assert shown.page.locator(".half").count() == 2
    shown.key("Enter")
    parts = made(shown, before)
    assert len(parts) == 2
    shape = shape_of(reading)
    found = [mask_of(part["polygons"], shape) for part in parts]  # type: ignore[arg-type]
    truth = [on_page(one, shape) for one in both]
    best = max(min(likeness(found[0], truth[i]), likeness(found[1], truth[1 - i])) for i in (0, 1))
    assert best > 0.85


def test_both_parts_are_drawn_by_hand_and_share_pixels(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    before = shown.told()
    joined, first, second = reading.joined
    shown.choose(joined)
    shown.key("o")
    for number, one in (("1", first), ("2", second)):
        shown.key(number)
        shown.draw(border_of(one))
    shown.page.locator(".accept").click()
    parts = made(shown, before)
    shape = shape_of(reading)
    found = [mask_of(part["polygons"], shape) for part in parts]  # type: ignore[arg-type]
    assert len(found) == 2
    assert (found[0] & found[1]).any()
    truth = [on_page(one, shape) for one in (first, second)]
    assert max(min(likeness(found[0], truth[i]), likeness(found[1], truth[1 - i])) for i in (0, 1)) > 0.9


def test_a_missed_one_is_added_with_a_lasso(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    before = shown.told()
    shown.key("a")
    shown.draw(border_of(reading.missed))
    (added,) = made(shown, before)
    assert added["label"] == "unsure"
    assert shown.chosen() == added["id"]
    assert likeness(mask_of(added["polygons"], shape_of(reading)), on_page(reading.missed, shape_of(reading))) > 0.85  # type: ignore[arg-type]
    shown.page.locator(".chromosome[data-chosen]").focus()
    shown.key(*reading.missed.label)
    assert shown.object(str(added["id"]))["label"] == reading.missed.label


def test_pixels_are_erased_and_brought_back(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    shape = shape_of(reading)
    one = next(one for one in shown.told()["objects"] if one["label"] == "1" or one["label"] == "6")
    whole = mask_of(one["polygons"], shape)
    shown.choose(one["id"])
    shown.page.locator(".metaphase").focus()
    shown.key("+", "+", "e")
    x, y = one["polygons"][0][0]
    shown.draw([(x - 3, y), (x + 3, y), (x + 1, y + 2)])
    less = mask_of(shown.object(one["id"])["polygons"], shape)
    assert shown.last()["kind"] == "erase"
    assert 0 < (whole & ~less).sum() < 0.4 * whole.sum()
    assert not (less & ~whole).any()
    shown.key("r")
    shown.draw([(x - 3, y), (x + 3, y), (x + 1, y + 2)])
    assert shown.last()["kind"] == "restore"
    again = mask_of(shown.object(one["id"])["polygons"], shape)
    assert not (whole & ~again).any()
    shown.key("l")
    shown.draw([(x - 6, y - 6), (x + 6, y - 6), (x + 6, y + 6), (x - 6, y + 6)])
    lassoed = mask_of(shown.object(one["id"])["polygons"], shape)
    assert lassoed[round(y) - 4 : round(y) + 4, round(x) - 4 : round(x) + 4].all()
    shown.key("v")
    assert shown.page.locator('[data-act="restore"]').get_attribute("aria-pressed") == "false"


def test_dirt_is_removed_with_a_reason(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    count = shown.told()["count"]
    shown.choose(reading.dirt)
    shown.key("Delete")
    assert shown.page.locator("dialog.asked .answers button").count() == 5
    shown.key("Escape")
    assert shown.told()["version"] == 0
    shown.key("Delete", "1")
    assert shown.last() == {"kind": "remove", "object": reading.dirt, "reason": "dirt"}
    assert shown.told()["count"] == count - 1
    assert shown.button(reading.dirt).count() == 0
    assert shown.outline(reading.dirt).count() == 0


def test_a_brush_covers_what_it_went_over_and_no_hole(editor: Open) -> None:
    shown = editor()
    ring = [[100 + 30 * np.cos(angle), 100 + 30 * np.sin(angle)] for angle in np.linspace(0, 2 * np.pi, 60)]
    outline = shown.module("geometry", "it.brushed(given[0], 5)", ring)
    page = mask_of([outline], (200, 200))
    rows, columns = np.mgrid[:200, :200]
    far = np.hypot(columns - 100, rows - 100)
    assert page[np.abs(far - 30) < 4].all()
    # The slit that joins the hole to the border is a pixel wide or two.
    assert page[far < 23].sum() <= 4
    assert not page[far > 37].any()
    assert len(outline) <= 1000


def test_a_hint_is_shown_while_a_tool_is_in_hand(editor: Open) -> None:
    shown = editor()
    for key, tool in (("c", "cut"), ("a", "add"), ("e", "erase")):
        shown.page.locator(".metaphase").focus()
        shown.key(key)
        assert shown.page.locator(f'[data-act="{tool}"]').get_attribute("aria-pressed") == "true"
        assert shown.page.locator(".hint-line").is_visible()
    shown.key("Escape")
    assert not shown.page.locator(".hint-line").is_visible()
