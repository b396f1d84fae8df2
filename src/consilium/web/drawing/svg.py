"""Elements of a drawing, escaped; and the figure that a page shows: the drawing, and the same values as a table."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDE = 900
"""Pixels, from which on a drawing takes the whole page on a large screen."""

SERIES = 8
"""Colours in `figures.css`; further series begin anew."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What a page shows.

    Attributes:
        svg: the drawing.
        columns, rows: the same values.
    """

    svg: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def element(name: str, *inside: str | Markup, **attributes: object) -> Markup:
    """An element. `class_` is its class; underscores in names of attributes are hyphens; numbers get two digits."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"' for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), Markup(told), Markup("").join(inside))


def text(x: float, y: float, said: str, *, class_: str = "", anchor: str = "start") -> Markup:
    """A line of text; y is its base line."""
    return element("text", escape(said), x=x, y=y, class_=class_, text_anchor=anchor)


def drawing(key: str, width: float, height: float, title: str, description: str, parts: Sequence[Markup]) -> Markup:
    """A whole drawing that says what it is.

    Args:
        key: no other drawing of the page has it.
        width: in pixels at its usual size.
        height: the same.
        title: told to whoever does not see it.
        description: the same, longer.
        parts: elements.
    """
    head = (element("title", escape(title), id=f"{key}-title"), element("desc", escape(description), id=f"{key}-desc"))
    return element(
        "svg", *head, *parts, class_="drawing wide" if width > _WIDE else "drawing",
        viewBox=f"0 0 {width:g} {height:g}", width=width, height=height,
        role="img", aria_labelledby=f"{key}-title {key}-desc",
    )  # fmt: skip


def width_of(said: str, size: float = 13.0) -> float:
    """About how wide a line of text is, in pixels: Chinese letters are as wide as high."""
    return sum(size if unicodedata.east_asian_width(letter) in "WF" else 0.56 * size for letter in said)


def ticks(low: float, high: float, *, most: int = 5) -> list[float]:
    """Round numbers between two numbers.

    Examples:
        >>> ticks(0, 1)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        >>> ticks(0, 7)
        [0.0, 2.0, 4.0, 6.0]
    """
    span = max(high - low, 1e-9)
    raw = span / most
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(place * step, 10) + 0.0 for place in range(first, last + 1)]


def number(value: float) -> str:
    """A number for people: thousands apart, no digits that say nothing."""
    if value == round(value) and abs(value) < 1e15:
        return f"{round(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
