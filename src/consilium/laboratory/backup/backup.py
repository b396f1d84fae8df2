"""Making a backup: every row at one moment and every file that a row names, whole or not at all.

It may be made while people work. Files never change and are there before a record names them, so those that the rows of
one moment name are all there after it.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from consilium import __version__
from consilium.database.database import now
from consilium.errors import InputError, OutputError
from consilium.laboratory.backup.contents import MANIFEST, Manifest, Part, TableKept
from consilium.laboratory.backup.rows import columns_of, lines_of, tables_of
from consilium.laboratory.backup.snapshot import snapshot

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
NAMES_FILES = {"laboratory_image": ("sha256",), "laboratory_cell": ("reading",), "laboratory_run": ("record",)}
"""Columns that name files. Others with a hash may be of something else; what they name is kept where it is there."""


def make_backup(url: str, files: Path, parts: Sequence[Part], path: Path) -> Manifest:
    """Write a backup.

    Args:
        url: of the laboratory's database.
        files: folder of files that its records name.
        parts: the tables.
        path: where to; there must be nothing yet.

    Returns:
        What is in it. Files that are missing or changed do not keep the others from being saved: they are listed.

    Raises:
        InputError: there is a file already.
        OutputError: it cannot be written; nothing half-written is left.
        EngineError: the database does not answer.
    """
    if path.exists():
        raise _there(path)
    half, copy = path.with_name(f".{path.name}.half"), path.with_name(f".{path.name}.half.db")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.unlink(missing_ok=True)
        with snapshot(url, copy) as connection, open(half, "xb", opener=_private) as stream:
            manifest = _write(connection, files, parts, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(half, path)  # as a rename that overwrites nothing
        half.unlink()
        _settle(path.parent)
    except FileExistsError as problem:
        raise _there(path) from problem
    except OSError as problem:
        raise OutputError(f"the backup cannot be written ({problem.strerror})", where=str(path)) from problem
    finally:
        half.unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
    return manifest


def _write(connection: Connection, files: Path, parts: Sequence[Part], stream: IO[bytes]) -> Manifest:
    from sqlalchemy import text

    tables: list[TableKept] = []
    named, needed = set[bytes](), set[bytes]()
    steps: dict[str, str] = {}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for part in parts:
            version = connection.execute(text(f"SELECT version_num FROM {part.schema.version_table}")).scalar()
            steps[part.prefix] = str(version)
            for table in tables_of(connection, part.prefix, but=(part.schema.version_table, *part.left_out)):
                tables.append(_table(connection, table, part, archive, named, needed))
        kept, missing = [], []
        for digest in sorted(one.decode("ascii") for one in named):
            if _file(archive, files / digest[:2] / digest, digest):
                kept.append(digest)
            elif digest.encode("ascii") in needed:
                missing.append(digest)
        manifest = Manifest(made=now(), consilium=__version__, steps=steps, tables=tables, files=kept, missing=missing)
        archive.writestr(MANIFEST, manifest.to_json())
    return manifest


def _table(
    connection: Connection, table: Table, part: Part, archive: zipfile.ZipFile, named: set[bytes], needed: set[bytes]
) -> TableKept:
    digest, rows, columns = hashlib.sha256(), 0, columns_of(table)
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as stream:
        for line in lines_of(connection, table):
            digest.update(line)
            rows += 1
            named.update(_DIGEST.findall(line))
            stream.write(line)
    for column in NAMES_FILES.get(table.name, ()):
        needed.update(_named(connection, table, column))
    return TableKept(name=table.name, part=part.prefix, columns=columns, rows=rows, sha256=digest.hexdigest())


def _named(connection: Connection, table: Table, column: str) -> Iterator[bytes]:
    from sqlalchemy import select

    for value in connection.execute(select(table.columns[column])).scalars():
        if value is not None:
            yield value.encode("ascii")


def _file(archive: zipfile.ZipFile, place: Path, digest: str) -> bool:
    """Keep a file as it is, since pictures and packed readings get no smaller; whether it was there and whole."""
    try:
        content = place.read_bytes()
    except OSError:
        return False
    if hashlib.sha256(content).hexdigest() != digest:
        return False
    archive.writestr(zipfile.ZipInfo(f"files/{digest}"), content)
    return True


def _there(path: Path) -> InputError:
    return InputError("there is a file already", where=str(path), way_out="A backup overwrites nothing.")


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _settle(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
