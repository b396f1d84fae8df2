"""Passwords: which may be chosen, how they are kept, what a one-time password looks like.

The rules are those of NIST SP 800-63B, section 5.1.1.2: long enough, nothing obvious, and no rules of composition,
which make passwords worse. They are kept as argon2id with the parameters of RFC 9106, section 4 (second choice).
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from consilium.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 256
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""No letter that looks like another one: it is read from paper."""

_AT_ONCE = BoundedSemaphore(2)
"""Each takes 64 MiB for a moment; fifty people who sign in at eight o'clock wait for each other instead."""


def kept(password: str) -> str:
    """A password as it is stored."""
    with _AT_ONCE:
        return _hasher().hash(_composed(password))


def right(password: str, stored: str | None) -> bool:
    """Whether a password is the one that is stored; where none is, it takes as long and is not."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with _AT_ONCE:
        try:
            return _hasher().verify(stored or _nobodys(), _composed(password)) and stored is not None
        except (InvalidHashError, VerificationError):
            return False


def outdated(stored: str) -> bool:
    """Whether it was stored with other parameters than those of today."""
    return _hasher().check_needs_rehash(stored)


def one_time_password() -> str:
    """A password for the first sign-in: 20 letters of 31, about 99 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def check_password(password: str, *, about: Iterable[str] = ()) -> None:
    """See that a password may be chosen.

    Args:
        password: as it was typed.
        about: names that it must not consist of: of the person, of the laboratory.

    Raises:
        InputError: it may not; the message does not repeat it.
    """
    typed = _composed(password)
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in typed):
        raise InputError("the password has a letter in it that cannot be typed")
    if len(typed) < SHORTEST:
        raise InputError(f"the password is too short ({len(typed)} letters)", way_out=f"{SHORTEST} letters or more.")
    if len(typed) > LONGEST:
        raise InputError(f"the password is too long ({len(typed)} letters)", way_out=f"{LONGEST} letters at most.")
    if _obvious(typed, about):
        raise InputError(
            "the password is easy to guess",
            way_out="No names, well-known words, keyboard rows or repetitions: four or five words that nobody would "
            "put together are better.",
        )


def _obvious(typed: str, about: Iterable[str]) -> bool:
    """Whether hardly anything is left when everything that is guessed first is taken out."""
    if len(set(typed.lower())) < 5 or _repeats(typed.lower()):
        return True
    names = {part for name in about for part in _parts(name) if len(part) >= 3 or not part.isascii()}
    words = sorted({*_words(), *names}, key=len, reverse=True)
    # Years, counts and signs at the ends are what people add to please a rule.
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", _plain(typed))
    return any(_left(text, words, read) < 4 for text, read in ((_plain(typed), str), (core, _as_letters)))


def _left(text: str, words: Iterable[str], read: Callable[[str], str]) -> int:
    """Letters that remain of a text without these words."""
    left = read(text)
    for word in words:
        left = left.replace(read(word), " ")
    return len(re.sub(r"[\W_\d]", "", left))


def _repeats(text: str) -> bool:
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1))


def _parts(name: str) -> list[str]:
    plain = _plain(name)
    return [*re.split(r"[\W_]+", plain), re.sub(r"[\W_]+", "", plain)]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _as_letters(text: str) -> str:
    """Digits and signs that stand for letters as those letters."""
    return text.translate(str.maketrans("@$0135!", "asolesi"))


@cache
def _words() -> frozenset[str]:
    lines = (files(__package__) / "obvious.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(_plain(line.strip()) for line in lines if line.strip() and not line.startswith("#"))


def _composed(password: str) -> str:
    return unicodedata.normalize("NFC", password)


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))


@cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
        from argon2.profiles import RFC_9106_LOW_MEMORY
    except ImportError as problem:
        raise MissingExtra(
            "argon2 is needed to sign in", way_out="Install it: pip install 'consilium[web]'."
        ) from problem
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
