"""Messages to and from other systems, and with whom the laboratory exchanges them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

APPEND_ONLY = ("laboratory_message", "laboratory_message_step")


def upgrade() -> None:
    """Make the tables; what was received or sent is never changed, and no row is deleted."""

    def filled(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=False, **more)

    time, who, note = sa.String(32), sa.String(255), sa.String(2000)
    op.create_table(
        "laboratory_message",
        sa.Column("id", sa.Integer, primary_key=True),
        filled("at", time),
        filled("direction", sa.String(8)),
        filled("protocol", sa.String(8)),
        filled("kind", sa.String(64)),
        filled("control", sa.String(200), index=True),
        filled("peer", who),
        filled("who", who),
        sa.Column("key", who, unique=True),
        sa.Column("case_id", sa.Integer, sa.ForeignKey("laboratory_case.id"), index=True),
        filled("body", sa.LargeBinary),
    )
    op.create_table(
        "laboratory_message_step",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("laboratory_message.id"), nullable=False, index=True),
        filled("number", sa.Integer),
        filled("at", time),
        filled("state", sa.String(16)),
        sa.Column("due", time),
        filled("told", note),
        sa.UniqueConstraint("message_id", "number", name="laboratory_message_step_once"),
    )
    op.create_table(
        "laboratory_exchange",
        sa.Column("id", sa.Integer, primary_key=True),
        filled("version", sa.Integer),
        sa.Column("withdrawn", time),
        sa.Column("withdrawn_reason", note),
        filled("document", sa.String),
    )
    for table in (*APPEND_ONLY, "laboratory_exchange"):
        _refuse(table, "DELETE", "deleted")
        if table in APPEND_ONLY:
            _refuse(table, "UPDATE", "changed")


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
