"""Whoever looks who a patient is leaves a line that stays."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TABLE = "laboratory_disclosure"


def upgrade() -> None:
    """Make the table, and have the database refuse that a line is changed or deleted."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("laboratory_patient.id"), nullable=False, index=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("why", sa.String(300), nullable=False),
    )
    for act, told in (("DELETE", "deleted"), ("UPDATE", "changed")):
        name = f"{_TABLE}_never_{told}"
        if op.get_bind().dialect.name == "postgresql":
            events = f"{act} OR TRUNCATE" if act == "DELETE" else act
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {events} ON {_TABLE} FOR EACH STATEMENT "
                f"EXECUTE FUNCTION laboratory_refuse('{told}')"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {act} ON {_TABLE} "
                f"BEGIN SELECT RAISE(ABORT, 'a record of the laboratory is not {told}'); END"
            )
