"""The page of a patient: cases, consents, what is kept; who it is only on demand, and who asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consilium.laboratory import consent, disclosure, reception
from consilium.laboratory.consent import PURPOSES, consents_of, may_be_used, retention
from consilium.laboratory.found import patient_called
from consilium.laboratory.journal import history
from consilium.laboratory.tables import CaseRow
from consilium.web.api.patients import consent_called, consents
from consilium.web.context import Asking, Records, Signed
from consilium.web.page import page
from consilium.web.pages.case import may
from consilium.web.pages.forms import BLANK, Clock, Entered, Form, acted
from consilium.web.pages.worklist import specimen_names

router = APIRouter()


@router.get("/patients/{number}")
def patient(number: str, request: Request, asking: Asking, records: Records) -> Response:
    """A patient by the laboratory's number."""
    return _show(number, request, asking, records)


def _show(
    number: str, request: Request, asking: Signed, records: Records, entered: Entered = BLANK,
    identity: disclosure.Identity | None = None,
) -> Response:  # fmt: skip
    from sqlalchemy import select

    with records.looking(asking.person) as look:
        look.require("record.see")
        row = patient_called(look.session, number)
        found = consents_of(look, row.id)
        today = look.profile.day(look.at)
        cases = select(CaseRow).where(CaseRow.patient_id == row.id).order_by(CaseRow.number)
        values: dict[str, Any] = {
            "patient": row, "cases": list(look.session.scalars(cases)), "consents": consents(look, row),
            "may_use": {purpose: may_be_used(found, purpose, today) for purpose in PURPOSES},
            "kept": retention(look, row), "looks": disclosure.looks(look, row, newest=20),
            "events": tuple(reversed(history(look.session, row))), "clock": Clock(look.profile),
        }  # fmt: skip
    answer = page(
        request, "patient.html.j2", signed=asking, status=entered.status, entered=entered, identity=identity,
        purposes=PURPOSES, specimens=specimen_names(asking.lang), may_identify=may(asking, "patient.identify"),
        may_record=may(asking, "consent.record"), **values,
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/patients/{number}/identity")
def who_it_is(number: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Show who it is; the look leaves a line before it is shown."""
    identity = _disclosed(number, asking, records)
    return _show(number, request, asking, records, identity=identity)


@router.post("/patients/{number}/correct")
def correct(number: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Record anew who it is; what stood there stays as an earlier revision."""

    def act() -> str:
        told = {name: given.get(name) for name in ("name", "birth_date", "hospital_number", "reason")}
        with records.changing(asking.person) as change:
            reception.correct_identity(change, patient_called(change.session, number), seen=given.seen, **told)
        return f"/patients/{quote(number)}"

    def again(entered: Entered) -> Response:
        identity = _disclosed(number, asking, records) if may(asking, "patient.identify") else None
        return _show(number, request, asking, records, entered, identity)

    return acted("correct", given, act, again, done="corrected")


@router.post("/patients/{number}/consents")
def record_consent(number: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Record what the patient agreed to."""

    def act() -> str:
        with records.changing(asking.person) as change:
            consent.record_consent(
                change, patient_called(change.session, number), given.several.get("purposes", ()),
                given=given.get("given"), until=given.get("until"), document=given.get("document"),
            )  # fmt: skip
        return f"/patients/{quote(number)}"

    return acted(
        "consent", given, act, lambda entered: _show(number, request, asking, records, entered), done="consent"
    )


@router.post("/patients/{number}/consents/{consent_number}/withdraw")
def withdraw_consent(
    number: str, consent_number: int, request: Request, asking: Asking, records: Records, given: Form
) -> Response:
    """Record that the patient agrees no longer."""

    def act() -> str:
        with records.changing(asking.person) as change:
            row = consent_called(change, patient_called(change.session, number), consent_number)
            consent.withdraw_consent(change, row, reason=given.get("reason"), seen=given.seen)
        return f"/patients/{quote(number)}"

    return acted(
        f"withdraw-{consent_number}", given, act, lambda entered: _show(number, request, asking, records, entered),
        done="consent_withdrawn",
    )  # fmt: skip


def _disclosed(number: str, asking: Signed, records: Records) -> disclosure.Identity:
    with records.changing(asking.person) as change:
        row = patient_called(change.session, number)
        return disclosure.disclose(change, row, why=f"patient {row.number}")
