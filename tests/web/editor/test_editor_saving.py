"""Nothing that was acknowledged is lost, nothing arrives twice, and nothing is called saved that is not."""

from __future__ import annotations

from tests.web.editor.conftest import Editor, Open, Workstation
from tests.web.editor.faulty_reading import FaultyReading


def unsent(shown: Editor) -> int:
    kept: int = shown.page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('consilium.unsent/')).length")
    return kept


def test_a_server_killed_during_an_edit_loses_nothing_and_gets_nothing_twice(
    editor: Open, workstation: Workstation, reading: FaultyReading
) -> None:
    shown = editor()
    shown.choose(reading.dirt)
    shown.key("x")
    shown.saved()
    workstation.kill()
    shown.key("y", "m", "u")
    shown.page.wait_for_selector('.saved[data-state="unreachable"]')
    assert shown.page.locator(".saved").inner_text() == "Server not reached. Not saved yet: 3"
    assert shown.button(reading.dirt).get_attribute("data-waits") == ""
    assert shown.button(reading.dirt).locator("xpath=..").get_attribute("data-label") == "unsure"
    assert unsent(shown) == 3
    workstation.start()
    shown.saved()
    labels = [one["command"]["label"] for one in workstation.commands(shown.cell)]
    assert labels == ["X", "Y", "mar", "unsure"]
    assert unsent(shown) == 0
    assert shown.button(reading.dirt).get_attribute("data-waits") is None


def test_what_waits_outlives_the_page(editor: Open, workstation: Workstation, reading: FaultyReading) -> None:
    shown = editor()
    shown.choose(reading.dirt)
    shown.saved()
    shown.page.context.route("**/commands", lambda route: route.abort())
    shown.key("x", "y")
    shown.page.wait_for_selector('.saved[data-state="unreachable"]')
    asked = []
    shown.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    shown.page.reload()
    assert asked == ["beforeunload"]
    shown.page.wait_for_selector(".chromosome")
    assert shown.button(reading.dirt).locator("xpath=..").get_attribute("data-label") == "Y"
    shown.page.context.unroute("**/commands")
    shown.page.locator(".saved").click()
    assert shown.object(reading.dirt)["label"] == "Y"
    assert len(workstation.commands(shown.cell)) == 2


def test_an_answer_that_is_lost_does_not_do_it_twice(
    editor: Open, workstation: Workstation, reading: FaultyReading
) -> None:
    shown = editor()
    lost = []

    def swallow(route: object) -> None:
        if not lost:
            lost.append(route.fetch().status)  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    shown.page.route("**/commands", swallow)
    shown.choose(reading.turned)
    shown.key("f")
    shown.saved()
    assert lost == [201]
    assert len(workstation.commands(shown.cell)) == 1
    assert shown.object(reading.turned)["upside_down"]


def test_commands_of_one_person_are_not_sent_as_another(
    editor: Open, workstation: Workstation, reading: FaultyReading
) -> None:
    shown = editor()
    shown.choose(reading.dirt)
    shown.page.context.route("**/commands", lambda route: route.abort())
    shown.key("x")
    shown.page.wait_for_selector('.saved[data-state="unreachable"]')
    shown.page.context.add_cookies([workstation.cookie("both")])
    shown.page.on("dialog", lambda dialog: dialog.accept())
    shown.page.reload()
    shown.page.wait_for_selector(".chromosome")
    assert unsent(shown) == 1
    shown.page.context.unroute("**/commands")
    assert shown.page.locator(".saved").inner_text() == "Saved"
    assert workstation.commands(shown.cell) == []


def test_somebody_else_was_faster_and_mine_goes_on_top(
    editor: Open, workstation: Workstation, reading: FaultyReading
) -> None:
    mine = editor()
    theirs = editor(cell=mine.cell, who="both")
    theirs.choose(reading.turned)
    theirs.key("f")
    theirs.saved()
    mine.choose(reading.dirt)
    mine.key("x")
    mine.page.wait_for_selector("dialog.asked .theirs li")
    assert mine.page.locator("dialog.asked .theirs").inner_text().startswith("both")
    assert "reassign → Chromosome X" in mine.page.locator("dialog.asked .mine").inner_text()
    mine.key("Escape")
    assert mine.page.locator("dialog.asked").count() == 1
    mine.page.locator("dialog.asked button").first.click()
    assert mine.object(reading.dirt)["label"] == "X"
    assert mine.object(reading.turned)["upside_down"]
    assert [one["who"] for one in workstation.commands(mine.cell)] == ["both", "tang"]


def test_somebody_else_was_faster_and_mine_is_given_up(
    editor: Open, workstation: Workstation, reading: FaultyReading
) -> None:
    mine = editor()
    theirs = editor(cell=mine.cell, who="both")
    theirs.choose(reading.dirt)
    theirs.key("y")
    theirs.saved()
    mine.choose(reading.dirt)
    mine.key("x")
    mine.page.wait_for_selector("dialog.asked .theirs li")
    mine.page.locator("dialog.asked button.second").click()
    mine.saved()
    assert mine.object(reading.dirt)["label"] == "Y"
    assert mine.button(reading.dirt).locator("xpath=..").get_attribute("data-label") == "Y"
    assert len(workstation.commands(mine.cell)) == 1
    assert unsent(mine) == 0


def test_signed_out_keeps_what_waits(editor: Open, workstation: Workstation, reading: FaultyReading) -> None:
    shown = editor()
    shown.choose(reading.dirt)
    shown.page.context.clear_cookies(name="consilium_session")
    shown.key("x")
    shown.page.wait_for_selector('.saved[data-state="signed_out"]')
    assert unsent(shown) == 1
    shown.page.context.add_cookies([workstation.cookie("tang")])
    shown.page.locator(".saved").click()
    assert shown.object(reading.dirt)["label"] == "X"


def test_an_impossible_command_is_taken_back_and_the_next_one_goes_on(editor: Open, reading: FaultyReading) -> None:
    shown = editor()
    shown.page.evaluate(
        """id => { const { cell } = consiliumEditor;
           cell.do({ kind: 'cut', object: id, line: [[0, 0], [1, 0]] });
           cell.do({ kind: 'reassign', object: id, label: 'X' }); }""",
        reading.dirt,
    )
    shown.page.wait_for_selector(".note.refused")
    assert shown.object(reading.dirt)["label"] == "X"
    assert shown.told()["version"] == 1
