"""Changes of records: each is allowed by the table, leaves an event in its transaction, and is refused when stale.

Whatever writes a thing goes through `Change`, so the version of a thing is the number of its events, and its history
tells every value it ever had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from consilium.errors import InputError, RecordChanged
from consilium.laboratory.entry import entry
from consilium.laboratory.permissions import Act, Worker, require
from consilium.laboratory.profile import Profile

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.tables import Thing

    Kind = TypeVar("Kind", bound=Thing)

_HISTORY_LATER = frozenset({"id", "version"})


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change of a thing, as it is told.

    Attributes:
        at: when, ISO 8601 in UTC.
        who: changed it.
        what: the act.
        title: of the thing.
        version: that it had afterwards.
        before, after: the entries that changed.
        reason: why; empty where none was asked for.
    """

    at: str
    who: str
    what: str
    title: str
    version: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """A transaction of a person.

    Attributes:
        session: that it is in.
        worker: who.
        at: when it began, ISO 8601 in UTC.
        profile: of the laboratory.
    """

    session: Session
    worker: Worker
    at: str
    profile: Profile

    def require(self, act: Act) -> None:
        """See that the person may do something.

        Raises:
            NotAllowed: she may not.
        """
        require(self.worker, act)

    def add(self, thing: Kind, act: Act, *, reason: str = "") -> Kind:
        """Record a new thing.

        Raises:
            NotAllowed: the person may not.
        """
        self.require(act)
        thing.version = 1
        self.session.add(thing)
        self.session.flush()
        self._event(thing, act, before={}, after=_values(thing), reason=reason)
        return thing

    def edit(self, thing: Thing, act: Act, *, seen: int | None = None, reason: str = "", **entries: Any) -> bool:
        """Change entries of a thing.

        Args:
            thing: as the session has it.
            act: what is done.
            seen: the version that the person looked at; None where the thing was read in this transaction.
            reason: why.
            entries: new values by name.

        Returns:
            Whether anything changed.

        Raises:
            NotAllowed: the person may not.
            RecordChanged: somebody changed it since.
            InputError: it was withdrawn.
        """
        self.require(act)
        self._check(thing, seen)
        old = {name: getattr(thing, name) for name in entries}
        before = {name: value for name, value in old.items() if value != entries[name]}
        if not before:
            return False
        after = {name: entries[name] for name in before}
        for name, value in after.items():
            setattr(thing, name, value)
        thing.version += 1
        self.session.flush()
        self._event(thing, act, before=before, after=after, reason=reason)
        return True

    def withdraw(self, thing: Thing, act: Act, *, reason: str, seen: int | None = None) -> None:
        """Let a thing count no longer. It stays where it is, and its history tells why.

        Raises:
            NotAllowed: the person may not.
            RecordChanged: somebody changed it since.
            InputError: no reason was told, or it was withdrawn before.
        """
        why = entry("a reason", reason, needed=True)
        self.edit(thing, act, seen=seen, reason=why, withdrawn=self.at, withdrawn_reason=why)

    def _check(self, thing: Thing, seen: int | None) -> None:
        if seen is not None and seen != thing.version:
            raise _changed(self.session, thing, seen)
        if thing.withdrawn is not None:
            raise InputError(
                f"{thing.title} was withdrawn on {self.profile.day(thing.withdrawn)}",
                way_out="It stays as it is; record a new one.",
            )

    def _event(
        self, thing: Thing, act: Act, *, before: Mapping[str, Any], after: Mapping[str, Any], reason: str
    ) -> None:
        from consilium.laboratory.tables import EventRow

        row = EventRow(
            at=self.at, who=self.worker.name, what=act, kind=thing.__tablename__, of=thing.id, title=thing.title,
            version=thing.version, before=dict(before), after=dict(after), reason=entry("a reason", reason),
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()


def history(session: Session, thing: Thing, *, after: int = 0) -> tuple[Event, ...]:
    """Everything that happened to a thing, oldest first.

    Args:
        session: to look with.
        thing: which.
        after: only what came after this version.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import EventRow

    asked = (
        select(EventRow)
        .where(EventRow.kind == thing.__tablename__, EventRow.of == thing.id, EventRow.version > after)
        .order_by(EventRow.version)
    )
    return tuple(
        Event(
            at=row.at, who=row.who, what=row.what, title=row.title, version=row.version, before=row.before,
            after=row.after, reason=row.reason,
        )
        for row in session.scalars(asked)
    )  # fmt: skip


def _changed(session: Session, thing: Thing, seen: int) -> RecordChanged:
    since = history(session, thing, after=seen)
    if not since:
        return RecordChanged(
            f"{thing.title} has no version {seen}", way_out=f"It is at version {thing.version}: read it again."
        )
    told = "; ".join(f"{', '.join(sorted(one.after))} by {one.who} at {one.at}" for one in since[-5:])
    # Values stay out of the message, since messages land in logs: the history has them.
    return RecordChanged(
        f"{thing.title} was changed since it was read ({told})",
        way_out="Nothing was overwritten. Read it again, then decide.",
    )


def _values(thing: Thing) -> dict[str, Any]:
    from sqlalchemy import inspect

    names = (one.key for one in inspect(type(thing)).column_attrs if one.key not in _HISTORY_LATER)
    return {name: value for name in names if (value := getattr(thing, name)) is not None}
