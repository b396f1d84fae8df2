"""How often somebody may try to sign in.

Failures are counted before a password is looked at, so that many tries at once count too. A name and an address each
have a count. After the failures that the policy allows one waits a second, then two, four, up to the longest wait;
what comes in the meantime is refused unseen and lengthens nothing. Where a person has signed in from an address
before, failures for that name from there are counted apart, so that strangers who guess at a name elsewhere keep
nobody out who sits where she always sits.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from consilium.database.database import stamp
from consilium.errors import ConsiliumError
from consilium.web.security.policy import SignInPolicy

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.web.security.tables import AttemptRow


class TooManyAttempts(ConsiliumError):
    """Somebody tried so often that the next attempt has to wait; `seconds` says how long."""

    seconds: int = 1


def subject(kind: str, *parts: str) -> str:
    """By what failures are counted."""
    return hashlib.sha256("\0".join((kind, *parts)).encode("utf-8", "surrogatepass")).hexdigest()


def wait_of(failures: int, allowed: int, policy: SignInPolicy) -> timedelta:
    """How long one waits after so many failures in a row."""
    if failures < allowed:
        return timedelta(0)
    # 2^20 seconds are longer than any wait that a policy may have.
    return timedelta(seconds=min(policy.longest_wait_seconds, 2 ** min(failures - allowed, 20)))


def seconds_left(session: Session, subjects: dict[str, int], moment: datetime) -> int:
    """How long nobody may try yet, in whole seconds from 1 on; 0 where it is free. What is refused is counted."""
    from consilium.web.security.tables import AttemptRow

    left = 0
    for one in subjects:
        row = session.get(AttemptRow, one)
        if row is not None and row.until is not None and row.until > stamp(moment):
            row.refused += 1
            left = max(left, int((datetime.fromisoformat(row.until) - moment).total_seconds()) + 1)
    return left


def count(session: Session, subjects: dict[str, int], policy: SignInPolicy, moment: datetime) -> bool:
    """Count a failure in advance.

    Args:
        session: of the transaction that asked `seconds_left`.
        subjects: what it is counted by, with how many failures are allowed.
        policy: of the laboratory.
        moment: now.

    Returns:
        Whether one has to wait from now on, unless it is taken back.
    """
    from consilium.web.security.tables import AttemptRow

    waits = False
    for one, allowed in subjects.items():
        row = session.get(AttemptRow, one)
        if row is None:
            row = AttemptRow(subject=one, failures=0, newest=stamp(moment), until=None, refused=0)
            session.add(row)
        if row.newest < stamp(moment - timedelta(minutes=policy.forget_minutes)):
            row.failures = 0
        row.failures, row.newest = row.failures + 1, stamp(moment)
        wait = wait_of(row.failures, allowed, policy)
        row.until = stamp(moment + wait) if wait else None
        waits = waits or bool(wait)
    return waits


def take_back(session: Session, *, own: str, others: tuple[str, ...]) -> None:
    """It was no failure: the name's own count begins anew, those that it shares lose the one that was counted."""
    from consilium.web.security.tables import AttemptRow

    row = session.get(AttemptRow, own)
    if row is not None:
        row.failures, row.until = 0, None
    for one in others:
        shared = session.get(AttemptRow, one)
        if shared is not None:
            _less(shared)


def forget(session: Session, policy: SignInPolicy, moment: datetime) -> None:
    """Let go of counts that count no longer, so that made-up names do not fill the database."""
    from sqlalchemy import delete

    from consilium.web.security.tables import AttemptRow

    oldest = stamp(moment - timedelta(minutes=policy.forget_minutes))
    session.execute(delete(AttemptRow).where(AttemptRow.newest < oldest))


def too_many(seconds: int) -> TooManyAttempts:
    """The error of whoever has to wait."""
    error = TooManyAttempts("too many attempts", way_out=f"Try again in {seconds} seconds.")
    error.seconds = seconds
    return error


def _less(row: AttemptRow) -> None:
    row.failures = max(0, row.failures - 1)
    row.until = None
