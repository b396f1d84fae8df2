"""Patients for programs, by the laboratory's own number; who that is takes a right of its own, and leaves a line."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from consilium.errors import NotFound
from consilium.laboratory import consent, disclosure, reception
from consilium.laboratory.disclosure import Identity, Look
from consilium.laboratory.found import patient_called
from consilium.laboratory.journal import Change
from consilium.laboratory.tables import ConsentRow, PatientRow
from consilium.web.api.cases import Asked, PatientIn, WithdrawalIn
from consilium.web.context import Asking, Records

router = APIRouter(tags=["patients"])


class PatientOut(BaseModel):
    """A patient, without who that is."""

    number: str
    version: int
    sex: str
    withdrawn: str | None


class LookIn(Asked):
    """On which occasion somebody wants to know who a patient is."""

    why: str = Field(default="", max_length=300)


class CorrectionIn(Asked):
    """Who a patient is, told anew, and why."""

    name: str = Field(max_length=300)
    birth_date: str = Field(max_length=10)
    hospital_number: str = Field(max_length=100)
    reason: str = Field(max_length=2000)
    seen: int


class HospitalNumberIn(Asked):
    """A number of the hospital: it tells who a patient is, so it stands in no address."""

    hospital_number: str = Field(max_length=100)


class ConsentIn(Asked):
    """What a patient agreed to."""

    purposes: list[str] = Field(max_length=20)
    given: date
    until: date | None = None
    document: str = Field(default="", max_length=300)


class ConsentOut(BaseModel):
    """What a patient agreed to, from when until when."""

    number: int
    version: int
    purposes: list[str]
    given: date
    until: date | None
    withdrawn: str | None
    withdrawn_reason: str | None
    document: str


def patient_out(row: PatientRow) -> PatientOut:
    """A patient as it is told."""
    return PatientOut(number=row.number, version=row.version, sex=row.sex, withdrawn=row.withdrawn)


def consent_out(row: ConsentRow) -> ConsentOut:
    """A consent as it is told."""
    return ConsentOut(
        number=row.id, version=row.version, purposes=list(row.purposes), given=date.fromisoformat(row.given),
        until=None if row.until is None else date.fromisoformat(row.until), withdrawn=row.withdrawn,
        withdrawn_reason=row.withdrawn_reason, document=row.document,
    )  # fmt: skip


def consents(change: Change, patient: PatientRow) -> list[ConsentOut]:
    """All consents of a patient, oldest first."""
    from sqlalchemy import select

    change.require("record.see")
    asked = select(ConsentRow).where(ConsentRow.patient_id == patient.id).order_by(ConsentRow.id)
    return [consent_out(row) for row in change.session.scalars(asked)]


def consent_called(change: Change, patient: PatientRow, number: int) -> ConsentRow:
    """A consent of a patient.

    Raises:
        NotFound: the patient has none of this number.
    """
    row = change.session.get(ConsentRow, number) if 0 < number < 2**31 else None
    if row is None or row.patient_id != patient.id:
        raise NotFound(f"{patient.number} has no consent {number}")
    return row


@router.post("/patients", status_code=201)
def register(given: PatientIn, asking: Asking, records: Records) -> PatientOut:
    """Record a patient."""
    with records.changing(asking.person) as change:
        return patient_out(reception.register(change, **given.model_dump()))


@router.post("/patients/search")
def of_hospital_number(given: HospitalNumberIn, asking: Asking, records: Records) -> PatientOut:
    """The patient who has a number of the hospital; the look leaves a line."""
    with records.changing(asking.person) as change:
        row = reception.patient_of_hospital_number(change, given.hospital_number)
        if row is None:
            raise NotFound("nobody here has this number of the hospital")
        disclosure.disclose(change, row, why="looked for by the hospital's number")
        return patient_out(row)


@router.get("/patients/{number}")
def patient(number: str, asking: Asking, records: Records) -> PatientOut:
    """A patient by the laboratory's number."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        return patient_out(patient_called(look.session, number))


@router.post("/patients/{number}/identity")
def who_it_is(number: str, given: LookIn, asking: Asking, records: Records) -> Identity:
    """Who a patient is. It is no GET since every look leaves a line."""
    with records.changing(asking.person) as change:
        return disclosure.disclose(change, patient_called(change.session, number), why=given.why)


@router.put("/patients/{number}/identity")
def correct(number: str, given: CorrectionIn, asking: Asking, records: Records) -> PatientOut:
    """Record who a patient is anew; what stood there stays as an earlier revision."""
    with records.changing(asking.person) as change:
        row = patient_called(change.session, number)
        told = given.model_dump()
        reception.correct_identity(change, row, **told)
        return patient_out(row)


@router.get("/patients/{number}/looks")
def looks(number: str, asking: Asking, records: Records) -> list[Look]:
    """Who looked who a patient is."""
    with records.looking(asking.person) as look:
        return list(disclosure.looks(look, patient_called(look.session, number)))


@router.get("/patients/{number}/consents")
def patient_consents(number: str, asking: Asking, records: Records) -> list[ConsentOut]:
    """What a patient agreed to, what was withdrawn too."""
    with records.looking(asking.person) as look:
        return consents(look, patient_called(look.session, number))


@router.post("/patients/{number}/consents", status_code=201)
def record_consent(number: str, given: ConsentIn, asking: Asking, records: Records) -> ConsentOut:
    """Record what a patient agreed to."""
    with records.changing(asking.person) as change:
        row = consent.record_consent(
            change, patient_called(change.session, number), given.purposes, given=str(given.given),
            until="" if given.until is None else str(given.until), document=given.document,
        )  # fmt: skip
        return consent_out(row)


@router.post("/patients/{number}/consents/{consent_number}/withdrawal", status_code=201)
def withdraw_consent(
    number: str, consent_number: int, given: WithdrawalIn, asking: Asking, records: Records
) -> ConsentOut:
    """Record that a patient agrees no longer."""
    with records.changing(asking.person) as change:
        row = consent_called(change, patient_called(change.session, number), consent_number)
        consent.withdraw_consent(change, row, reason=given.reason, seen=given.seen)
        return consent_out(row)
