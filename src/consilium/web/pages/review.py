"""The pages of the second reading and of the report: the same services as the interface, with forms."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consilium.errors import InputError
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.case_states import REPORTED
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import Change
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.permissions import TABLE, Act
from consilium.laboratory.review.content import LANGS
from consilium.laboratory.review.iscn_field import check_iscn
from consilium.laboratory.review.prepared import Prepared, prepare, survey
from consilium.laboratory.review.readings import decide, may_see_first, record_reading
from consilium.laboratory.review.signed import newest_revision, signed_report, verify
from consilium.laboratory.review.signing import reopen, reviewed, sign
from consilium.laboratory.review.texts import write_text
from consilium.laboratory.tables import CaseRow
from consilium.web.api.review_documents import DifferenceIn, blocker_out
from consilium.web.api.reviews import check_cell, review_of, shown_difference
from consilium.web.context import Asking, Cells, People, Records, Signed
from consilium.web.page import page
from consilium.web.pages.forms import BLANK, Clock, Entered, Filled, Form, acted
from consilium.web.reporting import SealKept, proven

router = APIRouter()


@router.get("/cases/{number}/review")
def review(number: str, request: Request, asking: Asking, records: Records, opened: Cells) -> Response:
    """The second reading of a case."""
    return show_review(number, request, asking, records, opened)


def show_review(
    number: str, request: Request, asking: Signed, records: Laboratory, opened: OpenCells, entered: Entered = BLANK
) -> Response:
    """The page of the second reading, with a form that was not accepted."""
    with records.looking(asking.person) as look:
        case = case_called(look.session, number)
        prepared = survey(look, opened, case)
        told = review_of(look, prepared, case)
        clock = Clock(look.profile)
        wanted = min(look.profile.release.second_reading_cells, len(prepared.facts.analysed))
        second = look.profile.second_reader
    return page(
        request, "review.html.j2", signed=asking, status=entered.status, entered=entered, review=told, clock=clock,
        wanted=wanted, second_reader=second, may_decide=_may(asking, "review.decide"),
        may_review=_may(asking, "case.review") and told.state == "analysed",
    )  # fmt: skip


@router.post("/cases/{number}/review/readings")
def read_again(number: str, request: Request, asking: Asking, records: Records, opened: Cells, given: Form) -> Response:
    """Record a second reading."""

    def act() -> str:
        cell = _number(given, "cell", "the cell")
        count = _number(given, "count", "the count")
        with records.changing(asking.person) as change:
            case = case_called(change.session, number)
            check_cell(change, case, cell)
            record_reading(change, case, cell, count=count, karyotype=given.get("karyotype"), note=given.get("note"))
        return f"/cases/{number}/review#{'case' if cell is None else f'cell-{cell}'}"

    name = f"cell-{given.get('cell')}" if given.get("cell") else "case"
    return acted(name, given, act, _again(show_review, number, request, asking, records, opened), done="read_again")


@router.post("/cases/{number}/review/decisions")
def settle(number: str, request: Request, asking: Asking, records: Records, opened: Cells, given: Form) -> Response:
    """Decide about a difference."""

    def act() -> str:
        with records.changing(asking.person) as change:
            case = case_called(change.session, number)
            if not may_see_first(change, case, _number(given, "cell", "the cell")):
                raise InputError("it has to be read a second time first", way_out="Say what you see, then decide.")
            asked = _difference(given)
            difference = shown_difference(survey(change, opened, case), asked)
            decide(change, case, asked.cell, difference, kept=asked.kept, reason=asked.reason)
        return f"/cases/{number}/review#differences"

    name = given.get("form")[:40]
    return acted(name, given, act, _again(show_review, number, request, asking, records, opened), done="decided")


@router.post("/cases/{number}/review/done")
def done(number: str, request: Request, asking: Asking, records: Records, opened: Cells, given: Form) -> Response:
    """Bring a case to reviewed."""

    def act() -> str:
        with records.changing(asking.person) as change:
            reviewed(change, opened, case_called(change.session, number), seen=given.seen)
        return f"/cases/{number}/report"

    return acted("done", given, act, _again(show_review, number, request, asking, records, opened), done="reviewed")


@router.get("/cases/{number}/report")
def report(number: str, request: Request, asking: Asking, records: Records, opened: Cells) -> Response:
    """The report of a case: written, or signed."""
    return show_report(number, request, asking, records, opened)


def show_report(
    number: str, request: Request, asking: Signed, records: Laboratory, opened: OpenCells, entered: Entered = BLANK
) -> Response:
    """The page of the report, with a form that was not accepted."""
    with records.looking(asking.person) as look:
        case = case_called(look.session, number)
        revisions = [
            signed_report(look.session, case, one) for one in range(1, newest_revision(look.session, case) + 1)
        ]
        values: dict[str, Any] = {
            "number": case.number, "state": case.state, "case_version": case.version, "revisions": revisions[::-1],
            "clock": Clock(look.profile), "out": case.state in REPORTED, "hidden": not may_see_first(look, case, None),
            "verified": {one.revision: one for one in verify(look.session, case, opened.files)},
        }  # fmt: skip
        if not values["hidden"]:
            values |= _open_report(look, case, prepare(look, opened, case), asking)
    return page(
        request, "report.html.j2", signed=asking, status=entered.status, entered=entered,
        may_write=_may(asking, "report.write") and not values["out"], may_sign=_may(asking, "case.sign"),
        may_amend=_may(asking, "case.amend"), may_identify=_may(asking, "patient.identify"),
        by_single_sign_on=asking.method == "oidc", **values,
    )  # fmt: skip


@router.post("/cases/{number}/report")
def write(number: str, request: Request, asking: Asking, records: Records, opened: Cells, given: Form) -> Response:
    """Write into a report."""

    def act() -> str:
        with records.changing(asking.person) as change:
            case = case_called(change.session, number)
            drafted = survey(change, opened, case).draft.iscn
            write_text(
                change, case, seen=given.seen, drafted=drafted, iscn=given.get("iscn"),
                iscn_override=given.get("iscn_override"), withhold_sex=given.get("withhold_sex") == "yes",
                interpretation={lang: given.get(f"interpretation_{lang}") for lang in LANGS},
                reasons={
                    name.removeprefix("reason_"): text for name, text in given.values.items()
                    if name.startswith("reason_")
                },
                karyograms=[_whole(one, "a cell") for one in given.several.get("karyogram", ())],
            )  # fmt: skip
        return f"/cases/{number}/report"

    return acted("text", given, act, _again(show_report, number, request, asking, records, opened), done="written")


@router.post("/cases/{number}/report/signature")
def put_signature(
    number: str, request: Request, asking: Asking, records: Records, people: People, opened: Cells, seal: SealKept,
    given: Form,
) -> Response:  # fmt: skip
    """Sign what was shown."""

    def act() -> str:
        with records.looking(asking.person) as look:
            look.require("case.sign")
            prepare(look, opened, case_called(look.session, number))
        method = proven(request, asking, people, given.get("password"))
        with records.changing(asking.person) as change:
            case = case_called(change.session, number)
            sign(change, opened, case, shown=given.get("shown"), method=method, seal=seal)
        return f"/cases/{number}/report"

    # What was typed as a password is never sent back.
    kept = Filled(values={"shown": given.get("shown")}, several={})
    return acted("sign", kept, act, _again(show_report, number, request, asking, records, opened), done="signed")


@router.post("/cases/{number}/report/reopening")
def open_again(number: str, request: Request, asking: Asking, records: Records, opened: Cells, given: Form) -> Response:
    """Open a case whose report is out."""

    def act() -> str:
        with records.changing(asking.person) as change:
            reopen(change, case_called(change.session, number), reason=given.get("reason"), seen=given.seen)
        return f"/cases/{number}/report"

    return acted("reopen", given, act, _again(show_report, number, request, asking, records, opened), done="reopened")


def _open_report(look: Change, case: CaseRow, prepared: Prepared, asking: Signed) -> dict[str, Any]:
    """What the page shows of a report."""
    ids = {one.name: one.id for one in prepared.draft.cells}
    content = prepared.content
    shown = {one.cell for one in content.karyograms}
    text = prepared.text
    return {
        "content": content,
        "sha256": prepared.sha256,
        "text_version": 0 if text is None else text.version,
        "iscn": prepared.facts.iscn,
        "drafted": prepared.draft.iscn,
        "drafted_text": prepared.drafted,
        "override": "" if text is None else text.iscn_override,
        "withhold_sex": prepared.draft.whole.request.withhold_sex,
        "interpretation": prepared.facts.interpretation,
        "checked": check_iscn(prepared.facts.iscn or prepared.draft.iscn, asking.lang),
        "blockers": [blocker_out(one, ids) for one in prepared.blockers],
        "karyotyped": [
            (one.id, one.name, one.name in shown) for one in prepared.draft.cells if "karyotyped" in one.acts
        ],
        "second_reader": look.profile.second_reader,
    }


def _again(show: Any, number: str, request: Request, asking: Signed, records: Laboratory, opened: OpenCells) -> Any:
    return lambda entered: show(number, request, asking, records, opened, entered)


def _difference(given: Filled) -> DifferenceIn:
    from pydantic import ValidationError

    names = ("what", "of", "first", "second", "kept", "reason")
    try:
        return DifferenceIn(
            cell=_number(given, "cell", "the cell"), **{name: given.get(name) for name in names}  # type: ignore[arg-type]
        )  # fmt: skip
    except ValidationError as problem:
        raise InputError("say whose reading is right, and why") from problem


def _number(given: Filled, name: str, what: str) -> int | None:
    text = given.get(name).strip()
    return _whole(text, what) if text else None


def _whole(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InputError(f"{what} is no number")
    return int(text)


def _may(asking: Signed, act: Act) -> bool:
    return bool(asking.roles & TABLE[act])
