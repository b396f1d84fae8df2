"""Measured values with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from consilium.web.drawing.svg import Figure, drawing, element, number, text, ticks, width_of

_ROW = 26.0
_PLOT = 420.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A value with its interval.

    Attributes:
        name: what was measured.
        value, low, high: and its interval of 95 %.
        beside: what is told beside it, e.g. on how many cases.
    """

    name: str
    value: float
    low: float
    high: float
    beside: str = ""


def intervals(
    key: str, measured: Sequence[Measured], *, title: str, columns: tuple[str, str, str, str], least: float = 0.0,
    most: float = 1.0,
) -> Figure:  # fmt: skip
    """Draw values with their intervals.

    Args:
        key: no other drawing of the page has it.
        measured: one a row.
        title: what they are.
        columns: heads of the table: what, value, interval, beside.
        least: the axis reaches down to here at least.
        most: and up to here.
    """
    left = max((width_of(one.name) for one in measured), default=0.0) + 16
    right = max((width_of(_told(one)) for one in measured), default=0.0) + 20
    low = min([least, *(one.low for one in measured)])
    high = max([most, *(one.high for one in measured)])
    height = 14 + _ROW * len(measured) + 26

    def x(value: float) -> float:
        return left + _PLOT * (value - low) / (high - low)

    parts: list[Markup] = []
    bottom = 14 + _ROW * len(measured)
    for mark in ticks(low, high):
        parts.append(element("line", x1=x(mark), x2=x(mark), y1=6, y2=bottom, class_="grid"))
        parts.append(text(x(mark), bottom + 18, number(mark), class_="soft", anchor="middle"))
    for place, one in enumerate(measured):
        y = 14 + _ROW * (place + 0.5)
        parts.append(text(left - 10, y + 4.5, one.name, anchor="end"))
        parts.append(element("line", x1=x(one.low), x2=x(one.high), y1=y, y2=y, class_="interval"))
        for end in (one.low, one.high):
            parts.append(element("line", x1=x(end), x2=x(end), y1=y - 5, y2=y + 5, class_="interval"))
        parts.append(element("circle", cx=x(one.value), cy=y, r=5, class_="value"))
        parts.append(text(left + _PLOT + 12, y + 4.5, _told(one), class_="soft"))
    told = "; ".join(f"{one.name} {_told(one)}" for one in measured)
    return Figure(
        svg=drawing(key, left + _PLOT + right, height, title, told, parts),
        columns=columns,
        rows=tuple(
            (one.name, f"{one.value:.3f}", f"{one.low:.3f} - {one.high:.3f}", one.beside) for one in measured
        ),
    )  # fmt: skip


def _told(one: Measured) -> str:
    return f"{one.value:.3f} ({one.low:.3f} - {one.high:.3f})" + (f", {one.beside}" if one.beside else "")
