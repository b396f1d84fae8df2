"""A folder of results that is there as a whole or not at all.

Everything is written to a hidden folder beside the place where it shall be and moved there when it is complete.
A process that is killed leaves only that hidden folder, which the next call for the same place removes; what was
there before stays until the new one takes its place.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from consilium.errors import OutputError

NEW, FORMER = ".consilium-new", ".consilium-former"
"""Endings of the hidden folders: what is being written, and what is about to be replaced."""

_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that a desktop puts into every folder it shows."""


def refuse_unfit(out: Path, *, is_former: Callable[[Path], bool], what: str) -> None:
    """Find out before the work whether a result could be written; nothing is written yet.

    Args:
        out: where the result shall be.
        is_former: whether a folder is a former result, which may be replaced.
        what: what the result is, for the message, e.g. "a case".

    Raises:
        OutputError: `out` is a file, a folder with something else in it, or in a place where nothing can be made.
    """
    with _as_output_error(out):
        if out.is_symlink() and not out.exists():
            raise OutputError("it is a link that leads nowhere", where=str(out), way_out="Remove the link.")
        if out.exists():
            if not out.is_dir():
                raise OutputError("it is a file, not a folder", where=str(out), way_out="Name a folder for --out.")
            if visible_entries(out) and not is_former(out):
                raise OutputError(
                    f"the folder holds something other than {what} that Consilium wrote",
                    where=str(out),
                    way_out="Name a new or an empty folder for --out; nothing of yours is ever replaced.",
                )
        place = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise OutputError(
                "nothing can be written there", where=str(place), way_out="Name another folder for --out."
            )


def visible_entries(folder: Path) -> list[Path]:
    """What is in a folder, without our own hidden folders and what desktops leave."""
    return [
        entry
        for entry in sorted(folder.iterdir())
        if entry.name not in _LITTER and not entry.name.endswith((NEW, FORMER))
    ]


@contextlib.contextmanager
def whole_folder(out: Path, *, is_former: Callable[[Path], bool], what: str) -> Generator[Path, None, None]:
    """Write a folder as a whole.

    Args:
        out: where it shall be; folders above it are made.
        is_former: whether a folder is a former result, which is replaced.
        what: what the result is, for messages.

    Yields:
        An empty folder to write into. It becomes `out` at the end; after an exception it is removed, and a former
        result stays as it was.

    Raises:
        OutputError: see `refuse_unfit`; also for every OSError while writing, such as a full disk.
    """
    out = Path(os.path.realpath(out))
    refuse_unfit(out, is_former=is_former, what=what)
    with _as_output_error(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        home = out if os.path.ismount(out) else out.parent
        _clean_up(home, out)
        new = home / f"{_mark(out)}{secrets.token_hex(4)}{NEW}"
        new.mkdir()
        try:
            with _locked(new):
                yield new
                # Asked again: the work may have taken an hour.
                refuse_unfit(out, is_former=is_former, what=what)
                if home == out:
                    _move_contents(new, out)
                else:
                    _move_in_place(new, out)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def _move_in_place(new: Path, out: Path) -> None:
    former = new.with_name(new.name.removesuffix(NEW) + FORMER)
    try:
        if out.exists():
            out.rename(former)
        new.rename(out)
    except BaseException:
        if former.exists() and not out.exists():
            former.rename(out)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _move_contents(new: Path, out: Path) -> None:
    """Replace file by file where the folder itself cannot be replaced, because a disk is mounted there."""
    written = [file.relative_to(new) for file in new.rglob("*") if file.is_file()]
    # What lies deepest goes first: the files on top tell what lies below them.
    for file in sorted(written, key=lambda file: (-len(file.parts), file)):
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (new / file).replace(out / file)
    for entry in visible_entries(out):
        for file in [entry] if entry.is_file() else list(entry.rglob("*")):
            if file.is_file() and file.relative_to(out) not in written:
                file.unlink()


def _clean_up(home: Path, out: Path) -> None:
    """Remove what killed processes left for this place, and bring back what one was about to replace."""
    left = [entry for entry in home.iterdir() if entry.name.startswith(_mark(out))]
    for entry in left:
        if entry.name.endswith(FORMER) and not out.exists():
            entry.rename(out)
        elif entry.name.endswith(FORMER):
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name.endswith(NEW):
            with _locked(entry) as free:
                if free:
                    shutil.rmtree(entry, ignore_errors=True)


def _mark(out: Path) -> str:
    """How the hidden folders for a place begin: its name may be too long to have anything added to it."""
    return f".{hashlib.sha256(os.fsencode(out.name)).hexdigest()[:12]}."


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock, which ends with this process; False while another process, not yet dead, holds it."""
    try:
        import fcntl
    except ImportError:
        # Windows cannot lock a folder, so nobody there knows that a writer is dead.
        yield False
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            free = False
        else:
            free = True
        yield free
    finally:
        os.close(handle)


@contextlib.contextmanager
def _as_output_error(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise OutputError(
            f"it cannot be written ({problem.strerror or problem})",
            where=str(problem.filename or out),
            way_out="Free the disk, ask for permission, or name another folder for --out.",
        ) from problem
