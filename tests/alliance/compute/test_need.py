"""What hospitals needed: as if nobody had waited, by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.compute.need import by_hour, need_of
from consilium.errors import InputError
from tests.alliance.compute.histories import job

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def second(days: float = 0.0, hours: float = 0.0, minutes: float = 0.0) -> float:
    return (MONDAY + timedelta(days=days, hours=hours, minutes=minutes)).timestamp()


def brute(spans: list[tuple[float, float, float]], edges: list[float]) -> tuple[list[float], list[float]]:
    """Peak and mean, moment by moment, where all times are whole."""
    peaks, means = [], []
    for first, last in pairwise(edges):
        level = [sum(c for a, b, c in spans if a <= moment < b) for moment in range(int(first), int(last))]
        peaks.append(max(level))
        means.append(sum(level) / len(level))
    return peaks, means


@given(
    st.lists(st.tuples(st.integers(-5, 40), st.integers(0, 30), st.integers(1, 9)), max_size=12),
    st.sets(st.integers(0, 40), min_size=2, max_size=6),
)
def test_against_counting_moment_by_moment(told: list[tuple[int, int, int]], edges: set[int]) -> None:
    spans = [(float(a), float(a + length), float(cores)) for a, length, cores in told]
    marks = [float(one) for one in sorted(edges)]
    peaks, means = brute(spans, marks)
    assert by_hour(spans, np.array(marks), "peak").tolist() == peaks
    assert by_hour(spans, np.array(marks), "mean").tolist() == pytest.approx(means)


def test_who_waited_needed_it_when_he_asked() -> None:
    asked, waited = second(9, 8), second(9, 20)
    jobs = [job(1, submitted=second(0), ended=second(0) + 1, started=second(0))]
    jobs += [job(2, cores=4, submitted=asked, started=waited, ended=waited + 1800)]
    need = need_of(jobs, zone=UTC, now=second(21))
    assert need.weeks == (date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16))
    second_week = need.cores[0, 1]
    assert second_week[2 * 24 + 8] == 4 and second_week.sum() == 4
    mean = need_of(jobs, zone=UTC, now=second(21), measure="mean")
    assert mean.cores[0, 1, 2 * 24 + 8] == pytest.approx(2)


def test_what_waits_is_held_to_take_as_long_as_its_like() -> None:
    jobs = [job(n, submitted=second(0), started=second(0), ended=second(0) + 7200) for n in range(3)]
    jobs.append(job(9, state="waiting", submitted=second(7, 10), started=None, ended=None, cores=2))
    need = need_of(jobs, zone=UTC, now=second(15))
    assert need.cores[0, 1].nonzero()[0].tolist() == [10, 11]
    jobs.append(job(10, state="running", submitted=second(8), started=second(8), ended=None))
    assert need_of(jobs, zone=UTC, now=second(15)).cores[0, 1, 24:].min() == 1


def test_only_some_jobs_count() -> None:
    jobs = [
        job(1, submitted=second(0), started=second(0), ended=second(0, 1), urgency="clinical"),
        job(2, submitted=second(0), started=second(0), ended=second(0, 1), urgency="idle", cores=7),
        job(3, state="cancelled", submitted=second(0), started=None, ended=second(0, 1), cores=5),
    ]
    assert need_of(jobs, zone=UTC, now=second(7)).cores[0, 0, 0] == 1
    assert need_of(jobs, zone=UTC, now=second(7), urgencies=("idle",)).cores[0, 0, 0] == 7


def test_whole_weeks_only_and_a_hospital_from_its_first_on() -> None:
    jobs = [job(1, submitted=second(2), started=second(2), ended=second(2, 1))]
    with pytest.raises(InputError, match="whole week"):
        need_of(jobs, zone=UTC, now=second(13))
    jobs += [job(2, hospital="late", submitted=second(15), started=second(15), ended=second(15, 1))]
    need = need_of(jobs, zone=UTC, now=second(30))
    assert need.hospitals == ("hospital_a", "late")
    assert len(need.weeks) == 3
    assert np.isnan(need.cores[1]).all(1).tolist() == [True, True, False]
    assert not np.isnan(need.cores[0]).any()
    with pytest.raises(InputError, match="no jobs"):
        need_of([], zone=UTC, now=second(30))


def test_the_hour_that_spring_skips_is_unknown_and_the_one_autumn_repeats_is_its_larger() -> None:
    for first, skipped in (
        (datetime(2026, 3, 23, tzinfo=BERLIN), True),
        (datetime(2026, 10, 19, tzinfo=BERLIN), False),
    ):
        start = first.timestamp()
        day = 144 * 3600  # Sunday, midnight
        jobs = [job(1, submitted=start, started=start, ended=start + 60)]
        # At eight in the evening of the Sunday, whatever the clock did in the night.
        at = datetime(first.year, first.month, first.day + 6, 20, tzinfo=BERLIN).timestamp()
        jobs += [job(2, submitted=at, started=at, ended=at + 60, cores=3)]
        jobs += [job(3, submitted=start + day + 3 * 3600, started=0.0, ended=60.0, cores=2)]
        need = need_of(jobs, zone=BERLIN, now=start + 15 * 86400)
        sunday = need.cores[0, 0, 144:]
        assert sunday[20] == 3
        assert bool(np.isnan(sunday[2])) is skipped
        assert sunday[4 if skipped else 2] == 2
