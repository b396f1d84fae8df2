"""What a laboratory has settled for itself: its zone, its numbers, its working days, how long it keeps what."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from consilium.errors import InputError
from consilium.laboratory.accession import Series
from consilium.laboratory.due_date import WorkingDays
from consilium.laboratory.review.release import ReleaseRules

_LONGEST_NAME = 200


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Settings of a laboratory, the same for all who open its records.

    Attributes:
        name: as it heads reports.
        zone: IANA name, for days and for times that people read; records are in UTC.
        specimens, cases: series of numbers.
        days: which are worked.
        second_reader: whether somebody else than the analyst has to review.
        keep_days: how long a specimen is kept after its case was reported.
        release: what has to be done before a report is signed.
    """

    name: str
    zone: str = "UTC"
    specimens: Series = field(default_factory=lambda: Series(prefix="S"))
    cases: Series = field(default_factory=lambda: Series(prefix="K"))
    days: WorkingDays = field(default_factory=WorkingDays)
    second_reader: bool = True
    keep_days: int = 365
    release: ReleaseRules = field(default_factory=ReleaseRules)

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > _LONGEST_NAME or not self.name.isprintable():
            raise InputError("a laboratory needs a name of at most 200 letters")
        if self.specimens.prefix == self.cases.prefix:
            raise InputError("specimens and cases need different prefixes", way_out="As in S and K.")
        if not isinstance(self.second_reader, bool):
            raise InputError("second_reader is true or false")
        if type(self.keep_days) is not int or not 0 <= self.keep_days <= 40_000:
            raise InputError(f"specimens cannot be kept for {self.keep_days} days")
        self._zone()

    def local(self, moment: str) -> datetime:
        """A time of the records (ISO 8601, UTC) as the laboratory's clocks show it."""
        return datetime.fromisoformat(moment).astimezone(self._zone())

    def day(self, moment: str) -> date:
        """The day of a time of the records, in the laboratory."""
        return self.local(moment).date()

    def moment(self, text: str) -> str:
        """A time that a person gave, as it stands in records.

        Args:
            text: ISO 8601; without an offset it is the laboratory's time, without a time it is the day's beginning.

        Raises:
            InputError: it is no time, or one that the clocks of the zone left out or showed twice.
        """
        try:
            given = datetime.fromisoformat(text.strip())
        except ValueError as problem:
            raise InputError("this is no time", way_out="As in 2026-03-01 or 2026-03-01T14:30.") from problem
        if given.tzinfo is None:
            given = given.replace(tzinfo=self._zone())
            back = given.astimezone(UTC).astimezone(self._zone())
            if back.replace(tzinfo=None) != given.replace(tzinfo=None):
                raise InputError("the clocks left this time out", way_out="Give it with its offset, as +01:00.")
            if given.utcoffset() != given.replace(fold=1).utcoffset():
                raise InputError("the clocks showed this time twice", way_out="Give it with its offset, as +01:00.")
        try:
            return given.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        except OverflowError as problem:
            raise InputError("this is no time", way_out="As in 2026-03-01T14:30.") from problem

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.zone)
        except (OSError, ValueError, LookupError) as problem:
            raise InputError(f"{self.zone!r} is no time zone", way_out="As in Asia/Shanghai or UTC.") from problem


def days_to_keep(text: str) -> int:
    """A number of days, as it was typed.

    Raises:
        InputError: it is none.
    """
    if not text.strip().isascii() or not text.strip().isdigit() or len(text.strip()) > 6:
        raise InputError("days are a whole number", way_out="As in 365.")
    return int(text)


def to_json(profile: Profile) -> str:
    """A profile as it stands in the records."""
    document = {
        "name": profile.name,
        "zone": profile.zone,
        "specimens": vars(profile.specimens),
        "cases": vars(profile.cases),
        "weekend": sorted(profile.days.weekend),
        "holidays": sorted(map(str, profile.days.holidays)),
        "extra_workdays": sorted(map(str, profile.days.extra)),
        "second_reader": profile.second_reader,
        "keep_days": profile.keep_days,
        "release": vars(profile.release) | {"withhold_sex_of": sorted(profile.release.withhold_sex_of)},
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


@lru_cache(maxsize=8)
def from_json(text: str) -> Profile:
    """A profile from the records, or from a file that a person wrote.

    Raises:
        InputError: it is none; the message says which entry.
    """
    try:
        document: dict[str, Any] = json.loads(text)
        if not isinstance(document, dict):
            raise TypeError("not an object")
        known = {"name", "zone", "specimens", "cases", "second_reader", "keep_days", "release"}
        calendar = {"weekend", "holidays", "extra_workdays"}
        if unknown := sorted(set(document) - known - calendar):
            raise InputError(
                f"a laboratory has no {unknown[0]!r}", way_out=f"It has {', '.join(sorted(known | calendar))}."
            )
        plain = {key: document[key] for key in ("name", "zone", "second_reader", "keep_days") if key in document}
        series: dict[str, Any] = {key: Series(**document[key]) for key in ("specimens", "cases") if key in document}
        days = WorkingDays(
            weekend=frozenset(document.get("weekend", (5, 6))),
            holidays=frozenset(map(date.fromisoformat, document.get("holidays", ()))),
            extra=frozenset(map(date.fromisoformat, document.get("extra_workdays", ()))),
        )
        return Profile(**plain, **series, days=days, release=_release(document.get("release", {})))
    except (ValueError, TypeError, AttributeError) as problem:
        raise InputError(f"this is no profile of a laboratory ({problem})") from problem


def _release(told: Any) -> ReleaseRules:
    """What stands in a profile of an earlier version has no such entries: those are the strict ones."""
    entries = dict(told)
    return ReleaseRules(**entries | {"withhold_sex_of": frozenset(entries.get("withhold_sex_of", ()))})
