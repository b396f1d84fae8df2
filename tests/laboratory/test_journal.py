"""Stale edits, what was withdrawn, and histories, on both databases."""

from __future__ import annotations

import threading

import pytest

from consilium.errors import InputError, NotAllowed, RecordChanged
from consilium.laboratory.casework import change_condition, withdraw_case, withdraw_thing
from consilium.laboratory.found import anything, case_called, labelled
from consilium.laboratory.journal import history
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.reception import change_urgency
from tests.laboratory.conftest import received


def test_a_stale_edit_is_refused_and_told_what_changed(laboratory: Laboratory) -> None:
    label, _, _ = received(laboratory)
    with laboratory.changing("tang") as change:
        change_condition(change, labelled(change.session, label), note="a clot of 2 mm", condition="clotted", seen=1)
    with pytest.raises(RecordChanged) as refused, laboratory.changing("ren") as change:
        change_condition(change, labelled(change.session, label), note="looks fine", condition="good", seen=1)
    assert "condition, note by tang" in str(refused.value)
    assert "2 mm" not in str(refused.value)
    with laboratory.looking("ren") as look:
        thing = labelled(look.session, label)
        assert (thing.version, thing.condition, thing.note) == (2, "clotted", "a clot of 2 mm")  # type: ignore[attr-defined]
    with pytest.raises(RecordChanged, match="no version 9"), laboratory.changing("ren") as change:
        change_condition(change, labelled(change.session, label), note="", seen=9)


def test_of_edits_at_once_one_is_taken(laboratory: Laboratory) -> None:
    label, _, _ = received(laboratory)
    became: list[str] = []

    def edit(note: str) -> None:
        try:
            with laboratory.changing("tang") as change:
                change_condition(change, labelled(change.session, label), note=note, seen=1)
            became.append("taken")
        except RecordChanged:
            became.append("refused")

    threads = [threading.Thread(target=edit, args=(f"note {one}",)) for one in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(became) == ["refused"] * 5 + ["taken"]


def test_an_edit_that_changes_nothing_leaves_no_event(laboratory: Laboratory) -> None:
    label, _, _ = received(laboratory)
    with laboratory.changing("tang") as change:
        change_condition(change, labelled(change.session, label), note="", condition="good", seen=1)
    with laboratory.looking("tang") as look:
        assert len(history(look.session, labelled(look.session, label))) == 1


def test_what_was_withdrawn_stays_with_its_reason_and_changes_no_more(laboratory: Laboratory) -> None:
    label, number, _ = received(laboratory)
    with pytest.raises(InputError, match="reason"), laboratory.changing("ren") as change:
        withdraw_thing(change, labelled(change.session, label), reason=" ")
    with pytest.raises(NotAllowed), laboratory.changing("tang") as change:
        withdraw_thing(change, labelled(change.session, label), reason="mislabelled")
    with laboratory.changing("ren") as change:
        withdraw_thing(change, labelled(change.session, label), reason="mislabelled", seen=1)
    with pytest.raises(InputError, match="was withdrawn"), laboratory.changing("ren") as change:
        withdraw_thing(change, labelled(change.session, label), reason="again")
    with laboratory.changing("dai") as change:
        withdraw_case(change, case_called(change.session, number), reason="ordered twice")
    with laboratory.looking("tang") as look:
        thing = labelled(look.session, label)
        assert thing.withdrawn and thing.withdrawn_reason == "mislabelled"
        last = history(look.session, thing)[-1]
        assert (last.what, last.who, last.reason) == ("specimen.withdraw", "ren", "mislabelled")


def test_a_change_of_urgency_tells_the_new_day_and_why(laboratory: Laboratory) -> None:
    _, number, _ = received(laboratory)
    with laboratory.changing("tang") as change:
        change_urgency(change, case_called(change.session, number), "urgent", seen=1, reason="the child is ill")
    with laboratory.looking("tang") as look:
        case = case_called(look.session, number)
        assert (case.urgency, case.due) == ("urgent", "2026-03-12") and "10 days" in case.due_reason
        assert history(look.session, case)[-1].before["due"] == "2026-03-30"


@pytest.mark.parametrize(
    "text", ["", "K26-99999", "P0000099", "S26-99999", "F/B/9", "a/b", "'; --", "\x00", "\ud800", "a/b/\x00"]
)
def test_what_is_not_there_is_said(laboratory: Laboratory, text: str) -> None:
    with pytest.raises(InputError) as refused, laboratory.looking("tang") as look:
        anything(look.session, text)
    assert refused.value.way_out or "cannot be kept" in str(refused.value)
