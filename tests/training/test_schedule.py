"""The learning rate over a run: up, down to nothing, and on where it stopped."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from training import schedule as module
from training.schedule import Schedule


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that shows its only entry; for the schedule alone, not for pytest."""
    shown = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: shown[0]))
    return shown


def begun(schedule: Schedule) -> Schedule:
    """The schedule as of now by the clock of the test."""
    schedule.resume(schedule.state())
    return schedule


def run(schedule: Schedule) -> list[float]:
    rates = []
    while not schedule.over:
        rates.append(schedule.advance())
    return rates


def test_the_rate_rises_to_its_height_and_falls_to_nothing() -> None:
    rates = run(Schedule(0.01, 200))
    top = rates.index(max(rates))
    assert len(rates) == 200
    assert rates[0] < 0.001
    assert rates[top] == pytest.approx(0.01, rel=1e-3) and top == pytest.approx(20, abs=1)
    assert rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < rates[-1] < 1e-6


def test_half_way_down_the_rate_is_half() -> None:
    schedule = Schedule(2.0, 100, rise=0.2)
    for _ in range(60):
        rate = schedule.advance()
    assert rate == pytest.approx(1.0, abs=1e-6)


def test_the_rate_is_never_negative_and_stays_defined_at_the_end() -> None:
    schedule = Schedule(0.1, 10)
    run(schedule)
    assert schedule.over and schedule.progress == 1.0
    assert 0 < schedule.advance() < 1e-6
    assert schedule.progress == 1.0


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not() -> None:
    whole, first = Schedule(0.01, 50), Schedule(0.01, 50)
    rates = run(whole)
    earlier = [first.advance() for _ in range(20)]
    second = Schedule(0.01, 50)
    second.resume(first.state())
    assert earlier + run(second) == pytest.approx(rates)


def test_the_clock_ends_a_run_where_minutes_are_given(clock: list[float]) -> None:
    schedule = begun(Schedule(0.01, 1_000_000, minutes=2))
    for _ in range(6):
        clock[0] += 10
        schedule.advance()
    assert schedule.progress == pytest.approx(0.5) and not schedule.over
    clock[0] += 60
    schedule.advance()
    assert schedule.over and schedule.step == 7


def test_the_time_between_two_runs_does_not_count(clock: list[float]) -> None:
    first = begun(Schedule(0.01, 10, minutes=1))
    clock[0] += 30
    first.advance()
    clock[0] += 100_000
    second = Schedule(0.01, 10, minutes=1)
    second.resume(first.state())
    clock[0] += 15
    second.advance()
    assert second.progress == pytest.approx(0.75)
