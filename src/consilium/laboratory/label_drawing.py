"""Labels as pictures: Code 128 for tubes, a QR code for slides and boxes, where a long line has no room.

segno and python-barcode make the symbols; they are drawn here, since what those draw styles itself inline, which the
pages' policy refuses. Quiet zones are those of the standards: 4 modules around a QR code (ISO/IEC 18004), 10 beside
Code 128 (ISO/IEC 15417).
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from itertools import groupby
from typing import Literal

from consilium.errors import MissingExtra
from consilium.laboratory.barcode import scanned

Symbol = Literal["qr", "code128"]

_QUIET = {"qr": 4, "code128": 10}
_BAR_HEIGHT = 60
"""Modules; 15 mm where a module is 0.25 mm."""


def label_svg(text: str, symbol: Symbol) -> str:
    """The symbol of a label, a module a unit.

    Args:
        text: a label of the laboratory.
        symbol: which.

    Raises:
        InputError: it is no label.
        MissingExtra: the library that makes the symbol is not installed.
    """
    label = scanned(text)
    rows = _qr(label) if symbol == "qr" else _code128(label)
    height = len(rows) if symbol == "qr" else _BAR_HEIGHT
    quiet = _QUIET[symbol]
    around = quiet if symbol == "qr" else 0
    size = (len(rows[0]) + 2 * quiet, height + 2 * around)
    bars = "".join(
        f"M{quiet + x} {around + y}h{length}v{1 if symbol == 'qr' else height}h-{length}z"
        for y, row in enumerate(rows)
        for x, length in _runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" shape-rendering="crispEdges" '
        f'role="img" aria-label="{label}"><path fill="#fff" d="M0 0h{size[0]}v{size[1]}H0z"/><path d="{bars}"/></svg>'
    )


def _runs(row: Iterable[bool]) -> Iterable[tuple[int, int]]:
    """Where dark modules begin, and how many there are in a row."""
    at = 0
    for dark, modules in groupby(row):
        length = len(list(modules))
        if dark:
            yield at, length
        at += length


def _qr(text: str) -> list[list[bool]]:
    _need("segno")
    import segno

    # Level M survives a scratch of 15 %; capitals, digits and hyphens fit the alphanumeric mode.
    made = segno.make_qr(text, error="m", boost_error=False)
    return [[bool(module) for module in row] for row in made.matrix]


def _code128(text: str) -> list[list[bool]]:
    _need("barcode")
    from barcode import Code128

    return [[module == "1" for module in Code128(text).build()[0]]]


def _need(module: str) -> None:
    if find_spec(module) is None:
        raise MissingExtra(f"{module} draws labels and is not installed", way_out="pip install 'consilium[laboratory]'")
