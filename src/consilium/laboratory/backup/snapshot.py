"""A look at a whole database at one moment, while others go on writing to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.errors import EngineError

if TYPE_CHECKING:
    from sqlalchemy import Connection


@contextmanager
def snapshot(url: str, beside: Path) -> Iterator[Connection]:
    """A connection that sees one moment.

    Args:
        url: of the database.
        beside: where a copy of a SQLite file may lie meanwhile; it is private, and gone at the end.

    Raises:
        EngineError: the database does not answer.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import DBAPIError

    parsed = make_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            with _copied(Path(str(parsed.database)), beside):
                engine = create_engine(f"sqlite:///{beside}")
                try:
                    with engine.connect() as connection:
                        yield connection
                finally:
                    engine.dispose()
            return
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), hide_parameters=True)
        try:
            with engine.connect().execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            ) as connection:
                yield connection
        finally:
            engine.dispose()
    except DBAPIError as problem:
        told = str(problem.orig).strip().splitlines()[0][:200]
        raise EngineError(f"the laboratory's database does not answer ({told})") from problem


@contextmanager
def _copied(source: Path, copy: Path) -> Iterator[None]:
    """Copy a SQLite file by its own backup interface: others write before and after, and the copy is of one moment."""
    import sqlite3

    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(source, timeout=30)) as here, closing(sqlite3.connect(copy)) as there:
            here.backup(there)
        yield
    except sqlite3.Error as problem:
        raise EngineError(f"the laboratory's database cannot be copied ({problem})", where=str(source)) from problem
    finally:
        for one in (copy, copy.with_name(copy.name + "-journal")):
            one.unlink(missing_ok=True)
