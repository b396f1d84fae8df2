"""The part of a case's page with pictures and cells: read by the machine, counted and analysed by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import Response

from consilium.errors import InputError, NotFound
from consilium.karyotype.conclusion_record import conclusion_record
from consilium.laboratory.analysis.acts import record_act, withdraw_act
from consilium.laboratory.analysis.cells import cells_of
from consilium.laboratory.analysis.images import add_image, withdraw_image
from consilium.laboratory.analysis.runs import ask_for_run, cancel_run
from consilium.laboratory.analysis.tables import CellRow, ImageRow, RunRow
from consilium.laboratory.analysis.worksheet import worksheet
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import Change
from consilium.web.analysis import Bench
from consilium.web.api.runs import Keeper
from consilium.web.context import Asking, Records, Run
from consilium.web.page import page
from consilium.web.pages.case import show_case
from consilium.web.pages.forms import Entered, Form, acted

router = APIRouter()

Kind = TypeVar("Kind", CellRow, ImageRow, RunRow)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of files that were handed in by a form: how many are stored, and why others are not."""

    stored: int
    refused: tuple[tuple[str, str], ...]


@router.post("/cases/{number}/images")
def upload(
    number: str, request: Request, asking: Asking, records: Records, bench: Bench, run: Run,
    files: Annotated[list[UploadFile], File()],
) -> Response:  # fmt: skip
    """Take pictures in, each by itself: one that is refused keeps none of the others out."""
    stored, refused = 0, []
    for one in files:
        content, name = one.file.read(run.largest_upload + 1), one.filename or ""
        try:
            if len(content) > run.largest_upload:
                raise InputError(f"the picture is larger than {run.largest_upload // 2**20} MB")
            with records.changing(asking.person) as change:
                add_image(change, bench.files, case_called(change.session, number), name, content)
            stored += 1
        except InputError as problem:
            refused.append((name, str(problem)))
    told = Stored(stored=stored, refused=tuple(refused))
    return show_case(number, request, asking, records, upload=told)


@router.post("/cases/{number}/runs")
def read(
    number: str, request: Request, asking: Asking, records: Records, given: Form, keeper: Keeper
) -> Response:  # fmt: skip
    """Have the pictures read that were not."""

    def act() -> str:
        with records.changing(asking.person) as change:
            row = ask_for_run(change, case_called(change.session, number))
        keeper.submit(row.id)
        return f"/cases/{quote(number)}#images"

    return acted("run", given, act, _again(number, request, asking, records), done="run")


@router.post("/cases/{number}/runs/{run_id}/cancel")
def cancel(
    number: str, run_id: int, request: Request, asking: Asking, records: Records, given: Form, keeper: Keeper
) -> Response:
    """Let a run come to nothing."""

    def act() -> str:
        with records.changing(asking.person) as change:
            row = _of_case(change, RunRow, run_id, number)
            cancel_run(change, row, reason=given.get("reason"))
        keeper.cancel_job(row)
        return f"/cases/{quote(number)}#images"

    return acted("run", given, act, _again(number, request, asking, records), done="cancelled")


@router.post("/cases/{number}/images/{image_id}/withdraw")
def withdraw(
    number: str, image_id: int, request: Request, asking: Asking, records: Records, given: Form
) -> Response:  # fmt: skip
    """Let a picture count no longer."""

    def act() -> str:
        with records.changing(asking.person) as change:
            row = _of_case(change, ImageRow, image_id, number)
            withdraw_image(change, row, reason=given.get("reason"), seen=given.seen)
        return f"/cases/{quote(number)}#images"

    return acted("image", given, act, _again(number, request, asking, records), done="withdrawn")


@router.post("/cases/{number}/cells/{cell}/acts")
def act_on_cell(
    number: str, cell: int, request: Request, asking: Asking, records: Records, given: Form
) -> Response:  # fmt: skip
    """Record that a cell was counted, analysed or karyotyped."""

    def act() -> str:
        with records.changing(asking.person) as change:
            record_act(change, _of_case(change, CellRow, cell, number), given.get("act"), seen=given.seen)
        return f"/cases/{quote(number)}#cell-{cell}"

    return acted(f"cell-{cell}", given, act, _again(number, request, asking, records), done="act")


@router.post("/cases/{number}/cells/{cell}/acts/withdraw")
def take_act_back(
    number: str, cell: int, request: Request, asking: Asking, records: Records, given: Form
) -> Response:  # fmt: skip
    """Let a record of an act count no longer."""

    def act() -> str:
        with records.changing(asking.person) as change:
            withdraw_act(change, _of_case(change, CellRow, cell, number), given.get("act"), reason=given.get("reason"))
        return f"/cases/{quote(number)}#cell-{cell}"

    return acted(f"cell-{cell}", given, act, _again(number, request, asking, records), done="act")


@router.get("/cases/{number}/findings")
def findings(number: str, request: Request, asking: Asking, records: Records, bench: Bench) -> Response:
    """What the analysed cells say together, with the cells and chromosomes that show it."""
    with records.looking(asking.person) as look:
        case = case_called(look.session, number)
        sheet = worksheet(look, bench.cells, case)
        by_image = {one.image: one for one in cells_of(look, case)}
    record = None if sheet.conclusion is None else conclusion_record(sheet.conclusion, asking.lang)
    return page(
        request, "findings.html.j2", signed=asking, case=case, sheet=sheet, record=record, by_image=by_image,
        alone="x-fragment" not in request.headers,
    )  # fmt: skip


def _of_case(change: Change, kind: type[Kind], id_: int, number: str) -> Kind:
    """A picture, run or cell of a case.

    Raises:
        NotFound: the case has none of this number.
    """
    case = case_called(change.session, number)
    row = change.session.get(kind, id_) if 0 < id_ < 2**31 else None
    if row is None or row.case_id != case.id:
        raise NotFound(f"{case.number} has none of the number {id_}", way_out="Open the page of its own case.")
    return row


def _again(number: str, request: Request, asking: Asking, records: Records) -> Any:
    def again(entered: Entered) -> Response:
        return show_case(number, request, asking, records, entered)

    return again
