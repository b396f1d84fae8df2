from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.imaging.deidentify.dates import capped_age, moved_date, moved_date_time, plain_time


@given(days=st.integers(1, 3650), first=st.dates(date(1920, 1, 1)), gap=st.integers(0, 2000))
def test_intervals_stay(days: int, first: date, gap: int) -> None:
    second = min(first + timedelta(days=gap), date(9999, 12, 30)) if first < date(9990, 1, 1) else first
    moved = [date.fromisoformat(moved_date(one.isoformat().replace("-", ""), days)) for one in (first, second)]
    assert moved[1] - moved[0] == second - first
    assert first - moved[0] == timedelta(days=days)


@pytest.mark.parametrize("value", ["", "2003", "20031350", "Quixwell", "20030230", "00010101"])
def test_what_is_no_date_is_emptied(value: str) -> None:
    assert moved_date(value, 400) == ""


def test_a_date_time_moves_its_day_and_loses_its_zone() -> None:
    assert moved_date_time("20040101103000.5+0800", 1) == "20031231103000.5"
    assert moved_date_time("200401", 1) == ""
    assert moved_date("2004.01.02", 1) == "20040101"


def test_a_time_is_a_time() -> None:
    assert plain_time("101530.25") == "101530.25"
    assert plain_time("Quixwell") == ""


@pytest.mark.parametrize(
    ("age", "told"),
    [
        ("089Y", "089Y"),
        ("090Y", "090Y"),
        ("104Y", "090Y"),
        ("012M", "012M"),
        ("3 Y", ""),
        ("Old", ""),
        ("999D", "999D"),
    ],
)
def test_the_oldest_are_one(age: str, told: str) -> None:
    assert capped_age(age) == told
