"""What happened to a case, from its order to its report: who did what, when, and why.

What cells and readings say is not told here: whoever reads a case a second time is not to be shown the first reading.
Pages of cells, of the review and of the report have it, for whoever may see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import nlargest
from typing import TYPE_CHECKING

from consilium.laboratory.journal import Change, Event
from consilium.laboratory.thread import things_of

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow

NEWEST = 200
"""Events of a case that are told at once."""

TOLD = frozenset({"act", "cell_id", "state", "withdrawn", "withdrawn_reason"})
"""What is told of runs, acts and texts of a report: nothing of what was found."""


def case_history(change: Change, case: CaseRow, *, newest: int = NEWEST) -> tuple[Event, ...]:
    """What happened to a case and to all that hangs on it, newest first, in a handful of questions.

    Args:
        change: a look.
        case: as its session has it.
        newest: how many at most.

    Raises:
        NotAllowed: the person may not see histories.
    """
    change.require("history.see")
    found = [*_recorded(change, case, newest), *_edited(change, case, newest), *_read_again(change, case, newest)]
    return tuple(nlargest(newest, found, key=lambda one: one.at))


def _recorded(change: Change, case: CaseRow, newest: int) -> Iterator[Event]:
    """What the journal has of the case, of its specimens and what was made of them, of its pictures, runs and acts."""
    from sqlalchemy import and_, or_, select

    from consilium.laboratory.analysis.tables import ActRow, ImageRow, RunRow
    from consilium.laboratory.review.tables import ReportTextRow
    from consilium.laboratory.tables import EventRow

    things: dict[str, list[int]] = {case.__tablename__: [case.id]}
    for thing in things_of(change, case):
        things.setdefault(thing.__tablename__, []).append(thing.id)
    of_case = (
        and_(EventRow.kind == kind.__tablename__, EventRow.of.in_(select(kind.id).where(kind.case_id == case.id)))
        for kind in (ImageRow, RunRow, ActRow, ReportTextRow)
    )
    of_things = (and_(EventRow.kind == kind, EventRow.of.in_(ids)) for kind, ids in things.items())
    finding = {kind.__tablename__ for kind in (RunRow, ActRow, ReportTextRow)}
    asked = select(EventRow).where(or_(*of_things, *of_case)).order_by(EventRow.id.desc()).limit(newest)
    for row in change.session.scalars(asked):
        event = Event(
            at=row.at, who=row.who, what=row.what, title=row.title, version=row.version, before=row.before,
            after=row.after, reason=row.reason,
        )  # fmt: skip
        yield _without_findings(event) if row.kind in finding else event


def _without_findings(event: Event) -> Event:
    before, after = (
        {name: value for name, value in one.items() if name in TOLD} for one in (event.before, event.after)
    )
    return replace(event, before=before, after=after)


def _edited(change: Change, case: CaseRow, newest: int) -> Iterator[Event]:
    """Who edited which cell in which hour, and with how many commands."""
    from sqlalchemy import func, select

    from consilium.laboratory.analysis.tables import CellRow, CommandRow

    last, version = func.max(CommandRow.at), func.max(CommandRow.sequence)
    hour = func.substr(CommandRow.at, 1, 13)
    asked = (
        select(CommandRow.cell_id, CommandRow.who, last, version, func.count())
        .join(CellRow, CellRow.id == CommandRow.cell_id)
        .where(CellRow.case_id == case.id)
        .group_by(CommandRow.cell_id, CommandRow.who, hour)
        .order_by(last.desc())
        .limit(newest)
    )
    for cell, who, at, sequence, commands in change.session.execute(asked):
        yield Event(
            at=at, who=who, what="cell.edit", title=f"cell {cell}", version=sequence, before={},
            after={"commands": commands}, reason="",
        )  # fmt: skip


def _read_again(change: Change, case: CaseRow, newest: int) -> Iterator[Event]:
    """Who read what a second time, and who decided where both readers differed."""
    from sqlalchemy import select

    from consilium.laboratory.review.tables import DecisionRow, SecondReadingRow

    sources = (
        ("review.read", SecondReadingRow, SecondReadingRow.reader),
        ("review.decide", DecisionRow, DecisionRow.by),
    )
    for what, kind, who in sources:
        asked = select(kind.at, who, kind.cell_id).where(kind.case_id == case.id).order_by(kind.id.desc()).limit(newest)
        for at, person, cell in change.session.execute(asked):
            title = case.number if cell is None else f"cell {cell}"
            yield Event(at=at, who=person, what=what, title=title, version=1, before={}, after={}, reason="")
