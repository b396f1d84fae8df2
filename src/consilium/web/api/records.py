"""Tables of a laboratory for programs: CSV in, CSV out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from consilium.errors import InputError
from consilium.laboratory.csv_export import export_table
from consilium.laboratory.csv_import import Report, import_table
from consilium.laboratory.spreadsheet import LARGEST
from consilium.web.context import Asking, Records

router = APIRouter(tags=["tables"])


class Taken(BaseModel):
    """A line that was recorded: its number in the file, and the accession number."""

    line: int
    specimen: str


class NotTaken(BaseModel):
    """A line that was not recorded, and why."""

    line: int
    why: str


class ImportOut(BaseModel):
    """What became of a table."""

    taken: list[Taken]
    refused: list[NotTaken]


def import_out(report: Report) -> ImportOut:
    """A report as it is told."""
    return ImportOut(
        taken=[Taken(line=line, specimen=label) for line, label in report.taken],
        refused=[NotTaken(line=one.line, why=one.why) for one in report.refused],
    )


async def whole_body(request: Request) -> bytes:
    """What was sent, as long as it is no larger than a table may be.

    Raises:
        InputError: it is larger.
    """
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > LARGEST:
            raise InputError(f"the table is larger than {LARGEST} bytes", way_out="Cut it into several.")
    return bytes(found)


@router.post(
    "/records/import",
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def take_table(request: Request, asking: Asking, records: Records, encoding: str = "") -> ImportOut:
    """Record the specimens of a CSV table; each line is a transaction of its own."""
    from starlette.concurrency import run_in_threadpool

    data = await whole_body(request)
    return import_out(await run_in_threadpool(import_table, records, asking.person, data, encoding=encoding))


@router.get("/records/export.csv", response_class=Response)
def give_table(asking: Asking, records: Records) -> Response:
    """All specimens with their cases, without names."""
    with records.looking(asking.person) as look:
        text = export_table(look)
    # The mark in front is what spreadsheets tell UTF-8 by.
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8")
