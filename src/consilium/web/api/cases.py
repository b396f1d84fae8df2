"""Cases for programs: asked for, opened, taken from state to state."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from consilium.laboratory import casework, reception
from consilium.laboratory.case_history import case_history
from consilium.laboratory.case_states import STEPS, State
from consilium.laboratory.due_date import Urgency
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import Event
from consilium.laboratory.permissions import Role
from consilium.laboratory.search import Found, find
from consilium.laboratory.tables import CaseRow, SpecimenRow
from consilium.laboratory.thread import Piece, pieces
from consilium.laboratory.worklist import MOST, View, Waiting, queue
from consilium.web.context import Asking, Records

router = APIRouter(tags=["cases"])


class Asked(BaseModel):
    """What is handed in: nothing that is not known is overlooked."""

    model_config = ConfigDict(extra="forbid")


class OrderIn(Asked):
    """What comes with a specimen; times as a person gives them, in the laboratory's zone where none is told."""

    specimen: str = Field(max_length=64, examples=["constitutional_blood"])
    collected: str = Field(default="", max_length=40)
    received: str = Field(default="", max_length=40)
    condition: str = Field(default="good", max_length=32)
    note: str = Field(default="", max_length=2000)
    indication: str = Field(default="", max_length=2000)
    referrer: str = Field(default="", max_length=300)
    urgency: Urgency = "routine"
    order_number: str = Field(default="", max_length=100)

    def order(self) -> reception.Order:
        """As the laboratory takes it."""
        return reception.Order(**self.model_dump())


class PatientIn(Asked):
    """Who a patient is."""

    name: str = Field(default="", max_length=300)
    birth_date: str = Field(default="", max_length=10, examples=["1990-02-28"])
    hospital_number: str = Field(default="", max_length=100)
    sex: str = Field(default="", max_length=16)


class ReceptionIn(Asked):
    """A specimen that comes in: for a new case of a known or a new patient, or for a case that is there."""

    order: OrderIn
    case: str = Field(default="", max_length=40, description="Number of a case that is there.")
    patient: str = Field(default="", max_length=40, description="Number of a patient who is known.")
    new_patient: PatientIn | None = None


class Received(BaseModel):
    """What was recorded."""

    case: str
    specimen: str
    patient: str


class StepIn(Asked):
    """Where a case is to go, from the version that was read."""

    to: State
    seen: int
    reason: str = Field(default="", max_length=2000)


class AssignmentIn(Asked):
    """Who works on a case; empty: whoever comes first."""

    worker: str = Field(max_length=255)
    seen: int


class UrgencyIn(Asked):
    """How urgent a case is, and why that changed."""

    urgency: Urgency
    seen: int
    reason: str = Field(max_length=2000)


class WithdrawalIn(Asked):
    """Why something counts no longer, from the version that was read."""

    seen: int
    reason: str = Field(max_length=2000)


class CaseOut(BaseModel):
    """A case; who the patient is stands elsewhere."""

    number: str
    version: int
    patient: str
    sex: str
    specimen: str
    indication: str
    referrer: str
    order_number: str | None
    urgency: Urgency
    received: str
    due: date | None
    due_reason: str
    state: State
    steps: list[State] = Field(description="Where it may go from here.")
    assigned: str
    analysed_by: str
    reported: str | None
    amendments: int
    withdrawn: str | None
    withdrawn_reason: str | None
    specimens: list[Piece] = Field(default_factory=list)


class PageOut(BaseModel):
    """Cases in the order of work: late ones first, then urgent ones, then by the day they are due."""

    rows: list[Waiting]
    total: int
    counts: dict[View, int]


class EventOut(BaseModel):
    """A change: who made it, when, of what, and what stood there before and after."""

    at: str
    who: str
    what: str
    title: str
    version: int
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str


def event_out(one: Event) -> EventOut:
    """An event as it is told."""
    return EventOut(
        at=one.at, who=one.who, what=one.what, title=one.title, version=one.version, before=dict(one.before),
        after=dict(one.after), reason=one.reason,
    )  # fmt: skip


def case_out(case: CaseRow, made: tuple[Piece, ...] = ()) -> CaseOut:
    """A case as it is told."""
    return CaseOut(
        number=case.number, version=case.version, patient=case.patient.number, sex=case.patient.sex,
        specimen=case.specimen, indication=case.indication, referrer=case.referrer, order_number=case.order_number,
        urgency=case.urgency, received=case.received, due=None if case.due is None else date.fromisoformat(case.due),
        due_reason=case.due_reason, state=case.state, steps=[to for before, to in STEPS if before == case.state],
        assigned=case.assigned, analysed_by=case.analysed_by, reported=case.reported, amendments=case.amendments,
        withdrawn=case.withdrawn, withdrawn_reason=case.withdrawn_reason, specimens=list(made),
    )  # fmt: skip


def received(row: SpecimenRow) -> Received:
    """What was recorded, as it is told."""
    return Received(case=row.case.number, specimen=row.label, patient=row.case.patient.number)


@router.get("/worklist")
def worklist(
    asking: Asking, records: Records, view: View = "role", text: Annotated[str, Query(max_length=100)] = "",
    state: State | None = None, urgency: Urgency | None = None,
    specimen: Annotated[str, Query(max_length=64)] = "", first: Annotated[int, Query(ge=0, le=10**6)] = 0,
    most: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> PageOut:  # fmt: skip
    """What waits, and for whom; other views have what was reported, and everything."""
    with records.looking(asking.person) as look:
        found = queue(
            look, view=view, text=text, state=state or "", urgency=urgency or "", specimen=specimen, first=first,
            most=most,
        )  # fmt: skip
    return PageOut(rows=list(found.rows), total=found.total, counts=found.counts)


@router.get("/cases")
def cases(
    asking: Asking, records: Records, text: Annotated[str, Query(max_length=100)] = "",
    state: State | None = None, first: Annotated[int, Query(ge=0, le=10**6)] = 0,
    most: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> PageOut:  # fmt: skip
    """All cases, those that were reported or withdrawn too."""
    with records.looking(asking.person) as look:
        found = queue(look, view="all", text=text, state=state or "", first=first, most=most)
    return PageOut(rows=list(found.rows), total=found.total, counts=found.counts)


@router.get("/find")
def look_up(asking: Asking, records: Records, q: Annotated[str, Query(max_length=200)]) -> Found:
    """What a scanned label, or a number, an order or a place is of."""
    with records.looking(asking.person) as look:
        return find(look, q)


@router.post("/receptions", status_code=201)
def receive(given: ReceptionIn, asking: Asking, records: Records) -> Received:
    """A specimen comes in: patient, case and specimen in one transaction."""
    with records.changing(asking.person) as change:
        identity = None if given.new_patient is None else given.new_patient.model_dump()
        row = reception.take_in(change, given.order.order(), case=given.case, patient=given.patient, identity=identity)
        return received(row)


@router.get("/cases/{number}")
def case(number: str, asking: Asking, records: Records) -> CaseOut:
    """A case with its specimens and what was made of them."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        row = case_called(look.session, number)
        return case_out(row, pieces(look, row))


@router.get("/cases/{number}/history")
def history(number: str, asking: Asking, records: Records) -> list[EventOut]:
    """What happened to a case and to all that hangs on it, newest first."""
    with records.looking(asking.person) as look:
        return [event_out(one) for one in case_history(look, case_called(look.session, number))]


@router.post("/cases/{number}/specimens", status_code=201)
def further_specimen(number: str, given: OrderIn, asking: Asking, records: Records) -> Received:
    """A further specimen of a case."""
    with records.changing(asking.person) as change:
        return received(reception.take_in(change, given.order(), case=number))


@router.post("/cases/{number}/steps", status_code=201)
def take_step(number: str, given: StepIn, asking: Asking, records: Records) -> CaseOut:
    """Bring a case to another state."""
    with records.changing(asking.person) as change:
        row = case_called(change.session, number)
        casework.move(change, row, given.to, reason=given.reason, seen=given.seen)
        return case_out(row)


@router.put("/cases/{number}/assignment")
def assign(number: str, given: AssignmentIn, asking: Asking, records: Records) -> CaseOut:
    """Say who works on a case."""
    with records.changing(asking.person) as change:
        row = case_called(change.session, number)
        casework.assign(change, row, given.worker, seen=given.seen)
        return case_out(row)


@router.put("/cases/{number}/urgency")
def change_urgency(number: str, given: UrgencyIn, asking: Asking, records: Records) -> CaseOut:
    """Make a case more or less urgent; when it is due is computed anew."""
    with records.changing(asking.person) as change:
        row = case_called(change.session, number)
        reception.change_urgency(change, row, given.urgency, seen=given.seen, reason=given.reason)
        return case_out(row)


@router.post("/cases/{number}/withdrawal", status_code=201)
def withdraw(number: str, given: WithdrawalIn, asking: Asking, records: Records) -> CaseOut:
    """Let a case count no longer."""
    with records.changing(asking.person) as change:
        row = case_called(change.session, number)
        casework.withdraw_case(change, row, reason=given.reason, seen=given.seen)
        return case_out(row)


@router.get("/roles")
def my_roles(asking: Asking) -> list[Role]:
    """What whoever asks is in this laboratory."""
    return sorted(asking.roles)
