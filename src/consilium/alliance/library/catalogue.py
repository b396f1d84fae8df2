"""The catalogue: the database that says which models there are (`consilium.database` does the work)."""

from __future__ import annotations

from pathlib import Path

from consilium.database.database import Database, Schema, now

__all__ = ["HEAD", "SCHEMA", "VERSION_TABLE", "Catalogue", "now"]

HEAD = "0001"
"""The newest step in `migrations/versions/`."""

VERSION_TABLE = "library_schema"

SCHEMA = Schema(
    what="the catalogue",
    extra="library",
    steps=Path(__file__).parent / "migrations" / "versions",
    head=HEAD,
    version_table=VERSION_TABLE,
    lock=0x636F6E73696C69,  # "consili"
)


class Catalogue(Database):
    """A database of models.

    Args:
        url: as `consilium.database.database.Database` takes it.

    Raises:
        MissingExtra: SQLAlchemy, Alembic or the driver is not installed.
        InputError: it is no URL of a database.
        OutputError: its file cannot be written.
        EngineError: the database does not answer, or is of a newer Consilium.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, SCHEMA)
