"""Everything that a person can do with a cell, as values. What each does is in `apply`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from consilium.karyotype.editing.cell import Reason
from consilium.karyotype.editing.region import Polygon

Axis = Literal["vertical", "horizontal"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What all have in common: `kind`, as it is called in JSON."""

    kind: ClassVar[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reassign(Command):
    """Call an object something, or move it among those of its class; without a place it goes to the end."""

    kind = "reassign"
    object: str
    label: str
    place: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Swap(Command):
    """Exchange the names and places of two objects."""

    kind = "swap"
    object: str
    other: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Flip(Command):
    """Turn an object end for end ("vertical"), or show it as in a mirror ("horizontal")."""

    kind = "flip"
    object: str
    axis: Axis


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotate(Command):
    """Turn an object further, counter-clockwise."""

    kind = "rotate"
    object: str
    degrees: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Straighten(Command):
    """Show an object straightened, or as it lies."""

    kind = "straighten"
    object: str
    on: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut(Command):
    """Part an object along a line."""

    kind = "cut"
    object: str
    line: Polygon


@dataclass(frozen=True, kw_only=True, slots=True)
class Join(Command):
    """Make one object of several."""

    kind = "join"
    objects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Separate(Command):
    """Part an object into two that cross: pixels may belong to both."""

    kind = "separate"
    object: str
    first: Polygon
    second: Polygon


@dataclass(frozen=True, kw_only=True, slots=True)
class Add(Command):
    """Add a chromosome that the machine missed."""

    kind = "add"
    polygon: Polygon
    label: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Erase(Command):
    """Take pixels away from an object, as those of a halo."""

    kind = "erase"
    object: str
    polygon: Polygon


@dataclass(frozen=True, kw_only=True, slots=True)
class Restore(Command):
    """Add pixels to an object."""

    kind = "restore"
    object: str
    polygon: Polygon


@dataclass(frozen=True, kw_only=True, slots=True)
class Remove(Command):
    """Take an object out that is no chromosome of this cell."""

    kind = "remove"
    object: str
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirm(Command):
    """Say that objects were looked at and are right."""

    kind = "confirm"
    objects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Note(Command):
    """Write something down about an object, or about the cell."""

    kind = "note"
    text: str
    object: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Undo(Command):
    """Take back the newest command that still holds."""

    kind = "undo"


@dataclass(frozen=True, kw_only=True, slots=True)
class Redo(Command):
    """Bring back the newest command that was taken back."""

    kind = "redo"


COMMANDS: tuple[type[Command], ...] = (
    Reassign, Swap, Flip, Rotate, Straighten, Cut, Join, Separate, Add, Erase, Restore, Remove, Confirm, Note, Undo,
    Redo,
)  # fmt: skip
