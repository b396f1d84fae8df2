"""What a person typed, as it may stand in a record."""

from __future__ import annotations

import unicodedata
from datetime import date

from consilium.errors import InputError

LONGEST = 2000


def entry(what: str, text: str, *, longest: int = LONGEST, needed: bool = False) -> str:
    """A text without blanks around it, composed (NFC), and without letters that a record cannot hold.

    Args:
        what: how messages call it; they never repeat the text itself, which may tell a patient's name.
        text: as it was typed.
        longest: letters at most.
        needed: whether it may not be empty.

    Raises:
        InputError: it is too long, empty, or has control characters or half letters in it.
    """
    found = unicodedata.normalize("NFC", text).strip()
    if needed and not found:
        raise InputError(f"{what} is needed")
    if len(found) > longest:
        raise InputError(f"{what} is too long ({len(found)} letters)", way_out=f"{longest} letters at most.")
    for letter in found:
        if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t":
            raise InputError(f"{what} has a letter in it that cannot be kept (U+{ord(letter):04X})")
    return found


def day_entry(what: str, text: str) -> str:
    """A day, as it stands in a record; empty where none was given.

    Raises:
        InputError: it is no day.
    """
    found = text.strip()
    if not found:
        return ""
    try:
        return date.fromisoformat(found).isoformat()
    except ValueError as problem:
        raise InputError(f"{what} is no day", way_out="As in 2026-03-01.") from problem


def one_of(what: str, text: str, known: tuple[str, ...]) -> str:
    """One of the words that a record knows.

    Raises:
        InputError: it is none of them.
    """
    found = text.strip()
    if found not in known:
        raise InputError(f"{what} is none that is known", way_out=f"One of {', '.join(known)}.")
    return found
