"""Freezers, boxes and positions for programs."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from consilium.laboratory.boxes import LARGEST_GRID, Box, Position, boxes, grid, make_box
from consilium.laboratory.found import place_called
from consilium.laboratory.storage import make_place, withdraw_place
from consilium.web.api.cases import Asked
from consilium.web.context import Asking, Records

router = APIRouter(tags=["places"])


class PlaceIn(Asked):
    """A place that is to be recorded."""

    place: str = Field(max_length=200, examples=["F1/B2/A3"])


class BoxIn(Asked):
    """A box with positions A1, A2, ..., B1, ..."""

    freezer: str = Field(max_length=64)
    box: str = Field(max_length=64)
    rows: int = Field(ge=1, le=LARGEST_GRID)
    columns: int = Field(ge=1, le=LARGEST_GRID)


class GivenUp(Asked):
    """A place that counts no longer, and why."""

    place: str = Field(max_length=200)
    reason: str = Field(max_length=2000)
    seen: int


class MadeOut(BaseModel):
    """How many places were recorded."""

    made: int


class BoxOut(BaseModel):
    """A box with its positions."""

    freezer: str
    box: str
    positions: list[Position]


@router.get("/places")
def all_boxes(asking: Asking, records: Records) -> list[Box]:
    """All boxes, and how full they are."""
    with records.looking(asking.person) as look:
        return list(boxes(look))


@router.get("/places/{freezer}/{box}")
def one_box(freezer: str, box: str, asking: Asking, records: Records) -> BoxOut:
    """A box, position by position."""
    with records.looking(asking.person) as look:
        found = grid(look, freezer, box)
    inside = [one for row in found.cells for one in row if one is not None]
    return BoxOut(freezer=freezer, box=box, positions=[*inside, *found.others])


@router.post("/places", status_code=201)
def record_place(given: PlaceIn, asking: Asking, records: Records) -> MadeOut:
    """Record a place."""
    with records.changing(asking.person) as change:
        make_place(change, given.place)
    return MadeOut(made=1)


@router.post("/places/boxes", status_code=201)
def record_box(given: BoxIn, asking: Asking, records: Records) -> MadeOut:
    """Record all positions of a box."""
    with records.changing(asking.person) as change:
        return MadeOut(made=make_box(change, given.freezer, given.box, rows=given.rows, columns=given.columns))


@router.post("/places/withdrawals", status_code=201)
def give_up(given: GivenUp, asking: Asking, records: Records) -> MadeOut:
    """Give a place up; it must be empty."""
    with records.changing(asking.person) as change:
        withdraw_place(change, place_called(change.session, given.place), reason=given.reason, seen=given.seen)
    return MadeOut(made=0)
