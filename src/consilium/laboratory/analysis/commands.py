"""Commands to a cell: stored before they are acknowledged, done once however often they are sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilium.errors import InputError, RecordChanged
from consilium.karyotype.editing import command_json
from consilium.karyotype.editing.cell import CellObject
from consilium.karyotype.editing.commands import Command, Redo, Undo
from consilium.karyotype.editing.told import told
from consilium.laboratory.analysis.cells import OpenCell, OpenCells, case_of
from consilium.laboratory.analysis.editable import check_editable
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.analysis.tables import CellRow, CommandRow

_KEY = re.compile(r"[A-Za-z0-9-]{8,64}")

MOST_COMMANDS = 5000
"""In the log of a cell; a karyogram takes some dozens."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A command that is in the records.

    Attributes:
        opened: the cell after it.
        changed: objects that are new or not as they were, their doubts included.
        removed: ids of objects that are no longer there.
        again: it was stored before and sent once more.
    """

    opened: OpenCell
    changed: tuple[CellObject, ...]
    removed: tuple[str, ...]
    again: bool


@dataclass(frozen=True, kw_only=True)
class LoggedCommand:
    """A command in the log.

    Attributes:
        sequence: its number.
        who: sent it.
        at: when, ISO 8601 in UTC.
        command: as JSON values.
        undone: it was taken back, and not done again.
    """

    sequence: int
    who: str
    at: str
    command: Mapping[str, Any]
    undone: bool


def foresee(change: Change, cells: OpenCells, row: CellRow, *, key: str, seen: int, command: Command) -> None:
    """Work a command out before its transaction, since nobody else writes during one.

    What comes of it is used only where the cell is then still the same; where it is not, nothing is foreseen.

    Args:
        change: a look.
        cells: that this process has open.
        row: the cell.
        key: of the command.
        seen: version of the cell that the person had before her.
        command: what is to be done.

    Raises:
        NotAllowed: the person may not edit.
        InputError: the command cannot be done.
    """
    change.require("cell.edit")
    before = cells.open(change.session, row)
    if before.folded.version == seen and seen < MOST_COMMANDS and row.withdrawn is None:
        cells.foresee(key, before, command, _after(before, command))


def _after(before: OpenCell, command: Command) -> OpenCell:
    folded = before.folded.then(command)
    return OpenCell(folded=folded, says=told(folded.cell))


def store(change: Change, cells: OpenCells, row: CellRow, *, key: str, seen: int, command: Command) -> Stored:
    """Do a command, in a transaction that ends before anybody is told.

    Args:
        change: the transaction.
        cells: that this process has open.
        row: the cell.
        key: made by whoever sends it; the same key is the same command.
        seen: version of the cell that the person had before her.
        command: what is to be done.

    Raises:
        NotAllowed: the person may not edit.
        RecordChanged: somebody edited the cell since.
        InputError: the command cannot be done, the case is closed, or the key is another command's.
    """
    from consilium.laboratory.analysis.tables import CellStateRow, CommandRow

    change.require("cell.edit")
    if not _KEY.fullmatch(key):
        raise InputError("a command needs a key of 8 to 64 letters, digits or hyphens", way_out="Make a UUID for each.")
    document = command_json.written(command)
    if (former := _keyed(change.session, key)) is not None:
        return _again(change.session, cells, row, former, document)
    check_editable(case_of(change.session, row))
    if row.withdrawn is not None:
        raise InputError(f"{row.title} was withdrawn", way_out="Its history tells why.")
    before = cells.open(change.session, row)
    if before.folded.version != seen:
        raise _changed(change.session, row, seen, before.folded.version)
    if before.folded.version >= MOST_COMMANDS:
        raise InputError(f"{row.title} has {MOST_COMMANDS} commands, and more than that is no work on a karyogram")
    after = cells.foreseen(key, before, command) or _after(before, command)
    folded = after.folded
    change.session.add(
        CommandRow(
            cell_id=row.id, sequence=folded.version, key=key, who=change.worker.name, at=change.at, command=document
        )
    )
    state = change.session.get_one(CellStateRow, row.id)
    for name, value in state_of(after).items():
        setattr(state, name, value)
    change.session.flush()
    # Should the transaction fail after this, the database has no such command, and what is kept here is folded anew.
    cells.remember(row, after, key)
    return _difference(before, after, again=False)


def log_of(session: Session, row: CellRow) -> tuple[LoggedCommand, ...]:
    """Everything that was done to a cell, oldest first."""
    rows = _rows(session, row, after=0)
    done: list[int] = []
    undone: list[int] = []
    for one in rows:
        command = command_json.read(one.command)
        if isinstance(command, Undo):
            undone.append(done.pop())
        elif isinstance(command, Redo):
            done.append(undone.pop())
        else:
            done.append(one.sequence)
            undone = []
    holds = set(done)
    return tuple(
        LoggedCommand(
            sequence=one.sequence, who=one.who, at=one.at, command=one.command,
            undone=one.command["kind"] not in ("undo", "redo") and one.sequence not in holds,
        )
        for one in rows
    )  # fmt: skip


def state_of(opened: OpenCell) -> dict[str, Any]:
    """What stands in the row of a cell's state."""
    return {
        "commands": opened.folded.version,
        "count": opened.says.count,
        "karyotype": shortened(opened.says.karyotype),
        "doubtful": len(opened.says.doubtful),
        "flags": [flag.code for flag in opened.says.cell_flags],
        "interactions": opened.folded.interactions,
    }


def shortened(karyotype: str) -> str:
    """A karyotype as a list shows it: one of a hundred changes is a misread cell."""
    return karyotype if len(karyotype) <= 500 else karyotype[:497] + "..."


def _again(session: Session, cells: OpenCells, row: CellRow, former: CommandRow, document: Mapping[str, Any]) -> Stored:
    if former.cell_id != row.id or former.command != document:
        raise InputError("this key is another command's", way_out="Make a new key for each command.")
    before = cells.open(session, row, up_to=former.sequence - 1)
    return _difference(before, cells.open(session, row, up_to=former.sequence), again=True)


def _difference(before: OpenCell, after: OpenCell, *, again: bool) -> Stored:
    then = {one.id: one for one in before.cell.objects}
    now = {one.id for one in after.cell.objects}
    return Stored(
        opened=after,
        changed=tuple(
            one
            for one in after.cell.objects
            if then.get(one.id) != one
            or before.says.flags[one.id] != after.says.flags[one.id]
            or (one.id in before.says.doubtful) != (one.id in after.says.doubtful)
        ),
        removed=tuple(id_ for id_ in then if id_ not in now),
        again=again,
    )


def _keyed(session: Session, key: str) -> CommandRow | None:
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import CommandRow

    return session.scalar(select(CommandRow).where(CommandRow.key == key))


def _rows(session: Session, row: CellRow, *, after: int) -> list[CommandRow]:
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import CommandRow

    asked = (
        select(CommandRow)
        .where(CommandRow.cell_id == row.id, CommandRow.sequence > after)
        .order_by(CommandRow.sequence)
    )
    return list(session.scalars(asked))


def _changed(session: Session, row: CellRow, seen: int, version: int) -> RecordChanged:
    since = _rows(session, row, after=seen)
    if not since or seen < 0:
        return RecordChanged(f"{row.title} has no version {seen}", way_out=f"It is at {version}: read it again.")
    told_ = "; ".join(f"{one.command['kind']} by {one.who} at {one.at}" for one in since[-5:])
    return RecordChanged(
        f"{row.title} was edited since it was read ({told_})", way_out="Nothing was done. Read it again, then decide."
    )
