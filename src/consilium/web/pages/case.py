"""The page of a case, and what is done to a case on it."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consilium.laboratory import casework, disclosure, reception
from consilium.laboratory.analysis.cells import cells_of
from consilium.laboratory.analysis.editable import editable
from consilium.laboratory.analysis.kinds import CELL_ACTS, UNFINISHED
from consilium.laboratory.analysis.runs import images_of, runs_of
from consilium.laboratory.analysis.tally import tally
from consilium.laboratory.case_history import case_history
from consilium.laboratory.case_states import REPORTED, STATES, STEPS, WAITS_FOR, State
from consilium.laboratory.due_date import URGENCIES
from consilium.laboratory.entry import one_of
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import Change
from consilium.laboratory.permissions import TABLE, Act
from consilium.laboratory.review.signed import reported_here
from consilium.laboratory.tables import CaseRow
from consilium.laboratory.thread import Piece, pieces
from consilium.laboratory.worklist import days_left
from consilium.web.context import Asking, Records, Signed
from consilium.web.page import page
from consilium.web.pages.forms import BLANK, Clock, Entered, Form, acted
from consilium.web.pages.language import own_address
from consilium.web.pages.worklist import specimen_names
from consilium.web.runs import Runs

router = APIRouter()

NEWEST_SHOWN = 30


@router.get("/cases/{number}")
def case(number: str, request: Request, asking: Asking, records: Records) -> Response:
    """A case: who waits for it, what hangs on it, what happened to it."""
    return show_case(number, request, asking, records)


def show_case(
    number: str, request: Request, asking: Signed, records: Records, entered: Entered = BLANK,
    identity: disclosure.Identity | None = None, upload: object = None,
) -> Response:  # fmt: skip
    """The page of a case.

    Args:
        number: of the case.
        request: what was asked.
        asking: who reads.
        records: of the laboratory.
        entered: a form of the page that was not accepted.
        identity: who the patient is, where she wanted to know.
        upload: what became of files that a form of the page handed in.

    Raises:
        NotFound: there is no such case.
        NotAllowed: she may not see records.
    """
    with records.looking(asking.person) as look:
        look.require("record.see")
        row = case_called(look.session, number)
        values = _facts(look, row, asking) | {
            "pieces": pieces(look, row), "events": case_history(look, row, newest=NEWEST_SHOWN),
            "people": _people(look), "clock": Clock(look.profile),
        }  # fmt: skip
        values |= _analysis(look, row, request.app.state.runs, cultures(values["pieces"]))
    answer = page(
        request, "case.html.j2", signed=asking, status=entered.status, entered=entered, identity=identity,
        upload=upload, largest_mb=request.app.state.settings.largest_upload // 2**20, acts=CELL_ACTS,
        may_add=may(asking, "image.add") and editable(row), may_record=may(asking, "cell.record") and editable(row),
        newest=NEWEST_SHOWN, specimens=specimen_names(asking.lang), urgencies=URGENCIES, **values,
    )  # fmt: skip
    if identity is not None:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/cases/{number}/identity")
def who_it_is(number: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Show who the patient is; the look leaves a line before it is shown."""
    with records.changing(asking.person) as change:
        row = case_called(change.session, number)
        identity = disclosure.disclose(change, row.patient, why=f"case {row.number}")
    return show_case(number, request, asking, records, identity=identity)


@router.post("/cases/{number}/step")
def take_step(number: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Bring the case to another state."""

    def act() -> str:
        with records.changing(asking.person) as change:
            to: State = one_of("the state", given.get("to"), STATES)  # type: ignore[assignment]
            row = case_called(change.session, number)
            casework.move(change, row, to, reason=given.get("reason"), seen=given.seen)
        return f"/cases/{quote(number)}"

    return acted(given.get("form") or "step", given, act, _again(number, request, asking, records), done="moved")


@router.post("/cases/{number}/assign")
def assign(number: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Say who works on the case."""

    def act() -> str:
        with records.changing(asking.person) as change:
            casework.assign(change, case_called(change.session, number), given.get("worker"), seen=given.seen)
        return own_address(given.get("back") or f"/cases/{quote(number)}")

    return acted("assign", given, act, _again(number, request, asking, records), done="assigned")


@router.post("/cases/{number}/urgency")
def change_urgency(number: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Make the case more or less urgent."""

    def act() -> str:
        with records.changing(asking.person) as change:
            row = case_called(change.session, number)
            reception.change_urgency(change, row, given.get("urgency"), seen=given.seen, reason=given.get("reason"))
        return f"/cases/{quote(number)}"

    return acted("urgency", given, act, _again(number, request, asking, records), done="urgency")


@router.post("/cases/{number}/withdraw")
def withdraw(number: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Let the case count no longer."""

    def act() -> str:
        with records.changing(asking.person) as change:
            row = case_called(change.session, number)
            casework.withdraw_case(change, row, reason=given.get("reason"), seen=given.seen)
        return f"/cases/{quote(number)}"

    return acted("withdraw", given, act, _again(number, request, asking, records), done="withdrawn")


def _again(number: str, request: Request, asking: Signed, records: Records) -> Any:
    return lambda entered: show_case(number, request, asking, records, entered)


def _facts(look: Change, row: CaseRow, asking: Signed) -> dict[str, Any]:
    today = look.profile.day(look.at)
    waits = row.state not in REPORTED and row.withdrawn is None
    left = days_left(date.fromisoformat(row.due), today, look.profile.days) if row.due and waits else None
    forward: list[State] = []
    back: list[State] = []
    here = reported_here(look.session, row)
    for (before, to), step in STEPS.items():
        # What is read here is reviewed, signed and reopened on the pages of the review and of the report.
        elsewhere = here and (to == "reviewed" or to == "reopened" or to in REPORTED)
        if before == row.state and may(asking, step.act) and row.withdrawn is None and not elsewhere:
            (back if step.reason else forward).append(to)
    second = look.profile.second_reader and row.analysed_by == asking.person
    return {
        "case": row, "read_here": here, "days_left": left, "waits_for": WAITS_FOR.get(row.state) if waits else None,
        "forward": [to for to in forward if not (to == "reviewed" and second)], "back": back,
        "reads_again": row.state == "analysed" and may(asking, "review.read") and not second,
        "may_change": may(asking, "case.change") and row.withdrawn is None,
        "may_withdraw": may(asking, "case.withdraw") and waits, "may_identify": may(asking, "patient.identify"),
        "may_receive": may(asking, "specimen.receive") and waits,
    }  # fmt: skip


def _analysis(look: Change, row: CaseRow, keeper: Runs, made: int) -> dict[str, Any]:
    """Pictures, runs and cells of a case; no file is read for them."""
    images, runs, cells = images_of(look.session, row), runs_of(look.session, row), cells_of(look, row)
    read = {one.image_id for one in cells} | {id_ for run in runs if run.state != "cancelled" for id_ in run.images}
    return {
        "images": images, "unread": [one for one in images if one.id not in read],
        "runs": [(run, keeper.progress(run)) for run in runs[:5]], "cells": cells,
        "tally": tally(row, cells, cultures=made), "unfinished": UNFINISHED,
    }  # fmt: skip


def cultures(made: tuple[Piece, ...]) -> int:
    """Independent cultures of a case that count."""
    return sum((one.kind == "culture") + cultures(one.made) for one in made if one.withdrawn is None)


def may(asking: Signed, act: Act) -> bool:
    """Whether a control is worth showing; whether the act is allowed is asked again when it is done."""
    return bool(asking.roles & TABLE[act])


def flat(made: tuple[Piece, ...]) -> list[str]:
    """Labels of things and of all that was made of them, as far as they count."""
    return [
        label
        for one in made
        if one.withdrawn is None and one.disposed is None
        for label in (one.label, *flat(one.made))
    ]


def _people(look: Change) -> list[str]:
    from sqlalchemy import select

    from consilium.laboratory.tables import StaffRow

    rows = look.session.execute(
        select(StaffRow.name, StaffRow.roles).where(StaffRow.withdrawn.is_(None)).order_by(StaffRow.name)
    )
    return [row.name for row in rows if set(row.roles) - {"administrator"}]
