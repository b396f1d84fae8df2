"""The workstation: one app, an interface for programs under /api/v1 and pages for people on the same services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

from consilium import __version__
from consilium.laboratory.laboratory import Laboratory
from consilium.web.alliance import close_library
from consilium.web.context import Signed
from consilium.web.problems import answer_problems
from consilium.web.settings import Settings

API = "/api/v1"


def create_app(settings: Settings, signed: Callable[[Request], Signed | None] | None = None) -> FastAPI:
    """A workstation over a laboratory's records.

    Args:
        settings: how it is run.
        signed: says who asks; nobody, where it is left out.

    Raises:
        ConsiliumError: the records cannot be opened.
    """
    records = Laboratory(settings.database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        close_library(app)
        records.close()

    app = FastAPI(
        title="Consilium", version=__version__, lifespan=lifespan, openapi_url=f"{API}/openapi.json",
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.settings, app.state.records = settings, records
    app.state.signed = signed or (lambda _request: None)
    answer_problems(app)
    _include(app)
    folder = Path(str(resources.files("consilium.web").joinpath("static")))
    app.mount("/static", _Static(directory=folder), name="static")
    return app


def _include(app: FastAPI) -> None:
    """Every room's routes. A room is a line here."""
    from consilium.web.api import compute, health, specialists, studies
    from consilium.web.api import models as models_api
    from consilium.web.pages import language, models, operator
    from consilium.web.pages import specialists as specialist_pages
    from consilium.web.pages import studies as study_pages

    for api in (health, models_api, specialists, studies, compute):
        app.include_router(api.router, prefix=API)
    for pages in (language, models, specialist_pages, study_pages, operator):
        app.include_router(pages.router, include_in_schema=False)


class _Static(StaticFiles):
    """Files of ours; their address changes with them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
