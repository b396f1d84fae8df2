"""The steps of a case: the table itself, and what becomes of a case whatever people try."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from sqlalchemy import select

from consilium.errors import ConsiliumError, InputError, NotAllowed
from consilium.laboratory.case_states import REPORTED, STATES, STEPS, WAITS_FOR, check_second_reader, step
from consilium.laboratory.casework import assign, move, withdraw_case
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import history
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.permissions import TABLE
from tests.laboratory.conftest import PEOPLE, founded, received


def test_every_state_can_be_reached_and_a_report_that_is_out_stays_out() -> None:
    reached = {"received"}
    for _ in STATES:
        reached |= {after for before, after in STEPS if before in reached}
    assert reached == set(STATES)
    assert all(after in REPORTED or after == "reopened" for before, after in STEPS if before in REPORTED)
    assert set(WAITS_FOR) | REPORTED == set(STATES) and not set(WAITS_FOR) & REPORTED


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_a_step_is_in_the_table_or_refused(before: str, after: str) -> None:
    if (before, after) in STEPS:
        assert step(before, after, reason="a reason") == STEPS[before, after]  # type: ignore[arg-type, index]
        if STEPS[before, after].reason:  # type: ignore[index]
            with pytest.raises(InputError, match="reason"):
                step(before, after, reason=" ")  # type: ignore[arg-type]
    else:
        with pytest.raises(InputError, match="cannot become"):
            step(before, after, reason="a reason")  # type: ignore[arg-type]


BACK = [one for one in STEPS if STATES.index(one[1]) < STATES.index(one[0]) and one[0] != "reopened"]
"""A case that was reopened goes the way from analysed on once more, which is no step back."""


@pytest.mark.parametrize(("before", "after"), BACK)
def test_a_step_back_needs_a_reason(before: str, after: str) -> None:
    assert STEPS[before, after].reason  # type: ignore[index]


def test_nobody_reviews_what_she_analysed() -> None:
    with pytest.raises(NotAllowed, match="analysed this case"):
        check_second_reader("reviewed", who="both", analysed_by="both", wanted=True)
    check_second_reader("reviewed", who="ren", analysed_by="both", wanted=True)
    check_second_reader("reviewed", who="both", analysed_by="both", wanted=False)


def test_a_case_from_reception_to_an_amended_report(laboratory: Laboratory) -> None:
    _, number, _ = received(laboratory)
    way = [("tang", "in culture"), ("tang", "harvested"), ("both", "analysed"), ("ren", "reviewed"), ("dai", "signed"),
           ("dai", "amended"), ("dai", "amended")]  # fmt: skip
    for who, state in way:
        with laboratory.changing(who) as change:
            reason = "a cell was counted twice" if state == "amended" else ""
            move(change, case_called(change.session, number), state, reason=reason)  # type: ignore[arg-type]
    with laboratory.looking("tang") as look:
        case = case_called(look.session, number)
        told = history(look.session, case)
        assert case.state == "amended" and case.amendments == 2 and case.analysed_by == "both" and case.reported
        assert [one.who for one in told] == ["tang", *(who for who, _ in way)]
        assert [one.after["state"] for one in told[:6]] == ["received", *(state for _, state in way[:5])]
        assert told[-1].before["amendments"] == 1 and told[-1].reason == "a cell was counted twice"


def test_the_analyst_is_refused_as_reviewer_by_the_transaction_too(small: Laboratory) -> None:
    _, number, _ = received(small)
    for state in ("harvested", "analysed"):
        with small.changing("both") as change:
            move(change, case_called(change.session, number), state)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed, match="analysed"), small.changing("both") as change:
        move(change, case_called(change.session, number), "reviewed")


TRIES = st.lists(
    st.tuples(
        st.sampled_from(sorted(PEOPLE)),
        st.sampled_from((*STATES, "withdraw", "assign")),
        st.sampled_from(("", "a reason")),
        st.integers(-1, 1),
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=TRIES)
def test_whatever_people_try_the_table_holds_and_the_history_tells_it(tries: list[tuple[str, str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        laboratory = founded(f"sqlite:///{Path(folder) / 'records.db'}")
        try:
            _, number, _ = received(laboratory)
            _try_all(laboratory, number, tries)
        finally:
            laboratory.close()


def _try_all(laboratory: Laboratory, number: str, tries: list[tuple[str, str, str, int]]) -> None:
    state, version, withdrawn, analyst = "received", 1, False, ""
    out, reopened = False, 0
    for who, act, reason, stale in tries:
        roles = set(PEOPLE[who])
        known = STEPS.get((state, act))  # type: ignore[call-overload]
        if act == "withdraw":
            may = "director" in roles and bool(reason) and not out
        elif act == "assign":
            may = bool(roles & TABLE["case.change"])
        else:
            may = known is not None and bool(roles & TABLE[known.act]) and (bool(reason) or not known.reason)
            may = may and not (act == "reviewed" and who == analyst)
            # What goes out for the first time is signed, and amended ever after.
            may = may and not (state == "reviewed" and act in REPORTED and (act == "amended") != (reopened > 0))
        may = may and stale == 0 and not withdrawn
        try:
            with laboratory.changing(who) as change:
                case = case_called(change.session, number)
                if act == "withdraw":
                    withdraw_case(change, case, reason=reason, seen=version + stale)
                elif act == "assign":
                    assign(change, case, who, seen=version + stale)
                else:
                    move(change, case, act, reason=reason, seen=version + stale)  # type: ignore[arg-type]
                after = case.version
            assert may
            version = after
        except ConsiliumError:
            assert not may
            continue
        withdrawn = withdrawn or act == "withdraw"
        if known is not None:
            analyst = who if act == "analysed" and state in ("harvested", "reopened") else analyst
            out = out or act in REPORTED
            reopened += act == "reopened" or (act == "amended" and state in REPORTED)
            state = act
    with laboratory.looking("tang") as look:
        case = case_called(look.session, number)
        told = history(look.session, case)
        assert (case.state, case.version, case.withdrawn is not None) == (state, version, withdrawn)
        # Put together, the changes are the case as it is now.
        now = {}
        for one in told:
            assert all(now.get(name) == value for name, value in one.before.items())
            now |= one.after
        assert [one.version for one in told] == list(range(1, version + 1))
        assert all(getattr(case, name) == value for name, value in now.items())
        assert look.session.scalar(select(type(case)).where(type(case).number == number)) is case
