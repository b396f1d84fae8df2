"""What is to be done: which cases wait, for whom, and which are late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from consilium.laboratory.case_states import REPORTED, WAITS_FOR, State
from consilium.laboratory.due_date import Urgency, WorkingDays
from consilium.laboratory.journal import Change
from consilium.laboratory.permissions import Role

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A case that waits.

    Attributes:
        number: of the case.
        specimen: what it is of.
        state: how far it is.
        urgency: how urgent it is.
        received: day, in the laboratory.
        due: day; None where the guideline gives none.
        due_reason: why that day.
        days_left: working days until it is due; negative when it is late, None without a day.
        waits_for: whose turn it is.
        assigned: who works on it; empty: whoever comes first.
        version: of the record, for whoever changes it from here.
    """

    number: str
    specimen: str
    state: State
    urgency: Urgency
    received: date
    due: date | None
    due_reason: str
    days_left: int | None
    waits_for: Role
    assigned: str
    version: int

    @property
    def late(self) -> bool:
        """Whether the day on which it was due has passed, worked or not."""
        return self.days_left is not None and self.days_left < 0


def days_left(due: date, today: date, days: WorkingDays) -> int:
    """Working days until a day; at least one below zero once it has passed, even over a weekend."""
    if today > due:
        return min(-1, days.between(today, due))
    return days.between(today, due)


def in_order(waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
    """The order of work: what is late first, then what is urgent, then by the day it is due; no day comes last."""
    return tuple(
        sorted(
            waiting,
            key=lambda one: (not one.late, one.urgency != "urgent", one.due or date.max, one.received, one.number),
        )
    )


def worklist(
    change: Change, *, waits_for: Role | None = None, assigned: str = "", late: bool = False, within: int | None = None
) -> tuple[Waiting, ...]:
    """Cases that wait, in the order of work.

    Args:
        change: a look.
        waits_for: only those that wait for this role.
        assigned: only those of this person.
        late: only those that are late.
        within: only those that are due within so many working days, or late.

    Raises:
        NotAllowed: the person may not see records.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow

    change.require("record.see")
    states = [state for state in WAITS_FOR if waits_for in (None, WAITS_FOR[state])]
    asked = select(CaseRow).where(CaseRow.withdrawn.is_(None), CaseRow.state.in_(states))
    if assigned:
        asked = asked.where(CaseRow.assigned == assigned)
    today = change.profile.day(change.at)
    found = (_waiting(change, row, today) for row in change.session.scalars(asked))
    return in_order(
        one
        for one in found
        if (not late or one.late) and (within is None or (one.days_left is not None and one.days_left <= within))
    )


def _waiting(change: Change, row: CaseRow, today: date) -> Waiting:
    assert row.state not in REPORTED
    due = None if row.due is None else date.fromisoformat(row.due)
    return Waiting(
        number=row.number,
        specimen=row.specimen,
        state=row.state,
        urgency=row.urgency,
        received=change.profile.day(row.received),
        due=due,
        due_reason=row.due_reason,
        days_left=None if due is None else days_left(due, today, change.profile.days),
        waits_for=WAITS_FOR[row.state],
        assigned=row.assigned,
        version=row.version,
    )
