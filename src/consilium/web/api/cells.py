"""Cells for programs and for the editor: read, edited by commands, counted, analysed, karyotyped, compared."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from consilium.errors import InputError
from consilium.karyotype.editing import command_json
from consilium.karyotype.editing.labels import OTHERS
from consilium.karyotype.metaphase import CLASSES
from consilium.laboratory.analysis.acts import record_act, withdraw_act
from consilium.laboratory.analysis.cells import cell_numbered, cells_of
from consilium.laboratory.analysis.commands import foresee, log_of, store
from consilium.laboratory.analysis.kinds import CellAct
from consilium.laboratory.found import case_called
from consilium.web.analysis import Bench
from consilium.web.api.cell_documents import (
    CellOut,
    ListedOut,
    LoggedOut,
    OfClassOut,
    StoredOut,
    cell_out,
    listed_out,
    objects_out,
    sprite_address,
    stored_out,
)
from consilium.web.context import Asking, Records

router = APIRouter(tags=["cells"])

FOR_GOOD = {"Cache-Control": "private, max-age=31536000, immutable"}
"""What lies at the address never changes; only whoever may see it keeps it."""

CellNumber = Annotated[int, Path(description="Number of the cell.")]
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}


class Asked(BaseModel):
    """What is handed in: nothing that is not known is overlooked."""

    model_config = ConfigDict(extra="forbid")


class CommandIn(Asked):
    """A command. The same key again is the same command, and gets the same answer."""

    key: str = Field(description="Made by the client, 8 to 64 letters, digits and hyphens; a UUID.", max_length=64)
    seen: int = Field(description="Version of the cell that the person had before her.")
    command: dict[str, Any] = Field(description="With its kind; see docs/reference/editing-commands.md.")


class ActIn(Asked):
    """An act on the cell as it was seen."""

    act: CellAct
    seen: int


class WithdrawnActIn(Asked):
    """Why a record of an act counts no longer."""

    reason: str = Field(max_length=2000)


@router.get("/cells/{cell}")
def read_cell(cell: CellNumber, signed: Asking, records: Records, bench: Bench) -> CellOut:
    """Read a cell."""
    with records.looking(signed.person) as change:
        change.require("record.see")
        row = cell_numbered(change.session, cell)
        return cell_out(change.session, bench, row, bench.cells.open(change.session, row), signed.lang)


@router.post("/cells/{cell}/commands", status_code=201, responses={200: {"model": StoredOut}})
def send_command(
    cell: CellNumber, asked: CommandIn, response: Response, signed: Asking, records: Records, bench: Bench
) -> StoredOut:
    """Do a command. It is in the records before this is answered; 200 where it was there before."""
    command = command_json.read(asked.command)
    with records.looking(signed.person) as look:
        row = cell_numbered(look.session, cell)
        foresee(look, bench.cells, row, key=asked.key, seen=asked.seen, command=command)
    with records.changing(signed.person) as change:
        row = cell_numbered(change.session, cell)
        stored = store(change, bench.cells, row, key=asked.key, seen=asked.seen, command=command)
    response.status_code = 200 if stored.again else 201
    with records.reading() as session:
        return stored_out(session, bench, row, stored, signed.lang)


@router.get("/cells/{cell}/commands")
def read_log(cell: CellNumber, signed: Asking, records: Records) -> list[LoggedOut]:
    """Read everything that was done to a cell, oldest first."""
    with records.looking(signed.person) as change:
        change.require("history.see")
        return [
            LoggedOut(version=one.sequence, who=one.who, at=one.at, command=dict(one.command), undone=one.undone)
            for one in log_of(change.session, cell_numbered(change.session, cell))
        ]


@router.post("/cells/{cell}/acts", status_code=201)
def add_act(cell: CellNumber, asked: ActIn, signed: Asking, records: Records, bench: Bench) -> CellOut:
    """Record that one counted, analysed or karyotyped the cell as it was seen."""
    with records.changing(signed.person) as change:
        record_act(change, cell_numbered(change.session, cell), asked.act, seen=asked.seen)
    return read_cell(cell, signed, records, bench)


@router.delete("/cells/{cell}/acts/{act}")
def remove_act(
    cell: CellNumber, act: CellAct, asked: WithdrawnActIn, signed: Asking, records: Records, bench: Bench
) -> CellOut:
    """Withdraw the record of an act, with the reason; it stays in the records."""
    with records.changing(signed.person) as change:
        withdraw_act(change, cell_numbered(change.session, cell), act, reason=asked.reason)
    return read_cell(cell, signed, records, bench)


@router.get("/cells/{cell}/picture.png", response_class=Response, responses=PNG)
def picture(cell: CellNumber, signed: Asking, records: Records, bench: Bench) -> Response:
    """Read the picture of a cell: 8 bits of grey, the pixels as they were taken."""
    with records.looking(signed.person) as change:
        change.require("record.see")
        content = bench.pictures.whole(change.session, cell_numbered(change.session, cell))
    return Response(content, media_type="image/png", headers=FOR_GOOD)


@router.get("/cells/{cell}/thumbnail.png", response_class=Response, responses=PNG)
def thumbnail(cell: CellNumber, signed: Asking, records: Records, bench: Bench) -> Response:
    """Read a small picture of a cell, dark on light."""
    with records.looking(signed.person) as change:
        change.require("record.see")
        content = bench.pictures.thumbnail(change.session, cell_numbered(change.session, cell))
    return Response(content, media_type="image/png", headers=FOR_GOOD)


@router.get("/cells/{cell}/sprites")
def sprites(cell: CellNumber, signed: Asking, records: Records, bench: Bench) -> dict[str, str]:
    """Read the pictures of all objects of a cell at once: each PNG file in base64, by its address."""
    with records.looking(signed.person) as change:
        change.require("record.see")
        row = cell_numbered(change.session, cell)
        found = bench.pictures.sprites(change.session, row, bench.cells.open(change.session, row).cell.objects)
    return {sprite_address(cell, key): b64encode(content).decode("ascii") for key, content in found.items()}


@router.get("/cells/{cell}/sprites/{key}.png", response_class=Response, responses=PNG)
def sprite(cell: CellNumber, key: str, signed: Asking, records: Records, bench: Bench) -> Response:
    """Read the picture of an object, by its key."""
    with records.looking(signed.person) as change:
        change.require("record.see")
        row = cell_numbered(change.session, cell)
        content = bench.pictures.sprite(
            change.session, row, key, lambda: bench.cells.open(change.session, row).cell.objects
        )
    return Response(content, media_type="image/png", headers=FOR_GOOD)


@router.get("/cases/{number}/cells")
def list_cells(number: str, signed: Asking, records: Records) -> list[ListedOut]:
    """List the cells of a case, the best first."""
    with records.looking(signed.person) as change:
        return [listed_out(one) for one in cells_of(change, case_called(change.session, number))]


@router.get("/cases/{number}/chromosomes/{label}")
def list_chromosomes(number: str, label: str, signed: Asking, records: Records, bench: Bench) -> list[OfClassOut]:
    """List the chromosomes of a class in all cells of a case, for comparison; derivatives stand beside their class."""
    if label not in CLASSES and label != OTHERS:
        raise InputError("there is no such class", way_out="1 to 22, X, Y, or others.")
    with records.looking(signed.person) as change:
        found = []
        for one in cells_of(change, case_called(change.session, number)):
            row = cell_numbered(change.session, one.id)
            opened = bench.cells.open(change.session, row)
            objects = objects_out(
                change.session, bench, row, opened.cell.beside(label), opened.says, signed.lang
            )  # fmt: skip
            found.append(OfClassOut(cell=one.id, image=one.image, version=opened.folded.version, objects=objects))
    return found
