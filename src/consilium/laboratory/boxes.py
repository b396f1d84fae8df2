"""Freezers and boxes as somebody stands before them: what is in each position, and where there is room."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consilium.errors import InputError, NotFound
from consilium.laboratory.entry import entry
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from consilium.laboratory.tables import PlaceRow

_GRID = re.compile(r"([A-Z])(\d{1,2})", re.ASCII)
LARGEST_GRID = 26
"""Rows A to Z, and as many columns."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box in a freezer: how many positions it has, and how many hold something."""

    freezer: str
    box: str
    positions: int
    held: int


@dataclass(frozen=True, kw_only=True)
class Position:
    """A position of a box: its name, its version, and the label of what it holds."""

    position: str
    version: int
    holds: str | None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A box as a picture: rows of positions, None where there is none. `others` have no place in the grid."""

    rows: tuple[str, ...]
    columns: tuple[int, ...]
    cells: tuple[tuple[Position | None, ...], ...]
    others: tuple[Position, ...]


def boxes(change: Change) -> tuple[Box, ...]:
    """All boxes by freezer and name.

    Raises:
        NotAllowed: the person may not see records.
    """
    from sqlalchemy import func, select

    from consilium.laboratory.tables import PlaceRow

    change.require("record.see")
    asked = (
        select(PlaceRow.freezer, PlaceRow.box, func.count(), func.count(PlaceRow.holds))
        .where(PlaceRow.withdrawn.is_(None))
        .group_by(PlaceRow.freezer, PlaceRow.box)
        .order_by(PlaceRow.freezer, PlaceRow.box)
    )
    return tuple(
        Box(freezer=freezer, box=box, positions=positions, held=held)
        for freezer, box, positions, held in change.session.execute(asked)
    )


def grid(change: Change, freezer: str, box: str) -> Grid:
    """The positions of a box: those called A1 to Z26 as a grid, others beside it.

    Raises:
        NotAllowed: the person may not see records.
        NotFound: there is no such box.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import PlaceRow

    change.require("record.see")
    asked = select(PlaceRow).where(
        PlaceRow.freezer == entry("a freezer", freezer), PlaceRow.box == entry("a box", box),
        PlaceRow.withdrawn.is_(None),
    )  # fmt: skip
    found = [_position(row) for row in change.session.scalars(asked)]
    if not found:
        raise NotFound("there is no such box")
    there = {(hit[1], int(hit[2])): one for one in found if (hit := _GRID.fullmatch(one.position))}
    there = {at: one for at, one in there.items() if 1 <= at[1] <= LARGEST_GRID}
    rows = tuple(sorted({row for row, _ in there}))
    columns = tuple(sorted({column for _, column in there}))
    inside = {one.position for one in there.values()}
    return Grid(
        rows=rows, columns=columns,
        cells=tuple(tuple(there.get((row, column)) for column in columns) for row in rows),
        others=tuple(sorted((one for one in found if one.position not in inside), key=lambda one: one.position)),
    )  # fmt: skip


def make_box(change: Change, freezer: str, box: str, *, rows: int, columns: int) -> int:
    """Record the positions A1, A2, ... of a box that are not recorded yet.

    Returns:
        How many were made.

    Raises:
        NotAllowed: the person may not.
        InputError: it is too large, or a part is no name.
    """
    from sqlalchemy import select

    from consilium.laboratory.storage import make_place
    from consilium.laboratory.tables import PlaceRow

    change.require("place.make")
    if not 1 <= rows <= LARGEST_GRID or not 1 <= columns <= LARGEST_GRID:
        raise InputError(f"a box has 1 to {LARGEST_GRID} rows and columns")
    known = select(PlaceRow.position).where(PlaceRow.freezer == freezer.strip(), PlaceRow.box == box.strip())
    there, made = set(change.session.scalars(known)), 0
    for row in range(rows):
        for column in range(1, columns + 1):
            position = f"{chr(ord('A') + row)}{column}"
            if position not in there:
                make_place(change, f"{freezer}/{box}/{position}")
                made += 1
    return made


def _position(row: PlaceRow) -> Position:
    return Position(position=row.position, version=row.version, holds=row.holds)
