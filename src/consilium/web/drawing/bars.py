"""Amounts as bars of parts, one below the other; the parts have names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from consilium.web.drawing.svg import SERIES, Figure, drawing, element, number, text, ticks, width_of

_ROW = 28.0
_PLOT = 400.0


def bars(
    key: str, rows: Mapping[str, Sequence[float]], parts: Sequence[str], *, title: str, unit: str, what: str,
    most: float = 0.0, colours: Sequence[str] = (), beside: Sequence[str] = (),
) -> Figure:  # fmt: skip
    """Draw amounts.

    Args:
        key: no other drawing of the page has it.
        rows: by name, the amount of each part, not less than 0.
        parts: what the parts are.
        title: what is drawn.
        unit: of the amounts.
        what: head of the column with the names of the rows.
        most: the axis reaches so far at least.
        colours: classes of the parts in `figures.css`; one after the other where they are left out.
        beside: what is told at the end of each row; the sum where it is left out.
    """
    colours = colours or [f"series-{place % SERIES}" for place in range(len(parts))]
    ends = beside or [_sum(one, unit) for one in rows.values()]
    left = max((width_of(one) for one in rows), default=0.0) + 16
    right = max((width_of(one) for one in ends), default=0.0) + 24
    high = max([most, *(sum(one) for one in rows.values())]) or 1.0
    top = 30.0 if len(parts) > 1 else 8.0
    bottom = top + _ROW * len(rows)

    def x(value: float) -> float:
        return left + _PLOT * value / high

    drawn: list[Markup] = []
    for mark in ticks(0, high):
        drawn.append(element("line", x1=x(mark), x2=x(mark), y1=top, y2=bottom, class_="grid"))
        drawn.append(text(x(mark), bottom + 18, number(mark), class_="soft", anchor="middle"))
    if len(parts) > 1:
        drawn += _legend(parts, left, colours)
    for place, (name, amounts) in enumerate(rows.items()):
        y, at = top + _ROW * place + 4, 0.0
        drawn.append(text(left - 10, y + 15, name, anchor="end"))
        for series, amount in enumerate(amounts):
            if amount > 0:
                drawn.append(
                    element(
                        "rect", element("title", f"{name}, {parts[series]}: {number(amount)} {unit}"), x=x(at), y=y,
                        width=max(x(at + amount) - x(at), 1.0), height=_ROW - 8, class_=colours[series],
                    )
                )  # fmt: skip
            at += amount
        drawn.append(text(x(at) + 8, y + 15, ends[place], class_="soft"))
    told = "; ".join(f"{name} {end}" for name, end in zip(rows, ends, strict=True))
    return Figure(
        svg=drawing(key, left + _PLOT + right, bottom + 26, title, told, drawn),
        columns=(what, *(f"{one} ({unit})" if unit else one for one in parts)),
        rows=tuple((name, *(number(one) for one in amounts)) for name, amounts in rows.items()),
    )


def _sum(amounts: Sequence[float], unit: str) -> str:
    return f"{number(sum(amounts))} {unit}".rstrip()


def _legend(parts: Sequence[str], left: float, colours: Sequence[str]) -> list[Markup]:
    drawn, x = [], left
    for series, name in enumerate(parts):
        drawn.append(element("rect", x=x, y=6, width=12, height=12, class_=colours[series]))
        drawn.append(text(x + 17, 16.5, name))
        x += 17 + width_of(name) + 22
    return drawn
