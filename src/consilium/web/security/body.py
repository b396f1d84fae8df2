"""How large a request may be; what is larger is refused before it is read to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALL = 64 * 1024
"""Of whoever has not signed in: a name and a password."""

USUAL = 2 * 1024 * 1024
"""Of a form or a JSON document; the largest are polygons of a cell."""


class BodyLimit:
    """Refuses what is too large.

    Args:
        app: that answers.
        limit: bytes, of a request.
    """

    def __init__(self, app: ASGIApp, *, limit: Callable[[Scope], int]) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit, told = self.limit(scope), Headers(scope=scope).get("content-length", "0")
        # A length that is no number: the server refuses it itself, and what comes is counted in any case.
        if told.isascii() and told.isdecimal() and (len(told) > 18 or int(told) > limit):
            await JSONResponse(_document(limit), status_code=413)(scope, receive, send)
            return
        got = 0

        async def receiving() -> Message:
            nonlocal got
            message = await receive()
            if message["type"] == "http.request":
                got += len(message.get("body", b""))
                if got > limit:
                    raise HTTPException(413, detail=_what(limit))
            return message

        await self.app(scope, receiving, send)


def limits(*, upload: int, larger: Mapping[str, int] | None = None) -> Callable[[Scope], int]:
    """The limit of a request: small before somebody signed in, large where files are handed in.

    Args:
        upload: bytes of a request with files.
        larger: bytes of one to a path where more is handed in.
    """
    told = larger or {}

    def limit(scope: Scope) -> int:
        if scope.get("state", {}).get("signed") is None:
            return SMALL
        kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        files = kind in ("multipart/form-data", "application/octet-stream", "application/dicom", "text/csv")
        if kind == "multipart/form-data" and scope["path"] in told:
            return told[scope["path"]]
        return upload if files or kind.startswith("image/") else USUAL

    return limit


def _what(limit: int) -> str:
    return f"this is too large: {limit} bytes at most"


def _document(limit: int) -> dict[str, dict[str, str]]:
    return {
        "error": {"kind": "TooLarge", "what": _what(limit), "where": "", "way_out": "Hand it in in smaller parts."}
    }  # fmt: skip
