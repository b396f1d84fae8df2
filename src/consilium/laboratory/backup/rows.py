"""Rows of a table as lines of text, the same for every database, and back.

A line is a JSON array in the order of the columns. Bytes are written as base64. JSON that stands in a column is taken
as the text that it is, so that not even its spaces change.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_AT_ONCE = 500


def tables_of(connection: Connection, prefix: str, *, but: Iterable[str] = ()) -> list[Table]:
    """The tables of a database whose names begin with `prefix`, those that others refer to first."""
    from sqlalchemy import MetaData, inspect

    left_out = set(but)
    names = [one for one in inspect(connection).get_table_names() if one.startswith(prefix) and one not in left_out]
    known = MetaData()
    known.reflect(connection, only=names)
    return [one for one in known.sorted_tables if one.name in names]


def columns_of(table: Table) -> list[str]:
    """Its columns by name: their order may differ between databases that grew in different ways."""
    return sorted(column.name for column in table.columns)


def lines_of(connection: Connection, table: Table) -> Iterator[bytes]:
    """Every row, ordered by its key."""
    from sqlalchemy import JSON, LargeBinary, String, Text, cast, collate, select, type_coerce

    postgresql = connection.dialect.name == "postgresql"
    chosen: list[Any] = []
    for name in columns_of(table):
        column = table.columns[name]
        if isinstance(column.type, JSON):
            chosen.append(cast(column, Text) if postgresql else type_coerce(column, Text))
        else:
            chosen.append(column)
    # Letters sort by their code in both, whatever the database's language.
    keys = [
        collate(column, "C") if postgresql and isinstance(column.type, String) else column
        for column in table.primary_key.columns
    ]
    binary = [isinstance(table.columns[name].type, LargeBinary) for name in columns_of(table)]
    asked = select(*chosen).order_by(*keys).execution_options(yield_per=_AT_ONCE)
    for row in connection.execute(asked):
        values = [
            base64.b64encode(value).decode("ascii") if is_bytes and value is not None else value
            for value, is_bytes in zip(row, binary, strict=True)
        ]
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8") + b"\n"


def insert(connection: Connection, table: Table, columns: list[str], lines: Iterable[bytes]) -> None:
    """Put rows into an empty table, and have it count on from them.

    Raises:
        ValueError: a line is none, or has not these columns.
    """
    from sqlalchemy import JSON, LargeBinary, Text, bindparam, cast, type_coerce

    postgresql = connection.dialect.name == "postgresql"
    values: dict[str, Any] = {}
    for name in columns:
        column, given = table.columns[name], bindparam(f"v_{name}", type_=table.columns[name].type)
        if isinstance(column.type, JSON):
            text = bindparam(f"v_{name}", type_=Text())
            values[name] = cast(text, column.type) if postgresql else type_coerce(text, Text)
        else:
            values[name] = given
    binary = {name for name in columns if isinstance(table.columns[name].type, LargeBinary)}
    statement = table.insert().values(values)
    waiting: list[dict[str, Any]] = []
    for line in lines:
        row = json.loads(line)
        if not isinstance(row, list) or len(row) != len(columns):
            raise ValueError("a row has other columns than its table")
        waiting.append({
            f"v_{name}": base64.b64decode(value, validate=True) if name in binary and value is not None else value
            for name, value in zip(columns, row, strict=True)
        })  # fmt: skip
        if len(waiting) == _AT_ONCE:
            connection.execute(statement, waiting)
            waiting = []
    if waiting:
        connection.execute(statement, waiting)
    if postgresql:
        _count_on(connection, table)


def _count_on(connection: Connection, table: Table) -> None:
    from sqlalchemy import text

    for column in table.primary_key.columns:
        asked = text("SELECT pg_get_serial_sequence(:table, :column)")
        sequence = connection.execute(asked, {"table": table.name, "column": column.name}).scalar()
        if sequence is not None:
            connection.execute(text(
                f"SELECT setval('{sequence}', (SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
            ))  # fmt: skip
