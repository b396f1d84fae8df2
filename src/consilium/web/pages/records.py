"""Tables of the laboratory: specimens come in and go out as CSV, and what is kept no longer."""

from __future__ import annotations

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import Response

from consilium.errors import InputError
from consilium.laboratory.consent import due_for_disposal
from consilium.laboratory.csv_export import export_table
from consilium.laboratory.csv_import import COLUMNS, Report, import_table
from consilium.laboratory.spreadsheet import LARGEST
from consilium.web.context import Asking, Records, Signed
from consilium.web.page import page
from consilium.web.pages.case import may
from consilium.web.pages.forms import BLANK, Entered

router = APIRouter()

ENCODINGS = ("utf-8", "gb18030", "big5", "cp1252")


@router.get("/records")
def tables(request: Request, asking: Asking, records: Records) -> Response:
    """What can be imported and exported, and what is due for disposal."""
    return _show(request, asking, records)


@router.post("/records/import")
def take_in(
    request: Request, asking: Asking, records: Records, table: UploadFile, encoding: str = ""
) -> Response:  # fmt: skip
    """Record the specimens of a table, line by line."""
    try:
        data = table.file.read(LARGEST + 1)
        report = import_table(records, asking.person, data, encoding=encoding if encoding in ENCODINGS else "")
    except InputError as problem:
        return _show(request, asking, records, entered=Entered(form="import", problem=problem))
    return _show(request, asking, records, report=report)


@router.get("/records/export.csv")
def give_out(asking: Asking, records: Records) -> Response:
    """All specimens with their cases, without names."""
    with records.looking(asking.person) as look:
        text = export_table(look)
    headers = {"Content-Disposition": 'attachment; filename="specimens.csv"', "Cache-Control": "no-store"}
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)


def _show(
    request: Request, asking: Signed, records: Records, *, entered: Entered = BLANK, report: Report | None = None
) -> Response:
    with records.looking(asking.person) as look:
        due = [(row.label, row.case.number, why.reason) for row, why in due_for_disposal(look)]
    return page(
        request, "records.html.j2", signed=asking, status=entered.status, entered=entered, report=report, due=due,
        columns=COLUMNS, encodings=ENCODINGS, may_import=may(asking, "record.import"),
        may_export=may(asking, "record.export"),
    )  # fmt: skip
