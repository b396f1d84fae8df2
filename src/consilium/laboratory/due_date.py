"""When a report is due: the turnaround that the guideline gives, counted in the laboratory's own working days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from consilium.cytogenetics.guidelines import Guidelines, load
from consilium.errors import InputError

Urgency = Literal["routine", "urgent"]
URGENCIES: tuple[Urgency, ...] = get_args(Urgency)

_LONGEST_REST = 60
"""Days in a row without work after which a calendar is taken for damaged."""


@dataclass(frozen=True, kw_only=True)
class WorkingDays:
    """Which days are worked.

    Attributes:
        weekend: days of the week without work, Monday is 0.
        holidays: other days without work.
        extra: days that are worked although they fall on a weekend, as China moves them around long holidays.
    """

    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.weekend < frozenset(range(7)):
            raise InputError("a weekend is of days from 0 (Monday) to 6, and one day at least is worked")
        if both := self.holidays & self.extra:
            raise InputError(f"{min(both)} is said to be worked and to be a holiday", way_out="Leave one out.")

    def worked(self, day: date) -> bool:
        """Whether there is work on a day."""
        return day in self.extra or (day.weekday() not in self.weekend and day not in self.holidays)

    def after(self, day: date, number: int) -> date:
        """The working day that is so many working days after a day; the day itself is not counted."""
        while number > 0:
            day = self._next(day, 1)
            number -= 1
        return day

    def on_or_before(self, day: date) -> date:
        """The day, if it is worked, or else the last working day before it."""
        return day if self.worked(day) else self._next(day, -1)

    def between(self, first: date, last: date) -> int:
        """Working days after `first` up to `last`; negative where `last` comes first."""
        if last < first:
            return -self.between(last, first)
        return sum(self.worked(first + timedelta(days=one)) for one in range(1, (last - first).days + 1))

    def _next(self, day: date, by: int) -> date:
        for _ in range(_LONGEST_REST):
            day += timedelta(days=by)
            if self.worked(day):
                return day
        raise InputError(
            f"no working day within {_LONGEST_REST} days of {day}", way_out="Look at the laboratory's holidays."
        )


@dataclass(frozen=True, kw_only=True)
class Due:
    """When a report is due and why; no day where the guideline gives no figure."""

    day: date | None
    reason: str


def due(
    received: date,
    specimen: str,
    urgency: Urgency,
    days: WorkingDays,
    guidelines: Guidelines | None = None,
) -> Due:
    """When the report of a case is due.

    Calendar days that end on a day without work end on the working day before it: the figure is a time at most.

    Args:
        received: day on which the specimen came, in the laboratory's zone.
        specimen: a key of the guidelines.
        urgency: how urgent the case is.
        days: which are worked.
        guidelines: whose figures; those of the package when left out.

    Raises:
        InputError: the guidelines know no such specimen.
    """
    known = (guidelines or load()).specimens
    if specimen not in known:
        raise InputError(f"{specimen!r} is no specimen of these guidelines", way_out=f"Known are {', '.join(known)}.")
    asked, figure, note = known[specimen], None, ""
    if urgency == "urgent":
        figure = asked.urgent_turnaround_days
        note = "" if figure else "; no time is given for urgent ones, so it is the routine time at most"
    figure = figure or asked.turnaround_days
    if figure is None:
        return Due(day=None, reason=f"{asked.name}: the guidelines give no turnaround")
    if figure.unit == "working days":
        day, moved = days.after(received, figure.figure), ""
    else:
        end = received + timedelta(days=figure.figure)
        day = days.on_or_before(end)
        if day <= received:
            # A short time over a long holiday: the first day on which anybody can report.
            day = days.after(received, 1)
        moved = "" if day == end else f", which end on {end}, a day without work"
    return Due(
        day=day,
        reason=f"{asked.name}, {urgency}: {figure.figure} {figure.unit} after {received}{moved} "
        f"({figure.source.title}){note}",
    )
