"""What the pages of models, specialists, studies and the alliance work with: who asks is a person of the alliance.

Whoever is signed in is matched to the roster by name. Where there is no alliance, this installation is one hospital of
its own, and everybody who works here may do everything in it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Request

from consilium.alliance.permissions import Person
from consilium.alliance.roster import Roster
from consilium.errors import NotAllowed
from consilium.settings import LIBRARY_VARIABLE, STORE_VARIABLE, home_folder
from consilium.web.context import Asking, Signed

if TYPE_CHECKING:
    from consilium.alliance.compute.folder_engine import FolderEngine
    from consilium.alliance.compute.permitted import PermittedEngine
    from consilium.alliance.joint_training.register import Register
    from consilium.alliance.library.library import Library
    from consilium.alliance.workshop.workshop import Workshop

_OPENING = threading.Lock()


def roster() -> Roster:
    """The hospitals and people of this installation."""
    return Roster(home_folder() / "roster.json")


def person_asking(signed: Asking) -> Person:
    """Who asks, as a person of the alliance.

    Raises:
        NotAllowed: there is an alliance, and it does not know this name; or a program asks in somebody's name.
    """
    if signed.method == "token":
        # A token has roles of the laboratory; whoever made it gave away nothing of the alliance.
        raise NotAllowed("a program may not ask this in somebody's name", way_out="Sign in yourself.")
    return roster().person(signed.person)


Member = Annotated[Person, Depends(person_asking)]


def note_of(person: str) -> Callable[..., None]:
    """What leaves entries in the ledger of this installation, in somebody's name."""

    def note(what: str, on: str, **details: Any) -> None:
        from consilium.alliance.ledger import append

        append(home_folder() / "ledger.jsonl", who=person, what=what, on=on, details=details)

    return note


def library_for(request: Request, signed: Signed) -> Library:
    """The library as somebody uses it; it is opened once and kept.

    Raises:
        MissingExtra: what it needs is not installed.
        EngineError: the catalogue does not answer.
    """
    from consilium.alliance.library.library import open_library

    state = request.app.state
    with _OPENING:
        if getattr(state, "library", None) is None:
            state.library = open_library(
                home_folder(), catalogue=os.environ.get(LIBRARY_VARIABLE, ""),
                store=os.environ.get(STORE_VARIABLE, ""), note=note_of(""),
            )  # fmt: skip
    library: Library = state.library
    return replace(library, note=note_of(signed.person))


def close_library(app: FastAPI) -> None:
    """Close the library, if it was opened."""
    if getattr(app.state, "library", None) is not None:
        app.state.library.catalogue.close()
        app.state.library = None


def engine() -> FolderEngine:
    """The engine itself, for what looks at all hospitals together; the table of rights is asked before."""
    from consilium.alliance.compute.engines import engine_in

    return engine_in(home_folder())


def engine_of(person: Person) -> PermittedEngine:
    """The engine as a person may use it."""
    from consilium.alliance.compute.permitted import PermittedEngine

    return PermittedEngine(engine(), person)


def workshop_of(person: Person) -> Workshop:
    """The specialists of a person's hospital."""
    from consilium.alliance.workshop.workshop import Workshop

    return Workshop(home_folder(), engine_of(person), person, note_of(person.name))


def register() -> Register:
    """The studies of this installation."""
    from consilium.alliance.joint_training.register import Register

    return Register(home_folder())


def compute_folder() -> Path:
    """Where jobs, leases, prices and quotas are kept."""
    from consilium.alliance.compute.engines import FOLDER

    return home_folder() / FOLDER
