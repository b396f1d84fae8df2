"""Cells of a case: found, listed, opened with all that people did to them."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from consilium.errors import NotFound
from consilium.karyotype.editing import command_json
from consilium.karyotype.editing.cell import EditedCell
from consilium.karyotype.editing.log import Folded
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.editing.told import Told, told
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.kinds import CellAct
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.analysis.tables import ActRow, CellRow
    from consilium.laboratory.tables import CaseRow

MOST_OPEN = 200
"""Cells that a process remembers: a hundred kilobytes or two each."""

MOST_SAID = 400
"""Cases of which a process remembers what their cells say."""

Said = TypeVar("Said")


@dataclass(frozen=True, kw_only=True)
class RecordedAct:
    """That somebody counted, analysed or karyotyped a cell.

    Attributes:
        commands: version of the cell that she had before her; a cell with more was edited since.
    """

    act: CellAct
    by: str
    at: str
    commands: int


@dataclass(frozen=True, kw_only=True)
class ListedCell:
    """A cell as a list shows it; no file is read for it.

    Attributes:
        id: of the record.
        number: its place by quality in its run.
        image_id, image: its picture, and the name of its file.
        commands: version of its log.
        doubtful: objects that somebody still has to look at.
        flags: codes of what is doubtful about the whole cell.
        interactions: of people, for this karyogram.
        acts: that hold.
    """

    id: int
    number: int
    image_id: int
    image: str
    quality: float
    band_level: int
    synthetic: bool
    commands: int
    count: int
    karyotype: str
    doubtful: int
    flags: tuple[str, ...]
    interactions: int
    acts: tuple[RecordedAct, ...]

    def has(self, act: str) -> bool:
        """Whether an act holds."""
        return any(one.act == act for one in self.acts)


@dataclass(frozen=True, kw_only=True)
class OpenCell:
    """A cell with its log folded, and what it says."""

    folded: Folded
    says: Told

    @property
    def cell(self) -> EditedCell:
        """As it is now."""
        return self.folded.cell


class OpenCells:
    """Cells that this process has folded; what others wrote meanwhile is folded on, never overlooked.

    A log only grows, so a cell that was folded up to some command is right up to it, if that command is still the one
    that the database has under its number; where a backup was brought back, it is folded anew.

    Args:
        files: where readings lie.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, int], tuple[OpenCell, str]] = OrderedDict()
        self._said: OrderedDict[Hashable, object] = OrderedDict()

    def open(self, session: Session, row: CellRow, *, up_to: int | None = None) -> OpenCell:
        """A cell as it is.

        Args:
            session: to look with.
            row: which.
            up_to: after so many commands; all of them when left out.

        Raises:
            OutputError: its reading is missing or was changed.
        """
        from sqlalchemy import select

        from consilium.laboratory.analysis.tables import CommandRow

        name = (row.reading, row.id)
        with self._lock:
            known, key = self._known.get(name, (None, ""))
        at = 0 if known is None or up_to is not None else known.folded.version
        asked = (
            select(CommandRow.sequence, CommandRow.key, CommandRow.command)
            .where(CommandRow.cell_id == row.id, CommandRow.sequence >= at)
            .order_by(CommandRow.sequence)
        )
        if up_to is not None:
            asked = asked.where(CommandRow.sequence <= up_to)
        found = list(session.execute(asked))
        if known is not None and up_to is None and at > 0:
            if not found or found[0].key != key:
                self.forget(row)
                return self.open(session, row)
            found = found[1:]
        folded = self._reading(row) if known is None or up_to is not None else known.folded
        for _, key, command in found:  # noqa: B007 - the last key is kept
            folded = folded.then(command_json.read(command))
        if known is not None and not found and up_to is None:
            return known
        opened = OpenCell(folded=folded, says=told(folded.cell))
        if up_to is None:
            self.remember(row, opened, key)
        return opened

    def remember(self, row: CellRow, opened: OpenCell, key: str) -> None:
        """Keep a cell; `key` is that of its last command."""
        with self._lock:
            self._known[row.reading, row.id] = (opened, key)
            self._known.move_to_end((row.reading, row.id))
            while len(self._known) > MOST_OPEN:
                self._known.popitem(last=False)

    def forget(self, row: CellRow) -> None:
        """Fold a cell anew the next time."""
        with self._lock:
            self._known.pop((row.reading, row.id), None)

    def said(self, of: Hashable, find_out: Callable[[], Said]) -> Said:
        """What cells say together, found out once.

        Args:
            of: everything that it hangs on.
            find_out: finds it out.
        """
        with self._lock:
            if of in self._said:
                self._said.move_to_end(of)
                return self._said[of]  # type: ignore[return-value]
        found = find_out()
        with self._lock:
            self._said[of] = found
            while len(self._said) > MOST_SAID:
                self._said.popitem(last=False)
        return found

    def _reading(self, row: CellRow) -> Folded:
        entry = json.loads(self.files.read_packed(row.reading))
        return Folded(reading=read_cell(entry, checked=True))


def cell_numbered(session: Session, id_: int) -> CellRow:
    """A cell by its number.

    Raises:
        NotFound: there is none.
    """
    from consilium.laboratory.analysis.tables import CellRow

    # No database has a row of a number that it cannot hold.
    row = session.get(CellRow, id_) if 0 < id_ < 2**31 else None
    if row is None:
        raise NotFound("there is no cell of this number", way_out="The page of its case lists its cells.")
    return row


def case_of(session: Session, row: CellRow) -> CaseRow:
    """The case of a cell."""
    from consilium.laboratory.tables import CaseRow

    return session.get_one(CaseRow, row.case_id)


def cells_of(change: Change, case: CaseRow) -> tuple[ListedCell, ...]:
    """The cells of a case that count, the best first; of equal quality the one that was read first.

    Raises:
        NotAllowed: the person may not see records.
    """
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import CellRow, CellStateRow, ImageRow

    change.require("record.see")
    asked = (
        select(CellRow, CellStateRow, ImageRow.name)
        .join(CellStateRow, CellStateRow.cell_id == CellRow.id)
        .join(ImageRow, ImageRow.id == CellRow.image_id)
        .where(CellRow.case_id == case.id, CellRow.withdrawn.is_(None))
        .order_by(CellRow.quality.desc(), CellRow.id)
    )
    rows = list(change.session.execute(asked))
    acts = acts_of(change.session, [row.id for row, _, _ in rows])
    return tuple(
        ListedCell(
            id=row.id, number=row.number, image_id=row.image_id, image=name, quality=row.quality,
            band_level=row.band_level, synthetic=row.synthetic, commands=state.commands, count=state.count,
            karyotype=state.karyotype, doubtful=state.doubtful, flags=tuple(state.flags),
            interactions=state.interactions, acts=tuple(map(told_act, acts.get(row.id, ()))),
        )
        for row, state, name in rows
    )  # fmt: skip


def acts_of(session: Session, cells: Sequence[int]) -> dict[int, list[ActRow]]:
    """The acts on some cells that hold, by cell, in the order in which they were recorded."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import ActRow

    found: dict[int, list[ActRow]] = {}
    for start in range(0, len(cells), 500):
        part = cells[start : start + 500]
        asked = select(ActRow).where(ActRow.cell_id.in_(part), ActRow.withdrawn.is_(None)).order_by(ActRow.id)
        for row in session.scalars(asked):
            found.setdefault(row.cell_id, []).append(row)
    return found


def told_act(row: ActRow) -> RecordedAct:
    """An act as it is told."""
    return RecordedAct(act=row.act, by=row.by, at=row.at, commands=row.commands)
