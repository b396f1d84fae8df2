"""Pictures of a case, and runs in which the machine reads them, for programs and for the page of the case."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from consilium.errors import InputError, NotFound
from consilium.laboratory.analysis.images import add_image, withdraw_image
from consilium.laboratory.analysis.kinds import RunState
from consilium.laboratory.analysis.runs import ask_for_run, cancel_run, images_of, runs_of
from consilium.laboratory.analysis.tables import ImageRow, RunRow
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import Change
from consilium.web.api.cases import Asked, WithdrawalIn
from consilium.web.context import Asking, Kept, Reading, Records, Run
from consilium.web.readings import Readings

router = APIRouter(tags=["pictures and their readings"])


class ImageOut(BaseModel):
    """A picture of a case."""

    image: int
    name: str
    kind: str
    size: int
    width: int
    height: int
    version: int
    sha256: str


class RunIn(Asked):
    """Pictures that are to be read; none: all that were not."""

    images: list[int] = Field(default_factory=list, max_length=500)


class CancelIn(Asked):
    """Why a run is to come to nothing."""

    reason: str = Field(default="", max_length=2000)


class RunOut(BaseModel):
    """A run: how far it is, and what came of it."""

    run: int
    state: RunState
    by: str
    asked: str
    done: int
    total: int
    message: str


def image_out(row: ImageRow) -> ImageOut:
    """A picture as it is told."""
    return ImageOut(
        image=row.id, name=row.name, kind=row.kind, size=row.size, width=row.width, height=row.height,
        version=row.version, sha256=row.sha256,
    )  # fmt: skip


def run_out(row: RunRow, readings: Readings) -> RunOut:
    """A run as it is told."""
    far = readings.progress(row)
    return RunOut(
        run=row.id, state=row.state, by=row.by, asked=row.asked, done=far.done, total=far.total, message=row.message
    )


def run_called(change: Change, number: str, run: int) -> RunRow:
    """A run of a case.

    Raises:
        NotFound: the case has none of this number.
    """
    case = case_called(change.session, number)
    row = change.session.get(RunRow, run) if 0 < run < 2**31 else None
    if row is None or row.case_id != case.id:
        raise NotFound(f"{case.number} has no run {run}")
    return row


def image_called(change: Change, number: str, image: int) -> ImageRow:
    """A picture of a case.

    Raises:
        NotFound: the case has none of this number.
    """
    case = case_called(change.session, number)
    row = change.session.get(ImageRow, image) if 0 < image < 2**31 else None
    if row is None or row.case_id != case.id:
        raise NotFound(f"{case.number} has no image {image}")
    return row


async def one_file(request: Request, largest: int) -> bytes:
    """What was sent, as long as it is no larger than a picture may be.

    Raises:
        InputError: it is larger, or nothing.
    """
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > largest:
            raise InputError(
                f"the picture is larger than {largest // 2**20} MB", way_out="Save it without layers, or smaller."
            )
    if not found:
        raise InputError("the file is empty")
    return bytes(found)


@router.get("/cases/{number}/images")
def images(number: str, asking: Asking, records: Records) -> list[ImageOut]:
    """The pictures of a case."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        return [image_out(row) for row in images_of(look.session, case_called(look.session, number))]


@router.post(
    "/cases/{number}/images", status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)  # fmt: skip
async def take_image(
    number: str, request: Request, asking: Asking, records: Records, files: Kept, run: Run,
    name: Annotated[str, Query(min_length=1, max_length=300, description="Of the file.")],
) -> ImageOut:  # fmt: skip
    """Take a picture in; the body is the file."""
    from starlette.concurrency import run_in_threadpool

    content = await one_file(request, run.largest_upload)

    def take() -> ImageOut:
        with records.changing(asking.person) as change:
            return image_out(add_image(change, files, case_called(change.session, number), name, content))

    return await run_in_threadpool(take)


@router.get("/cases/{number}/images/{image}/file", response_class=Response)
def image_file(number: str, image: int, asking: Asking, records: Records, files: Kept) -> Response:
    """A picture as it came."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        row = image_called(look, number, image)
    headers = {"Content-Disposition": f'attachment; filename="image-{row.id}.{row.kind}"'}
    return Response(files.read(row.sha256), media_type="application/octet-stream", headers=headers)


@router.post("/cases/{number}/images/{image}/withdrawal", status_code=201)
def withdraw(number: str, image: int, given: WithdrawalIn, asking: Asking, records: Records) -> ImageOut:
    """Let a picture count no longer, and the cells that were read in it."""
    with records.changing(asking.person) as change:
        row = image_called(change, number, image)
        withdraw_image(change, row, reason=given.reason, seen=given.seen)
        return image_out(row)


@router.get("/cases/{number}/runs")
def runs(number: str, asking: Asking, records: Records, readings: Reading) -> list[RunOut]:
    """The runs of a case, the newest first."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        found = runs_of(look.session, case_called(look.session, number))
    return [run_out(row, readings) for row in found]


@router.post("/cases/{number}/runs", status_code=201)
def start_run(number: str, given: RunIn, asking: Asking, records: Records, readings: Reading) -> RunOut:
    """Have pictures of a case read."""
    with records.changing(asking.person) as change:
        row = ask_for_run(change, case_called(change.session, number), given.images)
    readings.wake()
    return run_out(row, readings)


@router.post("/cases/{number}/runs/{run}/cancellation", status_code=201)
def cancel(number: str, run: int, given: CancelIn, asking: Asking, records: Records, readings: Reading) -> RunOut:
    """Let a run come to nothing."""
    with records.changing(asking.person) as change:
        row = run_called(change, number, run)
        cancel_run(change, row, reason=given.reason)
    readings.end_job(row.job)
    return run_out(row, readings)
