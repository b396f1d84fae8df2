"""The records as they were first."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("laboratory_event", "laboratory_identity", "laboratory_custody")


def upgrade() -> None:
    """Make the tables, and have the database refuse what must never happen to them."""
    time, day, note, label, who = sa.String(32), sa.String(10), sa.String(2000), sa.String(40), sa.String(255)

    def thing() -> tuple[sa.Column[Any], ...]:
        return (
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("withdrawn", time),
            sa.Column("withdrawn_reason", note),
        )

    def filled(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=False, **more)

    def of(name: str, table: str, *, nullable: bool = False) -> sa.Column[Any]:
        return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=True)

    tables = (
        op.create_table(
            "laboratory_patient",
            *thing(),
            filled("number", sa.String(16), unique=True),
            filled("sex", sa.String(16)),
            filled("identity", sa.Integer),
        ),
        op.create_table(
            "laboratory_identity",
            sa.Column("patient_id", sa.Integer, sa.ForeignKey("laboratory_patient.id"), primary_key=True),
            sa.Column("revision", sa.Integer, primary_key=True),
            filled("name", sa.String(300)),
            filled("birth_date", day),
            filled("hospital_number", sa.String(100), index=True),
            filled("at", time),
        ),
        op.create_table(
            "laboratory_case",
            *thing(),
            filled("number", sa.String(24), unique=True),
            of("patient_id", "laboratory_patient"),
            sa.Column("order_number", sa.String(100), unique=True),
            filled("specimen", sa.String(64)),
            filled("indication", note),
            filled("referrer", sa.String(300)),
            filled("urgency", sa.String(16)),
            filled("received", time),
            sa.Column("due", day, index=True),
            filled("due_reason", sa.String(1000)),
            filled("state", sa.String(16), index=True),
            filled("assigned", who),
            filled("analysed_by", who),
            sa.Column("reported", time),
            filled("amendments", sa.Integer),
        ),
        op.create_table(
            "laboratory_specimen",
            *thing(),
            filled("label", label, unique=True),
            of("case_id", "laboratory_case"),
            filled("kind", sa.String(64)),
            sa.Column("collected", time),
            filled("received", time),
            filled("condition", sa.String(32)),
            filled("note", note),
            sa.Column("disposed", time),
        ),
        op.create_table(
            "laboratory_culture",
            *thing(),
            filled("label", label, unique=True),
            of("specimen_id", "laboratory_specimen"),
            filled("started", time),
            filled("medium", sa.String(200)),
            filled("note", note),
        ),
        op.create_table(
            "laboratory_harvest",
            *thing(),
            filled("label", label, unique=True),
            of("specimen_id", "laboratory_specimen"),
            of("culture_id", "laboratory_culture", nullable=True),
            filled("harvested", time),
            filled("method", sa.String(200)),
            filled("note", note),
        ),
        op.create_table(
            "laboratory_slide",
            *thing(),
            filled("label", label, unique=True),
            of("harvest_id", "laboratory_harvest"),
            filled("made", time),
            filled("banding", sa.String(64)),
            filled("note", note),
        ),
        op.create_table(
            "laboratory_place",
            *thing(),
            filled("freezer", sa.String(64)),
            filled("box", sa.String(64)),
            filled("position", sa.String(64)),
            sa.Column("holds", label, unique=True),
            sa.UniqueConstraint("freezer", "box", "position", name="laboratory_place_once"),
        ),
        op.create_table(
            "laboratory_custody",
            sa.Column("id", sa.Integer, primary_key=True),
            filled("label", label, index=True),
            filled("giver", who),
            filled("receiver", who),
            filled("at", time),
            filled("recorded_by", who),
            filled("note", note),
        ),
        op.create_table(
            "laboratory_consent",
            *thing(),
            of("patient_id", "laboratory_patient"),
            filled("purposes", sa.JSON),
            filled("given", day),
            sa.Column("until", day),
            filled("document", sa.String(300)),
        ),
        op.create_table("laboratory_staff", *thing(), filled("name", who, unique=True), filled("roles", sa.JSON)),
        op.create_table("laboratory_profile", *thing(), filled("document", sa.String)),
        op.create_table(
            "laboratory_series",
            sa.Column("name", sa.String(16), primary_key=True),
            sa.Column("year", sa.Integer, primary_key=True),
            filled("newest", sa.Integer),
        ),
        op.create_table(
            "laboratory_event",
            sa.Column("id", sa.Integer, primary_key=True),
            filled("at", time),
            filled("who", who),
            filled("what", sa.String(32)),
            filled("kind", sa.String(32)),
            filled("of", sa.Integer),
            filled("title", sa.String(255)),
            filled("version", sa.Integer),
            filled("before", sa.JSON),
            filled("after", sa.JSON),
            filled("reason", note),
            sa.UniqueConstraint("kind", "of", "version", name="laboratory_event_once"),
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION laboratory_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'a record of the laboratory is not %', TG_ARGV[0]; END $$"
        )
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
