"""Errors as answers: one status for each kind, JSON for an interface, a page for a reader; the same words in both."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from consilium import errors
from consilium.web.context import NotSignedIn
from consilium.web.page import page, sign_in_address

LOG = logging.getLogger("consilium.web")

STATUS: tuple[tuple[type[errors.ConsiliumError], int], ...] = (
    (NotSignedIn, 401),
    (errors.NotAllowed, 403),
    (errors.RecordChanged, 409),
    (errors.InputError, 422),
    (errors.MissingExtra, 503),
    (errors.EngineError, 503),
    (errors.OutputError, 507),
    (errors.ConsiliumError, 500),
)
"""The first that fits."""


def status_of(problem: errors.ConsiliumError) -> int:
    """The status of an answer (RFC 9110, 15)."""
    return next(status for kind, status in STATUS if isinstance(problem, kind))


def told(problem: errors.ConsiliumError) -> dict[str, Any]:
    """An error as an interface says it."""
    return {
        "error": {
            "kind": type(problem).__name__, "what": problem.what, "where": problem.where, "way_out": problem.way_out
        }
    }  # fmt: skip


def for_interface(request: Request) -> bool:
    """Whether a program asked and not a reader."""
    return request.url.path.startswith("/api/")


def answer_problems(app: FastAPI) -> None:
    """Have every error of an app answered."""

    @app.exception_handler(errors.ConsiliumError)
    def _ours(request: Request, problem: errors.ConsiliumError) -> Response:
        status = status_of(problem)
        if status >= 500:
            LOG.error("%s %s: %s", request.method, request.url.path, problem, exc_info=problem)
        if for_interface(request):
            return JSONResponse(told(problem), status_code=status)
        if isinstance(problem, NotSignedIn):
            return RedirectResponse(sign_in_address(request), status_code=303)
        return _page(request, status, problem)

    @app.exception_handler(HTTPException)
    def _theirs(request: Request, problem: HTTPException) -> Response:
        found = errors.ConsiliumError(str(problem.detail).lower() or "this cannot be answered")
        if for_interface(request):
            kind = "NotFound" if problem.status_code == 404 else "HTTPError"
            document = told(found)
            document["error"]["kind"] = kind
            return JSONResponse(document, status_code=problem.status_code, headers=problem.headers)
        return _page(request, problem.status_code, found)

    @app.exception_handler(RequestValidationError)
    def _entries(request: Request, problem: RequestValidationError) -> Response:
        # What was handed in is not repeated: it may be a password or a name.
        faults = [{"at": list(one["loc"]), "what": one["msg"]} for one in problem.errors()]
        first = "; ".join(f"{'.'.join(map(str, one['at']))}: {one['what']}" for one in faults[:3])
        found = errors.InputError(f"something is missing or is no such entry ({first})")
        if for_interface(request):
            return JSONResponse(jsonable_encoder(told(found) | {"faults": faults}), status_code=422)
        return _page(request, 422, found)

    @app.exception_handler(Exception)
    def _defect(request: Request, problem: Exception) -> Response:
        LOG.error("%s %s", request.method, request.url.path, exc_info=problem)
        found = errors.ConsiliumError(
            "this is a defect of Consilium", way_out="Nothing that was acknowledged is lost. The log has the details."
        )
        if for_interface(request):
            return JSONResponse(told(found), status_code=500)
        return _page(request, 500, found)


def _page(request: Request, status: int, problem: errors.ConsiliumError) -> Response:
    try:
        signed = request.app.state.signed(request)
    except errors.ConsiliumError:
        signed = None
    return page(request, "problem.html.j2", signed=signed, status=status, problem=problem)
