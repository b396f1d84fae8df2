"""The catalogue as it was first."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    name, time, digest = sa.String(64), sa.String(32), sa.String(64)
    op.create_table(
        "library_model",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", name, nullable=False, unique=True),
        sa.Column("hospital", name, nullable=False),
    )
    op.create_table(
        "library_key",
        sa.Column("fingerprint", digest, primary_key=True),
        sa.Column("hospital", name, nullable=False),
        sa.Column("pem", sa.String, nullable=False),
        sa.Column("added", time, nullable=False),
        sa.Column("revoked", time),
        sa.Column("reason", sa.String),
    )
    op.create_table(
        "library_release",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("library_model.id"), nullable=False),
        sa.Column("major", sa.Integer, nullable=False),
        sa.Column("minor", sa.Integer, nullable=False),
        sa.Column("patch", sa.Integer, nullable=False),
        sa.Column("digest", digest, nullable=False),
        sa.Column("key", digest, sa.ForeignKey("library_key.fingerprint"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("task", sa.String, nullable=False),
        sa.Column("licence", sa.String, nullable=False),
        sa.Column("cards", sa.JSON, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("publisher", sa.String, nullable=False),
        sa.Column("published", time, nullable=False),
        sa.Column("approver", sa.String),
        sa.Column("approver_hospital", name),
        sa.Column("approved", time),
        sa.Column("retired", time),
        sa.Column("reason", sa.String),
        sa.UniqueConstraint("model_id", "major", "minor", "patch", name="library_release_once"),
    )
    op.create_table(
        "library_file",
        sa.Column("release_id", sa.Integer, sa.ForeignKey("library_release.id"), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("sha256", digest, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "library_move",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("library_model.id"), nullable=False, index=True),
        sa.Column("release_id", sa.Integer, sa.ForeignKey("library_release.id")),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("at", time, nullable=False),
    )
    op.create_table(
        "library_use",
        sa.Column("release_id", sa.Integer, sa.ForeignKey("library_release.id"), primary_key=True),
        sa.Column("hospital", name, primary_key=True),
        sa.Column("pulls", sa.Integer, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("first", time, nullable=False),
        sa.Column("last", time, nullable=False),
    )
    op.create_table(
        "library_subscription",
        sa.Column("model_id", sa.Integer, sa.ForeignKey("library_model.id"), primary_key=True),
        sa.Column("hospital", name, primary_key=True),
        sa.Column("person", sa.String(255), primary_key=True),
    )
    op.create_table(
        "library_notice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("release_id", sa.Integer, sa.ForeignKey("library_release.id"), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("instead", time),
        sa.Column("at", time, nullable=False),
    )
    op.create_table(
        "library_receipt",
        sa.Column("notice_id", sa.Integer, sa.ForeignKey("library_notice.id"), primary_key=True),
        sa.Column("hospital", name, primary_key=True),
        sa.Column("person", sa.String(255), primary_key=True),
        sa.Column("acknowledged", time),
    )
