"""Who calls: the operating system's user, or whom `CONSILIUM_PERSON` names.

The command line trusts whoever can read the folder it works on (docs/explanation/threat-model.md): the name keeps
honest people apart, the file system keeps out the others.
"""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consilium.alliance.permissions import Person
    from consilium.alliance.roster import Roster

PERSON_VARIABLE = "CONSILIUM_PERSON"


def caller() -> str:
    """The name of whoever calls."""
    if named := os.environ.get(PERSON_VARIABLE, "").strip():
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def roster() -> Roster:
    """The hospitals and people of this installation."""
    from consilium.alliance.roster import Roster
    from consilium.settings import home_folder

    return Roster(home_folder() / "roster.json")


def who() -> Person:
    """The person who calls.

    Raises:
        NotAllowed: there is an alliance, and it does not know the caller.
    """
    return roster().person(caller())


def note(what: str, on: str, **details: Any) -> None:
    """Leave an entry in the ledger of this installation."""
    from consilium.alliance.ledger import append
    from consilium.settings import home_folder

    append(home_folder() / "ledger.jsonl", who=caller(), what=what, on=on, details=details)
