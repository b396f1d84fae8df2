"""The first page of the day: what waits for whom, what is late; and from any label to its thing."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from consilium.cytogenetics.guidelines import load
from consilium.errors import NotFound
from consilium.laboratory.case_states import STATES
from consilium.laboratory.due_date import URGENCIES
from consilium.laboratory.permissions import ROLES
from consilium.laboratory.search import find
from consilium.laboratory.worklist import VIEWS, View, queue
from consilium.web.context import Asking, Records, Signed
from consilium.web.page import page

router = APIRouter()
PAGE = 50


@router.get("/")
def first(asking: Asking) -> Response:
    """Whoever comes in starts with what is to be done."""
    return RedirectResponse("/worklist", status_code=303)


@router.get("/worklist")
def worklist(
    request: Request, asking: Asking, records: Records, view: str = "", q: Annotated[str, Query(max_length=100)] = "",
    state: str = "", urgency: str = "", specimen: str = "", first: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> Response:  # fmt: skip
    """The cases of a list, a page of them."""
    chosen: View = next((one for one in VIEWS if one == view), _usual(asking))
    with records.looking(asking.person) as look:
        found = queue(
            look, view=chosen, text=q, state=state, urgency=urgency, specimen=specimen, first=first, most=PAGE
        )
    wanted = {"q": q, "state": state, "urgency": urgency, "specimen": specimen}
    return page(
        request, "worklist.html.j2", signed=asking, found=found, view=chosen, views=_views(asking), wanted=wanted,
        first=first, page_size=PAGE, address=_address(chosen, wanted), states=STATES, urgencies=URGENCIES,
        specimens=specimen_names(asking.lang), may_take=bool(asking.roles - {"administrator"}),
    )  # fmt: skip


@router.get("/find")
def jump(request: Request, asking: Asking, records: Records, q: Annotated[str, Query(max_length=200)] = "") -> Response:
    """From what was scanned or typed to what it is of."""
    try:
        with records.looking(asking.person) as look:
            found = find(look, q)
    except NotFound:
        return page(request, "find.html.j2", signed=asking, status=404, text=q)
    if found.place:
        freezer, box, position = found.place.split("/")
        return RedirectResponse(f"{box_address(freezer, box)}#{quote(position)}", status_code=303)
    if found.label:
        return RedirectResponse(f"/things/{quote(found.label)}", status_code=303)
    if found.case:
        return RedirectResponse(f"/cases/{quote(found.case)}", status_code=303)
    return RedirectResponse(f"/patients/{quote(found.patient)}", status_code=303)


def box_address(freezer: str, box: str) -> str:
    """Where the picture of a box is."""
    return f"/storage/{quote(freezer, safe='')}/{quote(box, safe='')}"


def specimen_names(lang: str) -> dict[str, str]:
    """Kinds of specimens as the guidelines call them: key -> name."""
    return {key: one.name_zh if lang == "zh" else one.name for key, one in load().specimens.items()}


def _usual(asking: Signed) -> View:
    return "role" if asking.roles & set(ROLES[:3]) else "waiting"


def _views(asking: Signed) -> tuple[View, ...]:
    return tuple(one for one in VIEWS if one not in ("role", "mine") or asking.roles & set(ROLES[:3]))


def _address(view: str, wanted: dict[str, Any]) -> str:
    return "/worklist?" + urlencode({"view": view} | {name: value for name, value in wanted.items() if value})
