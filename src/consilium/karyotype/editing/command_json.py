"""Commands as JSON, read strictly: what is not a command as `commands` has it is refused, whatever it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_args

from consilium.errors import InputError
from consilium.karyotype.editing.cell import REASONS
from consilium.karyotype.editing.commands import COMMANDS, Axis, Command
from consilium.karyotype.editing.labels import checked_label
from consilium.karyotype.editing.region import Polygon

MOST_POINTS = 1000
"""Of an outline or line; a hand on a screen draws some hundred."""

FARTHEST = 100_000
"""Pixels from the corner of the picture that a point may lie."""

MOST_OBJECTS = 200
LONGEST_NOTE = 1000
_LONGEST_ID = 20

KINDS: Mapping[str, type[Command]] = {one.kind: one for one in COMMANDS}


def written(command: Command) -> dict[str, Any]:
    """A command as JSON values; what was left out stays out."""
    told = {one.name: getattr(command, one.name) for one in fields(command)}
    return {"kind": command.kind} | {name: _plain(value) for name, value in told.items() if value is not None}


def read(document: object) -> Command:
    """The command of a JSON value.

    Raises:
        InputError: it is none; the message says what is wrong with it and never repeats it.
    """
    if not isinstance(document, dict):
        raise InputError("a command is a JSON object", way_out='As in {"kind": "undo"}.')
    kind = document.get("kind")
    known = KINDS.get(kind) if isinstance(kind, str) else None
    if known is None:
        raise InputError("there is no such kind of command", way_out=f"One of {', '.join(KINDS)}.")
    given = {name: value for name, value in document.items() if name != "kind"}
    names = {one.name for one in fields(known)}
    if set(given) - names:
        told = f"It has {', '.join(sorted(names))}." if names else "It has nothing beside its kind."
        raise InputError(f"a {kind} has no such entry", way_out=told)
    # None stands for what is left out, as clients write it.
    filled = {name: _READERS[name](value, name) for name, value in given.items() if value is not None}
    try:
        return known(**filled)
    except TypeError as problem:
        missing = sorted(names - set(filled) - {"place", "label", "object"}) or ["object"]
        raise InputError(f"a {kind} needs {', '.join(missing)}") from problem


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _id(value: object, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or not value.isascii() or not value.isalnum():
        raise InputError(f"{name} is no id of an object", way_out="As in c3 or n17a.")
    return value


def _ids(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_OBJECTS:
        raise InputError(f"{name} is a list of objects", way_out=f"One to {MOST_OBJECTS} of them.")
    found = tuple(_id(one, name) for one in value)
    if len(set(found)) != len(found):
        raise InputError(f"{name} has one object twice")
    return found


def _label(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name} is a text")
    return checked_label(value)


def _place(value: object, name: str) -> int:
    if type(value) is not int or not 0 <= value < MOST_OBJECTS:
        raise InputError(f"{name} is a whole number from 0 on")
    return value


def _axis(value: object, name: str) -> str:
    return _one_of(value, name, get_args(Axis))


def _reason(value: object, name: str) -> str:
    return _one_of(value, name, REASONS)


def _one_of(value: object, name: str, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise InputError(f"{name} is none that is known", way_out=f"One of {', '.join(known)}.")
    return value


def _degrees(value: object, name: str) -> float:
    found = _number(value, name)
    if abs(found) > 360:
        raise InputError(f"{name} is from -360 to 360")
    return found


def _bool(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{name} is true or false")
    return value


def _text(value: object, name: str) -> str:
    from unicodedata import category

    found = value.strip() if isinstance(value, str) else ""
    if not found or len(found) > LONGEST_NOTE:
        raise InputError(f"{name} is a text of at most {LONGEST_NOTE} letters")
    if any(category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in found):
        raise InputError(f"{name} has a letter in it that cannot be kept")
    return found


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise InputError(f"{name} is a number that a machine can hold")
    return found


def _points(least: int) -> Callable[[object, str], Polygon]:
    def read_points(value: object, name: str) -> Polygon:
        if not isinstance(value, list) or not least <= len(value) <= MOST_POINTS:
            raise InputError(f"{name} is a list of {least} to {MOST_POINTS} points")
        return tuple(_point(one, name) for one in value)

    return read_points


def _point(value: object, name: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise InputError(f"a point of {name} is [x, y]")
    x, y = (_number(one, f"a point of {name}") for one in value)
    if max(abs(x), abs(y)) > FARTHEST:
        raise InputError(f"a point of {name} is far from the picture")
    return x, y


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "object": _id, "other": _id, "objects": _ids, "label": _label, "place": _place, "axis": _axis,
    "degrees": _degrees, "on": _bool, "line": _points(2), "first": _points(3), "second": _points(3),
    "polygon": _points(3), "reason": _reason, "text": _text,
}  # fmt: skip
