"""When leases hold: hours of the week by the clock on the wall, summer time included.

A lease says "Monday, eight to nine" and means what the clock of the hospital shows. An hour that the clock skips in
spring holds nothing; the one that it shows twice in autumn holds both times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from itertools import groupby

from consilium.alliance.compute.engine import Lease
from consilium.errors import InputError

HOURS = 168
"""In a week, from Monday midnight."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hour_of_week(moment: datetime, zone: tzinfo) -> int:
    """Which hour of the week the clock shows, 0 (Monday, midnight to one) to 167.

    Raises:
        InputError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise InputError("a moment without a time zone has no hour of the week", way_out="Give it a time zone.")
    local = moment.astimezone(zone)
    return local.weekday() * 24 + local.hour


def leases_at(leases: Iterable[Lease], moment: datetime, zone: tzinfo) -> tuple[Lease, ...]:
    """Those that hold at a moment. Several of one hospital add up."""
    hour = hour_of_week(moment, zone)
    return tuple(one for one in leases if hour in one.hours)


def held_at(leases: Iterable[Lease], moment: datetime, zone: tzinfo) -> tuple[Lease, ...]:
    """What hospitals have by their leases at a moment, several of one added up, hospitals in order of name.

    A hospital that has none in this hour is not among them: then it is sure of what it brings in (`agreement.py`).
    """
    now = sorted(leases_at(leases, moment, zone), key=lambda one: one.hospital)
    hour = hour_of_week(moment, zone)
    found = []
    for hospital, group in groupby(now, key=lambda one: one.hospital):
        mine = list(group)
        found.append(
            Lease(
                hospital=hospital, cores=sum(one.cores for one in mine), memory_mb=sum(one.memory_mb for one in mine),
                gpus=sum(one.gpus for one in mine), hours=(hour,),
            )
        )  # fmt: skip
    return tuple(found)


def hours_in_words(hours: Sequence[int]) -> str:
    """Hours of the week for people, e.g. "Mon-Fri 08-18, Sat 09-12"; "always" for all of them."""
    if len(set(hours)) == HOURS:
        return "always"
    days = [_spans([one % 24 for one in sorted(set(hours)) if one // 24 == day]) for day in range(7)]
    told = []
    for spans, group in groupby(range(7), key=lambda day: days[day]):
        if spans:
            first, *_, last = [*group] * 2
            told.append(f"{_DAYS[first]}{'' if first == last else '-' + _DAYS[last]} {spans}")
    return ", ".join(told)


def hours_of(text: str) -> tuple[int, ...]:
    """The hours that `hours_in_words` told: "Mon-Fri 08-18, Sat 09-12+14-16", "always".

    Raises:
        InputError: it is none of these.
    """
    if text.strip().lower() == "always":
        return tuple(range(HOURS))
    found: set[int] = set()
    try:
        for part in text.split(","):
            days, spans = part.split()
            first, _, last = days.partition("-")
            for day in range(_day(first), _day(last or first) + 1):
                for span in spans.split("+"):
                    begin, end = (int(one) for one in span.split("-"))
                    if not 0 <= begin < end <= 24:
                        raise ValueError
                    found |= {day * 24 + hour for hour in range(begin, end)}
    except ValueError:
        found = set()
    if not found:
        raise InputError(
            f"{text!r} names no hours of the week", way_out="Write 'Mon-Fri 08-18, Sat 09-12' or 'always'."
        )
    return tuple(sorted(found))


def _day(name: str) -> int:
    return _DAYS.index(name.strip().capitalize())


def _spans(hours: Sequence[int]) -> str:
    spans: list[list[int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1][1] = hour + 1
        else:
            spans.append([hour, hour + 1])
    return "+".join(f"{first:02d}-{last:02d}" for first, last in spans)
