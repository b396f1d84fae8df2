"""Errors as answers: one status for each kind, JSON for an interface, a page for a reader; the same words in both."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from consilium import errors
from consilium.web.context import NotSignedIn, Signed
from consilium.web.messages.chinese import told_in
from consilium.web.page import page, sign_in_address
from consilium.web.security.attempts import TooManyAttempts
from consilium.web.security.headers import HEADERS
from consilium.web.wording.language import Language

LOG = logging.getLogger("consilium.web")

STATUS: tuple[tuple[type[errors.ConsiliumError], int], ...] = (
    (NotSignedIn, 401),
    (TooManyAttempts, 429),
    (errors.NotAllowed, 403),
    (errors.NotFound, 404),
    (errors.RecordChanged, 409),
    (errors.InputError, 422),
    (errors.MissingExtra, 503),
    (errors.EngineError, 503),
    (errors.OutputError, 507),
    (errors.ConsiliumError, 500),
)
"""The first that fits."""


class Told(BaseModel):
    """An error, in three parts."""

    kind: str
    what: str
    where: str
    way_out: str


class Fault(BaseModel):
    """An entry that cannot be used, and why."""

    at: list[str | int]
    what: str


class Problem(BaseModel):
    """What is answered instead."""

    error: Told
    faults: list[Fault] = []


ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": meaning}
    for status, meaning in (
        (400, "It cannot be understood."),
        (401, "Nobody is signed in."),
        (403, "Who asks may not do it, or no page of ours asked."),
        (404, "There is no such thing."),
        (409, "Somebody changed it since it was read."),
        (413, "It is too large."),
        (422, "Something of it cannot be used."),
        (429, "Too many attempts: wait first."),
        (503, "Something that is needed does not run."),
        (507, "There is no room."),
    )
}
"""The errors of every route, as the interface documents them."""


def status_of(problem: errors.ConsiliumError) -> int:
    """The status of an answer (RFC 9110, 15)."""
    return next(status for kind, status in STATUS if isinstance(problem, kind))


def told(problem: errors.ConsiliumError, lang: Language = "en") -> dict[str, Any]:
    """An error as an interface says it: in English, and to a page in its reader's language."""
    return {
        "error": {
            "kind": type(problem).__name__, "what": told_in(lang, problem.what), "where": problem.where,
            "way_out": told_in(lang, problem.way_out),
        }
    }  # fmt: skip


def page_lang(request: Request) -> Language:
    """The language of whoever asks from a page; English for programs."""
    signed: Signed | None = getattr(request.state, "signed", None)
    return signed.lang if signed is not None and signed.by_browser else "en"


def for_interface(request: Request) -> bool:
    """Whether a program asked and not a reader."""
    return request.url.path.startswith("/api/")


def answer_to(request: Request, problem: errors.ConsiliumError) -> Response:
    """An error of ours as an answer."""
    status = status_of(problem)
    if status >= 500:
        LOG.error("%s %s: %s", request.method, request.url.path, problem, exc_info=problem)
    headers = {"Retry-After": str(problem.seconds)} if isinstance(problem, TooManyAttempts) else {}
    if for_interface(request):
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(told(problem, page_lang(request)), status_code=status, headers=headers)
    if isinstance(problem, NotSignedIn):
        return RedirectResponse(sign_in_address(request), status_code=303)
    answer = _page(request, status, problem)
    answer.headers.update(headers)
    return answer


def answer_problems(app: FastAPI) -> None:
    """Have every error of an app answered."""

    @app.exception_handler(errors.ConsiliumError)
    def _ours(request: Request, problem: errors.ConsiliumError) -> Response:
        return answer_to(request, problem)

    @app.exception_handler(HTTPException)
    def _theirs(request: Request, problem: HTTPException) -> Response:
        found = errors.ConsiliumError(str(problem.detail).lower() or "this cannot be answered")
        if for_interface(request):
            kind = "NotFound" if problem.status_code == 404 else "HTTPError"
            document = told(found, page_lang(request))
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
            return JSONResponse(jsonable_encoder(told(found, page_lang(request)) | {"faults": faults}), status_code=422)
        return _page(request, 422, found)

    @app.exception_handler(Exception)
    def _defect(request: Request, problem: Exception) -> Response:
        LOG.error("%s %s", request.method, request.url.path, exc_info=problem)
        found = errors.ConsiliumError(
            "this is a defect of Consilium", way_out="Nothing that was acknowledged is lost. The log has the details."
        )
        program = for_interface(request)
        document = told(found, page_lang(request))
        answer = JSONResponse(document, status_code=500) if program else _page(request, 500, found)
        # It is answered outside of everything that adds these.
        answer.headers.update(HEADERS | {"Cache-Control": "no-store"})
        return answer


def _page(request: Request, status: int, problem: errors.ConsiliumError) -> Response:
    signed = getattr(request.state, "signed", None)
    return page(request, "problem.html.j2", signed=signed, status=status, problem=problem)
