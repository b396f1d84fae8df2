"""When a report is due, held against NumPy's business days."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.cytogenetics.guidelines import load
from consilium.errors import InputError
from consilium.laboratory.due_date import URGENCIES, WorkingDays, due
from consilium.laboratory.worklist import days_left

DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
FREE = st.frozensets(st.dates(date(2026, 1, 1), date(2026, 3, 1)), max_size=25)


@given(day=st.dates(date(2025, 12, 1), date(2026, 4, 1)), number=st.integers(0, 60), free=FREE)
def test_working_days_are_those_of_numpy(day: date, number: int, free: frozenset[date]) -> None:
    days = WorkingDays(holidays=free)
    holidays = np.array(sorted(free), dtype="datetime64[D]")
    expected = np.busday_offset(np.datetime64(day), number, roll="backward", holidays=holidays).astype(date)
    if number:
        assert days.after(day, number) == expected
    assert days.on_or_before(day) == np.busday_offset(np.datetime64(day), 0, roll="backward", holidays=holidays)
    last = day + timedelta(days=number)
    following = np.busday_count(day + timedelta(days=1), last + timedelta(days=1), holidays=holidays)
    assert days.between(day, last) == following
    assert days.between(last, day) == -following


@given(received=DAYS, specimen=st.sampled_from(sorted(load().specimens)), urgency=st.sampled_from(URGENCIES))
def test_a_due_day_is_worked_and_within_the_time(received: date, specimen: str, urgency: str) -> None:
    days = WorkingDays()
    when = due(received, specimen, urgency, days)  # type: ignore[arg-type]
    asked = load().specimens[specimen]
    figure = (asked.urgent_turnaround_days if urgency == "urgent" else None) or asked.turnaround_days
    if figure is None:
        assert when.day is None and "no turnaround" in when.reason
        return
    assert when.day is not None and days.worked(when.day) and when.day > received
    assert figure.source.title in when.reason and str(figure.figure) in when.reason
    if figure.unit == "days":
        assert when.day <= received + timedelta(days=figure.figure)
    else:
        assert days.between(received, when.day) == figure.figure


def test_the_rules_one_by_one() -> None:
    plain = WorkingDays()
    # 28 days after Monday 2 March 2026 is a Monday.
    assert due(date(2026, 3, 2), "constitutional_blood", "routine", plain).day == date(2026, 3, 30)
    # 10 days after a Wednesday is a Saturday; the report is due the Friday before.
    urgent = due(date(2026, 3, 4), "constitutional_blood", "urgent", plain)
    assert urgent.day == date(2026, 3, 13) and "day without work" in urgent.reason
    # Marrow: 21 working days. An urgent one has a time of its own.
    assert due(date(2026, 3, 2), "bone_marrow", "routine", plain).day == date(2026, 3, 31)
    # No time is given for urgent amniotic fluid: said, and the routine time is kept.
    amniotic = due(date(2026, 3, 2), "amniotic_flask", "urgent", plain)
    assert amniotic.day == date(2026, 3, 16) and "no time is given for urgent" in amniotic.reason
    # A weekend that is worked, and a holiday that is not.
    moved = WorkingDays(extra=frozenset({date(2026, 3, 14)}), holidays=frozenset({date(2026, 3, 13)}))
    assert due(date(2026, 3, 4), "constitutional_blood", "urgent", moved).day == date(2026, 3, 14)


def test_what_is_late_is_late_over_a_weekend_too() -> None:
    friday, days = date(2026, 3, 13), WorkingDays()
    assert days_left(friday, friday, days) == 0
    assert days_left(friday, friday + timedelta(days=1), days) == -1
    assert days_left(friday, friday + timedelta(days=4), days) == -2
    assert days_left(friday + timedelta(days=3), friday, days) == 1


def test_a_calendar_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="weekend"):
        WorkingDays(weekend=frozenset(range(7)))
    with pytest.raises(InputError, match="holiday"):
        WorkingDays(holidays=frozenset({date(2026, 1, 1)}), extra=frozenset({date(2026, 1, 1)}))
    rest = WorkingDays(holidays=frozenset(date(2026, 1, 1) + timedelta(days=one) for one in range(99)))
    with pytest.raises(InputError, match="holidays"):
        rest.after(date(2026, 1, 1), 1)
    with pytest.raises(InputError, match="no specimen"):
        due(date(2026, 1, 1), "moon dust", "routine", WorkingDays())
