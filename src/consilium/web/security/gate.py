"""The gate before every route: who asks is known before anything of a request is read, and nobody unknown gets past.

It is deny by default: a new route is closed until it is listed as open. What a request by a browser changes needs the
session's token against cross-site requests, in a header or in a form.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from consilium.errors import ConsiliumError, NotAllowed
from consilium.web.context import NotSignedIn, Signed

OPEN = frozenset(
    {"/api/v1/health", "/api/v1/openapi.json", "/api/v1/session", "/language", "/sign-in", "/sign-in/oidc",
     "/sign-in/oidc/back"}
)  # fmt: skip
"""Whoever has not signed in gets these, and the files below `/static/`. `/api/v1/session` looks by itself."""

BEFORE_CHANGE = frozenset({"/account", "/account/password", "/sign-out", "/api/v1/session", "/api/v1/session/password"})
"""What somebody gets who has to change the password first, beside what is open."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

Answer = Callable[[Request, ConsiliumError], Response]


def is_open(path: str) -> bool:
    """Whether anybody gets an answer there."""
    return path in OPEN or path.startswith("/static/")


class Gate:
    """Lets in whoever is known.

    Args:
        app: behind it.
        signed: says who asks.
        answer: makes an answer of an error.
    """

    def __init__(self, app: ASGIApp, *, signed: Callable[[Request], Signed | None], answer: Answer) -> None:
        self.app, self.signed, self.answer = app, signed, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the app answer."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            # There is no web socket here; one that is added has to come with a gate of its own.
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope)
        request.state.signed = None
        try:
            if not request.url.path.startswith("/static/"):
                request.state.signed = await run_in_threadpool(self.signed, request)
            found = self._refused(request)
        except ConsiliumError as problem:
            found = await run_in_threadpool(self.answer, request, problem)
        app: Callable[[Scope, Receive, Send], Awaitable[None]] = self.app if found is None else found
        await app(scope, receive, send)

    def _refused(self, request: Request) -> Response | None:
        """What is answered instead; None where the app may."""
        path, signed = request.url.path, request.state.signed
        if request.method not in _SAFE and request.headers.get("sec-fetch-site") == "cross-site":
            raise NotAllowed("another site asks for this", way_out="Open the page of Consilium and do it there.")
        if signed is None:
            if not is_open(path):
                raise NotSignedIn("nobody is signed in", way_out="Sign in first.")
            return None
        if signed.must_change and not is_open(path) and path not in BEFORE_CHANGE:
            if path.startswith("/api/"):
                raise NotAllowed("the password has to be changed first", way_out="It was made by somebody else.")
            return RedirectResponse("/account", status_code=303)
        signs_out = (request.method, path) == ("DELETE", "/api/v1/session")
        if request.method not in _SAFE and signed.by_browser and (signs_out or not is_open(path)):
            self._check_origin(request, signed)
        return None

    def _check_origin(self, request: Request, signed: Signed) -> None:
        """See that a page of ours asks; what comes in a form is looked at by `form_is_ours`, when the form was read.

        Raises:
            NotAllowed: it does not.
        """
        told = request.headers.get("x-csrf-token")
        if told is None:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind in _FORMS:
                request.state.form_to_check = True
                return
        if told is None or not _same(told, signed.csrf):
            raise _foreign()


async def form_is_ours(request: Request) -> None:
    """See that a form came from a page of ours; every route depends on it.

    Raises:
        NotAllowed: it did not.
    """
    if getattr(request.state, "form_to_check", False):
        told = (await request.form()).get("csrf")
        if not isinstance(told, str) or not _same(told, request.state.signed.csrf):
            raise _foreign()


def _same(told: str, right: str) -> bool:
    return bool(right) and hmac.compare_digest(told.encode("utf-8", "replace"), right.encode("utf-8"))


def _foreign() -> NotAllowed:
    return NotAllowed("this did not come from a page of this session", way_out="Load the page again, then repeat it.")
