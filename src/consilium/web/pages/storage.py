"""Freezers and boxes: where things are, as a picture; what is put where; who hands what to whom."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consilium.errors import InputError
from consilium.laboratory import storage
from consilium.laboratory.boxes import LARGEST_GRID, boxes, grid, make_box
from consilium.laboratory.found import place_called
from consilium.laboratory.journal import Change
from consilium.web.context import Asking, Records, Signed
from consilium.web.page import page
from consilium.web.pages.case import may
from consilium.web.pages.forms import BLANK, Entered, Filled, Form, acted
from consilium.web.pages.worklist import box_address

router = APIRouter()


@router.get("/storage")
def overview(request: Request, asking: Asking, records: Records) -> Response:
    """All boxes, and how full they are."""
    return _overview(request, asking, records)


def _overview(request: Request, asking: Signed, records: Records, entered: Entered = BLANK) -> Response:
    with records.looking(asking.person) as look:
        found = boxes(look)
    return page(
        request, "storage.html.j2", signed=asking, status=entered.status, entered=entered, boxes=found,
        address=box_address, may_store=may(asking, "thing.store"), may_make=may(asking, "place.make"),
        largest=LARGEST_GRID,
    )  # fmt: skip


@router.get("/storage/{freezer}/{box}")
def one_box(freezer: str, box: str, request: Request, asking: Asking, records: Records) -> Response:
    """A box, position by position."""
    return _box(freezer, box, request, asking, records)


def _box(
    freezer: str, box: str, request: Request, asking: Signed, records: Records, entered: Entered = BLANK
) -> Response:
    with records.looking(asking.person) as look:
        found = grid(look, freezer, box)
    there = (*(one for row in found.cells for one in row if one is not None), *found.others)
    return page(
        request, "box.html.j2", signed=asking, status=entered.status, entered=entered, grid=found, freezer=freezer,
        box=box, address=box_address(freezer, box), free=[one.position for one in there if not one.holds],
        may_store=may(asking, "thing.store"),
        may_make=may(asking, "place.make"),
    )  # fmt: skip


@router.post("/storage/put")
def put(request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Put a thing into a place, both scanned or typed."""

    def act(change: Change) -> str:
        storage.put(change, given.get("label"), given.get("place"))
        return "/storage"

    return _acted("put", request, asking, records, given, act, "stored")


@router.post("/storage/hand-over")
def hand_over(request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Record that a thing was handed over."""

    def act(change: Change) -> str:
        told = {name: given.get(name) for name in ("giver", "note")}
        storage.hand_over(change, given.get("label"), given.get("receiver"), **told)
        return "/storage"

    return _acted("hand-over", request, asking, records, given, act, "handed")


@router.post("/storage/boxes")
def make(request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Record the positions of a box."""

    def act(change: Change) -> str:
        try:
            rows, columns = int(given.get("rows")), int(given.get("columns"))
        except ValueError as problem:
            raise InputError("rows and columns are numbers", way_out="As in 9 and 9.") from problem
        make_box(change, given.get("freezer"), given.get("box"), rows=rows, columns=columns)
        return box_address(given.get("freezer").strip(), given.get("box").strip())

    return _acted("make", request, asking, records, given, act, "places")


@router.post("/storage/{freezer}/{box}/put")
def put_here(
    freezer: str, box: str, request: Request, asking: Asking, records: Records, given: Form
) -> Response:  # fmt: skip
    """Put a thing into a position of the box."""

    def act() -> str:
        with records.changing(asking.person) as change:
            storage.put(change, given.get("label"), f"{freezer}/{box}/{given.get('position')}")
        return f"{box_address(freezer, box)}#{quote(given.get('position'))}"

    again: Callable[[Entered], Response] = lambda entered: _box(freezer, box, request, asking, records, entered)  # noqa: E731
    return acted("put", given, act, again, done="stored")


@router.post("/storage/{freezer}/{box}/give-up")
def give_up(
    freezer: str, box: str, request: Request, asking: Asking, records: Records, given: Form
) -> Response:  # fmt: skip
    """Give a position up."""

    def act() -> str:
        with records.changing(asking.person) as change:
            row = place_called(change.session, f"{freezer}/{box}/{given.get('position')}")
            storage.withdraw_place(change, row, reason=given.get("reason"))
        return "/storage"

    again: Callable[[Entered], Response] = lambda entered: _box(freezer, box, request, asking, records, entered)  # noqa: E731
    return acted("give-up", given, act, again, done="place_withdrawn")


def _acted(
    form: str, request: Request, asking: Signed, records: Records, given: Filled, change_it: Callable[[Change], str],
    done: str,
) -> Response:  # fmt: skip
    def act() -> str:
        with records.changing(asking.person) as change:
            return change_it(change)

    return acted(form, given, act, lambda entered: _overview(request, asking, records, entered), done=done)
