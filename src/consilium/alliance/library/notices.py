"""Who is told what: subscribers hear of new approved versions, and all who use a version hear when it is taken back.

A notice to a hospital is shown to whoever of it looks, until one of them has acknowledged it; one to a person, until
that person has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consilium.alliance.library.catalogue import now
from consilium.alliance.library.library import Library, model_called
from consilium.alliance.permissions import Person, require
from consilium.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.alliance.library.tables import ReceiptRow, ReleaseRow


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What somebody is told.

    Attributes:
        number: by which it is acknowledged.
        name, version: of the model.
        what: "approved", "rolled back" or "retired".
        reason: why it was taken back.
        instead: the version that is approved now; empty where none is.
        at: when.
        used: whether it comes since the hospital uses that version.
    """

    number: int
    name: str
    version: str
    what: str
    reason: str
    instead: str
    at: str
    used: bool


def subscribe(library: Library, person: Person, name: str, *, wanted: bool = True) -> bool:
    """Begin or cease to hear of a model; tells whether that changed anything.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such model.
    """
    from consilium.alliance.library.tables import SubscriptionRow

    require(person, "library.subscribe", of=person.hospital)
    with library.catalogue.writing() as session:
        model = model_called(session, name)
        there = session.get(SubscriptionRow, (model.id, person.hospital, person.name))
        if (there is not None) == wanted:
            return False
        if there is None:
            session.add(SubscriptionRow(model_id=model.id, hospital=person.hospital, person=person.name))
        else:
            session.delete(there)
        session.flush()
        library.note("library.subscribe" if wanted else "library.unsubscribe", name, hospital=person.hospital)
        return True


def notices(library: Library, person: Person, *, every: bool = False) -> tuple[Notice, ...]:
    """What a person has not acknowledged yet, oldest first; or all there ever was.

    Raises:
        NotAllowed: the person may not.
    """
    require(person, "library.subscribe", of=person.hospital)
    with library.catalogue.reading() as session:
        rows = [one for one in _receipts(session, person) if every or one.acknowledged is None]
        found = {}
        for row in rows:
            notice, release = row.notice, row.notice.release
            found[notice.id] = Notice(
                number=notice.id, name=release.model.name, version=f"{release.major}.{release.minor}.{release.patch}",
                what=notice.what, reason=notice.reason, instead=notice.instead or "", at=notice.at,
                used=any(one.notice_id == notice.id and not one.person for one in rows),
            )  # fmt: skip
    return tuple(found[number] for number in sorted(found))


def acknowledge(library: Library, person: Person, numbers: tuple[int, ...]) -> int:
    """Say that notices were read, for oneself and for one's hospital; tells how many were open.

    Raises:
        NotAllowed: the person may not.
        InputError: a number is of no notice to this person; nothing is acknowledged.
    """
    require(person, "library.subscribe", of=person.hospital)
    with library.catalogue.writing() as session:
        mine = _receipts(session, person)
        if strange := set(numbers) - {one.notice_id for one in mine}:
            raise InputError(
                f"there is no notice {min(strange)} to you", way_out="`consilium library notices` lists them."
            )
        open_ = [one for one in mine if one.notice_id in numbers and one.acknowledged is None]
        for one in open_:
            one.acknowledged = now()
        session.flush()
        read = sorted({one.notice_id for one in open_})
        if read:
            library.note("library.acknowledge", f"notices {', '.join(map(str, read))}", hospital=person.hospital)
        return len(read)


def tell(session: Session, row: ReleaseRow, *, what: str, users: bool, reason: str = "", instead: str = "") -> None:
    """Leave a notice about a version to the subscribers of its model, and to the hospitals that use it if so asked."""
    from sqlalchemy import select

    from consilium.alliance.library.tables import NoticeRow, ReceiptRow, SubscriptionRow, UseRow

    subscribers = session.scalars(select(SubscriptionRow).where(SubscriptionRow.model_id == row.model_id))
    to = {(one.hospital, one.person) for one in subscribers}
    if users:
        to |= {(one.hospital, "") for one in session.scalars(select(UseRow).where(UseRow.release_id == row.id))}
    if not to:
        return
    notice = NoticeRow(release_id=row.id, what=what, reason=reason, instead=instead or None, at=now())
    session.add(notice)
    session.flush()
    session.add_all(ReceiptRow(notice_id=notice.id, hospital=hospital, person=name) for hospital, name in sorted(to))
    session.flush()


def _receipts(session: Session, person: Person) -> list[ReceiptRow]:
    from sqlalchemy import select

    from consilium.alliance.library.tables import ReceiptRow

    wanted = select(ReceiptRow).where(ReceiptRow.hospital == person.hospital, ReceiptRow.person.in_(("", person.name)))
    return list(session.scalars(wanted))
