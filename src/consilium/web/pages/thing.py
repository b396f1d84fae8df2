"""The page of a specimen, culture, harvest or slide: where a scanned label leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consilium.errors import InputError
from consilium.laboratory import casework, consent, storage
from consilium.laboratory.case_states import REPORTED
from consilium.laboratory.found import labelled, specimen_of
from consilium.laboratory.journal import Change, history
from consilium.laboratory.label_drawing import label_svg
from consilium.laboratory.preparation import prepare
from consilium.laboratory.reception import CONDITIONS
from consilium.laboratory.tables import SpecimenRow
from consilium.laboratory.thread import children, piece
from consilium.web.context import Asking, Records, Signed
from consilium.web.page import page
from consilium.web.pages.case import may
from consilium.web.pages.forms import BLANK, Clock, Entered, Filled, Form, acted
from consilium.web.pages.worklist import specimen_names

router = APIRouter()

MADE_OF = {"specimen": ("culture", "harvest"), "culture": ("harvest",), "harvest": ("slide",), "slide": ()}
"""What can be made of what."""


@router.get("/things/{label}")
def thing(label: str, request: Request, asking: Asking, records: Records) -> Response:
    """A thing: what it is, where, who has it, what can be done with it."""
    return _show(label, request, asking, records)


def _show(label: str, request: Request, asking: Signed, records: Records, entered: Entered = BLANK) -> Response:
    with records.looking(asking.person) as look:
        look.require("record.see")
        row = labelled(look.session, label)
        specimen = specimen_of(look.session, row)
        told = piece(look, row)
        values: dict[str, Any] = {
            "thing": told, "case": specimen.case, "made": children(look, row),
            "custody": storage.custody(look.session, row), "events": tuple(reversed(history(look.session, row))),
            "clock": Clock(look.profile),
        }  # fmt: skip
    works = all(one.withdrawn is None for one in (told, specimen, specimen.case)) and specimen.disposed is None
    is_specimen = told.kind == "specimen"
    withdrawing, changing = (
        ("specimen.withdraw", "specimen.change") if is_specimen else ("preparation.withdraw", "preparation.change")
    )
    return page(
        request, "thing.html.j2", signed=asking, status=entered.status, entered=entered, conditions=CONDITIONS,
        specimens=specimen_names(asking.lang), svg=label_svg(told.label, "qr"), above=_above(told.label),
        can_make=MADE_OF[told.kind] if works and may(asking, "preparation.make") else (),
        may_store=works and may(asking, "thing.store"), may_hand_over=works and may(asking, "custody.hand_over"),
        may_change=told.withdrawn is None and may(asking, changing),  # type: ignore[arg-type]
        may_withdraw=told.withdrawn is None and may(asking, withdrawing),  # type: ignore[arg-type]
        may_dispose=is_specimen and works and may(asking, "specimen.dispose") and specimen.case.state in REPORTED,
        **values,
    )  # fmt: skip


@router.post("/things/{label}/make")
def make(label: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Record what was made of it, and go to that."""

    def act(change: Change) -> str:
        told = {name: given.get(name) for name in ("how", "note", "at")}
        return f"/things/{quote(prepare(change, given.get('made'), label, **told).label)}"

    return _acted(f"make-{given.get('made')}", label, request, asking, records, given, act, "made")


@router.post("/things/{label}/put")
def put(label: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Put it into a place."""

    def act(change: Change) -> str:
        storage.put(change, label, given.get("place"))
        return ""

    return _acted("put", label, request, asking, records, given, act, "stored")


@router.post("/things/{label}/take-out")
def take_out(label: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Take it out of its place."""

    def act(change: Change) -> str:
        storage.take_out(change, label)
        return ""

    return _acted("put", label, request, asking, records, given, act, "taken_out")


@router.post("/things/{label}/hand-over")
def hand_over(label: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Record that it was handed over."""

    def act(change: Change) -> str:
        storage.hand_over(
            change, label, given.get("receiver"), giver=given.get("giver"), note=given.get("note"), at=given.get("at")
        )
        return ""

    return _acted("hand-over", label, request, asking, records, given, act, "handed")


@router.post("/things/{label}/condition")
def change_condition(label: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Change the note on it, and how a specimen is."""

    def act(change: Change) -> str:
        casework.change_condition(
            change, labelled(change.session, label), note=given.get("note"), condition=given.get("condition"),
            seen=given.seen, reason=given.get("reason"),
        )  # fmt: skip
        return ""

    return _acted("condition", label, request, asking, records, given, act, "changed")


@router.post("/things/{label}/withdraw")
def withdraw(label: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Let it count no longer."""

    def act(change: Change) -> str:
        casework.withdraw_thing(change, labelled(change.session, label), reason=given.get("reason"), seen=given.seen)
        return ""

    return _acted("withdraw", label, request, asking, records, given, act, "withdrawn")


@router.post("/things/{label}/dispose")
def dispose(label: str, request: Request, asking: Asking, records: Records, given: Form) -> Response:
    """Record that a specimen was disposed of."""

    def act(change: Change) -> str:
        row = labelled(change.session, label)
        if not isinstance(row, SpecimenRow):
            raise InputError(f"{row.label} is no specimen", way_out="What is made of it goes with it.")
        consent.dispose(change, row, reason=given.get("reason"), seen=given.seen)
        return ""

    return _acted("dispose", label, request, asking, records, given, act, "disposed")


def _acted(
    form: str, label: str, request: Request, asking: Signed, records: Records, given: Filled,
    change_it: Callable[[Change], str], done: str,
) -> Response:  # fmt: skip
    def act() -> str:
        with records.changing(asking.person) as change:
            return change_it(change) or f"/things/{quote(label)}"

    return acted(form, given, act, lambda entered: _show(label, request, asking, records, entered), done=done)


def _above(label: str) -> list[str]:
    """Labels of what it was made of, the specimen first."""
    above: list[str] = []
    while "-" in label.partition("-")[2]:
        label = label.rpartition("-")[0]
        above.insert(0, label)
    return above
