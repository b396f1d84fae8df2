"""Second readings, what was decided about them, texts of reports, reports that were signed and their signatures."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

APPEND_ONLY = (
    "laboratory_second_reading", "laboratory_review_decision", "laboratory_report", "laboratory_signature",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables, and have the database refuse what must never happen to them."""
    time, note, who, sha256 = sa.String(32), sa.String(2000), sa.String(255), sa.String(64)

    def filled(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=False, **more)

    def of(name: str, table: str, *, nullable: bool = False, **more: Any) -> sa.Column[Any]:
        return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, **more)

    tables = (
        op.create_table(
            "laboratory_second_reading",
            sa.Column("id", sa.Integer, primary_key=True),
            of("case_id", "laboratory_case", index=True),
            of("cell_id", "laboratory_cell", nullable=True, index=True),
            filled("revision", sa.Integer),
            sa.Column("count", sa.Integer),
            filled("karyotype", note),
            filled("labels", sa.JSON),
            filled("note", note),
            filled("blind", sa.Boolean),
            filled("reader", who),
            filled("at", time),
        ),
        op.create_table(
            "laboratory_review_decision",
            sa.Column("id", sa.Integer, primary_key=True),
            of("case_id", "laboratory_case", index=True),
            of("cell_id", "laboratory_cell", nullable=True, index=True),
            filled("revision", sa.Integer),
            filled("what", sa.String(16)),
            filled("of", sa.String(40)),
            filled("first", note),
            filled("second", note),
            filled("kept", sa.String(16)),
            filled("reason", note),
            filled("by", who),
            filled("at", time),
        ),
        op.create_table(
            "laboratory_report_text",
            sa.Column("id", sa.Integer, primary_key=True),
            filled("version", sa.Integer),
            sa.Column("withdrawn", time),
            sa.Column("withdrawn_reason", note),
            of("case_id", "laboratory_case", unique=True),
            filled("iscn", note),
            filled("iscn_override", note),
            filled("drafted", note),
            filled("withhold_sex", sa.Boolean),
            filled("interpretation", sa.JSON),
            filled("reasons", sa.JSON),
            filled("karyograms", sa.JSON),
            filled("amendment_reason", note),
        ),
        op.create_table(
            "laboratory_report",
            sa.Column("id", sa.Integer, primary_key=True),
            of("case_id", "laboratory_case", index=True),
            filled("revision", sa.Integer),
            filled("content_sha256", sha256, index=True),
            filled("document", sa.Text),
            sa.UniqueConstraint("case_id", "revision", name="laboratory_report_once"),
        ),
        op.create_table(
            "laboratory_signature",
            sa.Column("id", sa.Integer, primary_key=True),
            of("case_id", "laboratory_case", index=True),
            filled("revision", sa.Integer),
            filled("content_sha256", sha256),
            filled("signer", who),
            filled("at", time),
            filled("meaning", time),
            filled("method", time),
            filled("previous", sha256),
            filled("sha256", sha256),
            filled("seal", sa.String(100)),
            filled("seal_key", sha256),
            sa.UniqueConstraint("case_id", "revision", name="laboratory_signature_once"),
        ),
    )
    for table in tables:
        _refuse(table.name, "DELETE", "deleted")
        if table.name in APPEND_ONLY:
            _refuse(table.name, "UPDATE", "changed")


def _refuse(table: str, act: str, told: str) -> None:
    """As step 0001 does; on PostgreSQL its function refuses."""
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
