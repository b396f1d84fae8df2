"""Specimens, cultures, harvests and slides for programs: made, moved, handed over, withdrawn."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from consilium.errors import InputError
from consilium.laboratory import casework, consent, preparation, storage
from consilium.laboratory.found import labelled, specimen_of
from consilium.laboratory.journal import Change, history
from consilium.laboratory.label_drawing import Symbol, label_svg
from consilium.laboratory.tables import CustodyRow, Labelled, SpecimenRow
from consilium.laboratory.thread import Piece, piece
from consilium.web.api.cases import Asked, EventOut, WithdrawalIn, event_out
from consilium.web.context import Asking, Records

router = APIRouter(tags=["specimens and what is made of them"])

Made = Literal["culture", "harvest", "slide"]


class PreparationIn(Asked):
    """What was made, of what, how, and when; no time is now."""

    of: str = Field(max_length=60, description="Label of what it is made of.")
    made: Made
    how: str = Field(default="", max_length=200, description="Medium, method of a harvest, banding of a slide.")
    note: str = Field(default="", max_length=2000)
    at: str = Field(default="", max_length=40)


class ConditionIn(Asked):
    """How a specimen is, and what is noted on a thing."""

    note: str = Field(max_length=2000)
    seen: int
    condition: str = Field(default="", max_length=32)
    reason: str = Field(default="", max_length=2000)


class PlaceIn(Asked):
    """Where a thing goes; empty: out of its place."""

    place: str = Field(max_length=200)


class HandOverIn(Asked):
    """Who has a thing now, and who had it before."""

    receiver: str = Field(max_length=255)
    giver: str = Field(default="", max_length=255)
    note: str = Field(default="", max_length=2000)
    at: str = Field(default="", max_length=40)


class CustodyOut(BaseModel):
    """A link of the chain of custody."""

    giver: str
    receiver: str
    at: str
    recorded_by: str
    note: str


class ThingOut(BaseModel):
    """A thing with a label, the case that it hangs on, and the hands it went through."""

    case: str
    thing: Piece
    custody: list[CustodyOut]


class DueOut(BaseModel):
    """A specimen that is due for disposal, and why."""

    specimen: str
    case: str
    version: int
    reason: str


def custody_out(row: CustodyRow) -> CustodyOut:
    """A link as it is told."""
    return CustodyOut(
        giver=row.giver, receiver=row.receiver, at=row.at, recorded_by=row.recorded_by, note=row.note
    )  # fmt: skip


def thing_out(change: Change, thing: Labelled) -> ThingOut:
    """A thing as it is told."""
    change.require("record.see")
    return ThingOut(
        case=specimen_of(change.session, thing).case.number, thing=piece(change, thing),
        custody=[custody_out(one) for one in storage.custody(change.session, thing)],
    )  # fmt: skip


@router.post("/preparations", status_code=201)
def make(given: PreparationIn, asking: Asking, records: Records) -> ThingOut:
    """Record a culture, a harvest or a slide; it gets the next label."""
    with records.changing(asking.person) as change:
        row = preparation.prepare(change, given.made, given.of, how=given.how, note=given.note, at=given.at)
        return thing_out(change, row)


@router.get("/things/{label}")
def thing(label: str, asking: Asking, records: Records) -> ThingOut:
    """A thing by its label."""
    with records.looking(asking.person) as look:
        return thing_out(look, labelled(look.session, label))


@router.get("/things/{label}/history")
def thing_history(label: str, asking: Asking, records: Records) -> list[EventOut]:
    """What happened to a thing, oldest first."""
    with records.looking(asking.person) as look:
        look.require("history.see")
        return [event_out(one) for one in history(look.session, labelled(look.session, label))]


@router.get("/things/{label}/label.svg", response_class=Response)
def label_picture(label: str, asking: Asking, records: Records, symbol: Symbol = "qr") -> Response:
    """The symbol for a label, as a scanner reads it."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        found = labelled(look.session, label).label
    return Response(label_svg(found, symbol), media_type="image/svg+xml")


@router.put("/things/{label}/condition")
def change_condition(label: str, given: ConditionIn, asking: Asking, records: Records) -> ThingOut:
    """Change the note on a thing, and how a specimen is."""
    with records.changing(asking.person) as change:
        row = labelled(change.session, label)
        casework.change_condition(
            change, row, note=given.note, condition=given.condition, seen=given.seen, reason=given.reason
        )
        return thing_out(change, row)


@router.put("/things/{label}/place")
def put(label: str, given: PlaceIn, asking: Asking, records: Records) -> ThingOut:
    """Put a thing into a place, or take it out."""
    with records.changing(asking.person) as change:
        if given.place.strip():
            storage.put(change, label, given.place)
        else:
            storage.take_out(change, label)
        return thing_out(change, labelled(change.session, label))


@router.post("/things/{label}/custody", status_code=201)
def hand_over(label: str, given: HandOverIn, asking: Asking, records: Records) -> CustodyOut:
    """Record that a thing was handed over."""
    with records.changing(asking.person) as change:
        return custody_out(
            storage.hand_over(change, label, given.receiver, giver=given.giver, note=given.note, at=given.at)
        )


@router.post("/things/{label}/withdrawal", status_code=201)
def withdraw(label: str, given: WithdrawalIn, asking: Asking, records: Records) -> ThingOut:
    """Let a thing count no longer; its place is free."""
    with records.changing(asking.person) as change:
        row = labelled(change.session, label)
        casework.withdraw_thing(change, row, reason=given.reason, seen=given.seen)
        return thing_out(change, row)


@router.get("/disposals")
def due_for_disposal(asking: Asking, records: Records) -> list[DueOut]:
    """Specimens that are kept no longer, with why."""
    with records.looking(asking.person) as look:
        return [
            DueOut(specimen=row.label, case=row.case.number, version=row.version, reason=why.reason)
            for row, why in consent.due_for_disposal(look)
        ]


@router.post("/things/{label}/disposal", status_code=201)
def dispose(label: str, given: WithdrawalIn, asking: Asking, records: Records) -> ThingOut:
    """Record that a specimen was disposed of."""
    with records.changing(asking.person) as change:
        row = labelled(change.session, label)
        if not isinstance(row, SpecimenRow):
            raise InputError(f"{row.label} is no specimen", way_out="What is made of it goes with it.")
        consent.dispose(change, row, reason=given.reason, seen=given.seen)
        return thing_out(change, row)
