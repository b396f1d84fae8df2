"""One document for one value: frozen records as canonical JSON and back, so that a hash of it says the same everywhere.

Keys are sorted, nothing stands between the parts, text is UTF-8 and composed (NFC), and a fraction is text with four
places, since how a float is printed is nobody's promise. What is read back must be, byte for byte, what would be
written: a document that says the same in other words is refused.
"""

from __future__ import annotations

import dataclasses
import json
import types
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from consilium.errors import InputError

Value = TypeVar("Value")

PLACES = 4
"""Decimals of a fraction."""

LONGEST = 20_000
"""Letters of one text."""

LARGEST = 4_000_000
"""Bytes of a document."""

_MOST_OF_A_NUMBER = 2**53
_DEEPEST = 8


def written(value: Any) -> bytes:
    """A frozen record as its document.

    Raises:
        InputError: a text in it cannot stand there.
    """
    text = json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def read(kind: type[Value], document: bytes) -> Value:
    """A frozen record from its document.

    Args:
        kind: a frozen dataclass of texts, whole numbers, fractions, truth values, such records, tuples and mappings.
        document: as `written` makes it.

    Raises:
        InputError: it is none, lacks an entry, has one too many, or is not written canonically; the message names the
            entry and never repeats what it holds.
    """
    if len(document) > LARGEST:
        raise InputError(f"the document is too large ({len(document)} bytes)")
    try:
        plain = json.loads(document.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise InputError("the document is no JSON in UTF-8") from problem
    found: Value = _made(kind, plain, "document", 0)
    if written(found) != document:
        raise InputError("the document is not written canonically", way_out="It was not made by Consilium.")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value, "a text")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return f"{value:.{PLACES}f}"
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _made(kind: Any, plain: Any, where: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InputError("the document is nested too deeply", where=where)
    if dataclasses.is_dataclass(kind):
        return _record(kind, plain, where, depth)
    origin, of = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if plain is None and type(None) in of:
            return None
        return _made(next(one for one in of if one is not type(None)), plain, where, depth)
    if origin is Literal:
        return _checked(plain, isinstance(plain, str) and plain in of, where, f"one of {', '.join(map(repr, of))}")
    if origin is tuple:
        _checked(plain, isinstance(plain, list), where, "a list")
        return tuple(_made(of[0], one, f"{where}[{at}]", depth + 1) for at, one in enumerate(plain))
    if origin is Mapping:
        _checked(plain, isinstance(plain, dict), where, "an object")
        return {_made(of[0], key, where, depth + 1): _made(of[1], plain[key], where, depth + 1) for key in plain}
    return _single(kind, plain, where)


def _record(kind: Any, plain: Any, where: str, depth: int) -> Any:
    _checked(plain, isinstance(plain, dict), where, "an object")
    hints = get_type_hints(kind)
    if set(plain) != set(hints):
        wrong = sorted(set(plain) ^ set(hints))[0]
        told = "lacks" if wrong in hints else "has too many entries:"
        name = wrong if wrong in hints else "one that is not known"
        raise InputError(f"the document {told} {name}", where=where)
    return kind(**{name: _made(hints[name], plain[name], f"{where}.{name}", depth + 1) for name in hints})


def _single(kind: Any, plain: Any, where: str) -> Any:
    if kind is str:
        return _text(_checked(plain, isinstance(plain, str), where, "a text"), where)
    if kind is bool:
        return _checked(plain, isinstance(plain, bool), where, "true or false")
    if kind is int:
        whole = type(plain) is int and abs(plain) <= _MOST_OF_A_NUMBER
        return _checked(plain, whole, where, "a whole number")
    if kind is float:
        _checked(plain, isinstance(plain, str) and _is_fraction(plain), where, f"a fraction with {PLACES} places")
        return float(plain)
    raise TypeError(f"{kind} has no place in a document")


def _is_fraction(text: str) -> bool:
    whole, dot, places = text.partition(".")
    digits = (whole + places).isascii() and (whole + places).isdigit()
    return digits and dot == "." and len(places) == PLACES and len(whole) <= 9


def _text(text: str, where: str) -> str:
    if len(text) > LONGEST:
        raise InputError(f"a text is too long ({len(text)} letters)", where=where)
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t":
            raise InputError(f"a text has a letter that cannot be kept (U+{ord(letter):04X})", where=where)
    if unicodedata.normalize("NFC", text) != text:
        raise InputError("a text is not composed (NFC)", where=where)
    return text


def _checked(plain: Any, right: bool, where: str, wanted: str) -> Any:
    if not right:
        raise InputError(f"the document has no {wanted} here", where=where)
    return plain
