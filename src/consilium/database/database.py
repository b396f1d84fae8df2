"""A database that is always of this version, and transactions that leave all or nothing.

SQLite where one installation keeps it, PostgreSQL where several share it. Alembic brings an older one up to date when
it is opened; one of a newer Consilium is refused. What is kept in it is the business of the room that opens it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from consilium.errors import EngineError, InputError, MissingExtra, OutputError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

_ENVIRONMENT = Path(__file__).parent / "alembic"
_AT_ONCE = 20
"""Connections that are kept, and as many more that come and go: a workstation answers some forty requests at once."""

_PATIENCE = 30
"""Seconds that one writer waits for another."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What a database of one kind is.

    Attributes:
        what: how messages call it, e.g. "the catalogue".
        extra: of Consilium, that it needs.
        steps: folder with the steps that make its tables, one file each, named by its revision.
        head: the newest step.
        version_table: where the step it is at is noted.
        lock: of whoever writes to it on PostgreSQL, a number of 64 bits.
    """

    what: str
    extra: str
    steps: Path
    head: str
    version_table: str
    lock: int


class Database:
    """A database of one kind.

    Args:
        url: as SQLAlchemy writes it: sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME. Passwords are better kept
            in the file of the database's own clients (`~/.pgpass`).
        schema: the kind.

    Raises:
        MissingExtra: SQLAlchemy, Alembic or the driver is not installed.
        InputError: it is no URL of a database.
        OutputError: its file cannot be written.
        EngineError: the database does not answer, or is of a newer Consilium.
    """

    def __init__(self, url: str, schema: Schema) -> None:
        self.schema = schema
        for module in ("sqlalchemy", "alembic"):
            if find_spec(module) is None:
                raise MissingExtra(
                    f"{module} is needed for {schema.what}",
                    way_out=f"Install it: pip install 'consilium[{schema.extra}]'.",
                )
        self._engine = _engine(url, schema)
        self.place = self._engine.url.render_as_string(hide_password=True)
        try:
            with self._errors(), self._engine.begin() as connection:
                current = _version(connection, schema)
                if current != schema.head:
                    self._upgrade(connection, current)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A look at what is there.

        Raises:
            EngineError: the database does not answer.
        """
        from sqlalchemy.orm import Session

        bound = self._engine.execution_options(consilium_begin="DEFERRED")
        with self._errors(), Session(bound, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A change: all of it when the block ends, nothing of it when the block raises.

        Raises:
            EngineError: the database does not answer.
            OutputError: it has no room.
        """
        from sqlalchemy import text
        from sqlalchemy.orm import Session

        with self._errors(), self._turn(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            # One writer at a time, as SQLite has it: what was looked at in the block still holds when it ends.
            if self._engine.dialect.name == "postgresql":
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self.schema.lock})
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the writers of this process in the order in which they came.

        SQLite itself lets writers look again and again, ever more rarely, and whoever comes late may go first: with
        fifty people at once a command then waited for seconds. Other processes still take turns as SQLite has it.

        Raises:
            EngineError: one that writes does not come to an end.
        """
        if self._engine.dialect.name != "sqlite":
            yield
            return
        turn = _turn_of(str(Path(str(self._engine.url.database)).absolute()))
        if not turn.acquire(timeout=_PATIENCE):
            raise EngineError(
                f"{self.schema.what} does not answer (another change takes too long)", where=self.place,
                way_out="Nothing was changed. Call again.",
            )  # fmt: skip
        try:
            yield
        finally:
            turn.release()

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    def _upgrade(self, connection: Connection, current: str | None) -> None:
        from alembic import command
        from alembic.config import Config

        if current is not None and not list(self.schema.steps.glob(f"{current}_*.py")):
            raise EngineError(
                f"{self.schema.what} is of a newer version of Consilium (step {current})", where=self.place,
                way_out="Install that version here too.",
            )  # fmt: skip
        config = Config()
        config.set_main_option("script_location", str(_ENVIRONMENT).replace("%", "%%"))
        config.set_main_option("version_locations", str(self.schema.steps).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes.update(connection=connection, version_table=self.schema.version_table)
        if connection.dialect.name == "postgresql":
            from sqlalchemy import text

            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self.schema.lock})
            if _version(connection, self.schema) == self.schema.head:
                return
        command.upgrade(config, self.schema.head)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from sqlalchemy.exc import DBAPIError

        try:
            yield
        except DBAPIError as problem:
            told = str(problem.orig).strip().splitlines()[0][:200]
            if "full" in told or "No space left" in told:
                raise OutputError(
                    f"{self.schema.what} has no room ({told})", where=self.place,
                    way_out="Nothing was changed. Make room, then call again.",
                ) from problem  # fmt: skip
            raise EngineError(
                f"{self.schema.what} does not answer ({told})", where=self.place,
                way_out="See that the database runs and that this user may open it; nothing was changed.",
            ) from problem  # fmt: skip


@cache
def _turn_of(_path: str) -> Lock:
    """Whose turn it is to write to a file: one lock a file, whoever has opened it."""
    return Lock()


def now() -> str:
    """The time, as it stands in a database: ISO 8601 in UTC, to the millisecond."""
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """A time (UTC) as it stands in a database; earlier ones sort before later ones."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _engine(url: str, schema: Schema) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        raise InputError("this is no URL of a database", way_out=_URLS) from problem
    if parsed.get_backend_name() == "postgresql" and find_spec("psycopg") is None:
        raise MissingExtra(
            "psycopg is needed for PostgreSQL",
            way_out=f"Install it: pip install 'consilium[{schema.extra}]' 'psycopg[binary]'.",
        )
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise InputError(f"{schema.what} cannot be kept in {parsed.get_backend_name()}", way_out=_URLS)
    if parsed.get_backend_name() == "postgresql":
        # Parameters are values of records: no message and no traceback repeats them.
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True,
            pool_size=_AT_ONCE, max_overflow=_AT_ONCE,
        )  # fmt: skip
    if parsed.database in (None, "", ":memory:"):
        raise InputError(f"{schema.what} in memory forgets everything", way_out=_URLS)
    _make_private(Path(str(parsed.database)), schema)
    try:
        engine = create_engine(
            parsed, connect_args={"timeout": _PATIENCE}, hide_parameters=True, pool_size=_AT_ONCE, max_overflow=_AT_ONCE
        )
    except (ArgumentError, NoSuchModuleError) as problem:
        raise InputError("this is no URL of a database", way_out=_URLS) from problem

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        # The driver would begin by itself, later than is meant, and not before changes of the schema.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        # Readers and a writer do not wait for each other, which they do where changes go into the file itself. What is
        # in the log counts once it is on the disk, so each commit waits for that (FULL): NORMAL would be faster, and
        # lose what was acknowledged when the power fails. The log is folded into the file every 1000 pages.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        how = connection.get_execution_options().get("consilium_begin", "IMMEDIATE")
        connection.exec_driver_sql(f"BEGIN {how}")

    return engine


_URLS = "As in sqlite:///records.db or postgresql://user@host/name."


def _make_private(path: Path, schema: Schema) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as problem:
        raise OutputError(f"{schema.what} cannot be written ({problem.strerror})", where=str(path)) from problem


def _version(connection: Connection, schema: Schema) -> str | None:
    from sqlalchemy import inspect, text

    if not inspect(connection).has_table(schema.version_table):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {schema.version_table}")).scalar()
    return None if found is None else str(found)
