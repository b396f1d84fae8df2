"""How a model of the library is named: NAME, NAME@approved, NAME@candidate or NAME@1.2.0."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from consilium.errors import InputError

Channel = Literal["candidate", "approved", "retired"]
"""Where a version stands: to be tried, let in by a second person, taken back for good."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9]|[_-](?=[a-z0-9])){0,62}")
_VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")


@dataclass(frozen=True, order=True)
class Version:
    """A semantic version (https://semver.org) without labels of pre-releases: the channel says what those would."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Which version of which model is meant.

    Attributes:
        name: of the model.
        version: that one; None where a channel was named.
        channel: the version that is approved now, or the newest candidate.
    """

    name: str
    version: Version | None = None
    channel: Literal["approved", "candidate"] = "approved"


def name_of(text: str) -> str:
    """A model's name: lower-case letters, digits, single hyphens and underscores, so that every store takes it.

    Raises:
        InputError: it is none.
    """
    if not _NAME.fullmatch(text):
        raise InputError(
            f"{text[:80]!r} cannot be the name of a model",
            way_out="Lower-case letters and digits, with single hyphens or underscores between; 63 at most.",
        )
    return text


def version_of(text: str) -> Version:
    """A version, as in 1.2.0.

    Raises:
        InputError: it is none.
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        raise InputError(f"{text[:80]!r} is no version", way_out="Three numbers, as in 1.2.0.")
    return Version(*map(int, found.groups()))


def reference_of(text: str) -> Reference:
    """What a person writes to name a model.

    Raises:
        InputError: it names none.
    """
    name, at, wish = text.partition("@")
    if at and wish in ("approved", "candidate"):
        return Reference(name=name_of(name), channel="candidate" if wish == "candidate" else "approved")
    return Reference(name=name_of(name), version=version_of(wish) if at else None)
