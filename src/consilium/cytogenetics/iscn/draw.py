"""The ideogram karyogram of an ISCN string: every chromosome of a cell line drawn from its bands.

It is a drawing of what was written, not of what was seen, and says so. The SVG stands alone: no script, no font, no
outside resource; the same result always gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from consilium.cytogenetics.iscn.balance import expected
from consilium.cytogenetics.iscn.chromosomes import Chromosome
from consilium.cytogenetics.iscn.draw_wording import WORDS, Language
from consilium.cytogenetics.iscn.ideogram import DEFINITIONS, MARK, normal_shape, text_width
from consilium.cytogenetics.iscn.mean import CellLine, mean
from consilium.cytogenetics.iscn.places import CHROMOSOMES
from consilium.cytogenetics.iscn.slots import NAME_LINE, NAME_SIZE, Slot, empty_slot, extra_slot, marked, slot_of
from consilium.cytogenetics.iscn.tree import Result
from consilium.cytogenetics.iscn.write import line as write_line
from consilium.errors import InputError

FONTS = (
    "'Helvetica Neue',Arial,'Noto Sans','Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',"
    "'WenQuanYi Zen Hei',sans-serif"
)

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("A", ("1", "2", "3")), ("B", ("4", "5")), ("C", ("6", "7", "8", "9", "10", "11", "12")), ("D", ("13", "14", "15")),
    ("E", ("16", "17", "18")), ("F", ("19", "20")), ("G", ("21", "22")), ("", ("X", "Y")), ("", ("?",)),
)  # fmt: skip
"""Of a karyogram (ISCN 2024, 2.2.1); the sex chromosomes stand apart, what has no known centromere comes last."""

ROWS = ((0, 1), (2,), (3, 4), (5, 6, 7), (8,))

MARGIN, LEAST_WIDTH = 28.0, 760.0
GAP, CLASS_GAP, GROUP_GAP, ROW_GAP = 7.0, 22.0, 46.0, 14.0


def karyogram(result: Result, line: int = 0, lang: Language = "en") -> str:
    """Draw one cell line.

    Args:
        result: a parsed string.
        line: which of all its lines, from 0; those of a donor follow those of the recipient.
        lang: language of the captions.

    Returns:
        One `<svg>` element.

    Raises:
        NoMeaning: a line refers to a clone that is not there.
        InputError: there is no such line.
    """
    cells = mean(result).lines
    if not 0 <= line < len(cells):
        raise InputError(f"there is no cell line {line}", way_out=f"The result has {len(cells)}, counted from 0.")
    return _page([_panel(cells[line], line, len(cells), lang)])


def karyograms(result: Result, lang: Language = "en") -> str:
    """Draw all cell lines of a result beneath each other.

    Args:
        result: a parsed string.
        lang: language of the captions.

    Raises:
        NoMeaning: a line refers to a clone that is not there.
        InputError: the result has no karyotype.
    """
    cells = mean(result).lines
    if not cells:
        raise InputError(
            "the result has no karyotype to draw", way_out="Only what stands before the first '.' is drawn."
        )
    return _page([_panel(cell, at, len(cells), lang) for at, cell in enumerate(cells)])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Panel:
    """One cell line, drawn."""

    svg: str
    width: float
    height: float
    title: str
    used: frozenset[str]


def _page(panels: Sequence[_Panel]) -> str:
    width = max(panel.width for panel in panels)
    height = sum(panel.height for panel in panels)
    used = [name for name in CHROMOSOMES if any(name in panel.used for panel in panels)]
    ideograms = "".join(f'<g id="ideogram-{name}">{normal_shape(name).svg}</g>\n' for name in used)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" font-family="{FONTS}" '
        f'aria-label="{escape("; ".join(panel.title for panel in panels))}">'
    )
    out = [
        head,
        f"<defs>{DEFINITIONS}\n{ideograms}</defs>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
    ]
    y = 0.0
    for panel in panels:
        out.append(f'<g transform="translate(0 {y:.0f})">\n{panel.svg}</g>')
        y += panel.height
        if panel is not panels[-1]:
            out.append(f'<path d="M{MARGIN:.0f} {y:.0f}H{width - MARGIN:.0f}" stroke="#c9d0d9"/>')
    return "\n".join([*out, "</svg>"]) + "\n"


def _panel(cell: CellLine, at: int, of: int, lang: Language) -> _Panel:
    classes = {
        name: [slot_of(one, lang) for one in cell.chromosomes if _class(one) == name] for name in (*CHROMOSOMES, "?")
    }
    for name in CHROMOSOMES:
        wanted = expected(cell, name)
        if wanted is not None:
            gained = sum(one.normal and one.name == name for one in cell.chromosomes) - wanted
            classes[name] = marked(classes[name], gained, name)
            classes[name] += [empty_slot(name)] * (wanted - len(classes[name]))
    classes["?"] += [extra_slot(one) for one in cell.extras]
    rows = [
        [(GROUPS[group][0], [(name, classes[name]) for name in GROUPS[group][1] if classes[name]]) for group in row]
        for row in ROWS
    ]
    rows = [kept for row in rows if (kept := [(letter, members) for letter, members in row if members])]
    width = max([LEAST_WIDTH, *(_row_width(row) + 2 * MARGIN for row in rows)])
    title = write_line(cell.line)
    head, y = _header(cell, title, at, of, lang, width)
    out = [head]
    for row in rows:
        slots = [slot for _, members in row for _, several in members for slot in several]
        axis = y + ROW_GAP + max(-slot.top for slot in slots)
        floor = axis + max(slot.bottom + NAME_LINE * len(slot.names) for slot in slots)
        out.append(_row(row, axis=axis, floor=floor, width=width))
        y = floor + 44
    foot, y = _footer(cell, lang, y)
    used = frozenset(one.name for one in cell.chromosomes if one.normal) & set(CHROMOSOMES)
    return _Panel(svg="\n".join([*out, foot]) + "\n", width=width, height=y + 12, title=title, used=used)


def _class(chromosome: Chromosome) -> str:
    return chromosome.home if chromosome.home in CHROMOSOMES else "?"


_Row = Sequence[tuple[str, Sequence[tuple[str, Sequence[Slot]]]]]


def _class_width(slots: Sequence[Slot]) -> float:
    return sum(slot.width for slot in slots) + GAP * (len(slots) - 1)


def _row_width(row: _Row) -> float:
    width = GROUP_GAP * (len(row) - 1)
    for _, members in row:
        width += sum(_class_width(slots) for _, slots in members) + CLASS_GAP * (len(members) - 1)
    return width


def _row(row: _Row, *, axis: float, floor: float, width: float) -> str:
    gaps = sum(len(members) for _, members in row) - 1
    more = min((width - 2 * MARGIN - _row_width(row)) / gaps, 48.0) if gaps else 0.0
    x = MARGIN
    line = floor + 9
    out = []
    for letter, members in row:
        start = x
        for name, slots in members:
            first = x
            for slot in slots:
                middle, under = x + slot.to_left, axis + slot.bottom + 10
                out.append(f'<g transform="translate({middle:.1f} {axis:.1f})">{slot.svg}</g>')
                out += [
                    f'<text x="{middle:.1f}" y="{under + NAME_LINE * at:.1f}" font-size="{NAME_SIZE:.0f}" '
                    f'text-anchor="middle" fill="{MARK}">{escape(text)}</text>'
                    for at, text in enumerate(slot.names)
                ]
                x += slot.width + GAP
            x -= GAP
            if name != "?":
                out.append(_bracket(first, x, line, name, 13, "#111"))
            x += CLASS_GAP + more
        x -= CLASS_GAP + more
        if letter:
            out.append(_bracket(start, x, line + 19, letter, 11, "#6b7686"))
        x += GROUP_GAP + more
    return "\n".join(out)


def _bracket(left: float, right: float, y: float, text: str, size: int, colour: str) -> str:
    return (
        f'<path d="M{left:.1f} {y - 3:.1f}v3H{right:.1f}v-3" fill="none" stroke="{colour}" stroke-width=".9"/>'
        f'<text x="{(left + right) / 2:.1f}" y="{y + size:.1f}" font-size="{size}" text-anchor="middle" '
        f'fill="{colour}">{escape(text)}</text>'
    )


def _header(cell: CellLine, title: str, at: int, of: int, lang: Language, width: float) -> tuple[str, float]:
    words = WORDS[lang]
    said = [words["drawn"]]
    if of > 1:
        said.append(words["line"].format(at=at + 1, of=of))
    cells = cell.line.cells
    if cells is not None:
        key = "composite" if cells.composite else "cell" if cells.number == 1 else "cells"
        said.append(words[key].format(n=cells.number))
    number = cell.number
    said.append(words["count"].format(n=number.low if number.high is None else f"{number.low}~{number.high}"))
    if cell.incomplete:
        said.append(words["incomplete"])
    lines = wrapped(title, 17, width - 2 * MARGIN)
    out = [
        f'<text x="{MARGIN:.0f}" y="{34 + 22 * row}" font-size="17" font-weight="700" fill="#111">{escape(text)}</text>'
        for row, text in enumerate(lines)
    ]
    y = 34 + 22 * len(lines)
    out.append(f'<text x="{MARGIN:.0f}" y="{y - 2}" font-size="12" fill="#5b6675">{escape(" · ".join(said))}</text>')
    return "\n".join(out), y + 2.0


def _footer(cell: CellLine, lang: Language, y: float) -> tuple[str, float]:
    words = WORDS[lang]
    out: list[str] = []
    for key, colour, texts in (
        ("unread", MARK, [f"{one.text}: {one.why}" for one in cell.unread]),
        ("doubtful", "#8a5a00", [", ".join(cell.doubtful)] if cell.doubtful else []),
    ):
        for text in texts:
            for row in wrapped(f"{words[key]} {text}", 12, LEAST_WIDTH - 2 * MARGIN):
                out.append(
                    f'<text x="{MARGIN:.0f}" y="{y + 12:.0f}" font-size="12" fill="{colour}">{escape(row)}</text>'
                )
                y += 16
    if cell.abnormal or cell.unread:
        legend, x, y = [], MARGIN, y + 14
        for key, sign in (
            ("legend_arrow", f'<path d="M0 -4l8 -4v8z" fill="{MARK}"/>'),
            ("legend_bar", '<rect x="3" y="-10" width="3" height="12" fill="#1f6fb2"/>'),
            ("legend_hatch", '<rect y="-9" width="12" height="10" fill="url(#unknown-origin)" stroke="#333"/>'),
            ("legend_gone", '<path d="M0 -9h8v11h-8z" fill="none" stroke="#9aa4b2" stroke-dasharray="3 2"/>'),
        ):  # fmt: skip
            if x > MARGIN and x + 16 + text_width(words[key], 11) > LEAST_WIDTH - MARGIN:
                x, y = MARGIN, y + 18
            legend.append(
                f'<g transform="translate({x:.0f} {y:.0f})">{sign}'
                f'<text x="16" font-size="11" fill="#5b6675">{escape(words[key])}</text></g>'
            )
            x += 34 + text_width(words[key], 11)
        out += legend
    return "\n".join(out), y + 6


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Break a text behind commas, slashes and spaces so that its lines fit a width in pixels; a longer word is cut."""
    rows, row = [], ""
    for word in re.findall(r"[^,/\s]*[,/\s]?", text):
        for start in range(0, max(len(word), 1), 60):
            part = word[start : start + 60]
            if row and text_width(row + part, size) > width:
                rows.append(row.rstrip())
                row = ""
            row += part
    return [*rows, row.rstrip()] if row.strip() or not rows else rows
