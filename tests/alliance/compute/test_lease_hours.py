"""Leases hold by the clock on the wall."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.lease_hours import (
    held_at,
    hour_of_week,
    hours_in_words,
    hours_of,
    leases_at,
)
from consilium.errors import InputError

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
DAY = Lease(hospital="a", cores=8, hours=hours_of("Mon-Fri 08-18"))
NIGHT = Lease(hospital="a", cores=2, hours=hours_of("Mon-Fri 00-08+18-24, Sat-Sun 00-24"))
OTHER = Lease(hospital="b", cores=4, gpus=1, hours=hours_of("Mon 08-09"))


def test_an_hour_is_that_of_the_zone() -> None:
    moment = datetime(2026, 11, 30, 0, 30, tzinfo=UTC)  # a Monday
    assert hour_of_week(moment, UTC) == 0
    assert hour_of_week(moment, SHANGHAI) == 8
    assert hour_of_week(datetime(2026, 11, 29, 23, 59, tzinfo=UTC), UTC) == 167
    assert hour_of_week(moment, ZoneInfo("Asia/Kolkata")) == 6
    with pytest.raises(InputError, match="time zone"):
        hour_of_week(datetime(2026, 11, 30), UTC)


def test_what_holds_at_a_moment() -> None:
    moment = datetime(2026, 11, 30, 8, 15, tzinfo=SHANGHAI)
    assert leases_at([NIGHT, DAY, OTHER], moment, SHANGHAI) == (DAY, OTHER)
    assert [(one.hospital, one.cores, one.gpus) for one in held_at([NIGHT, DAY, OTHER], moment, SHANGHAI)] == [
        ("a", 8, 0),
        ("b", 4, 1),
    ]
    later = moment + timedelta(hours=1)
    assert [(one.hospital, one.cores) for one in held_at([NIGHT, DAY, OTHER], later, SHANGHAI)] == [("a", 8)]
    twice = held_at([DAY, Lease(hospital="a", cores=3)], moment, SHANGHAI)
    assert [one.cores for one in twice] == [11]


def test_summer_time_moves_leases_with_the_clock() -> None:
    # On 29 March 2026 the clock in Berlin goes from two to three; on 25 October it shows two twice.
    early = Lease(hospital="a", cores=8, hours=hours_of("Sun 02-03"))
    spring = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    hours = [spring.astimezone(UTC) + timedelta(hours=one) for one in range(48)]
    assert not [one for one in hours if leases_at([early], one, BERLIN)]
    autumn = datetime(2026, 10, 24, 12, tzinfo=BERLIN)
    hours = [autumn.astimezone(UTC) + timedelta(hours=one) for one in range(48)]
    assert len([one for one in hours if leases_at([early], one, BERLIN)]) == 2
    # Eight o'clock is eight o'clock on both sides of the change: 7 and 6 hours UTC.
    for day, hour in ((27, 7), (30, 6)):
        begins = datetime(2026, 3, day, hour, tzinfo=UTC)
        assert leases_at([DAY], begins, BERLIN) and not leases_at([DAY], begins - timedelta(seconds=1), BERLIN)


@given(st.sets(st.integers(0, 167), min_size=1))
def test_hours_in_words_and_back(hours: set[int]) -> None:
    told = tuple(sorted(hours))
    assert hours_of(hours_in_words(told)) == told


def test_hours_as_people_write_them() -> None:
    assert hours_in_words(tuple(range(168))) == "always"
    assert hours_in_words(DAY.hours) == "Mon-Fri 08-18"
    assert hours_of(" mon-Fri 8-18,sat 09-12+14-16") == hours_of("Mon-Fri 08-18, Sat 09-12+14-16")
    for bad in ("", "Mon", "Mon 8", "Fri-Mon 08-09", "Mon 18-08", "Mon 08-25", "Mo 08-09", "08-09", "Mon 08-09,"):
        with pytest.raises(InputError, match="names no hours"):
            hours_of(bad)


@given(st.text(max_size=30))
def test_any_text_is_hours_or_an_error(text: str) -> None:
    with contextlib.suppress(InputError):
        assert all(0 <= one < 168 for one in hours_of(text))
