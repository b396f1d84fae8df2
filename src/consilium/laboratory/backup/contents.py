"""What is in a backup: a ZIP file with the rows of each table, the files that they name, and a list of it all.

`manifest.json` is written last and has the hash of everything else. A backup is whole or it is none.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from consilium.database.database import Schema
from consilium.errors import InputError

FORMAT = "consilium laboratory backup 1"
MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Part:
    """The tables of one kind in a laboratory's database.

    Attributes:
        schema: that makes them.
        prefix: of their names.
        left_out: tables that are not kept.
    """

    schema: Schema
    prefix: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableKept:
    """A table of a backup.

    Attributes:
        name: of the table.
        part: prefix of its part.
        columns: in the order of its rows.
        rows: how many.
        sha256: of its lines.
    """

    name: str
    part: str
    columns: list[str]
    rows: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The list of what is in a backup.

    Attributes:
        made: when, ISO 8601 in UTC.
        consilium: version that made it.
        steps: step of the database, by prefix of the part.
        tables: in the order in which they refer to each other.
        files: SHA-256 of each file.
        missing: files that the records name and that were not there any more, or not as they were.
    """

    made: str
    consilium: str
    steps: Mapping[str, str]
    tables: list[TableKept]
    files: list[str]
    missing: list[str]

    def to_json(self) -> str:
        """As it stands in a backup."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True)


class Opened:
    """A backup whose every byte was found to be as it was written.

    Args:
        archive: the file.
        manifest: its list.
    """

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive, self.manifest = archive, manifest

    def lines(self, table: TableKept) -> Iterator[bytes]:
        """The rows of a table."""
        with self._archive.open(f"tables/{table.name}.jsonl") as stream:
            yield from stream

    def file(self, digest: str) -> bytes:
        """A file."""
        return self._archive.read(f"files/{digest}")


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a backup and look at all of it.

    Raises:
        InputError: it is none, is damaged, or something of it is missing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            _check(archive, manifest)
            yield Opened(archive, manifest)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError) as problem:
        raise InputError(
            f"this is no whole backup ({type(problem).__name__})", where=str(path), way_out="Take another copy of it."
        ) from problem
    except OSError as problem:
        raise InputError(f"the backup cannot be read ({problem.strerror})", where=str(path)) from problem


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    if archive.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
        raise zipfile.BadZipFile
    try:
        told: dict[str, Any] = json.loads(archive.read(MANIFEST))
        if told.pop("format") != FORMAT:
            raise InputError("this backup is of another version of Consilium", way_out="Restore it with that version.")
        tables = [TableKept(**one) for one in told.pop("tables")]
        found = Manifest(tables=tables, **told)
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise zipfile.BadZipFile from problem
    names = [one.name for one in tables]
    if not all(re.fullmatch(r"[a-z_0-9]{1,60}", one) for one in names) or len(set(names)) < len(names):
        raise zipfile.BadZipFile
    if not all(re.fullmatch(r"[0-9a-f]{64}", one) for one in found.files):
        raise zipfile.BadZipFile
    return found


def _check(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    expected = {f"tables/{one.name}.jsonl": one.sha256 for one in manifest.tables}
    expected |= {f"files/{one}": one for one in manifest.files}
    if sorted(archive.namelist()) != sorted([*expected, MANIFEST]):
        raise zipfile.BadZipFile
    for name, digest in expected.items():
        found = hashlib.sha256()
        with archive.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
        if found.hexdigest() != digest:
            raise InputError("the backup was changed since it was made", where=name, way_out="Take another copy of it.")
