"""Where the files of packages lie: named by their content, whatever keeps them.

What comes out of a store is held against its name while it is read, so nobody has to trust the store: it may lose
files, it cannot alter them. What is where is the catalogue's business alone; a file that no package names is harmless.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from consilium.errors import NotTrusted, OutputError

_PIECE = 1 << 20


class Store(Protocol):
    """What the library needs of a place for files. All entries of `stores.py` pass one contract test."""

    @property
    def place(self) -> str:
        """Where it is, for messages; without passwords."""
        ...

    def put(self, name: str, package: str, files: Mapping[str, Path], digests: Mapping[str, str]) -> None:
        """Keep the files of a package; those that are there already are not sent again.

        Args:
            name: of the model.
            package: SHA-256 that stands for the package.
            files: where each lies now, by its name in the package.
            digests: SHA-256 of each, 64 hexadecimal digits.

        Raises:
            NotTrusted: a file is not what its digest says; nothing refers to what was kept before it.
            OutputError: the store cannot be written; what it held is as it was.
        """
        ...

    def fetch(self, name: str, digest: str, target: Path) -> None:
        """Write one file to a new place, held against its digest.

        Raises:
            NotTrusted: what the store has is not what its name says; nothing is left at `target`.
            OutputError: the store lacks it, cannot be reached, or there is no room for it.
        """
        ...

    def has(self, name: str, digest: str) -> bool:
        """Whether a file of a model is there; says nothing about whether it is intact.

        Raises:
            OutputError: the store cannot be reached.
        """
        ...


def write_checked(pieces: Iterable[bytes], digest: str, target: Path, *, where: str) -> None:
    """Write a file that is to have a digest: whole, on the disk and right, or not at all.

    Raises:
        NotTrusted: it has another.
        OutputError: it cannot be written.
    """
    found = hashlib.sha256()
    whole = False
    try:
        with target.open("xb") as stream:
            for piece in pieces:
                found.update(piece)
                stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())
        if found.hexdigest() != digest:
            raise NotTrusted(
                f"a file in the library was altered: {digest[:12]}... is {found.hexdigest()[:12]}... now", where=where,
                way_out="Do not use this model. Tell the operator; a copy of the store has the right one.",
            )  # fmt: skip
        whole = True
    except OSError as problem:
        raise unwritable(target, problem) from problem
    finally:
        if not whole:
            with suppress(OSError):
                target.unlink(missing_ok=True)


def pieces_of(path: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def sync_folder(folder: Path) -> None:
    """See that the entries of a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unwritable(path: Path, problem: OSError) -> OutputError:
    """The error for a file that cannot be written."""
    return OutputError(
        f"it cannot be written ({problem.strerror or problem})", where=str(path),
        way_out="Nothing was changed. Make room or ask for permission, then call again.",
    )  # fmt: skip
