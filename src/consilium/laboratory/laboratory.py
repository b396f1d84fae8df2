"""The records of a laboratory: opened, looked at, changed by somebody who is known there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.database.database import Database, Schema, now
from consilium.errors import InputError, NotAllowed
from consilium.laboratory.entry import entry
from consilium.laboratory.journal import Change
from consilium.laboratory.permissions import ROLES, Role, Worker
from consilium.laboratory.profile import Profile, from_json, to_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.tables import ProfileRow, StaffRow

HEAD = "0005"
"""The newest step in `migrations/versions/`."""

VERSION_TABLE = "laboratory_schema"

SCHEMA = Schema(
    what="the laboratory's database",
    extra="laboratory",
    steps=Path(__file__).parent / "migrations" / "versions",
    head=HEAD,
    version_table=VERSION_TABLE,
    lock=0x636F6E736C6162,  # "conslab"
)


class Laboratory(Database):
    """A laboratory's records.

    Args:
        url: as `consilium.database.database.Database` takes it.

    Raises:
        MissingExtra: SQLAlchemy, Alembic or the driver is not installed.
        InputError: it is no URL of a database.
        OutputError: its file cannot be written.
        EngineError: the database does not answer, or is of a newer Consilium.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, SCHEMA)
        self._only: frozenset[str] = frozenset(ROLES)

    def only(self, roles: Iterable[str]) -> Laboratory:
        """The same records for somebody who uses some of her roles alone, as a program does that asks in her name."""
        from copy import copy

        narrowed = copy(self)
        narrowed._only = self._only & frozenset(roles)
        return narrowed

    def begin(self, who: str, profile: Profile, roles: Iterable[Role] = ROLES) -> None:
        """Found the laboratory; whoever does is its first person.

        Raises:
            InputError: it was founded before.
        """
        from consilium.laboratory.tables import ProfileRow, StaffRow

        with self.writing() as session:
            if _profile_row(session) is not None:
                raise InputError("this laboratory was founded before", way_out="An administrator changes its profile.")
            # Nobody can have allowed it yet: this one change is the founder's as administrator.
            founder = Worker(name=_name(who), roles=frozenset(ROLES))
            change = Change(session=session, worker=founder, at=now(), profile=profile)
            change.add(ProfileRow(document=to_json(profile)), "profile.change")
            change.add(StaffRow(name=founder.name, roles=sorted(checked_roles(roles))), "staff.change")

    @contextmanager
    def changing(self, who: str) -> Iterator[Change]:
        """A transaction of a person: all of it when the block ends, nothing of it when the block raises.

        The roles are those that the person has at that moment, whatever an open page remembers.

        Raises:
            NotAllowed: nobody of that name works here.
            InputError: the laboratory was not founded.
        """
        with self.writing() as session:
            profile, worker = profile_in(session), self._narrowed(worker_in(session, who))
            yield Change(session=session, worker=worker, at=now(), profile=profile)

    @contextmanager
    def looking(self, who: str) -> Iterator[Change]:
        """As `changing`, for a look: it takes no turn, and nothing is to be written in it."""
        with self.reading() as session:
            profile, worker = profile_in(session), self._narrowed(worker_in(session, who))
            yield Change(session=session, worker=worker, at=now(), profile=profile)

    def _narrowed(self, worker: Worker) -> Worker:
        return Worker(name=worker.name, roles=frozenset(one for one in worker.roles if one in self._only))


def profile_in(session: Session) -> Profile:
    """The laboratory's settings.

    Raises:
        InputError: it was not founded.
    """
    row = _profile_row(session)
    if row is None:
        raise InputError("there is no laboratory here yet", way_out="Found it: consilium laboratory init NAME.")
    return from_json(row.document)


def change_profile(change: Change, profile: Profile, *, reason: str) -> None:
    """Settle something anew. Days that were computed stay as they are.

    Raises:
        NotAllowed: the person may not.
        InputError: no reason was told.
    """
    row = _profile_row(change.session)
    if row is not None:
        why = entry("a reason", reason, needed=True)
        change.edit(row, "profile.change", reason=why, document=to_json(profile))


def worker_in(session: Session, name: str) -> Worker:
    """Who somebody is.

    Raises:
        NotAllowed: nobody of that name works here.
    """
    # No database looks for a name that cannot be printed, and nobody has one.
    row = _staff_row(session, name) if name.isprintable() else None
    if row is None or row.withdrawn is not None:
        raise NotAllowed(
            f"nobody called {name!r} works in this laboratory",
            way_out="An administrator adds people: consilium laboratory staff NAME --role technologist.",
        )
    return Worker(name=row.name, roles=frozenset(role for role in ROLES if role in row.roles))


def put_staff(change: Change, name: str, roles: Iterable[Role]) -> None:
    """Add a person, or change the roles of one; without a role nothing is allowed any more.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such role, or no administrator would be left.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import StaffRow

    found, wanted = _name(name), sorted(checked_roles(roles))
    row = _staff_row(change.session, found)
    if row is None:
        change.add(StaffRow(name=found, roles=wanted), "staff.change")
        return
    change.edit(row, "staff.change", roles=wanted)
    if not any("administrator" in one.roles for one in change.session.scalars(select(StaffRow))):
        raise InputError("the laboratory would be left without an administrator", way_out="Name another one first.")


def checked_roles(roles: Iterable[str]) -> frozenset[str]:
    """Roles that there are.

    Raises:
        InputError: one of them is none.
    """
    found = frozenset(roles)
    if unknown := sorted(found - set(ROLES)):
        raise InputError(f"there is no role {unknown[0]!r}", way_out=f"One of {', '.join(ROLES)}.")
    return found


def _name(text: str) -> str:
    found = entry("a name", text, longest=255, needed=True)
    if not found.isprintable():
        raise InputError("a name has a letter in it that cannot be printed")
    return found


def _profile_row(session: Session) -> ProfileRow | None:
    from sqlalchemy import select

    from consilium.laboratory.tables import ProfileRow

    return session.scalar(select(ProfileRow).limit(1))


def _staff_row(session: Session, name: str) -> StaffRow | None:
    from sqlalchemy import select

    from consilium.laboratory.tables import StaffRow

    return session.scalar(select(StaffRow).where(StaffRow.name == name))
