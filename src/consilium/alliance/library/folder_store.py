"""Files of packages in a folder: `sha256/ab/abcdef...`, each written beside its place and moved there."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from consilium.alliance.library.store import pieces_of, sync_folder, unwritable, write_checked
from consilium.artefact.runtime import sha256_of
from consilium.errors import OutputError


class FolderStore:
    """A store in a folder, of this machine or shared by several.

    Args:
        folder: made when the first file is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    def put(self, name: str, package: str, files: Mapping[str, Path], digests: Mapping[str, str]) -> None:
        """See `Store.put`; the folder does not need to know which package they are of."""
        with self._half() as half:
            for title, source in files.items():
                self._keep(source, digests[title], half)

    def fetch(self, name: str, digest: str, target: Path) -> None:
        """See `Store.fetch`."""
        source = self._path(digest)
        if not source.is_file():
            raise OutputError(
                f"the file {digest[:12]}... is not in the store", where=self.place,
                way_out="Bring it back from a copy of the store, or publish the model again.",
            )  # fmt: skip
        write_checked(pieces_of(source), digest, target, where=str(source))

    def has(self, name: str, digest: str) -> bool:
        """See `Store.has`."""
        return self._path(digest).is_file()

    def _keep(self, source: Path, digest: str, half: Path) -> None:
        target = self._path(digest)
        # One that was damaged is replaced by a whole one.
        if target.is_file() and sha256_of(target) == digest:
            return
        beside = half / digest
        write_checked(pieces_of(source), digest, beside, where=str(source))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside.chmod(0o444)
            beside.replace(target)
            sync_folder(target.parent)
        except OSError as problem:
            raise unwritable(target, problem) from problem

    def _path(self, digest: str) -> Path:
        return self._folder / "sha256" / digest[:2] / digest

    @contextmanager
    def _half(self) -> Iterator[Path]:
        """A folder for what is being written; those of calls that were killed are swept away."""
        everything = self._folder / "half"
        try:
            everything.mkdir(parents=True, exist_ok=True)
            for left in everything.iterdir():
                _sweep(left)
            own, handle = _held(everything)
        except OSError as problem:
            raise unwritable(everything, problem) from problem
        try:
            yield own
        finally:
            _empty(own)
            os.close(handle)


def _held(everything: Path) -> tuple[Path, int]:
    """A new folder and the lock on it."""
    while True:
        own = everything / secrets.token_hex(8)
        own.mkdir()
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
    """Remove a folder that nobody holds: locks die with their process."""
    try:
        handle = os.open(left, os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _empty(left)
    except OSError:
        return
    finally:
        os.close(handle)


def _empty(folder: Path) -> None:
    with suppress(OSError):
        for one in folder.iterdir():
            one.unlink(missing_ok=True)
        folder.rmdir()
