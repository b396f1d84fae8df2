"""Tokens by which other systems ask: made by a person, told once, for some of her roles, for a while, revocable."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from consilium.database.database import stamp
from consilium.errors import InputError
from consilium.laboratory.entry import entry
from consilium.laboratory.laboratory import checked_roles
from consilium.web.security.accounts import Accounts, needed, roles_of
from consilium.web.security.audit import note
from consilium.web.security.sessions import Present, digest

if TYPE_CHECKING:
    from consilium.web.security.tables import TokenRow

PREFIX = "consilium_"
"""By which scanners for leaked secrets know one."""

_USED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token, as its person sees it; the token itself is told only when it is made."""

    name: str
    roles: tuple[str, ...]
    made: str
    expires: str
    used: str | None
    revoked: bool
    expired: bool


def make_token(
    accounts: Accounts, person: str, *, name: str, roles: Iterable[str], days: int, address: str = ""
) -> tuple[str, Token]:
    """Make a token; (what the other system shows, what it is).

    Raises:
        InputError: its name was used before, it would be good for too long, or for no role or one that the person
            has not.
    """
    called, longest = entry("a name for the token", name, longest=100, needed=True), accounts.policy.token_days
    if not 1 <= days <= longest:
        raise InputError(f"a token is not good for {days} days", way_out=f"1 to {longest} days.")
    shown = PREFIX + secrets.token_urlsafe(32)
    from sqlalchemy import select

    from consilium.web.security.tables import TokenRow

    wanted = checked_roles(roles)
    with accounts.writing() as session:
        account, moment = needed(session, person), accounts.clock()
        if not wanted or wanted - (roles_of(session, person) or frozenset()):
            raise InputError("a token has some of the roles of its person", way_out="Choose among those that you have.")
        if session.scalar(select(TokenRow.id).where(TokenRow.account_id == account.id, TokenRow.name == called)):
            raise InputError("there is or was a token of this name", way_out="Another name tells the two apart.")
        row = TokenRow(
            account_id=account.id, name=called, token_hash=digest(shown), roles=sorted(wanted), created=stamp(moment),
            expires=stamp(moment + timedelta(days=days)), used=None, revoked=None,
        )  # fmt: skip
        session.add(row)
        note(session, at=stamp(moment), what="token made", who=person, person=person, address=address, detail=called)
        return shown, _told(row, stamp(moment))


def revoke_token(accounts: Accounts, person: str, name: str, *, address: str = "") -> None:
    """Let a token count no longer, at once.

    Raises:
        InputError: the person has none of that name.
    """
    from sqlalchemy import select

    from consilium.web.security.tables import TokenRow

    with accounts.writing() as session:
        account, at = needed(session, person), stamp(accounts.clock())
        row = None
        if name.isprintable():
            row = session.scalar(select(TokenRow).where(TokenRow.account_id == account.id, TokenRow.name == name))
        if row is None:
            raise InputError("there is no token of this name")
        if row.revoked is None:
            row.revoked = at
            note(session, at=at, what="token revoked", who=person, person=person, address=address, detail=row.name)


def tokens(accounts: Accounts, person: str) -> tuple[Token, ...]:
    """All tokens that a person made, newest first."""
    from sqlalchemy import select

    from consilium.web.security.tables import TokenRow

    with accounts.reading() as session:
        account, at = needed(session, person), stamp(accounts.clock())
        asked = select(TokenRow).where(TokenRow.account_id == account.id).order_by(TokenRow.id.desc())
        return tuple(_told(row, at) for row in session.scalars(asked))


def present_by_token(accounts: Accounts, shown: str) -> Present | None:
    """Who made the token that a system shows; None where it is none, or counts no longer."""
    from sqlalchemy import select

    from consilium.web.security.tables import TokenRow

    moment = accounts.clock()
    asked = select(TokenRow).where(TokenRow.token_hash == digest(shown))
    with accounts.reading() as session:
        row = session.scalar(asked)
        if row is None or row.revoked is not None or row.expires <= stamp(moment) or row.account.disabled is not None:
            return None
        now_has = roles_of(session, row.account.person)
        if now_has is None:
            return None
        found = Present(
            person=row.account.person, roles=now_has & frozenset(row.roles), csrf="", language=row.account.language,
            must_change=False, session=None, began=row.created, method="token",
        )  # fmt: skip
        stale = row.used is None or row.used < stamp(moment - _USED_EVERY)
    if stale:
        with accounts.writing() as session:
            again = session.scalar(asked)
            if again is None or again.revoked is not None:
                return None
            again.used = stamp(moment)
    return found


def _told(row: TokenRow, at: str) -> Token:
    return Token(
        name=row.name, roles=tuple(row.roles), made=row.created, expires=row.expires, used=row.used,
        revoked=row.revoked is not None, expired=row.expires <= at,
    )  # fmt: skip
