"""Where versions stand: candidate, approved by a second person, rolled back, retired for good.

    candidate --approve--> approved --retire--> retired
        ^                     |
        +----- roll_back -----+        candidate --retire--> retired

The channel "approved" of a model gives the version that was approved last. Rolling back gives the one before, and what
was rolled back needs approval again. Every change tells those whom it concerns, in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.alliance.library.catalogue import now
from consilium.alliance.library.library import Library, Release, current_row, find, model_called, releases_of, told
from consilium.alliance.library.notices import tell
from consilium.alliance.library.reference import Reference
from consilium.alliance.permissions import Person, require
from consilium.errors import InputError, NotAllowed, NotTrusted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.alliance.library.tables import ModelRow, ReleaseRow


def approve(library: Library, person: Person, reference: Reference) -> Release:
    """Let a candidate in; it is what the channel "approved" gives from now on.

    Args:
        library: that has it.
        person: not the one who published it.
        reference: a version by its number, so that nobody approves what he has not looked at.

    Raises:
        NotAllowed: the person may not approve, or published it.
        NotTrusted: its key was revoked.
        InputError: it is no candidate, or none is named.
    """
    release = _named(library, reference)
    require(person, "library.approve", of=release.hospital)
    if person.name.casefold() == release.publisher.casefold():
        raise NotAllowed(
            f"{person.name} published {release.title}; a second person approves it",
            way_out="Ask a colleague with the role approver.",
        )
    if release.key_revoked:
        raise NotTrusted(f"the key that signed {release.title} was revoked ({release.key_revoked})")
    with library.catalogue.writing() as session:
        row = _row(session, release, "candidate")
        row.channel, row.approver, row.approver_hospital, row.approved = "approved", person.name, person.hospital, now()
        _move(session, row.model, row.id, "approve")
        tell(session, row, what="approved", users=False)
        library.note("library.approve", release.title, hospital=person.hospital, digest=release.digest)
        session.flush()
        return told(session, row, current=True)


def retire(library: Library, person: Person, reference: Reference, *, reason: str) -> Release:
    """Take a version back for good: it does not run any more, anywhere.

    Args:
        library: that has it.
        person: of the publisher, or an approver.
        reference: a version by its number.
        reason: told to everybody who uses it.

    Returns:
        The version; `current_of` tells what stands in its place.

    Raises:
        NotAllowed: the person may not.
        InputError: it is retired already, no reason is given, or no version is named.
    """
    release = _named(library, reference)
    require(person, "library.retire", of=release.hospital)
    _need(reason)
    with library.catalogue.writing() as session:
        row = _row(session, release, "candidate", "approved")
        was = current_row(session, row.model) == row.id
        row.channel, row.retired, row.reason = "retired", now(), reason
        instead = _before(session, row) if was else None
        if was:
            _move(session, row.model, None if instead is None else instead.id, "retire")
        tell(session, row, what="retired", reason=reason, instead=_version(instead), users=True)
        library.note("library.retire", release.title, hospital=person.hospital, reason=reason)
        session.flush()
        return told(session, row, current=False)


def roll_back(library: Library, person: Person, name: str, *, reason: str) -> Release:
    """Let the channel "approved" of a model give the version before again.

    Returns:
        That version.

    Raises:
        NotAllowed: the person may not.
        InputError: nothing is approved, none was approved before, or no reason is given.
    """
    _need(reason)
    with library.catalogue.writing() as session:
        model = model_called(session, name)
        require(person, "library.rollback", of=model.hospital)
        current = current_row(session, model)
        row = next((one for one in releases_of(session, model) if one.id == current), None)
        if row is None:
            raise InputError(f"no version of {name} is approved")
        before = _before(session, row)
        if before is None:
            raise InputError(
                f"no version of {name} was approved before {told(session, row, current=True).version}",
                way_out="To take it back, retire it: consilium library retire.",
            )
        row.channel, row.approver, row.approver_hospital, row.approved = "candidate", None, None, None
        _move(session, model, before.id, "rollback")
        back, now_given = told(session, row, current=False), told(session, before, current=True)
        tell(session, row, what="rolled back", reason=reason, instead=str(now_given.version), users=True)
        library.note("library.rollback", back.title, hospital=person.hospital, to=str(now_given.version), reason=reason)
        session.flush()
        return now_given


def current_of(library: Library, name: str) -> Release | None:
    """What the channel "approved" of a model gives now; None where nothing does.

    Raises:
        InputError: there is no such model.
    """
    with library.catalogue.reading() as session:
        model = model_called(session, name)
        current = current_row(session, model)
        return next(
            (told(session, one, current=True) for one in releases_of(session, model) if one.id == current), None
        )


def _named(library: Library, reference: Reference) -> Release:
    if reference.version is None:
        raise InputError("a version has to be named", way_out=f"As in {reference.name}@1.0.0.")
    with library.catalogue.reading() as session:
        return find(session, reference)


def _row(session: Session, release: Release, *stands: str) -> ReleaseRow:
    """The row of a version that stands in one of some channels.

    Raises:
        InputError: it stands elsewhere by now.
    """
    from consilium.alliance.library.tables import ReleaseRow

    row = session.get_one(ReleaseRow, release.row)
    if row.channel not in stands:
        raise InputError(f"{release.title} is {row.channel} already")
    return row


def _before(session: Session, row: ReleaseRow) -> ReleaseRow | None:
    """The version that was approved before another and still is."""
    from sqlalchemy import select

    from consilium.alliance.library.tables import MoveRow

    standing = {
        one.id: one for one in releases_of(session, row.model) if one.channel == "approved" and one.id != row.id
    }
    moves = session.scalars(select(MoveRow).where(MoveRow.model_id == row.model_id).order_by(MoveRow.id.desc()))
    return next((standing[one.release_id] for one in moves if one.release_id in standing), None)


def _move(session: Session, model: ModelRow, release: int | None, what: str) -> None:
    from consilium.alliance.library.tables import MoveRow

    session.add(MoveRow(model_id=model.id, release_id=release, what=what, at=now()))
    session.flush()


def _version(row: ReleaseRow | None) -> str:
    return "" if row is None else f"{row.major}.{row.minor}.{row.patch}"


def _need(reason: str) -> None:
    if not reason.strip():
        raise InputError("a reason is needed; everybody who uses it will read it", way_out="--reason TEXT.")
