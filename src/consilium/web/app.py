"""The workstation: one app, an interface for programs under /api/v1 and pages for people on the same services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module, resources
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.types import Scope

from consilium import __version__
from consilium.laboratory.laboratory import Laboratory
from consilium.web.alliance import close_library
from consilium.web.analysis import analysis_in
from consilium.web.context import Signed
from consilium.web.problems import ANSWERS, answer_problems, answer_to
from consilium.web.runs import Runs
from consilium.web.security.accounts import Accounts
from consilium.web.security.body import BodyLimit, limits
from consilium.web.security.gate import Gate, form_is_ours
from consilium.web.security.headers import SafeHeaders
from consilium.web.security.signed import signed_by
from consilium.web.security.single_sign_on import Provider
from consilium.web.settings import Settings

API = "/api/v1"


def create_app(settings: Settings, signed: Callable[[Request], Signed | None] | None = None) -> FastAPI:
    """A workstation over a laboratory's records.

    Args:
        settings: how it is run.
        signed: says who asks; by sessions and tokens, where it is left out.

    Raises:
        ConsiliumError: the records cannot be opened.
    """
    records = Laboratory(settings.database)
    accounts = Accounts(settings.database, settings.sign_in)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        app.state.runs.start()
        yield
        close_library(app)
        app.state.runs.stop()
        accounts.close()
        records.close()

    app = FastAPI(
        title="Consilium", version=__version__, lifespan=lifespan, openapi_url=f"{API}/openapi.json",
        docs_url=None, redoc_url=None, dependencies=[Depends(form_is_ours)], responses=ANSWERS,
    )  # fmt: skip
    app.state.settings, app.state.records, app.state.accounts = settings, records, accounts
    app.state.analysis = analysis_in(settings)
    app.state.runs = Runs(records, app.state.analysis)
    app.state.provider = None if settings.single_sign_on is None else Provider(settings.single_sign_on)
    answer_problems(app)
    # The last one is asked first.
    datasets = dict.fromkeys(("/specialists", f"{API}/specialists"), settings.largest_dataset)
    app.add_middleware(BodyLimit, limit=limits(upload=settings.largest_request, larger=datasets))
    app.add_middleware(Gate, signed=signed or signed_by(accounts), answer=answer_to)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False)
    app.add_middleware(SafeHeaders, secure=settings.secure)
    _include(app)
    folder = Path(str(resources.files("consilium.web").joinpath("static")))
    app.mount("/static", _Static(directory=folder), name="static")
    return app


ROOMS_OF_THE_INTERFACE: tuple[str, ...] = (
    "health",
    "sessions",
    "staff",
    "cases",
    "things",
    "patients",
    "places",
    "records",
    "cells",
    "runs",
    "reviews",
    "exchange",
    "models",
    "specialists",
    "studies",
    "compute",
)
"""Modules of `api/`, each with a `router`."""

PAGES: tuple[str, ...] = (
    "language",
    "sign_in",
    "account",
    "people",
    "worklist",
    "reception",
    "case",
    "case_cells",
    "editor",
    "review",
    "thing",
    "storage",
    "patient",
    "records",
    "models",
    "specialists",
    "studies",
    "operator",
)
"""Modules of `pages/`, each with a `router`, and with an `api` where its scripts ask for something of their own."""


def _include(app: FastAPI) -> None:
    """Every room's routes."""
    for name in ROOMS_OF_THE_INTERFACE:
        app.include_router(import_module(f"consilium.web.api.{name}").router, prefix=API)
    for name in PAGES:
        module = import_module(f"consilium.web.pages.{name}")
        app.include_router(module.router, include_in_schema=False)
        if hasattr(module, "api"):
            app.include_router(module.api, prefix=API)


class _Static(StaticFiles):
    """Files of ours; their address changes with them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
