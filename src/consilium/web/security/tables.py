"""What is kept of people who sign in.

A change here needs a step in `migrations/versions/`; a test holds the two together. No password and no token is in
it, only what tells whether one is right. Times are text, ISO 8601 in UTC.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class WebTable(DeclarativeBase):
    """What all have in common."""


class AccountRow(WebTable):
    """A person of the laboratory who may sign in; `person` is the name of the staff."""

    __tablename__ = "web_account"
    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(String(255), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_set: Mapped[str | None] = mapped_column(String(32))
    must_change: Mapped[bool] = mapped_column(Boolean)
    disabled: Mapped[str | None] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(8))
    created: Mapped[str] = mapped_column(String(32))


class SessionRow(WebTable):
    """Somebody at a browser. `roles` are those at sign-in: when they change, it is over."""

    __tablename__ = "web_session"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("web_account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    method: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))
    created: Mapped[str] = mapped_column(String(32))
    seen: Mapped[str] = mapped_column(String(32))
    ended: Mapped[str | None] = mapped_column(String(32))
    ended_why: Mapped[str] = mapped_column(String(64))
    account: Mapped[AccountRow] = relationship(lazy="joined")


class TokenRow(WebTable):
    """What another system shows instead of a session."""

    __tablename__ = "web_token"
    __table_args__ = (UniqueConstraint("account_id", "name", name="web_token_once"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("web_account.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    created: Mapped[str] = mapped_column(String(32))
    expires: Mapped[str] = mapped_column(String(32))
    used: Mapped[str | None] = mapped_column(String(32))
    revoked: Mapped[str | None] = mapped_column(String(32))
    account: Mapped[AccountRow] = relationship(lazy="joined")


class AttemptRow(WebTable):
    """Failures to sign in, by name or address; `subject` is a hash, since people type passwords where names belong."""

    __tablename__ = "web_attempt"
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    newest: Mapped[str] = mapped_column(String(32))
    until: Mapped[str | None] = mapped_column(String(32))
    refused: Mapped[int]


class FlowRow(WebTable):
    """Somebody who was sent to single sign-on and has not come back."""

    __tablename__ = "web_flow"
    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    back: Mapped[str] = mapped_column(String(500))
    created: Mapped[str] = mapped_column(String(32))


class WebEventRow(WebTable):
    """Who did what to accounts, sessions and tokens; never changed, never deleted."""

    __tablename__ = "web_event"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(String(32))
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(255))
    person: Mapped[str] = mapped_column(String(255), index=True)
    address: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(String(300))


APPEND_ONLY = ("web_event",)
PASSING = ("web_session", "web_flow", "web_attempt")
"""What is over when everybody has signed in again: no part of a backup."""
