"""The karyogram editor: its page, its modules, and the bands it draws ideograms with."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from consilium.cytogenetics.bands import AUTOSOMES, LEVELS, bands
from consilium.web.context import Asking, signed_in
from consilium.web.page import page

router = APIRouter()
api = APIRouter(tags=["editor"])

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@router.get("/cells/{cell}")
def editor(request: Request, asking: Asking, cell: int) -> HTMLResponse:
    """The editor of a cell; its modules read the cell from the interface."""
    facts = {"cell": cell, "person": asking.person, "csrf": asking.csrf}
    return page(
        request, "editor.html.j2", signed=asking, facts=facts, case=cell, modules=f"/editor/{modules_digest()}"
    )  # fmt: skip


@router.get("/editor/{digest}/{name}")
def module(digest: str, name: str) -> Response:
    """A module or the style of the editor.

    Modules import each other by relative names, so the version stands in the folder: it changes with any of them, and
    a browser never mixes two versions.
    """
    content = modules().get(name)
    if content is None or digest != modules_digest():
        raise HTTPException(404, "there is no such file")
    kind = next(kind for ending, kind in _KINDS.items() if name.endswith(ending))
    return Response(content, media_type=kind, headers=_FOREVER)


@api.get("/bands", dependencies=[Depends(signed_in)])
def all_bands() -> JSONResponse:
    """The G-bands of every chromosome at 400, 550 and 850 bphs, for ideograms."""
    return JSONResponse(_bands(), headers={"Cache-Control": "private, max-age=86400"})


@cache
def modules() -> dict[str, bytes]:
    """The files of the editor by their names."""
    folder = resources.files("consilium.web").joinpath("static", "editor")
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name.endswith(tuple(_KINDS))}


@cache
def modules_digest() -> str:
    """What names this version of the editor's files."""
    import hashlib

    told = hashlib.sha256()
    for name, content in sorted(modules().items()):
        told.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return told.hexdigest()[:16]


@cache
def _bands() -> dict[str, dict[str, list[dict[str, Any]]]]:
    return {
        str(level): {
            chromosome: [
                {
                    "name": f"{band.arm}{band.name}", "start": band.iscn_start, "stop": band.iscn_stop,
                    "stain": band.stain, "darkness": round(band.darkness, 3),
                }
                for band in bands(chromosome, level)
            ]
            for chromosome in (*AUTOSOMES, "X", "Y")
        }
        for level in LEVELS
    }  # fmt: skip
