"""Bringing a backup back into an empty database, of whichever kind: all of it, held against every hash, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.database.database import Database
from consilium.errors import InputError, OutputError
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.backup.contents import Manifest, Opened, Part, TableKept, opened
from consilium.laboratory.backup.rows import columns_of, insert, lines_of, tables_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table


def restore(path: Path, url: str, files: Path, parts: Sequence[Part]) -> Manifest:
    """Bring a backup back.

    Args:
        path: of the backup.
        url: of the database to be; it is made, or is empty.
        files: folder for its files.
        parts: the tables.

    Returns:
        What was brought back.

    Raises:
        InputError: the backup is damaged or of a newer Consilium, or there are records already.
        OutputError: what was written is not what was read; nothing of it stays.
        EngineError: the database does not answer.
    """
    with opened(path) as backup:
        manifest = backup.manifest
        older = [_as_it_was(part, manifest) for part in parts]
        for part in older:
            Database(url, part.schema).close()
        database = Database(url, older[0].schema)
        try:
            with database.writing() as session:
                connection = session.connection()
                tables = _empty(connection, older, manifest)
                kept = Files(files)
                for digest in manifest.files:
                    kept.keep(backup.file(digest))
                for table in manifest.tables:
                    _bring(connection, tables[table.name], table, backup)
        finally:
            database.close()
    # One that an older Consilium made is of this version now.
    for part in parts:
        Database(url, part.schema).close()
    return manifest


def _as_it_was(part: Part, manifest: Manifest) -> Part:
    step = manifest.steps.get(part.prefix)
    if step is None or not list(part.schema.steps.glob(f"{step}_*.py")):
        raise InputError(
            "this backup is of a newer version of Consilium", way_out=f"Restore it with {manifest.consilium} or newer."
        )
    return replace(part, schema=replace(part.schema, head=step))


def _empty(connection: Connection, parts: Sequence[Part], manifest: Manifest) -> dict[str, Table]:
    """The tables to fill.

    Raises:
        InputError: one of them has rows, or is not there.
    """
    from sqlalchemy import select

    found: dict[str, Table] = {}
    for part in parts:
        for table in tables_of(connection, part.prefix, but=(part.schema.version_table,)):
            if connection.execute(select(*table.primary_key.columns).limit(1)).first() is not None:
                raise InputError(
                    "there are records already", way_out="A backup is brought back into an empty database alone."
                )
            found[table.name] = table
    for kept in manifest.tables:
        if kept.name not in found or columns_of(found[kept.name]) != kept.columns:
            raise InputError(f"the table {kept.name} of the backup does not fit", way_out="Take another copy of it.")
    return found


def _bring(connection: Connection, table: Table, kept: TableKept, backup: Opened) -> None:
    try:
        insert(connection, table, kept.columns, backup.lines(kept))
    except ValueError as problem:
        raise InputError(f"the rows of {kept.name} cannot be read") from problem
    digest, rows = hashlib.sha256(), 0
    for line in lines_of(connection, table):
        digest.update(line)
        rows += 1
    if (rows, digest.hexdigest()) != (kept.rows, kept.sha256):
        raise OutputError(f"the rows of {kept.name} are not what was in the backup", way_out="Nothing of it stays.")
