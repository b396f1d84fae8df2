"""A message of HL7 version 2, taken apart by the package `hl7`, with every value checked on its way out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from typing import Any

from consilium.errors import InputError, MissingExtra
from consilium.laboratory.exchange.hl7v2.text import decoded, unescaped
from consilium.laboratory.profile import Profile

MOST_SEGMENTS = 2000
LONGEST_SEGMENT = 14 * 2**20
"""Letters: a report as PDF is one field."""

MOST_PARTS = 20_000
"""Fields, repetitions, components and subcomponents: the package makes an object of each, some microseconds long."""

_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_TIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\.\d{1,4})?([+-]\d{4})?", re.ASCII)


class Segment:
    """A line of a message.

    Args:
        parts: of the package `hl7`; fields, repetitions, components, subcomponents.
        separators: of the message.
        codec: that it was in.
    """

    def __init__(self, parts: Sequence[Any], separators: str, codec: str) -> None:
        self._parts, self._separators, self._codec = parts, separators, codec
        self.name = str(parts[0][0])

    def repetitions(self, field: int) -> int:
        """How often a field is there; 0 where it is empty."""
        found = self._field(field)
        return 0 if found is None or str(found) == "" else len(found)

    def value(self, field: int, component: int = 1, *, subcomponent: int = 1, repetition: int = 0) -> str:
        """A value without its escape sequences; empty where it is not there, or is the HL7 null.

        Args:
            field: from 1, as the standard counts; so are the next two.
            component: of the field.
            subcomponent: of the component.
            repetition: from 0.

        Raises:
            InputError: an escape sequence in it is none; the message names the field.
        """
        found = self._field(field)
        if found is None or repetition >= len(found):
            return ""
        inner = _part(_part(found[repetition], component), subcomponent)
        try:
            text = unescaped(str(inner), self._separators, self._codec)
        except InputError as problem:
            raise InputError(problem.what, where=f"{self.name}-{field}", way_out=problem.way_out) from problem
        return "" if text == '""' else text.strip()

    def _field(self, field: int) -> Any:
        return self._parts[field] if field < len(self._parts) else None


class Message:
    """A message.

    Args:
        text, codec: as `decoded` gives them.

    Raises:
        InputError: it cannot be taken apart.
        MissingExtra: the package `hl7` is not installed.
    """

    def __init__(self, text: str, codec: str = "utf-8") -> None:
        self.separators = _separators(text)
        lines = text.split("\r")
        if len(lines) > MOST_SEGMENTS or max(map(len, lines)) > LONGEST_SEGMENT:
            raise InputError("the message has too many or too long segments")
        if sum(map(text.count, self.separators.replace(self.separators[3], ""))) > MOST_PARTS:
            raise InputError("the message has too many parts", way_out=f"{MOST_PARTS} at most.")
        for line in lines:
            if not _SEGMENT.fullmatch(line[:3]) or line[3:4] not in ("", self.separators[0]):
                raise InputError("a line of the message is no segment")
        if any(line.startswith("MSH") for line in lines[1:]):
            raise InputError("two messages are in one", way_out="Send each by itself.")
        self.segments = tuple(_parsed(text, self.separators, codec))
        self.header = self.segments[0]

    @property
    def kind(self) -> str:
        """What the message is, e.g. "ORM^O01"."""
        return f"{self.header.value(9)}^{self.header.value(9, 2)}".rstrip("^")

    @property
    def control(self) -> str:
        """Its number, of its sender."""
        return self.header.value(10)

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next((one for one in self.segments if one.name == name), None)


def message_of(data: bytes) -> Message:
    """A message from its bytes.

    Raises:
        InputError: it is none, or none that can be read.
        MissingExtra: the package `hl7` is not installed.
    """
    return Message(*decoded(data))


def moment(text: str, profile: Profile) -> str:
    """A time (data type TS) as a record keeps it; without an offset it is the laboratory's time.

    Args:
        text: YYYYMMDD, with hours and what follows or without; empty stays empty.
        profile: of the laboratory.

    Raises:
        InputError: it is no time, or not exact to the day.
    """
    if not text:
        return ""
    found = _TIME.fullmatch(text)
    if found is None or found[3] is None:
        raise InputError("a time of the message is none, or not exact to the day", way_out="As in 202603011430+0800.")
    numbers = [int(one or 0) for one in found.groups()[:6]]
    try:
        told = datetime(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
        if found[8]:
            minutes = int(found[8][1:3]) * 60 + int(found[8][3:])
            told = told.replace(tzinfo=timezone(timedelta(minutes=minutes if found[8][0] == "+" else -minutes)))
    except ValueError as problem:
        raise InputError("a time of the message is none", way_out="As in 202603011430+0800.") from problem
    return profile.moment(told.isoformat())


def day(text: str) -> str:
    """A day (data type DT, or a time that is exact to the day at least); empty stays empty.

    Raises:
        InputError: it is none.
    """
    if not text:
        return ""
    found = re.match(r"(\d{4})(\d\d)(\d\d)", text, re.ASCII)
    if found is None:
        raise InputError("a day of the message is none, or not exact", way_out="As in 19990909.")
    return f"{found[1]}-{found[2]}-{found[3]}"


def time_of(at: str) -> str:
    """A time of a record (ISO 8601, UTC) as data type TS."""
    return f"{datetime.fromisoformat(at):%Y%m%d%H%M%S}+0000"


def _separators(text: str) -> str:
    """Field, component, repetition, escape, subcomponent (MSH-1, MSH-2)."""
    if len(text) < 8 or not text.startswith("MSH"):
        raise InputError("this is no HL7 message: it does not begin with MSH")
    field, others = text[3], text[4:8]
    if len({field, *others}) != 5 or any(one.isalnum() or one in "\r\n \t" for one in field + others):
        raise InputError("the separators of the message (MSH-1, MSH-2) are none", way_out="They are |^~\\&.")
    if text[8:9] not in ("", field):
        raise InputError("the separators of the message (MSH-2) are not four", way_out="They are ^~\\&.")
    return field + others


def _parsed(text: str, separators: str, codec: str) -> list[Segment]:
    if find_spec("hl7") is None:
        raise MissingExtra("hl7 is needed for HL7 messages", way_out="Install it: pip install 'consilium[exchange]'.")
    import hl7

    try:
        return [Segment(one, separators, codec) for one in hl7.parse(text)]
    except (hl7.HL7Exception, LookupError, ValueError, TypeError, AssertionError, RecursionError) as problem:
        raise InputError("the message cannot be taken apart") from problem


def _part(parts: Any, number: int) -> Any:
    """A part by its number from 1; text has itself as its only part."""
    if isinstance(parts, str):
        return parts if number == 1 else ""
    return parts[number - 1] if number <= len(parts) else ""
