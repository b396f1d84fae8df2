"""Naming by keyboard and by dragging, turning, undo: what a person does is what the server stores."""

from __future__ import annotations

from tests.web.editor.conftest import Open
from tests.web.editor.faulty_reading import FaultyReading


def test_the_doubtful_come_first_and_one_key_confirms_each(editor: Open) -> None:
    shown = editor()
    told = shown.told()
    assert shown.chosen() == told["doubtful"][0]
    order = []
    for _ in range(60):
        if shown.page.evaluate("consiliumEditor.cell.doubtful.length") == 0:
            break
        order.append(shown.chosen())
        shown.key("Enter")
    after = shown.told()
    assert order[: len(told["doubtful"])] == told["doubtful"]
    assert after["doubtful"] == []
    assert after["interactions"] == after["version"] == len(order)
    assert all(command["command"]["kind"] == "confirm" for command in shown.workstation.commands(shown.cell))
    assert "none doubtful" in shown.page.locator(".figure.doubtful").inner_text()
    assert shown.page.locator(".interactions").inner_text() == f"Interactions: {len(order)}"
    shown.key("Enter")
    assert shown.told()["version"] == after["version"]


def test_space_confirms_and_tab_goes_on_and_out(editor: Open) -> None:
    shown = editor()
    doubtful = shown.told()["doubtful"]
    shown.key("Space")
    assert shown.object(doubtful[0])["confirmed"]
    shown.key("Tab")
    assert shown.chosen() == doubtful[2]
    for _ in range(len(doubtful)):
        shown.key("Tab")
    assert shown.page.evaluate("document.activeElement.closest('.sheet')") is None
    shown.page.locator(".chromosome[data-chosen]").focus()
    shown.key("Shift+Tab")
    assert shown.page.evaluate("document.activeElement.closest('.sheet')") is None


def test_digits_and_letters_name(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    (first, right), (second, other) = reading.misnamed.items()
    shown.choose(first)
    shown.key(*right)
    assert shown.object(first)["label"] == right and shown.object(first)["confirmed"]
    shown.choose(second)
    shown.key(other[0])
    assert shown.page.locator(".typed").inner_text() == f"Class {other[0]}…"
    shown.key(*other[1:])
    assert shown.object(second)["label"] == other
    shown.key("x")
    assert shown.object(second)["label"] == "X"
    shown.key("y")
    assert shown.object(second)["label"] == "Y"
    shown.key("u")
    assert (shown.object(second)["label"], shown.object(second)["confirmed"]) == ("unsure", False)
    shown.key("m")
    assert shown.object(second)["label"] == "mar"
    assert shown.button(second).locator("xpath=..").get_attribute("data-label") == "mar"


def test_one_digit_waits_for_a_second_and_then_stands(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    shown.choose(reading.dirt)
    shown.key("2")
    shown.page.wait_for_selector(f'.slot[data-label="2"] [data-id="{reading.dirt}"]')
    assert shown.object(reading.dirt)["label"] == "2"
    shown.key("1", "Enter")
    assert shown.object(reading.dirt)["label"] == "1"
    shown.key("2", "5")
    assert "no class 25" in shown.page.locator(".note").last.inner_text()
    assert shown.object(reading.dirt)["label"] == "1"


def test_a_label_that_is_scanned_renames_nothing(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    shown.choose(reading.dirt)
    # What is a label of the laboratory is followed by the frame of the pages; this is one of somebody else.
    shown.page.keyboard.type("x1y2m3u4")
    shown.page.keyboard.press("Enter")
    shown.page.wait_for_timeout(1200)
    assert shown.told()["version"] == 0
    shown.key("x")
    assert shown.object(reading.dirt)["label"] == "X"


def test_a_derivative_is_named_and_stands_beside_the_normal_one(editor: Open) -> None:
    shown = editor()
    nine = [one for one in shown.told()["objects"] if one["label"] == "9"]
    left = min(nine, key=lambda one: one["place"])["id"]
    shown.choose(left)
    shown.key("d")
    field = shown.page.locator("dialog.asked input")
    assert field.input_value() == "der(9)"
    field.fill("der 9 !")
    shown.key("Enter")
    assert "twenty" in shown.page.locator("dialog.asked .wrong").inner_text()
    field.fill("der(9)")
    shown.key("Enter")
    assert shown.object(left)["label"] == "der(9)"
    other = next(one["id"] for one in nine if one["id"] != left)
    assert shown.button(other).bounding_box()["x"] < shown.button(left).bounding_box()["x"]
    assert shown.button(left).locator(".name").inner_text() == "der(9)"


def test_what_is_no_name_is_taken_back_with_the_reason(editor: Open) -> None:
    shown = editor()
    one = next(one for one in shown.told()["objects"] if one["label"] == "9")
    shown.choose(one["id"])
    shown.key("d")
    shown.page.locator("dialog.asked input").fill("t(9;22)")
    shown.key("Enter")
    shown.page.wait_for_selector(".note.refused")
    assert "t(9;22)" in shown.page.locator(".note.refused").inner_text()
    assert shown.object(one["id"])["label"] == "9"
    assert shown.button(one["id"]).locator("xpath=..").get_attribute("data-label") == "9"
    assert shown.button(one["id"]).get_attribute("data-waits") is None


def test_dragging_gives_a_class_and_a_place(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    (id_, right), *_ = reading.misnamed.items()
    slot = shown.slot(right)
    shown.drag(id_, (slot["x"] + 1, slot["y"] + slot["height"] / 2))
    assert shown.last() == {"kind": "reassign", "object": id_, "label": right, "place": 0}
    assert shown.object(id_)["place"] == 0
    slot = shown.slot(right)
    shown.drag(id_, (slot["x"] + slot["width"] - 1, slot["y"] + slot["height"] / 2))
    assert shown.object(id_)["place"] == 1
    shown.button(id_).focus()
    shown.key("Alt+ArrowLeft")
    assert shown.object(id_)["place"] == 0


def test_dragging_from_the_metaphase_names_as_well(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    box = shown.object(reading.dirt)["box"]
    slot = shown.slot("unsure")
    shown.page.mouse.move(*shown.at((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
    shown.page.mouse.down()
    shown.page.mouse.move(slot["x"] + slot["width"] / 2, slot["y"] + slot["height"] / 2, steps=5)
    shown.page.mouse.up()
    assert shown.object(reading.dirt)["label"] == "unsure"


def test_a_drag_is_given_up_with_escape_or_over_no_class(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    box = shown.button(reading.dirt).bounding_box()
    slot = shown.slot("1")
    shown.page.mouse.move(box["x"] + 3, box["y"] + 3)
    shown.page.mouse.down()
    shown.page.mouse.move(slot["x"] + 5, slot["y"] + 5, steps=4)
    assert shown.page.locator(".ghost").count() == 1
    shown.key("Escape")
    assert shown.page.locator(".ghost").count() == 0
    shown.page.mouse.up()
    shown.drag(reading.dirt, shown.at(400, 400))
    assert shown.told()["version"] == 0


def test_two_are_swapped_by_key_and_by_dragging(editor: Open) -> None:
    shown = editor()
    objects = {one["label"]: one["id"] for one in shown.told()["objects"]}
    shown.choose(objects["4"], objects["5"])
    shown.key("w")
    assert (shown.object(objects["4"])["label"], shown.object(objects["5"])["label"]) == ("5", "4")
    box = shown.button(objects["5"]).bounding_box()
    shown.drag(objects["4"], (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), alt=True)
    assert shown.last()["kind"] == "swap"
    assert (shown.object(objects["4"])["label"], shown.object(objects["5"])["label"]) == ("4", "5")


def test_flip_mirror_turn_and_straighten(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    before = shown.object(reading.turned)
    shown.choose(reading.turned)
    shown.key("f")
    assert shown.object(reading.turned)["upside_down"]
    shown.key("Shift+F")
    assert shown.object(reading.turned)["mirrored"]
    shown.key("s")
    assert not shown.object(reading.turned)["straight"]
    angle = shown.object(reading.turned)["angle_deg"]
    # In a mirror, left is right: the key turns it as it is seen.
    shown.key("[")
    assert (shown.object(reading.turned)["angle_deg"] - angle + 180) % 360 - 180 == -5
    shown.key("}")
    assert (shown.object(reading.turned)["angle_deg"] - angle + 180) % 360 - 180 == -4
    shown.key("f", "Shift+F", "s")
    after = shown.object(reading.turned)
    assert (after["upside_down"], after["mirrored"], after["straight"]) == (False, False, before["straight"])
    assert shown.page.locator(f'.chromosome[data-id="{reading.turned}"] img').get_attribute("src") == after["sprite"]


def test_the_handle_turns_what_then_lies_as_it_lay(editor: Open) -> None:
    shown = editor()
    one = next(one["id"] for one in shown.told()["objects"] if one["label"] == "3")
    shown.choose(one)
    angle = shown.object(one)["angle_deg"]
    handle, box = shown.page.locator(".turn-handle").bounding_box(), shown.button(one).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    reach = y - (handle["y"] + handle["height"] / 2)
    shown.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    shown.page.mouse.down()
    shown.page.mouse.move(x - reach, y, steps=8)
    shown.page.mouse.up()
    after = shown.object(one)
    assert not after["straight"]
    assert abs((after["angle_deg"] - angle + 180) % 360 - 180 - 90) < 6


def test_undo_and_redo_go_back_many_steps(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    start = {one["id"]: one["label"] for one in shown.told()["objects"]}
    shown.choose(reading.dirt)
    for key in ("x", "y", "m", "u"):
        shown.key(key)
    assert shown.object(reading.dirt)["label"] == "unsure"
    shown.key("Control+z", "Control+z", "Control+z")
    assert shown.object(reading.dirt)["label"] == "X"
    shown.key("Control+Shift+z")
    assert shown.object(reading.dirt)["label"] == "Y"
    shown.key("Control+y")
    assert shown.object(reading.dirt)["label"] == "mar"
    shown.key("Control+z", "Control+z", "Control+z")
    assert {one["id"]: one["label"] for one in shown.told()["objects"]} == start
    shown.key("Control+z")
    shown.page.wait_for_selector(".note")
    assert shown.told()["version"] == 12
    assert shown.page.locator('[data-act="redo"]').get_attribute("aria-disabled") is None


def test_arrows_walk_through_the_karyogram(editor: Open) -> None:
    shown = editor()
    first = min((one for one in shown.told()["objects"] if one["label"] == "1"), key=lambda one: one["place"])
    shown.choose(first["id"])
    seen = [shown.chosen()]
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft"):
        shown.key(key)
        seen.append(shown.chosen())
        assert shown.page.evaluate("document.activeElement.dataset.id") == seen[-1]
    labels = {one["id"]: one["label"] for one in shown.told()["objects"]}
    assert labels[seen[2]] in ("1", "2")
    assert int(labels[seen[3]]) in range(6, 13)
    assert int(labels[seen[4]]) in range(13, 19)


def test_a_note_and_the_three_acts_are_kept(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    shown.choose(reading.turned)
    shown.key("k")
    shown.page.locator("dialog.asked input").fill("satellites large")
    shown.key("Enter")
    assert shown.object(reading.turned)["note"] == "satellites large"
    assert "satellites large" in shown.page.locator(".inspector").inner_text()
    counted = shown.page.locator('[data-act-name="counted"]')
    counted.click()
    shown.page.wait_for_selector('[data-act-name="counted"][aria-pressed="true"]')
    assert shown.told()["acts"] == ["counted"]
    counted.click()
    shown.page.locator("dialog.asked input").fill("two cells lie on each other")
    shown.key("Enter")
    shown.page.wait_for_selector('[data-act-name="counted"][aria-pressed="false"]')
    assert shown.told()["acts"] == []
