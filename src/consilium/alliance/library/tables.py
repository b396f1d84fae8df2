"""The catalogue as tables. A change here needs a step in `migrations/versions/`; a test holds the two together.

Times are text, ISO 8601 in UTC, as in the ledger: they sort, and every database keeps them as they are.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Table(DeclarativeBase):
    """What all have in common."""


class ModelRow(Table):
    """A model: a name that belongs to a hospital."""

    __tablename__ = "library_model"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    hospital: Mapped[str] = mapped_column(String(64))


class ReleaseRow(Table):
    """A version of a model. Its content never changes; where it stands does."""

    __tablename__ = "library_release"
    __table_args__ = (UniqueConstraint("model_id", "major", "minor", "patch", name="library_release_once"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("library_model.id"))
    major: Mapped[int]
    minor: Mapped[int]
    patch: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(ForeignKey("library_key.fingerprint"))
    kind: Mapped[str] = mapped_column(String(32))
    task: Mapped[str]
    licence: Mapped[str]
    cards: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    channel: Mapped[str] = mapped_column(String(16))
    publisher: Mapped[str]
    published: Mapped[str] = mapped_column(String(32))
    approver: Mapped[str | None]
    approver_hospital: Mapped[str | None] = mapped_column(String(64))
    approved: Mapped[str | None] = mapped_column(String(32))
    retired: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str | None]
    model: Mapped[ModelRow] = relationship(lazy="joined")
    files: Mapped[list[FileRow]] = relationship(lazy="selectin", order_by="FileRow.name")


class FileRow(Table):
    """A file of a version."""

    __tablename__ = "library_file"
    release_id: Mapped[int] = mapped_column(ForeignKey("library_release.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)


class MoveRow(Table):
    """What the channel "approved" of a model pointed at, and since when; the newest row is how it is now."""

    __tablename__ = "library_move"
    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("library_model.id"), index=True)
    release_id: Mapped[int | None] = mapped_column(ForeignKey("library_release.id"))
    what: Mapped[str] = mapped_column(String(16))
    at: Mapped[str] = mapped_column(String(32))


class KeyRow(Table):
    """A publisher's key."""

    __tablename__ = "library_key"
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    hospital: Mapped[str] = mapped_column(String(64))
    pem: Mapped[str]
    added: Mapped[str] = mapped_column(String(32))
    revoked: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str | None]


class UseRow(Table):
    """How often a hospital pulled and ran a version. Who of its people did, its own ledger says."""

    __tablename__ = "library_use"
    release_id: Mapped[int] = mapped_column(ForeignKey("library_release.id"), primary_key=True)
    hospital: Mapped[str] = mapped_column(String(64), primary_key=True)
    pulls: Mapped[int]
    runs: Mapped[int]
    first: Mapped[str] = mapped_column(String(32))
    last: Mapped[str] = mapped_column(String(32))


class SubscriptionRow(Table):
    """Somebody wants to hear of a model."""

    __tablename__ = "library_subscription"
    model_id: Mapped[int] = mapped_column(ForeignKey("library_model.id"), primary_key=True)
    hospital: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(255), primary_key=True)


class NoticeRow(Table):
    """Something that happened to a version and that its users and subscribers are told."""

    __tablename__ = "library_notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("library_release.id"))
    what: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str]
    instead: Mapped[str | None] = mapped_column(String(32))
    at: Mapped[str] = mapped_column(String(32))
    release: Mapped[ReleaseRow] = relationship(lazy="joined")


class ReceiptRow(Table):
    """A notice to somebody; to a person of no name: to whoever of the hospital looks first."""

    __tablename__ = "library_receipt"
    notice_id: Mapped[int] = mapped_column(ForeignKey("library_notice.id"), primary_key=True)
    hospital: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(255), primary_key=True)
    acknowledged: Mapped[str | None] = mapped_column(String(32))
    notice: Mapped[NoticeRow] = relationship(lazy="joined")
