"""Pictures, runs, cells, commands and acts of the analysis."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

APPEND_ONLY = ("laboratory_command",)


def upgrade() -> None:
    """Make the tables, and have the database refuse what must never happen to them."""
    time, note, who, digest = sa.String(32), sa.String(2000), sa.String(255), sa.String(64)

    def thing() -> tuple[sa.Column[Any], ...]:
        return (
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("withdrawn", time),
            sa.Column("withdrawn_reason", note),
        )

    def filled(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=False, **more)

    def of(name: str, table: str, *, index: bool = True) -> sa.Column[Any]:
        return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=False, index=index)

    tables = (
        op.create_table(
            "laboratory_image",
            *thing(),
            of("case_id", "laboratory_case"),
            filled("name", sa.String(200)),
            filled("sha256", digest, index=True),
            filled("kind", sa.String(16)),
            filled("size", sa.Integer),
            filled("width", sa.Integer),
            filled("height", sa.Integer),
        ),
        op.create_table(
            "laboratory_run",
            *thing(),
            of("case_id", "laboratory_case"),
            filled("by", who),
            filled("asked", time),
            filled("state", sa.String(16), index=True),
            filled("job", sa.String(32)),
            filled("images", sa.JSON),
            filled("message", note),
            filled("models", sa.JSON),
            filled("version_of_consilium", sa.String(32)),
            sa.Column("record", digest),
        ),
        op.create_table(
            "laboratory_cell",
            *thing(),
            of("case_id", "laboratory_case", index=False),
            of("run_id", "laboratory_run"),
            of("image_id", "laboratory_image"),
            filled("number", sa.Integer),
            filled("quality", sa.Float),
            filled("band_level", sa.Integer),
            filled("synthetic", sa.Boolean),
            filled("inverted", sa.Boolean),
            filled("width", sa.Integer),
            filled("height", sa.Integer),
            filled("reading", digest),
        ),
        op.create_table(
            "laboratory_cell_state",
            sa.Column(
                "cell_id", sa.Integer, sa.ForeignKey("laboratory_cell.id"), primary_key=True, autoincrement=False
            ),
            filled("commands", sa.Integer),
            filled("count", sa.Integer),
            filled("karyotype", sa.String(500)),
            filled("doubtful", sa.Integer),
            filled("flags", sa.JSON),
            filled("interactions", sa.Integer),
        ),
        op.create_table(
            "laboratory_command",
            sa.Column("id", sa.Integer, primary_key=True),
            of("cell_id", "laboratory_cell", index=False),
            filled("sequence", sa.Integer),
            filled("key", digest, unique=True),
            filled("who", who),
            filled("at", time),
            filled("command", sa.JSON),
            sa.UniqueConstraint("cell_id", "sequence", name="laboratory_command_once"),
        ),
        op.create_table(
            "laboratory_cell_act",
            *thing(),
            of("case_id", "laboratory_case"),
            of("cell_id", "laboratory_cell"),
            filled("act", sa.String(16)),
            filled("by", who),
            filled("at", time),
            filled("commands", sa.Integer),
            filled("count", sa.Integer),
            filled("karyotype", sa.String(500)),
        ),
    )
    op.create_index("laboratory_cell_by_case", "laboratory_cell", ["case_id", "withdrawn", "quality"])
    for table in tables:
        _refuse(table.name, "DELETE", "deleted")
        if table.name in APPEND_ONLY:
            _refuse(table.name, "UPDATE", "changed")


def _refuse(table: str, act: str, told: str) -> None:
    name = f"{table}_never_{told}"
    if op.get_bind().dialect.name == "postgresql":
        events = f"{act} OR TRUNCATE" if act == "DELETE" else act
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION laboratory_refuse('{told}')"
        )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'a record of the laboratory is not {told}'); END"
        )
