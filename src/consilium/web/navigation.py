"""Which rooms a person finds in the navigation: those where she may do something."""

from __future__ import annotations

from dataclasses import dataclass

from consilium.laboratory.permissions import TABLE, Act
from consilium.web.context import Signed


@dataclass(frozen=True, kw_only=True)
class Room:
    """An entry of the navigation.

    Attributes:
        path: of its page; pages below it belong to it.
        words: key of its name.
        act: whoever may do this finds it; None: everybody.
    """

    path: str
    words: str
    act: Act | None = None


ROOMS: tuple[Room, ...] = (
    Room(path="/worklist", words="nav.worklist", act="record.see"),
    Room(path="/reception", words="nav.reception", act="specimen.receive"),
    Room(path="/storage", words="nav.storage", act="record.see"),
    Room(path="/records", words="nav.records", act="record.see"),
    Room(path="/models", words="nav.models"),
    Room(path="/specialists", words="nav.specialists"),
    Room(path="/studies", words="nav.studies"),
    Room(path="/alliance", words="nav.operator"),
    Room(path="/people", words="nav.people", act="staff.change"),
)


def rooms_for(signed: Signed) -> tuple[Room, ...]:
    """The rooms that somebody may enter."""
    return tuple(one for one in ROOMS if one.act is None or signed.roles & TABLE[one.act])
