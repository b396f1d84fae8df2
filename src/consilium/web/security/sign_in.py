"""Signing in with a name and a password, and showing the password once more before something grave.

Whether a name is known cannot be told from an answer, nor from how long it takes: an unknown name costs a password's
check too, and the same waits.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from consilium.database.database import stamp
from consilium.errors import InputError, NotAllowed
from consilium.web.security.accounts import Accounts, account_in, change_password, needed, roles_of, too_old
from consilium.web.security.attempts import count, forget, seconds_left, subject, take_back, too_many
from consilium.web.security.audit import note
from consilium.web.security.passwords import kept, outdated, right
from consilium.web.security.sessions import Begun, begin

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from consilium.web.security.tables import AccountRow

_KNOWN_DAYS = 30
"""For so long an address from which somebody signed in is hers."""


class WrongPassword(NotAllowed):
    """The name is unknown, the password is another, or the account lets nobody in: it is not said which."""


def sign_in(accounts: Accounts, *, person: str, password: str, address: str, replaces: str = "") -> Begun:
    """Begin a session.

    Args:
        accounts: of the laboratory.
        person: name, as typed.
        password: as typed.
        address: from where.
        replaces: token of a session that the browser shows; it is over.

    Raises:
        WrongPassword: it does not fit.
        TooManyAttempts: one has to wait first.
    """
    name = unicodedata.normalize("NFC", person).strip()[:255]
    _checked(accounts, name, password, address, failed="sign-in failed")
    with accounts.writing() as session:
        row = account_in(session, name)
        roles = None if row is None else roles_of(session, row.person)
        # It was there a moment ago; who disables it in between is heard.
        if row is None or roles is None or row.disabled is not None:
            raise _wrong()
        return begin(accounts, session, row, roles, method="password", address=address, replaces=replaces)


def confirm(accounts: Accounts, *, person: str, password: str, address: str) -> None:
    """See once more that it is still she who sits there, e.g. before she signs a report.

    Raises:
        WrongPassword: it does not fit.
        TooManyAttempts: one has to wait first.
    """
    _checked(accounts, person, password, address, failed="not confirmed")
    with accounts.writing() as session:
        at = stamp(accounts.clock())
        note(session, at=at, what="confirmed", who=person, person=person, address=address)


def change_own_password(accounts: Accounts, *, person: str, old: str, new: str, address: str) -> Begun:
    """Choose a new password; whatever sessions there were are over, and a new one begins.

    Raises:
        WrongPassword: the old one does not fit.
        TooManyAttempts: one has to wait first.
        InputError: the new one may not be chosen.
    """
    _checked(accounts, person, old, address, failed="not confirmed")
    if new == old:
        raise InputError("this is the old password")
    change_password(accounts, person, new=new, address=address)
    with accounts.writing() as session:
        row = needed(session, person)
        roles = roles_of(session, row.person)
        if roles is None or row.disabled is not None:
            raise _wrong()
        return begin(accounts, session, row, roles, method="password", address=address)


def _checked(
    accounts: Accounts, name: str, password: str, address: str, *, failed: Literal["sign-in failed", "not confirmed"]
) -> None:
    moment = accounts.clock()
    with accounts.writing() as session:
        row = account_in(session, name)
        known = None if row is None else row.person
        own, subjects = _subjects(session, accounts, row, name, address, moment)
        left = seconds_left(session, subjects, moment)
        if not left:
            forget(session, accounts.policy, moment)
            if count(session, subjects, accounts.policy, moment):
                note(session, at=stamp(moment), what="sign-in blocked", who="", person=known or "", address=address)
        stored, why = _stored(session, accounts, row, moment)
    if left:
        raise too_many(left)
    fits = right(password, stored)
    with accounts.writing() as session:
        row = account_in(session, name)
        if not fits or why or row is None:
            told = why or ("wrong password" if known else "unknown name")
            note(session, at=stamp(moment), what=failed, who="", person=known or "", address=address, detail=told)
        else:
            take_back(session, own=own, others=tuple(one for one in subjects if one != own))
            if row.password_hash is not None and row.password_hash == stored and outdated(row.password_hash):
                row.password_hash = kept(password)
    if not fits or why:
        raise _wrong()


def _stored(session: Session, accounts: Accounts, row: AccountRow | None, moment: datetime) -> tuple[str | None, str]:
    """What a password is held against, and why it would be of no use."""
    if row is None:
        return None, ""
    if row.disabled is not None:
        return row.password_hash, "account disabled"
    if roles_of(session, row.person) is None:
        return row.password_hash, "works here no longer"
    if too_old(row, accounts, moment):
        return row.password_hash, "one-time password too old"
    return row.password_hash, ""


def _subjects(
    session: Session, accounts: Accounts, row: AccountRow | None, name: str, address: str, moment: datetime
) -> tuple[str, dict[str, int]]:
    from sqlalchemy import select

    from consilium.web.security.tables import SessionRow

    policy, own = accounts.policy, subject("name", name)
    if row is not None:
        since = stamp(moment - timedelta(days=_KNOWN_DAYS))
        asked = select(SessionRow.id).where(
            SessionRow.account_id == row.id, SessionRow.address == address, SessionRow.created > since
        )
        if session.scalar(asked.limit(1)) is not None:
            own = subject("name at address", name, address)
    return own, {own: policy.account_failures, subject("address", address): policy.address_failures}


def _wrong() -> WrongPassword:
    return WrongPassword("name and password do not fit", way_out="An administrator of the laboratory gives a new one.")
