"""What every request has: the records, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from consilium.errors import ConsiliumError
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.permissions import Role
from consilium.web.security.accounts import Accounts
from consilium.web.settings import Settings
from consilium.web.wording.language import Language, language_of


class NotSignedIn(ConsiliumError):
    """Nobody is signed in; an interface answers 401, a page asks who it is."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """Whoever asks.

    Attributes:
        person: the name by which the laboratory knows her.
        roles: what she is there at this moment.
        csrf: what an unsafe request has to bring along.
        lang: in which language she reads.
        must_change: whether she has to change her password before anything else.
        session: number of her session; None where a program asks in her name.
        by_browser: whether a browser asks, which sends its cookie whoever made the page.
        began: when she last showed who she is, ISO 8601 in UTC; empty where that is not known.
        method: by which she did: "password", "oidc" or "token".
    """

    person: str
    roles: frozenset[Role]
    csrf: str
    lang: Language
    must_change: bool = False
    session: int | None = None
    by_browser: bool = False
    began: str = ""
    method: str = ""


def settings_of(request: Request) -> Settings:
    """How this workstation is run."""
    found: Settings = request.app.state.settings
    return found


def records_of(request: Request) -> Laboratory:
    """The laboratory's records; for a program, with no more roles than it was given."""
    found: Laboratory = request.app.state.records
    signed: Signed | None = getattr(request.state, "signed", None)
    return found.only(signed.roles) if signed is not None and signed.method == "token" else found


def accounts_of(request: Request) -> Accounts:
    """The accounts of the laboratory's people."""
    found: Accounts = request.app.state.accounts
    return found


def cells_of(request: Request) -> OpenCells:
    """The cells that this server has open."""
    found: OpenCells = request.app.state.analysis.cells
    return found


def address_of(request: Request) -> str:
    """From where somebody asks; behind a proxy that is trusted, what the proxy says."""
    return "" if request.client is None else request.client.host


def signed_in(request: Request) -> Signed:
    """Who asks.

    Raises:
        NotSignedIn: nobody is signed in.
    """
    found: Signed | None = request.state.signed
    if found is None:
        raise NotSignedIn("nobody is signed in", way_out="Sign in first.")
    return found


def lang_of(request: Request) -> Language:
    """In which language a page is read: as chosen, else as the browser asks."""
    return language_of(request.cookies.get("consilium_lang", ""), request.headers.get("accept-language", ""))


Asking = Annotated[Signed, Depends(signed_in)]
People = Annotated[Accounts, Depends(accounts_of)]
Records = Annotated[Laboratory, Depends(records_of)]
Cells = Annotated[OpenCells, Depends(cells_of)]
Run = Annotated[Settings, Depends(settings_of)]
