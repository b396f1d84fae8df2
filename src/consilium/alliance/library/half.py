"""A place for what is being written: it appears elsewhere when it is whole; what a killed call left is swept away."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from consilium.alliance.library.store import unwritable


@contextmanager
def half_folder(everything: Path) -> Iterator[Path]:
    """A new folder inside another, gone when the block ends.

    Whoever holds one has a lock on it, and locks die with their process; so the folders without one can go.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        everything.mkdir(parents=True, exist_ok=True)
        sweep(everything)
        own, handle = _held(everything)
    except OSError as problem:
        raise unwritable(everything, problem) from problem
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os.close(handle)


def sweep(everything: Path) -> None:
    """Remove what killed calls left.

    Raises:
        OSError: the folder cannot be read.
    """
    for left in everything.iterdir() if everything.is_dir() else ():
        _sweep(left)


def _held(everything: Path) -> tuple[Path, int]:
    while True:
        own = everything / secrets.token_hex(8)
        own.mkdir(mode=0o700)
        try:
            handle = os.open(own, os.O_RDONLY)
        except FileNotFoundError:
            continue
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Somebody may have swept it away before it was locked.
        if own.is_dir():
            return own, handle
        os.close(handle)


def _sweep(left: Path) -> None:
    try:
        handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    finally:
        os.close(handle)
