"""What a report is made of, whatever it is printed on: sections of paragraphs, tables, figures and pictures.

HTML and PDF lay out the same parts, so that neither can say what the other does not.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Text:
    """A paragraph.

    Attributes:
        text: plain.
        kind: "body", "note" (small), "mark" (something to mind), or "head" (a small heading).
    """

    text: str
    kind: str = "body"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        columns: headings; none for a list of facts, whose first column then is the heading.
        rows: cells.
        widths: share of the width of each column; 0: as wide as it needs.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing.

    Attributes:
        key: names its file.
        svg: the drawing.
        caption: what is seen, and how to read it.
        width: share of the text width in the PDF, percent.
    """

    key: str
    svg: str
    caption: str
    width: int = 100


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A picture of a case, or the place of one that is not at hand.

    Attributes:
        picture: (h, w) or (h, w, 3) uint8; None where it is not at hand.
        title, lines: beside it.
    """

    picture: NDArray[np.uint8] | None
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Pictures side by side."""

    tiles: tuple[Tile, ...]


Part = Text | Table | Figure | Gallery

_SPACE = "\u00a0"
"""Keeps a number and its sign in one line."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report.

    Attributes:
        key: by which items of checklists point here.
        title: with its number.
        parts: in order.
    """

    key: str
    title: str
    parts: tuple[Part, ...]


def plain(text: str) -> str:
    """Text without control characters, which no page can show and some of which turn text around."""
    return "".join(" " if unicodedata.category(one) in {"Cc", "Cf", "Cs"} else one for one in text)


def shortened(text: str, most: int = 22) -> str:
    """A label for a drawing: the middle of a long one is left out, Chinese letters count double."""
    text = plain(text)
    widths = [2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text]
    if sum(widths) <= most:
        return text
    head, tail, used = "", "", 1
    for number in range(len(text)):
        one = text[number // 2] if number % 2 == 0 else text[-1 - number // 2]
        used += 2 if unicodedata.east_asian_width(one) in "WF" else 1
        if used > most:
            break
        head, tail = (head + one, tail) if number % 2 == 0 else (head, one + tail)
    return f"{head}…{tail}"


def number(value: float | None, digits: int = 3) -> str:
    """A figure; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    written = f"{value:.{digits}f}"
    return written.replace("-", "−") if float(written) else f"{0:.{digits}f}"


def interval(estimate: dict[str, Any] | None, digits: int = 3) -> str:
    """A figure with its interval: 0.912 (0.870 – 0.941)."""
    if estimate is None or estimate["value"] is None:
        return "–"
    low, high = number(estimate["low"], digits), number(estimate["high"], digits)
    return f"{number(estimate['value'], digits)} ({low} – {high})"


def percent(value: float | None, digits: int = 0) -> str:
    """A share as per cent; a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f}{_SPACE}%"


def percent_interval(estimate: dict[str, Any] | None) -> str:
    """A share with its interval, per cent."""
    if estimate is None or estimate["value"] is None:
        return "–"
    return f"{100 * estimate['value']:.1f}{_SPACE}% ({number_of(estimate['low'])} – {number_of(estimate['high'])})"


def number_of(share: float | None) -> str:
    """A share in hundredths."""
    return "–" if share is None else f"{100 * share:.1f}"


def p_value(p: float | None) -> str:
    """A p value, not more exact than it is worth."""
    if p is None:
        return "–"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def facts_table(rows: Sequence[tuple[str, str]]) -> Table:
    """A list of facts: name, value."""
    return Table(columns=(), rows=tuple((name, plain(value)) for name, value in rows), widths=(2, 5))
