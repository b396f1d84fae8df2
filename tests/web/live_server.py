"""A workstation as its own process, for tests: it serves until it is killed, and believes a header who asks."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request

from consilium.laboratory.laboratory import worker_in
from consilium.web.app import create_app
from consilium.web.context import Signed
from consilium.web.settings import Settings
from consilium.web.wording.language import language_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

SLOW = float(os.environ.get("CONSILIUM_TEST_SLOW", "0"))
"""Seconds by which every answer is late: shows which test looks at a page before it is there."""


def signed(request: Request) -> Signed | None:
    """Whoever the header names; tests of signing in itself do without."""
    name = request.headers.get("x-person", "")
    if not name:
        return None
    with request.app.state.records.reading() as session:
        worker = worker_in(session, name)
    lang = language_of(request.cookies.get("consilium_lang", ""), request.headers.get("accept-language", ""))
    return Signed(person=name, roles=worker.roles, csrf="csrf", lang=lang)


def workstation(database: str, files: Path) -> FastAPI:
    """The app over records and files."""
    return create_app(Settings(database=database, files=files, hosts=("127.0.0.1", "testserver")), signed)


def main(database: str, files: str, port_file: str, port: str = "0") -> None:
    """Serve on a port of loopback, 0 for any free one, and write into `port_file` which."""
    serve(workstation(database, Path(files)), port_file, port)


def slowed(app: ASGIApp) -> ASGIApp:
    """The app on a slow machine, if `SLOW` asks for one."""

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(SLOW)
        await app(scope, receive, send)

    return late if SLOW else app


def serve(app: FastAPI, port_file: str, port: str) -> None:
    """Serve an app on a port of loopback, and write into `port_file` which."""
    import socket

    import uvicorn

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", int(port)))
    half = Path(port_file).with_suffix(".half")
    half.write_text(str(listening.getsockname()[1]), encoding="ascii")
    half.replace(port_file)
    uvicorn.Server(uvicorn.Config(slowed(app), log_level="warning", access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
