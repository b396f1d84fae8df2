"""Accounts as they were first."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables; what happened cannot be changed afterwards."""
    time, who, digest, address = sa.String(32), sa.String(255), sa.String(64), sa.String(64)

    def filled(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=False, **more)

    def key() -> sa.Column[Any]:
        return sa.Column("id", sa.Integer, primary_key=True)

    def account() -> sa.Column[Any]:
        return sa.Column("account_id", sa.Integer, sa.ForeignKey("web_account.id"), nullable=False, index=True)

    op.create_table(
        "web_account",
        key(),
        filled("person", who, unique=True),
        sa.Column("password_hash", who),
        sa.Column("password_set", time),
        filled("must_change", sa.Boolean),
        sa.Column("disabled", time),
        filled("language", sa.String(8)),
        filled("created", time),
    )
    op.create_table(
        "web_session",
        key(),
        account(),
        filled("token_hash", digest, unique=True),
        filled("roles", sa.JSON),
        filled("method", sa.String(16)),
        filled("address", address),
        filled("created", time),
        filled("seen", time),
        sa.Column("ended", time),
        filled("ended_why", sa.String(64)),
    )
    op.create_table(
        "web_token",
        key(),
        account(),
        filled("name", sa.String(100)),
        filled("token_hash", digest, unique=True),
        filled("roles", sa.JSON),
        filled("created", time),
        filled("expires", time),
        sa.Column("used", time),
        sa.Column("revoked", time),
        sa.UniqueConstraint("account_id", "name", name="web_token_once"),
    )
    op.create_table(
        "web_attempt",
        sa.Column("subject", digest, primary_key=True),
        filled("failures", sa.Integer),
        filled("newest", time),
        sa.Column("until", time),
        filled("refused", sa.Integer),
    )
    op.create_table(
        "web_flow",
        sa.Column("state_hash", digest, primary_key=True),
        filled("nonce", sa.String(64)),
        filled("verifier", sa.String(128)),
        filled("back", sa.String(500)),
        filled("created", time),
    )
    op.create_table(
        "web_event",
        key(),
        filled("at", time),
        filled("what", sa.String(32)),
        filled("who", who),
        filled("person", who, index=True),
        filled("address", address),
        filled("detail", sa.String(300)),
    )
    _never("web_event")


def _never(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION web_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'what happened is not %', TG_ARGV[0]; END $$"
        )
    for act, told in (("DELETE", "deleted"), ("UPDATE", "changed")):
        name = f"{table}_never_{told}"
        if op.get_bind().dialect.name == "postgresql":
            events = "DELETE OR TRUNCATE" if act == "DELETE" else act
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH STATEMENT "
                f"EXECUTE FUNCTION web_refuse('{told}')"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'what happened is not {told}'); END"
            )
