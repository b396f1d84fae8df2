"""Files beside the database, each named by the SHA-256 of what is in it.

A file is whole on the disk before the transaction that names it commits, so no record ever names one that is not there.
A transaction that does not commit leaves at most a file that nobody names, which hurts nobody.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import tempfile
from pathlib import Path

from consilium.errors import OutputError

_NAME = re.compile(r"[0-9a-f]{64}")

LARGEST_READING = 64 * 1024 * 1024
"""Bytes of an unpacked reading: one of 300 objects has less than one."""


class Files:
    """A folder of files.

    Args:
        folder: where they lie; made where there is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, content: bytes) -> str:
        """Keep a file; its SHA-256.

        Raises:
            OutputError: it cannot be written; nothing half-written stays under its name.
        """
        digest = hashlib.sha256(content).hexdigest()
        place = self.path(digest)
        if place.exists():
            return digest
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            half, name = tempfile.mkstemp(prefix=".half-", dir=place.parent)
            try:
                with os.fdopen(half, "wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(name).replace(place)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            _settle(place.parent)
        except OSError as problem:
            raise OutputError(
                f"a file of the laboratory cannot be written ({problem.strerror})", where=str(self.folder),
                way_out="Nothing was recorded. Make room, then try again.",
            ) from problem  # fmt: skip
        return digest

    def path(self, digest: str) -> Path:
        """Where a file lies, or would."""
        if not _NAME.fullmatch(digest):
            raise ValueError("no SHA-256")
        return self.folder / digest[:2] / digest

    def read(self, digest: str) -> bytes:
        """What is in a file.

        Raises:
            OutputError: it is not there, or was changed.
        """
        try:
            content = self.path(digest).read_bytes()
        except OSError as problem:
            raise OutputError(
                f"a file of the laboratory is missing ({problem.strerror})", where=digest[:12],
                way_out="Bring the folder of files back from the backup that belongs to these records.",
            ) from problem  # fmt: skip
        if hashlib.sha256(content).hexdigest() != digest:
            raise OutputError(
                "a file of the laboratory was changed", where=digest[:12],
                way_out="Bring it back from a backup; the records say what it has to hash to.",
            )  # fmt: skip
        return content

    def keep_packed(self, content: bytes) -> str:
        """Keep a file, packed; the SHA-256 of the packed one. The same content packs alike everywhere."""
        return self.keep(gzip.compress(content, compresslevel=6, mtime=0))

    def read_packed(self, digest: str) -> bytes:
        """What was kept with `keep_packed`.

        Raises:
            OutputError: it is not there, was changed, or is larger than any reading.
        """
        import io

        with gzip.GzipFile(fileobj=io.BytesIO(self.read(digest))) as stream:
            content = stream.read(LARGEST_READING + 1)
        if len(content) > LARGEST_READING:
            raise OutputError("a reading is larger than any can be", where=digest[:12])
        return content


def _settle(folder: Path) -> None:
    """See that a new name in a folder outlives a loss of power, where the system can promise that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
