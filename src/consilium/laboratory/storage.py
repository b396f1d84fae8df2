"""Where things are, and through whose hands they went. A place holds one thing, and a thing is in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.errors import InputError
from consilium.laboratory.entry import entry
from consilium.laboratory.found import check_there, labelled, place_called, specimen_of
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.tables import CustodyRow, Labelled, PlaceRow


def make_place(change: Change, text: str) -> PlaceRow:
    """Record a place: FREEZER/BOX/POSITION.

    Raises:
        NotAllowed: the person may not.
        InputError: it is there, or is no place.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import PlaceRow

    parts = [entry("a part of a place", one, longest=64) for one in text.split("/")]
    if len(parts) != 3 or not all(parts):
        raise InputError("this is no place", way_out="As in FREEZER/BOX/POSITION.")
    freezer, box, position = parts
    change.require("place.make")
    there = select(PlaceRow).where(PlaceRow.freezer == freezer, PlaceRow.box == box, PlaceRow.position == position)
    if change.session.scalar(there) is not None:
        raise InputError("this place is recorded already")
    return change.add(PlaceRow(freezer=freezer, box=box, position=position, holds=None), "place.make")


def place_of(session: Session, label: str) -> PlaceRow | None:
    """Where a thing is; None where it is in no place."""
    from sqlalchemy import select

    from consilium.laboratory.tables import PlaceRow

    return session.scalar(select(PlaceRow).where(PlaceRow.holds == label))


def put(change: Change, label: str, place: str) -> PlaceRow:
    """Put a thing into a place; the one where it was is free then.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such thing or place, it cannot be worked with, or the place is taken.
    """
    change.require("thing.store")
    thing, to = labelled(change.session, label), place_called(change.session, place)
    check_there(thing, specimen_of(change.session, thing))
    if to.holds == thing.label:
        return to
    if to.holds is not None:
        raise InputError(f"{to.title} holds {to.holds}", way_out="Choose a free place, or take that out first.")
    _empty(change, thing)
    change.edit(to, "thing.store", holds=thing.label)
    return to


def take_out(change: Change, label: str) -> None:
    """Take a thing out of its place.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such thing, or it is in no place.
    """
    change.require("thing.store")
    thing = labelled(change.session, label)
    if not _empty(change, thing):
        raise InputError(f"{thing.label} is in no place")


def withdraw_place(change: Change, place: PlaceRow, *, reason: str, seen: int | None = None) -> None:
    """Give a place up.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: it holds something, or no reason was told.
    """
    if place.holds is not None:
        raise InputError(f"{place.title} holds {place.holds}", way_out="Put that elsewhere first.")
    change.withdraw(place, "place.withdraw", reason=reason, seen=seen)


def hand_over(
    change: Change, label: str, receiver: str, *, giver: str = "", note: str = "", at: str = ""
) -> CustodyRow:
    """Record that somebody handed a thing to somebody. Either may be of another house, so any name will do.

    Args:
        change: the transaction.
        label: of the thing.
        receiver: who has it now.
        giver: who had it; empty: whoever has it by the record, or else the person who records it.
        note: on it.
        at: when, as a person gives it; empty is now.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such thing, or by the record somebody else has it.
    """
    from consilium.laboratory.tables import CustodyRow

    change.require("custody.hand_over")
    thing = labelled(change.session, label)
    check_there(thing, specimen_of(change.session, thing))
    chain = custody(change.session, thing)
    holder = chain[-1].receiver if chain else ""
    told = entry("who hands it over", giver, longest=255) or holder or change.worker.name
    if holder and told != holder:
        raise InputError(
            f"by the record {holder} has {thing.label}",
            way_out="Record first how it came from there: the chain is whole.",
        )
    moment = change.profile.moment(at) if at.strip() else change.at
    if moment > change.at or (chain and moment < chain[-1].at):
        raise InputError("it cannot have been handed over in the future, or before the hand-over before")
    row = CustodyRow(
        label=thing.label, giver=told, receiver=entry("who receives it", receiver, longest=255, needed=True),
        at=moment, recorded_by=change.worker.name, note=entry("the note", note),
    )  # fmt: skip
    change.session.add(row)
    change.session.flush()
    return row


def custody(session: Session, thing: Labelled) -> tuple[CustodyRow, ...]:
    """The chain of custody of a thing, oldest first."""
    from sqlalchemy import select

    from consilium.laboratory.tables import CustodyRow

    return tuple(session.scalars(select(CustodyRow).where(CustodyRow.label == thing.label).order_by(CustodyRow.id)))


def _empty(change: Change, thing: Labelled) -> bool:
    where = place_of(change.session, thing.label)
    return where is not None and change.edit(where, "thing.store", holds=None)


def leave_place(change: Change, thing: Labelled) -> None:
    """Free the place of a thing that is there no longer, if it was in one."""
    _empty(change, thing)
