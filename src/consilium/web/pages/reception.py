"""Where a specimen comes in, and what is stuck on it."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from consilium.errors import InputError
from consilium.laboratory import disclosure, reception
from consilium.laboratory.due_date import URGENCIES
from consilium.laboratory.found import labelled, patient_called
from consilium.laboratory.journal import Change
from consilium.laboratory.label_drawing import Symbol, label_svg
from consilium.laboratory.reception import CONDITIONS, SEXES, Order, take_in
from consilium.laboratory.tables import PatientRow, SpecimenRow
from consilium.web.context import Asking, Records, Signed
from consilium.web.page import page
from consilium.web.pages.forms import BLANK, Entered, Filled, Form, acted
from consilium.web.pages.worklist import specimen_names

router = APIRouter()

MOST_LABELS = 60


@router.get("/reception")
def blank(
    request: Request, asking: Asking, case: Annotated[str, Query(max_length=40)] = "",
    patient: Annotated[str, Query(max_length=40)] = "",
) -> Response:  # fmt: skip
    """The form for a specimen; for a further one of a case, or of a patient who is known."""
    return _form(request, asking, BLANK, case=case, patient=patient)


@router.post("/reception")
def receive(request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Record a specimen with its case and its patient, as far as these are new."""

    def act() -> str:
        with records.changing(asking.person) as change:
            found = _taken(change, given)
        return f"/things/{found.label}"

    return acted("reception", given, act, lambda entered: _form(request, asking, entered), done="received")


@router.get("/labels")
def labels(
    request: Request, asking: Asking, records: Records, label: Annotated[list[str], Query(max_length=MOST_LABELS)],
    symbol: Symbol = "qr",
) -> Response:  # fmt: skip
    """Labels to print."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        found = [labelled(look.session, one).label for one in label]
    drawn = [(one, label_svg(one, symbol)) for one in found]
    return page(request, "labels.html.j2", signed=asking, drawn=drawn, symbol=symbol)


def _form(request: Request, asking: Signed, entered: Entered, *, case: str = "", patient: str = "") -> Response:
    whose = entered.get("reception", "whose", "case" if case else "patient" if patient else "new")
    return page(
        request, "reception.html.j2", signed=asking, status=entered.status, entered=entered, whose=whose, case=case,
        patient=patient, specimens=specimen_names(asking.lang), conditions=CONDITIONS, urgencies=URGENCIES, sexes=SEXES,
    )  # fmt: skip


def _taken(change: Change, given: Filled) -> SpecimenRow:
    """Record what the form says."""
    told = {one.name: given.get(one.name) for one in fields(Order) if given.get(one.name) or one.name == "specimen"}
    order = Order(**told)
    whose = given.get("whose")
    if whose == "case":
        return take_in(change, order, case=given.get("case") or "-")
    if whose == "patient":
        return take_in(change, order, patient=_known(change, given.get("patient")).number)
    identity = {name: given.get(name) for name in ("name", "birth_date", "hospital_number", "sex")}
    return take_in(change, order, identity=identity)


def _known(change: Change, text: str) -> PatientRow:
    """A patient by the laboratory's number or the hospital's."""
    try:
        return patient_called(change.session, text)
    except InputError:
        found = reception.patient_of_hospital_number(change, text)
        if found is None:
            raise
        disclosure.disclose(change, found, why="received by the hospital's number")
        return found
