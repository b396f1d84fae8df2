"""A week hour by hour as fields that are darker where there is more: planned above, used below, by hospital."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from consilium.web.drawing.svg import Figure, drawing, element, number, text, width_of

STEPS = 8
"""Shades in `figures.css`; shade 0 is nothing."""

HOURS = 168
_FIELD = 6.0
_BAND = 20.0


def week(
    key: str, hospitals: Mapping[str, Sequence[Sequence[float]]], bands: Sequence[str], *, title: str,
    days: Sequence[str], unit: str, what: tuple[str, str],
) -> Figure:  # fmt: skip
    """Draw a week.

    Args:
        key: no other drawing of the page has it.
        hospitals: by name, 168 amounts for each of the bands, from Monday midnight.
        bands: what they are, e.g. planned and used.
        title: what is drawn.
        days: seven names, from Monday.
        unit: of the amounts.
        what: heads of the table's first two columns: hospital, band.
    """
    left = max(
        max((width_of(one) for one in hospitals), default=0.0),
        max((width_of(one) for one in bands), default=0.0) + 16,
    ) + 16  # fmt: skip
    most = max((max(band, default=0.0) for one in hospitals.values() for band in one), default=0.0)
    block = 22 + _BAND * len(bands) + 10
    top = 22.0
    parts: list[Markup] = []
    for day, name in enumerate(days):
        parts.append(text(left + _FIELD * (24 * day + 12), 14, name, class_="soft", anchor="middle"))
    for place, (hospital, told) in enumerate(hospitals.items()):
        y = top + block * place
        parts.append(text(0, y + 15, hospital, class_="strong"))
        for band, (name, amounts) in enumerate(zip(bands, told, strict=True)):
            at = y + 22 + _BAND * band
            parts.append(text(left - 8, at + 14, name, class_="soft", anchor="end"))
            parts += _band(amounts, left, at, most, unit, days)
        for day in range(8):
            x = left + _FIELD * 24 * day
            parts.append(element("line", x1=x, x2=x, y1=y + 20, y2=y + 22 + _BAND * len(bands), class_="day"))
    bottom = top + block * len(hospitals)
    parts += _scale(left, bottom + 4, most, unit)
    rows = tuple(
        (hospital, name, *(number(sum(amounts[24 * day : 24 * day + 24]) / 24) for day in range(7)))
        for hospital, told in hospitals.items()
        for name, amounts in zip(bands, told, strict=True)
    )
    said = "; ".join(
        f"{hospital}, {name}: {number(sum(amounts) / HOURS)} {unit}"
        for hospital, told in hospitals.items()
        for name, amounts in zip(bands, told, strict=True)
    )
    svg = drawing(key, left + _FIELD * HOURS + 8, bottom + 34, title, said, parts)
    return Figure(svg=svg, columns=(*what, *days), rows=rows)


def shade(amount: float, most: float) -> int:
    """Which shade an amount has: 0 for nothing, then evenly up to the most there is."""
    if amount <= 0 or most <= 0:
        return 0
    return min(1 + int((STEPS - 1) * amount / most * (1 - 1e-9)), STEPS - 1)


def _band(amounts: Sequence[float], left: float, y: float, most: float, unit: str, days: Sequence[str]) -> list[Markup]:
    """Fields of equal shade beside each other are one, which keeps a page of ten hospitals small."""
    drawn: list[Markup] = []
    begin = 0
    for hour in range(1, HOURS + 1):
        if hour < HOURS and amounts[hour] == amounts[begin] and hour % 24:
            continue
        span = f"{days[begin // 24]} {begin % 24:02d}-{(hour - 1) % 24 + 1:02d}"
        drawn.append(
            element(
                "rect", element("title", f"{span}: {number(amounts[begin])} {unit}"), x=left + _FIELD * begin, y=y,
                width=_FIELD * (hour - begin), height=_BAND - 3, class_=f"shade-{shade(amounts[begin], most)}",
            )
        )  # fmt: skip
        begin = hour
    return drawn


def _scale(left: float, y: float, most: float, unit: str) -> list[Markup]:
    drawn = [text(left - 8, y + 12, f"0 {unit}", class_="soft", anchor="end")]
    for step in range(STEPS):
        drawn.append(element("rect", x=left + 26 * step, y=y, width=26, height=14, class_=f"shade-{step}"))
    drawn.append(text(left + 26 * STEPS + 8, y + 12, f"{number(most)} {unit}", class_="soft"))
    return drawn
