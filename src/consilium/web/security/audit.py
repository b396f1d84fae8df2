"""What was done with accounts, sessions and tokens, in the transaction in which it was done.

It never has a password, a token or a patient's name, nor a name that nobody has: people type passwords there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

What = Literal[
    "signed in", "sign-in failed", "sign-in blocked", "signed out", "session ended", "confirmed", "not confirmed",
    "account made", "account disabled", "account enabled", "password changed", "password reset", "language changed",
    "token made", "token revoked",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WebEvent:
    """What happened.

    Attributes:
        at: when, ISO 8601 in UTC.
        what: was done.
        who: did it; empty where nobody was signed in.
        person: whose account it is; empty where there is none of the name that was typed.
        address: from where.
        detail: e.g. the name of a token, or why a session ended.
    """

    at: str
    what: str
    who: str
    person: str
    address: str
    detail: str


def note(session: Session, *, at: str, what: What, who: str, person: str, address: str = "", detail: str = "") -> None:
    """Leave an entry."""
    from consilium.web.security.tables import WebEventRow

    row = WebEventRow(at=at, what=what, who=who, person=person, address=address[:64], detail=detail[:300])
    session.add(row)


def events(session: Session, *, person: str | None = None, newest: int = 100) -> tuple[WebEvent, ...]:
    """What happened, newest first.

    Args:
        session: to look with.
        person: only what concerns this person's account.
        newest: so many at most.
    """
    from sqlalchemy import select

    from consilium.web.security.tables import WebEventRow

    asked = select(WebEventRow).order_by(WebEventRow.id.desc()).limit(newest)
    if person is not None:
        asked = asked.where(WebEventRow.person == person)
    return tuple(
        WebEvent(at=row.at, what=row.what, who=row.who, person=row.person, address=row.address, detail=row.detail)
        for row in session.scalars(asked)
    )
