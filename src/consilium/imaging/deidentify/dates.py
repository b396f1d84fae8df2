"""Dates that are moved, and ages of which the rarest are made one."""

from __future__ import annotations

import re
from datetime import date, timedelta

OLDEST = 89
"""Years; whoever is older is counted as one year more (45 CFR 164.514(b)(2)(i)(C))."""

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_DATE_TIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:[+-]\d{4})?")
_TIME = re.compile(r"\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?")
_AGE = re.compile(r"(\d{3})([DWMY])")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def moved_date(value: str, days: int) -> str:
    """A DA value, `days` earlier; "" for what is no date (PS3.5, table 6.2-1)."""
    match = _DATE.fullmatch(value.strip())
    if match is None:
        return ""
    try:
        moved = date(*(int(part) for part in match.groups())) - timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"


def moved_date_time(value: str, days: int) -> str:
    """A DT value, `days` earlier, without its time zone, which tells the place; "" where it has no day."""
    match = _DATE_TIME.fullmatch(value.strip())
    if match is None:
        return ""
    moved = moved_date(match.group(1), days)
    return moved and moved + (match.group(2) or "")


def plain_time(value: str) -> str:
    """A TM value as it is; "" for what is no time."""
    return value.strip() if _TIME.fullmatch(value.strip()) else ""


def capped_age(value: str) -> str:
    """An AS value, with every age over `OLDEST` years as one year more; "" for what is no age."""
    match = _AGE.fullmatch(value.strip())
    if match is None:
        return ""
    years = int(match.group(1)) * _YEARS[match.group(2)]
    return f"{OLDEST + 1:03d}Y" if years >= OLDEST + 1 else value.strip()
