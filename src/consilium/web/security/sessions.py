"""Sessions of people at browsers: begun at sign-in, found by their token, over when they are idle, old or withdrawn.

The token is in the browser's cookie alone; the database has its hash. The token against cross-site requests is derived
from it, so a copy of the database is of no use for either.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from consilium.database.database import stamp
from consilium.errors import InputError
from consilium.web.security.accounts import Accounts, needed, roles_of
from consilium.web.security.audit import note

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.web.security.tables import AccountRow, SessionRow

_SEEN_EVERY = timedelta(seconds=60)
"""How exactly it is known when somebody was last there; each request of hers need not write."""


@dataclass(frozen=True, kw_only=True)
class Present:
    """Who asks, by a session or a token of another system.

    Attributes:
        person: of the staff.
        roles: that hold for this request.
        csrf: what an unsafe request has to bring along; empty for a token, which no browser sends by itself.
        language: that the person chose; empty where none was.
        must_change: whether the password has to be changed before anything else.
        session: number of the session; None for a token.
        began: when the person last showed who she is, ISO 8601 in UTC.
        method: "password", "oidc" or "token".
    """

    person: str
    roles: frozenset[str]
    csrf: str
    language: str
    must_change: bool
    session: int | None
    began: str
    method: str


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A session that has just begun; `token` is told here only."""

    token: str
    present: Present


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A session, as its person sees it."""

    id: int
    began: str
    seen: str
    address: str
    method: str


def begin(
    accounts: Accounts, session: Session, row: AccountRow, roles: frozenset[str], *, address: str,
    method: Literal["password", "oidc"], replaces: str = "",
) -> Begun:  # fmt: skip
    """Begin a session in a transaction; that of the token `replaces`, if there is one, is over."""
    from consilium.web.security.tables import SessionRow

    token, at = secrets.token_urlsafe(32), stamp(accounts.clock())
    if replaces and (former := _row(session, replaces)) is not None and former.ended is None:
        former.ended, former.ended_why = at, "signed in anew"
    made = SessionRow(
        account_id=row.id, token_hash=digest(token), roles=sorted(roles), method=method, address=address[:64],
        created=at, seen=at, ended=None, ended_why="",
    )  # fmt: skip
    session.add(made)
    session.flush()
    note(session, at=at, what="signed in", who=row.person, person=row.person, address=address, detail=method)
    return Begun(token=token, present=_present(row, made, roles, token))


def present(accounts: Accounts, token: str) -> Present | None:
    """Who shows this token; None where it is of no session, or of one that is over."""
    moment = accounts.clock()
    with accounts.reading() as session:
        row = _row(session, token)
        if row is None or row.ended is not None:
            return None
        roles, over = roles_of(session, row.account.person), _over(accounts, row, moment)
        if not over and row.account.disabled is None and roles is not None and sorted(roles) == row.roles:
            found = _present(row.account, row, roles, token)
            if row.seen >= stamp(moment - _SEEN_EVERY):
                return found
        else:
            found = None
    with accounts.writing() as session:
        row = _row(session, token)
        # Whatever happened in between holds.
        if row is None or row.ended is not None:
            return None
        if found is None:
            row.ended, row.ended_why = stamp(moment), over or "roles changed"
            note(session, at=stamp(moment), what="session ended", who="", person=row.account.person,
                 address=row.address, detail=row.ended_why)  # fmt: skip
        else:
            row.seen = max(row.seen, stamp(moment))
    return found


def sign_out(accounts: Accounts, token: str, *, address: str) -> None:
    """End the session of a token; nothing happens where there is none."""
    with accounts.writing() as session:
        row = _row(session, token)
        if row is not None and row.ended is None:
            at = stamp(accounts.clock())
            row.ended, row.ended_why = at, "signed out"
            note(session, at=at, what="signed out", who=row.account.person, person=row.account.person, address=address)


def end_one(accounts: Accounts, person: str, number: int, *, address: str) -> None:
    """End a session of one's own, wherever it is open.

    Raises:
        InputError: there is none of that number.
    """
    from consilium.web.security.tables import SessionRow

    with accounts.writing() as session:
        row = session.get(SessionRow, number) if number < 2**31 else None
        if row is None or row.account.person != person or row.ended is not None:
            raise InputError("there is no such session", way_out="It may be over already.")
        at = stamp(accounts.clock())
        row.ended, row.ended_why = at, "ended elsewhere"
        note(session, at=at, what="session ended", who=person, person=person, address=address, detail=row.ended_why)


def open_sessions(accounts: Accounts, person: str) -> tuple[OpenSession, ...]:
    """The sessions of a person that are not over, newest first."""
    from sqlalchemy import select

    from consilium.web.security.tables import SessionRow

    moment = accounts.clock()
    with accounts.reading() as session:
        account = needed(session, person)
        asked = select(SessionRow).where(SessionRow.account_id == account.id, SessionRow.ended.is_(None))
        return tuple(
            OpenSession(id=row.id, began=row.created, seen=row.seen, address=row.address, method=row.method)
            for row in session.scalars(asked.order_by(SessionRow.id.desc()))
            if not _over(accounts, row, moment)
        )


def digest(token: str) -> str:
    """What the database has of a token. It is random, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(token: str) -> str:
    """The token against cross-site requests of a session."""
    made = hmac.new(token.encode("utf-8", "surrogatepass"), b"consilium csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode("ascii").rstrip("=")


def _row(session: Session, token: str) -> SessionRow | None:
    from sqlalchemy import select

    from consilium.web.security.tables import SessionRow

    return session.scalar(select(SessionRow).where(SessionRow.token_hash == digest(token)))


def _over(accounts: Accounts, row: SessionRow, moment: datetime) -> str:
    policy = accounts.policy
    if row.seen < stamp(moment - timedelta(minutes=policy.idle_minutes)):
        return "idle"
    return "too long" if row.created < stamp(moment - timedelta(hours=policy.longest_hours)) else ""


def _present(account: AccountRow, row: SessionRow, roles: frozenset[str], token: str) -> Present:
    return Present(
        person=account.person, roles=roles, csrf=csrf_of(token), language=account.language,
        must_change=account.must_change and row.method == "password", session=row.id, began=row.created,
        method=row.method,
    )  # fmt: skip
