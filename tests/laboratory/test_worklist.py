"""What is to be done, in which order, and for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from consilium.laboratory.casework import assign, move, withdraw_case
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.worklist import Waiting, in_order, worklist
from tests.laboratory.conftest import ORDER, received

WAITING = Waiting(
    number="K26-1", patient="P0000001", indication="", specimen="bone_marrow", state="received",
    urgency="routine", received=date(2026, 3, 2),
    due=date(2026, 3, 30), due_reason="", days_left=4, waits_for="technologist", assigned="", version=1,
)  # fmt: skip


def test_late_comes_first_then_urgent_then_what_is_due_first() -> None:
    late = replace(WAITING, number="late", days_left=-1)
    urgent = replace(WAITING, number="urgent", urgency="urgent", due=date(2026, 4, 30))
    soon = replace(WAITING, number="soon", due=date(2026, 3, 3))
    no_day = replace(WAITING, number="no day", due=None, days_left=None)
    assert [one.number for one in in_order([no_day, WAITING, soon, urgent, late])] == [
        "late", "urgent", "soon", "K26-1", "no day",
    ]  # fmt: skip
    assert not no_day.late


def test_lists_of_a_laboratory(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (
        received(laboratory, replace(ORDER, received=day, collected=""))[1]
        for day in ("2026-03-02", "2026-03-09", "2026-03-10")
    )
    for state in ("harvested", "analysed"):
        with laboratory.changing("tang") as change:
            move(change, case_called(change.session, second), state)  # type: ignore[arg-type]
    with laboratory.changing("dai") as change:
        assign(change, case_called(change.session, first), "tang")
        withdraw_case(change, case_called(change.session, third), reason="ordered twice")
    # Wednesday 1 April 2026, 00:30 in Shanghai: the first was due on Monday the 30th.
    monkeypatch.setattr("consilium.laboratory.laboratory.now", lambda: "2026-03-31T16:30:00.000Z")
    with laboratory.looking("tang") as look:
        every = worklist(look)
        assert [(one.number, one.days_left, one.waits_for) for one in every] == [
            (first, -2, "technologist"),
            (second, 3, "reviewer"),
        ]
        assert [one.number for one in worklist(look, late=True)] == [first]
        assert [one.number for one in worklist(look, waits_for="reviewer")] == [second]
        assert worklist(look, waits_for="director") == ()
        assert [one.number for one in worklist(look, assigned="tang")] == [first]
        assert [one.number for one in worklist(look, within=2)] == [first]
        assert [one.number for one in worklist(look, within=3)] == [first, second]


def test_what_is_signed_waits_for_nobody(laboratory: Laboratory) -> None:
    _, number, _ = received(laboratory)
    for who, state in (("tang", "harvested"), ("tang", "analysed"), ("ren", "reviewed"), ("dai", "signed")):
        with laboratory.changing(who) as change:
            move(change, case_called(change.session, number), state)  # type: ignore[arg-type]
    with laboratory.looking("tang") as look:
        assert worklist(look) == ()
