"""Orders of other systems, signed reports for them, messages, archives of pictures: an interface for programs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from consilium.errors import InputError
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.exchange import messages as kept
from consilium.laboratory.exchange.dicom import case as dicom
from consilium.laboratory.exchange.dicom.archive import Wanted, spoken
from consilium.laboratory.exchange.fhir import inbox as fhir_inbox
from consilium.laboratory.exchange.fhir.bundle import LARGEST as LARGEST_BUNDLE
from consilium.laboratory.exchange.fhir.report import report_bundle
from consilium.laboratory.exchange.hl7v2 import inbox as hl7_inbox
from consilium.laboratory.exchange.hl7v2.text import LARGEST_ORDER as LARGEST_MESSAGE
from consilium.laboratory.exchange.outgoing import outgoing
from consilium.laboratory.exchange.partners import partners_in
from consilium.laboratory.exchange.send import queue_result
from consilium.laboratory.exchange.tables import Direction, State
from consilium.laboratory.found import case_called
from consilium.web.context import Asking, Records, Run

router = APIRouter(tags=["exchange"])

FHIR = "application/fhir+json"
HL7 = "application/hl7-v2"

Case = Annotated[str, Path(max_length=40)]
Archive = Annotated[str, Path(max_length=100)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Revision = Annotated[int | None, Query(ge=1, le=10_000)]
Text = Annotated[str, Query(max_length=100)]


class StepTold(BaseModel):
    """What became of a message at some time."""

    at: str
    state: State
    due: str | None
    told: str


class MessageTold(BaseModel):
    """A message, without what stands in it."""

    id: int
    at: str
    direction: Direction
    protocol: str
    kind: str
    control: str
    peer: str
    who: str
    case: str
    state: State
    steps: list[StepTold]


class ResultWish(BaseModel):
    """Which report is to be sent to whom."""

    case: str = Field(max_length=40)
    receiver: str = Field(max_length=100)
    revision: int | None = Field(default=None, ge=1, le=10_000)


class StudyTold(BaseModel):
    """A study that an archive has."""

    uid: str
    patient: str
    accession: str
    day: str
    description: str
    modalities: str
    instances: int


class FetchWish(BaseModel):
    """Which study is to be taken into which case."""

    case: str = Field(max_length=40)
    study: str = Field(max_length=64)


class FetchedTold(BaseModel):
    """What came: pictures that the case has more, those that it had, objects that are no pictures."""

    case: str
    taken_in: int
    were_there: int
    left_out: int


class StoreWish(BaseModel):
    """Which signed report is to be stored."""

    case: str = Field(max_length=40)
    revision: int | None = Field(default=None, ge=1, le=10_000)


class StoredTold(BaseModel):
    """UIDs of the objects that an archive has now."""

    case: str
    objects: list[str]


@router.post(
    "/fhir/Bundle", response_class=JSONResponse,
    openapi_extra={"requestBody": {"required": True, "content": {FHIR: {"schema": {"type": "object"}}}}},
    responses={code: {"description": "An OperationOutcome tells why."} for code in (400, 404, 409)},
)  # fmt: skip
async def fhir_orders(request: Request, records: Records, signed: Asking) -> Response:
    """Take in a Bundle (transaction or message) with ServiceRequests, Patients and Specimens of FHIR R4B."""
    from starlette.concurrency import run_in_threadpool

    data = await _body(request, LARGEST_BUNDLE)
    reply = await run_in_threadpool(fhir_inbox.receive, records, signed.person, data, peer=_peer(request))
    return JSONResponse(reply.document, status_code=reply.status, media_type=FHIR)


@router.get("/fhir/DiagnosticReport/{case}", response_class=JSONResponse)
def fhir_report(
    records: Records, run: Run, signed: Asking, case: Case, revision: Revision = None, identity: bool = False,
    pdf: Annotated[str, Query(pattern="^(en|zh|)$")] = "",
) -> Response:  # fmt: skip
    """A signed report as a Bundle of FHIR R4B: its DiagnosticReport first, then what it refers to."""
    # Who the patient is leaves a line that it was told, and that is a change.
    with (records.changing if identity else records.looking)(signed.person) as change:
        row, settled = case_called(change.session, case), partners_in(change)
        report = outgoing(change, Files(run.files), row, revision=revision, identity=identity, pdf=pdf)
    return JSONResponse(report_bundle(report, settled), media_type=FHIR)


@router.post(
    "/hl7", response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}},
    responses={200: {"content": {HL7: {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def hl7_message(request: Request, records: Records, signed: Asking) -> Response:
    """Take in a message of HL7 v2, and answer with its acknowledgement; what is refused is answered AE or AR."""
    from starlette.concurrency import run_in_threadpool

    data = await _body(request, LARGEST_MESSAGE)
    reply = await run_in_threadpool(hl7_inbox.receive, records, signed.person, data, peer=_peer(request))
    return Response(reply.data, media_type=HL7)


@router.get("/messages")
def messages(
    records: Records, signed: Asking, case: Text = "", state: State | None = None, direction: Direction | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None, limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[MessageTold]:  # fmt: skip
    """Messages in and out, newest first, and what became of each."""
    with records.looking(signed.person) as look:
        look.require("record.see")
        found = case_called(look.session, case).id if case else None
        told = kept.listed(look, case_id=found, state=state, direction=direction, before=before, limit=limit)
    return [_told(one) for one in told]


@router.get("/messages/{number}/body", response_class=Response)
def message_body(records: Records, signed: Asking, number: Number) -> Response:
    """A message to the byte; it may tell who a patient is."""
    with records.changing(signed.person) as change:
        body = kept.body_of(change, number)
    headers = {"Content-Disposition": f'attachment; filename="message-{number}"'}
    return Response(body, media_type="application/octet-stream", headers=headers)


@router.post("/messages/{number}/again", status_code=202)
def message_again(records: Records, signed: Asking, number: Number) -> None:
    """Have an outgoing message sent once more."""
    with records.changing(signed.person) as change:
        kept.send_again(change, number)


@router.post("/results", status_code=202)
def results(records: Records, run: Run, signed: Asking, wish: ResultWish) -> MessageTold:
    """Have a signed report sent to a receiver that is settled; the same revision is queued for it once."""
    with records.changing(signed.person) as change:
        row, receiver = case_called(change.session, wish.case), partners_in(change).receiver(wish.receiver)
        report = outgoing(
            change, Files(run.files), row, revision=wish.revision, identity=receiver.identity, pdf=receiver.pdf
        )
        message = queue_result(change, row, report, wish.receiver).id
    with records.looking(signed.person) as look:
        return next(_told(one) for one in kept.listed(look, before=message + 1, limit=1))


@router.get("/archives/{archive}/echo")
def archive_echo(records: Records, signed: Asking, archive: Archive) -> dict[str, str]:
    """See whether an archive answers."""
    spoken(dicom.archive_called(records, signed.person, archive)).echo()
    return {"archive": archive, "status": "ok"}


@router.get("/archives/{archive}/studies")
def archive_studies(
    records: Records, signed: Asking, archive: Archive, patient: Text = "", accession: Text = "", study: Text = "",
    day: Text = "",
) -> list[StudyTold]:  # fmt: skip
    """Studies that an archive has."""
    wanted = Wanted(patient=patient, accession=accession, study=study, day=day)
    return [StudyTold(**vars(one)) for one in dicom.find(records, signed.person, archive, wanted)]


@router.post("/archives/{archive}/fetch")
def archive_fetch(records: Records, run: Run, signed: Asking, archive: Archive, wish: FetchWish) -> FetchedTold:
    """Take the pictures of a study into a case: all of them or none."""
    files = Files(run.files)
    came, new = dicom.fetch_for(
        records, signed.person, files, archive, case=wish.case, study=wish.study, scratch=run.files.parent / "fetched"
    )
    return FetchedTold(case=wish.case, taken_in=new, were_there=len(came.files) - new, left_out=came.left_out)


@router.post("/archives/{archive}/store")
def archive_store(records: Records, run: Run, signed: Asking, archive: Archive, wish: StoreWish) -> StoredTold:
    """Store a signed report: its karyograms and a structured report."""
    made = dicom.store_report(records, signed.person, Files(run.files), archive, case=wish.case, revision=wish.revision)
    return StoredTold(case=wish.case, objects=[str(one.SOPInstanceUID) for one in made])


def _told(one: kept.Told) -> MessageTold:
    steps: list[Any] = [StepTold(**vars(step)) for step in one.steps]
    return MessageTold(**(vars(one) | {"state": one.state, "steps": steps}))


def _peer(request: Request) -> str:
    return "api" if request.client is None else f"api {request.client.host}"


async def _body(request: Request, largest: int) -> bytes:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > largest:
            raise InputError(f"this is larger than {largest} bytes")
    return bytes(data)
