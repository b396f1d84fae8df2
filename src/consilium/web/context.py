"""What every request has: the records, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from consilium.errors import ConsiliumError
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.permissions import Role
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
    """

    person: str
    roles: frozenset[Role]
    csrf: str
    lang: Language


def settings_of(request: Request) -> Settings:
    """How this workstation is run."""
    found: Settings = request.app.state.settings
    return found


def records_of(request: Request) -> Laboratory:
    """The laboratory's records."""
    found: Laboratory = request.app.state.records
    return found


def signed_in(request: Request) -> Signed:
    """Who asks.

    Raises:
        NotSignedIn: nobody is signed in.
    """
    found: Signed | None = request.app.state.signed(request)
    if found is None:
        raise NotSignedIn("nobody is signed in", way_out="Sign in first.")
    return found


def lang_of(request: Request) -> Language:
    """In which language a page is read: as chosen, else as the browser asks."""
    return language_of(request.cookies.get("consilium_lang", ""), request.headers.get("accept-language", ""))


Asking = Annotated[Signed, Depends(signed_in)]
Records = Annotated[Laboratory, Depends(records_of)]
Run = Annotated[Settings, Depends(settings_of)]
