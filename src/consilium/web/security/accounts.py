"""Accounts: made for people of the laboratory, given passwords, disabled; in the database that has the records too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.database.database import Database, Schema, stamp
from consilium.errors import InputError, NotAllowed
from consilium.laboratory.laboratory import profile_in, worker_in
from consilium.web.security.audit import note
from consilium.web.security.passwords import check_password, kept, one_time_password
from consilium.web.security.policy import SignInPolicy

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.web.security.tables import AccountRow

HEAD = "0001"
"""The newest step in `migrations/versions/`."""

SCHEMA = Schema(
    what="the accounts of the laboratory",
    extra="web",
    steps=Path(__file__).parent / "migrations" / "versions",
    head=HEAD,
    version_table="web_schema",
    lock=0x636F6E73776562,  # "consweb"
)


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account, as it is told.

    Attributes:
        person: of the laboratory's staff.
        made: when, ISO 8601 in UTC.
        password: whether it has one; without, the person comes by single sign-on.
        must_change: whether the password is one that somebody else made.
        disabled: whether nobody gets in by it.
        language: "en", "zh", or empty where none was chosen.
    """

    person: str
    made: str
    password: bool
    must_change: bool
    disabled: bool
    language: str


class Accounts(Database):
    """The accounts of a laboratory.

    Args:
        url: of the laboratory's records.
        policy: how long sessions last, how often somebody may try.
        clock: tells the time in UTC.

    Raises:
        MissingExtra, InputError, OutputError, EngineError: as `consilium.database.database.Database` says.
    """

    def __init__(
        self, url: str, policy: SignInPolicy | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(url, SCHEMA)
        self.policy, self.clock = policy or SignInPolicy(), clock


def reset_password(accounts: Accounts, person: str, *, by: str, address: str = "") -> str:
    """Give a person an account, or a new password where she has one; sessions and tokens of hers are over.

    Args:
        accounts: of the laboratory.
        person: of its staff.
        by: who does it; the caller has seen that this person may.
        address: from where.

    Returns:
        A password for one sign-in; it is kept nowhere.

    Raises:
        NotAllowed: nobody of that name works here.
    """
    password = one_time_password()
    stored = kept(password)
    with accounts.writing() as session:
        at = stamp(accounts.clock())
        row = account_in(session, person) or made_in(session, person, by=by, at=at, address=address)
        row.password_hash, row.password_set, row.must_change = stored, at, True
        end_sessions(session, row, at=at, why="password reset")
        revoke_tokens(session, row, at=at)
        note(session, at=at, what="password reset", who=by, person=row.person, address=address)
    return password


def change_password(accounts: Accounts, person: str, *, new: str, address: str = "") -> None:
    """Take the password that a person chose; her sessions are over. The caller has seen the old one.

    Raises:
        InputError: it may not be chosen.
    """
    with accounts.reading() as session:
        check_password(new, about=(person, profile_in(session).name))
    stored = kept(new)
    with accounts.writing() as session:
        at, row = stamp(accounts.clock()), needed(session, person)
        row.password_hash, row.password_set, row.must_change = stored, at, False
        end_sessions(session, row, at=at, why="password changed")
        note(session, at=at, what="password changed", who=person, person=person, address=address)


def disable(accounts: Accounts, person: str, disabled: bool, *, by: str, address: str = "") -> None:
    """Let nobody in by an account, at once; or let the person in again.

    Raises:
        InputError: there is no such account, or it is the caller's own.
    """
    if disabled and person == by:
        raise InputError("nobody disables the own account", way_out="Another administrator does it.")
    with accounts.writing() as session:
        at, row = stamp(accounts.clock()), needed(session, person)
        if (row.disabled is not None) == disabled:
            return
        row.disabled = at if disabled else None
        if disabled:
            end_sessions(session, row, at=at, why="account disabled")
            revoke_tokens(session, row, at=at)
        note(session, at=at, what="account disabled" if disabled else "account enabled", who=by, person=person,
             address=address)  # fmt: skip


def choose_language(accounts: Accounts, person: str, language: str, *, address: str = "") -> None:
    """Let pages be in this language wherever the person signs in."""
    with accounts.writing() as session:
        row = needed(session, person)
        if row.language != language:
            row.language = language
            at = stamp(accounts.clock())
            note(session, at=at, what="language changed", who=person, person=person, address=address, detail=language)


def all_accounts(accounts: Accounts) -> tuple[Account, ...]:
    """Everybody who has one, by name."""
    from sqlalchemy import select

    from consilium.web.security.tables import AccountRow

    with accounts.reading() as session:
        return tuple(_told(row) for row in session.scalars(select(AccountRow).order_by(AccountRow.person)))


def account_in(session: Session, person: str) -> AccountRow | None:
    """An account; None where the person has none."""
    from sqlalchemy import select

    from consilium.web.security.tables import AccountRow

    # No database looks for a name that cannot be printed, and nobody has one.
    if not person.isprintable():
        return None
    return session.scalar(select(AccountRow).where(AccountRow.person == person))


def needed(session: Session, person: str) -> AccountRow:
    """An account that has to be there.

    Raises:
        InputError: it is not.
    """
    row = account_in(session, person)
    if row is None:
        raise InputError("this person has no account", way_out="A reset of the password makes one.")
    return row


def made_in(session: Session, person: str, *, by: str, at: str, address: str) -> AccountRow:
    """A new account without a password.

    Raises:
        NotAllowed: nobody of that name works here.
    """
    from consilium.web.security.tables import AccountRow

    worker = worker_in(session, person)
    row = AccountRow(person=worker.name, password_hash=None, password_set=None, must_change=False, disabled=None,
                     language="", created=at)  # fmt: skip
    session.add(row)
    session.flush()
    note(session, at=at, what="account made", who=by, person=worker.name, address=address)
    return row


def end_sessions(session: Session, account: AccountRow, *, at: str, why: str) -> None:
    """End every session of an account."""
    from sqlalchemy import select

    from consilium.web.security.tables import SessionRow

    asked = select(SessionRow).where(SessionRow.account_id == account.id, SessionRow.ended.is_(None))
    for row in session.scalars(asked):
        row.ended, row.ended_why = at, why


def revoke_tokens(session: Session, account: AccountRow, *, at: str) -> None:
    """Revoke every token of an account."""
    from sqlalchemy import select

    from consilium.web.security.tables import TokenRow

    for row in session.scalars(select(TokenRow).where(TokenRow.account_id == account.id, TokenRow.revoked.is_(None))):
        row.revoked = at


def too_old(row: AccountRow, accounts: Accounts, moment: datetime) -> bool:
    """Whether a password that somebody else made was not used in time."""
    oldest = stamp(moment - timedelta(days=accounts.policy.one_time_days))
    return row.must_change and row.password_set is not None and row.password_set < oldest


def roles_of(session: Session, person: str) -> frozenset[str] | None:
    """What a person is in the laboratory at this moment; None where she works there no longer."""
    try:
        return frozenset(worker_in(session, person).roles)
    except NotAllowed:
        return None


def _told(row: AccountRow) -> Account:
    return Account(
        person=row.person, made=row.created, password=row.password_hash is not None, must_change=row.must_change,
        disabled=row.disabled is not None, language=row.language,
    )  # fmt: skip
