"""What is to be done: which cases wait, for whom, and which are late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, get_args

from consilium.laboratory.case_states import REPORTED, STATES, WAITS_FOR, State
from consilium.laboratory.due_date import Urgency, WorkingDays
from consilium.laboratory.journal import Change
from consilium.laboratory.permissions import Role

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from consilium.laboratory.tables import CaseRow

View = Literal["mine", "role", "late", "waiting", "reported", "all"]
VIEWS: tuple[View, ...] = get_args(View)
"""What somebody works on; what waits for one of her roles and is nobody else's; what is late; all that waits; what was
reported; everything, withdrawn cases too."""

MOST = 200
"""Cases on one page at most."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A case that waits.

    Attributes:
        number: of the case.
        patient: number of the patient.
        specimen: what it is of.
        indication: why it was asked for.
        state: how far it is.
        urgency: how urgent it is.
        received: day, in the laboratory.
        due: day; None where the guideline gives none.
        due_reason: why that day.
        days_left: working days until it is due; negative when it is late, None without a day.
        waits_for: whose turn it is; None where its report is out.
        assigned: who works on it; empty: whoever comes first.
        version: of the record, for whoever changes it from here.
        withdrawn: whether it counts no longer.
    """

    number: str
    patient: str
    specimen: str
    indication: str
    state: State
    urgency: Urgency
    received: date
    due: date | None
    due_reason: str
    days_left: int | None
    waits_for: Role | None
    assigned: str
    version: int
    withdrawn: bool = False

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


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A page of cases in the order of work.

    Attributes:
        rows: the cases of the page.
        total: how many there are in all.
        counts: of each view, whatever was searched for.
    """

    rows: tuple[Waiting, ...]
    total: int
    counts: dict[View, int]


def queue(
    change: Change, *, view: View = "role", text: str = "", state: str = "", urgency: str = "", specimen: str = "",
    first: int = 0, most: int = 50,
) -> Queue:  # fmt: skip
    """A page of cases: what is late first, then what is urgent, then by the day it is due.

    Only the cases of the page are read.

    Args:
        change: a look.
        view: which cases.
        text: only those whose number, order, patient or label begins with it, or whose indication has it.
        state: only those in it.
        urgency: only these.
        specimen: only of this kind.
        first: how many come before the page.
        most: how many it has; `MOST` at most.

    Raises:
        NotAllowed: the person may not see records.
    """
    from sqlalchemy import case as when
    from sqlalchemy import func, select

    from consilium.laboratory.tables import CaseRow, PatientRow

    change.require("record.see")
    today = change.profile.day(change.at)
    where = _view(change, view, today)
    for column, wanted in ((CaseRow.state, state), (CaseRow.urgency, urgency), (CaseRow.specimen, specimen)):
        if wanted:
            where.append(column == wanted)
    if text.strip():
        where.append(_mentions(text.strip()[:100]))
    late = when((CaseRow.state.in_(tuple(WAITS_FOR)) & (CaseRow.due < str(today)), 0), else_=1)
    order: tuple[Any, ...] = (
        late, when((CaseRow.urgency == "urgent", 0), else_=1), func.coalesce(CaseRow.due, "9999"), CaseRow.received,
        CaseRow.number,
    )  # fmt: skip
    if view == "reported":
        order = (CaseRow.reported.desc(), CaseRow.number.desc())
    joined = select(CaseRow).join(PatientRow, PatientRow.id == CaseRow.patient_id).where(*where)
    counted = select(func.count()).select_from(CaseRow).join(PatientRow, PatientRow.id == CaseRow.patient_id)
    page = joined.order_by(*order).offset(max(first, 0)).limit(min(max(most, 1), MOST))
    rows = tuple(_waiting(change, row, today) for row in change.session.scalars(page))
    return Queue(rows=rows, total=change.session.scalar(counted.where(*where)) or 0, counts=_counts(change, today))


def _view(change: Change, view: View, today: date) -> list[ColumnElement[bool]]:
    from sqlalchemy import or_

    from consilium.laboratory.tables import CaseRow

    if view == "all":
        return []
    counts = CaseRow.withdrawn.is_(None)
    if view == "reported":
        return [counts, CaseRow.state.in_(tuple(REPORTED))]
    waits = CaseRow.state.in_(tuple(WAITS_FOR))
    if view == "mine":
        return [counts, waits, CaseRow.assigned == change.worker.name]
    if view == "late":
        return [counts, waits, CaseRow.due < str(today)]
    if view == "role":
        mine = tuple(one for one in STATES if WAITS_FOR.get(one) in change.worker.roles)
        nobodys = or_(CaseRow.assigned == "", CaseRow.assigned == change.worker.name)
        return [counts, CaseRow.state.in_(mine), nobodys]
    return [counts, waits]


def _counts(change: Change, today: date) -> dict[View, int]:
    """How many cases each view has, in one question."""
    from sqlalchemy import and_, func, select, true
    from sqlalchemy import case as when

    from consilium.laboratory.tables import CaseRow

    asked = select(
        *(func.sum(when((and_(true(), *_view(change, view, today)), 1), else_=0)) for view in VIEWS)
    ).select_from(CaseRow)
    return dict(zip(VIEWS, (int(number or 0) for number in change.session.execute(asked).one()), strict=True))


def _mentions(text: str) -> ColumnElement[bool]:
    from sqlalchemy import or_, select

    from consilium.laboratory.barcode import accession_of
    from consilium.laboratory.tables import CaseRow, PatientRow, SpecimenRow

    high = accession_of(text.upper())
    labelled = select(SpecimenRow.case_id).where(SpecimenRow.label.startswith(high, autoescape=True))
    return or_(
        CaseRow.number.startswith(text.upper(), autoescape=True),
        CaseRow.order_number.startswith(text, autoescape=True),
        PatientRow.number.startswith(text.upper(), autoescape=True),
        CaseRow.id.in_(labelled),
        CaseRow.indication.icontains(text, autoescape=True),
    )


def _waiting(change: Change, row: CaseRow, today: date) -> Waiting:
    due = None if row.due is None else date.fromisoformat(row.due)
    return Waiting(
        number=row.number,
        patient=row.patient.number,
        specimen=row.specimen,
        indication=row.indication,
        state=row.state,
        urgency=row.urgency,
        received=change.profile.day(row.received),
        due=due,
        due_reason=row.due_reason,
        days_left=None if due is None or row.state in REPORTED else days_left(due, today, change.profile.days),
        waits_for=WAITS_FOR.get(row.state),
        assigned=row.assigned,
        version=row.version,
        withdrawn=row.withdrawn is not None,
    )
