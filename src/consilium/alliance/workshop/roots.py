"""Folders with cases that an administrator let people point to. No other place of the disk can be named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consilium.alliance.workshop.unpack import safe_path
from consilium.errors import InputError

_MOST = 500
"""Entries of a folder that are shown."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What lies in a folder.

    Attributes:
        named: how the folder is named; empty above all roots.
        folders: how those in it are named.
        tables: how the tables in it are named.
        files: how many other files are in it.
    """

    named: str
    folders: tuple[str, ...]
    tables: tuple[str, ...]
    files: int


def place_below(roots: Sequence[Path], named: str) -> Path:
    """A folder or table that somebody points to.

    Args:
        roots: that may be pointed below.
        named: name of a root, then the way down, as `listed_below` tells it.

    Raises:
        InputError: it is not below a root, links followed, or is not there. The message is the same for both, so that
            nobody learns what else is on the disk.
    """
    head, _, rest = named.strip("/").partition("/")
    for root in roots:
        if root.name != head:
            continue
        try:
            inside = root.resolve(strict=True)
            found = (inside / safe_path(rest, depth=40)).resolve(strict=True) if rest else inside
        except (InputError, OSError, RuntimeError):
            break
        if found.is_relative_to(inside):
            return found
        break
    raise InputError(
        "there is no such folder among those that may be used", where=named[:120],
        way_out="An administrator names the folders: CONSILIUM_DATASETS.",
    )  # fmt: skip


def listed_below(roots: Sequence[Path], named: str = "") -> Listed:
    """What somebody may point to.

    Raises:
        InputError: as of `place_below`.
    """
    if not named:
        there = sorted(one.name for one in roots if one.is_dir())
        return Listed(named="", folders=tuple(there), tables=(), files=0)
    folder = place_below(roots, named)
    if not folder.is_dir():
        return Listed(named=named, folders=(), tables=(), files=0)
    try:
        entries = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError as problem:
        raise InputError(f"the folder cannot be read ({problem.strerror})", where=named) from problem
    folders = [f"{named}/{one.name}" for one in entries if one.is_dir()]
    tables = [f"{named}/{one.name}" for one in entries if one.is_file() and one.suffix.lower() == ".csv"]
    files = len(entries) - len(folders) - len(tables)
    return Listed(named=named, folders=tuple(folders[:_MOST]), tables=tuple(tables[:_MOST]), files=files)
