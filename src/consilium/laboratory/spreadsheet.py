"""Tables as CSV: read from whatever a hospital's programs write, and written so that no program runs what is in them.

A spreadsheet takes a cell for a formula that begins with = + - @, a tab or a carriage return (OWASP, CSV Injection).
Such a cell is written with an apostrophe before it, and read back without.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from consilium.errors import InputError, OutputError

LARGEST = 50_000_000
"""Bytes of a file; some 200,000 specimens."""

LONGEST_CELL = 8_000
"""Letters of a cell: more is a quotation mark that was never closed."""

_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a table: its number in the file, from 1, and its cells by column; or why it cannot be read."""

    number: int
    cells: Mapping[str, str]
    refused: str = ""


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """A cell as it was before `guarded`."""
    return text[1:] if _ESCAPED.match(text) else text


def decoded(data: bytes, encoding: str = "") -> str:
    """The text of a file.

    Args:
        data: all of it.
        encoding: that somebody told; empty: UTF-8, or what its first bytes say.

    Raises:
        InputError: it is too large or of another encoding.
    """
    if len(data) > LARGEST:
        raise InputError(f"the table is too large ({len(data)} bytes)", way_out="Cut it into several.")
    chosen = encoding or next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(chosen)
    except LookupError as problem:
        raise InputError(f"there is no encoding {encoding!r}", way_out="As in utf-8 or gb18030.") from problem
    except (UnicodeError, ValueError) as problem:
        raise InputError(
            f"the table is not in {chosen}", way_out="Say which encoding it is in, as gb18030, or save it as UTF-8."
        ) from problem


def lines(text: str, known: Sequence[str]) -> Iterator[Line]:
    """The lines below the header, parted by comma, semicolon or tab.

    What cannot be read any further ends with a line that says so, since nobody can tell where the next one begins.

    Args:
        text: of the file.
        known: columns that may be there.

    Raises:
        InputError: the header has a column twice or one that is not known.
    """
    first = text.lstrip("\ufeff").partition("\n")[0]
    between = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=between, strict=True)
    header = [_column(one) for one in _header(rows)]
    if unknown := [one for one in header if one not in known]:
        raise InputError(
            f"the table has a column that is not known (number {header.index(unknown[0]) + 1})",
            way_out=f"Known are {', '.join(known)}.",
        )
    if len(set(header)) < len(header):
        raise InputError("the table has a column twice")
    number = rows.line_num
    while True:
        number = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as problem:
            yield Line(number=number, cells={}, refused=f"from here on the table cannot be read ({problem})")
            return
        if any(cell.strip() for cell in cells):
            yield _line(number, header, cells)


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        return next(rows)
    except StopIteration as problem:
        raise InputError("the table is empty") from problem
    except csv.Error as problem:
        raise InputError(f"the header of the table cannot be read ({problem})") from problem


def _column(text: str) -> str:
    return text.strip().lower().replace(" ", "_")


def _line(number: int, header: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) != len(header):
        return Line(number=number, cells={}, refused=f"it has {len(cells)} cells where the header has {len(header)}")
    if any(len(cell) > LONGEST_CELL for cell in cells):
        return Line(number=number, cells={}, refused=f"a cell has more than {LONGEST_CELL} letters")
    return Line(number=number, cells={name: unguarded(cell) for name, cell in zip(header, cells, strict=True)})


def written(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """A table as CSV (RFC 4180), without formulas."""
    stream = io.StringIO(newline="")
    table = csv.DictWriter(stream, columns, lineterminator="\r\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: guarded(row.get(name, "")) for name in columns})
    return stream.getvalue()


def keep(path: Path, text: str) -> None:
    """Write a table, whole or not at all, for its owner alone; UTF-8 with the mark that spreadsheets look for.

    Raises:
        OutputError: it cannot be written.
    """
    half = path.with_name(f".{path.name}.half")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(half, "w", encoding="utf-8-sig", newline="", opener=_private) as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(path)
    except OSError as problem:
        with suppress(OSError):
            half.unlink()
        raise OutputError(f"the table cannot be written ({problem.strerror})", where=str(path)) from problem


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
