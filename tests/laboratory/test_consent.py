"""What may be done until when, and what is due for disposal."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from sqlalchemy import select

from consilium.errors import InputError, NotAllowed, RecordChanged
from consilium.laboratory.casework import withdraw_case
from consilium.laboratory.consent import (
    PURPOSES,
    Consent,
    consents_of,
    disposal,
    dispose,
    due_for_disposal,
    may_be_used,
    record_consent,
    withdraw_consent,
)
from consilium.laboratory.found import case_called, labelled, patient_called
from consilium.laboratory.laboratory import Laboratory, change_profile
from consilium.laboratory.profile import Profile
from consilium.laboratory.storage import make_place, place_of, put
from consilium.laboratory.tables import ConsentRow
from tests.laboratory.conftest import PROFILE, received

DAY = date(2026, 6, 1)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
CONSENTS = st.lists(
    st.builds(
        Consent,
        number=st.integers(1, 99),
        purposes=st.frozensets(st.sampled_from(PURPOSES)),
        given=DAYS,
        until=st.none() | DAYS,
        withdrawn=st.none() | DAYS,
    ),
    max_size=4,
)


@given(consents=CONSENTS, purpose=st.sampled_from(PURPOSES), day=DAYS)
def test_nothing_is_allowed_that_no_consent_in_force_speaks_of(
    consents: list[Consent], purpose: str, day: date
) -> None:
    answer = may_be_used(consents, purpose, day)  # type: ignore[arg-type]
    in_force = [
        one
        for one in consents
        if purpose in one.purposes
        and one.given <= day
        and day <= (one.until or date.max)
        and day < (one.withdrawn or date.max)
    ]
    assert answer.yes == bool(in_force)
    assert answer.reason


def test_why_not_is_told() -> None:
    research = Consent(number=1, purposes=frozenset({"research"}), given=DAY, until=DAY + timedelta(days=9))
    assert "no consent speaks of teaching" in may_be_used([research], "teaching", DAY).reason
    assert "begins on" in may_be_used([research], "research", DAY - timedelta(days=1)).reason
    assert "ended on 2026-06-10" in may_be_used([research], "research", DAY + timedelta(days=10)).reason
    gone = Consent(number=2, purposes=frozenset({"research"}), given=DAY, withdrawn=DAY + timedelta(days=1))
    assert may_be_used([gone], "research", DAY).yes
    assert "withdrawn on 2026-06-02" in may_be_used([gone], "research", DAY + timedelta(days=1)).reason


@given(consents=CONSENTS, closed=st.none() | DAYS, keep=st.integers(0, 200), today=DAYS)
def test_nothing_is_due_before_its_time_or_against_a_consent(
    consents: list[Consent], closed: date | None, keep: int, today: date
) -> None:
    due = disposal(closed, keep, consents, today).yes
    over = closed is not None and today > closed + timedelta(days=keep)
    assert due == (over and not may_be_used(consents, "storage", today).yes)


def test_from_a_consent_to_disposal(laboratory: Laboratory) -> None:
    label, number, patient = received(laboratory)
    with laboratory.changing("ada") as change:
        change_profile(change, Profile(name="L", zone=PROFILE.zone, keep_days=0), reason="a test")
        make_place(change, "F1/B1/A1")
    with laboratory.changing("dai") as change:
        put(change, label, "F1/B1/A1")
        row = record_consent(
            change, patient_called(change.session, patient), ["storage", "research"], given="2026-03-01"
        )
        withdraw_case(change, case_called(change.session, number), reason="ordered twice")
    # Kept to the end of the day, and then because storage is agreed to.
    with laboratory.looking("tang") as look:
        assert due_for_disposal(look) == ()
    with pytest.raises(InputError, match="not due"), laboratory.changing("dai") as change:
        dispose(change, labelled(change.session, label), reason="full")  # type: ignore[arg-type]
    with pytest.raises(RecordChanged), laboratory.changing("tang") as change:
        withdraw_consent(change, change.session.get_one(ConsentRow, row.id), reason="asked by letter", seen=2)
    with laboratory.changing("tang") as change:
        withdraw_consent(change, change.session.get_one(ConsentRow, row.id), reason="asked by letter", seen=1)
        today = change.profile.day(change.at)
        case = case_called(change.session, number)
        consents = consents_of(change, case.patient_id)
        assert consents[0].withdrawn == today
        assert disposal(today, 0, consents, today + timedelta(days=1)).yes
        assert not may_be_used(consents, "research", today).yes


def test_what_is_due_is_disposed_of_by_the_director_and_frees_its_place(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    label, number, _ = received(laboratory)
    with laboratory.changing("ada") as change:
        make_place(change, "F1/B1/A1")
    with laboratory.changing("dai") as change:
        put(change, label, "F1/B1/A1")
        withdraw_case(change, case_called(change.session, number), reason="ordered twice")
    later = "2029-01-01T00:00:00.000Z"
    monkeypatch.setattr("consilium.laboratory.laboratory.now", lambda: later)
    with laboratory.looking("tang") as look:
        ((specimen, answer),) = due_for_disposal(look)
        assert specimen.label == label and "no consent speaks of storage" in answer.reason
    with pytest.raises(NotAllowed), laboratory.changing("ren") as change:
        dispose(change, labelled(change.session, label), reason="time is over")  # type: ignore[arg-type]
    with laboratory.changing("dai") as change:
        dispose(change, labelled(change.session, label), reason="time is over", seen=1)  # type: ignore[arg-type]
        assert place_of(change.session, label) is None
        assert due_for_disposal(change) == ()
    with pytest.raises(InputError, match="before"), laboratory.changing("dai") as change:
        dispose(change, labelled(change.session, label), reason="again")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("purposes", "given_", "until", "told"),
    [
        ([], "2026-01-01", "", "for something"),
        (["storage"], "", "", "some day"),
        (["world domination"], "2026-01-01", "", "a purpose is none"),
        (["storage"], "2026-01-01", "2025-01-01", "before it begins"),
        (["storage"], "soon", "", "no day"),
    ],
)
def test_what_is_no_consent_is_refused(
    small: Laboratory, purposes: list[str], given_: str, until: str, told: str
) -> None:
    _, _, patient = received(small)
    with pytest.raises(InputError, match=told), small.changing("tang") as change:
        record_consent(change, patient_called(change.session, patient), purposes, given=given_, until=until)
    with small.reading() as session:
        assert session.scalar(select(ConsentRow.id)) is None
