"""What happened to a case is told whole, newest first, and tells nobody what was found."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import event

from consilium.errors import NotAllowed
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.case_history import case_history
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.review.readings import record_reading
from consilium.laboratory.review.texts import write_text
from tests.laboratory.review.conftest import DOWN, FEMALE, analysed_case, command


def worked_on(laboratory: Laboratory, opened: OpenCells) -> tuple[str, list[int]]:
    """A case that was edited, analysed, read again and written about; its number and cells."""
    number, cells = analysed_case(laboratory, opened, (DOWN, FEMALE))
    for axis in ("vertical", "horizontal", "vertical"):
        command(laboratory, opened, "tang", cells[0], {"kind": "flip", "object": "c0", "axis": axis})
    with laboratory.changing("ren") as change:
        case = case_called(change.session, number)
        record_reading(change, case, cells[0], count=47, karyotype="47,XX,+21")
        record_reading(change, case, None, karyotype="47,XX,+21")
    with laboratory.changing("tang") as change:
        write_text(change, case_called(change.session, number), seen=0, drafted="47,XX,+21", iscn="47,XX,+21")
    return number, cells


def test_every_kind_of_work_is_told_with_who_did_it(laboratory: Laboratory, opened: OpenCells) -> None:
    number, cells = worked_on(laboratory, opened)
    with laboratory.looking("dai") as look:
        told = case_history(look, case_called(look.session, number))
    assert [one.at for one in told] == sorted((one.at for one in told), reverse=True)
    done = Counter((one.what, one.who) for one in told)
    assert done["case.open", "tang"] == 1 and done["image.add", "tang"] == 2 and done["report.write", "tang"] >= 1
    assert done["review.read", "ren"] == 2
    edits = [one for one in told if one.what == "cell.edit"]
    assert sum(one.after["commands"] for one in edits if one.title == f"cell {cells[0]}") >= 3
    assert {one.title for one in told if one.what == "review.read"} == {number, f"cell {cells[0]}"}


def test_it_tells_nobody_what_was_found(laboratory: Laboratory, opened: OpenCells) -> None:
    number, _ = worked_on(laboratory, opened)
    with laboratory.looking("ren") as look:
        told = case_history(look, case_called(look.session, number))
    shown = " ".join(f"{one.before} {one.after} {one.reason} {one.title}" for one in told)
    assert "+21" not in shown and "46,X" not in shown and "'count'" not in shown


def test_the_newest_are_told_and_the_questions_are_few(laboratory: Laboratory, opened: OpenCells) -> None:
    number, _ = worked_on(laboratory, opened)
    asked: list[str] = []
    with laboratory.looking("tang") as look:
        case = case_called(look.session, number)
        whole = case_history(look, case)
        connection = look.session.connection()
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert case_history(look, case, newest=5) == whole[:5]
    assert 0 < len(asked) <= 9


def test_who_may_not_see_histories_is_told_nothing(laboratory: Laboratory, opened: OpenCells) -> None:
    number, _ = worked_on(laboratory, opened)
    narrowed = laboratory.only(())
    with narrowed.looking("tang") as look, pytest.raises(NotAllowed):
        case_history(look, case_called(look.session, number))
