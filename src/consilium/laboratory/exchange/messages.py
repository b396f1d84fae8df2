"""Messages as they came and went, and what became of each: nothing is changed, every turn is a further step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from consilium.errors import NotFound, RecordChanged
from consilium.laboratory.disclosure import disclose
from consilium.laboratory.exchange.tables import Direction, MessageRow, MessageStepRow, Protocol, State
from consilium.laboratory.permissions import allowed

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from consilium.laboratory.journal import Change

CLAIM = 120
"""Seconds after which whoever was sending a message is taken to have been killed."""

LONGEST_PAUSE = 3600
"""Seconds between two tries at most."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What became of a message at some time."""

    at: str
    state: State
    due: str | None
    told: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """A message without what stands in it.

    Attributes:
        id: of it.
        at: when it came, or was to go.
        direction, protocol, kind, control, peer, who: as `MessageRow` has them.
        case: number of the case; empty where it is about none.
        steps: oldest first; the last one holds.
    """

    id: int
    at: str
    direction: Direction
    protocol: Protocol
    kind: str
    control: str
    peer: str
    who: str
    case: str
    steps: tuple[Step, ...]

    @property
    def state(self) -> State:
        """Its state now."""
        return self.steps[-1].state


def keep(
    session: Session, *, at: str, direction: Direction, protocol: Protocol, kind: str, control: str, peer: str,
    who: str, body: bytes, state: State, told: str = "", case_id: int | None = None, key: str | None = None,
) -> MessageRow:  # fmt: skip
    """Keep a message with its first state, in the transaction of what it brought about."""
    row = MessageRow(
        at=at, direction=direction, protocol=protocol, kind=_short(kind, 64), control=_short(control, 200),
        peer=_short(peer, 255), who=who, key=key, case_id=case_id, body=body,
    )  # fmt: skip
    session.add(row)
    session.flush()
    add_step(session, row.id, state, at=at, told=told, due=at if state == "waiting" else None)
    return row


def add_step(
    session: Session, message: int, state: State, *, at: str, told: str = "", due: str | None = None
) -> MessageStepRow:
    """Write what became of a message."""
    newest = newest_step(session, message)
    row = MessageStepRow(
        message_id=message, number=1 if newest is None else newest.number + 1, at=at, state=state, due=due,
        told=_short(told, 2000),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def newest_step(session: Session, message: int) -> MessageStepRow | None:
    """The step that holds."""
    from sqlalchemy import select

    asked = select(MessageStepRow).where(MessageStepRow.message_id == message)
    return session.scalar(asked.order_by(MessageStepRow.number.desc()).limit(1))


def waiting(session: Session, at: str, *, peer: str | None = None) -> tuple[MessageRow, ...]:
    """Outgoing messages that may be sent now, oldest first: those that wait, and those that a killed sender left."""
    from sqlalchemy import and_, or_, select
    from sqlalchemy.orm import defer

    gone = _later(at, -CLAIM)
    asked = _with_newest(select(MessageRow).options(defer(MessageRow.body))).where(
        MessageRow.direction == "out",
        or_(
            and_(MessageStepRow.state == "waiting", MessageStepRow.due <= at),
            and_(MessageStepRow.state == "sending", MessageStepRow.at <= gone),
        ),
    )
    if peer is not None:
        asked = asked.where(MessageRow.peer == peer)
    return tuple(session.scalars(asked.order_by(MessageRow.id)))


def in_order(session: Session, message: MessageRow) -> bool:
    """Whether nothing about the same case still has to go to the same peer before: an amendment never overtakes."""
    from sqlalchemy import select

    asked = _with_newest(select(MessageRow.id)).where(
        MessageRow.direction == "out",
        MessageRow.peer == message.peer,
        MessageRow.case_id == message.case_id,
        MessageRow.id < message.id,
        MessageStepRow.state.in_(("waiting", "sending")),
    )
    return session.scalar(asked.limit(1)) is None


def claim(session: Session, message: int, at: str) -> bool:
    """Take a message for sending; False where somebody else has it, or had it sent meanwhile."""
    newest = newest_step(session, message)
    if newest is None or not (
        (newest.state == "waiting" and (newest.due or "") <= at)
        or (newest.state == "sending" and newest.at <= _later(at, -CLAIM))
    ):
        return False
    add_step(session, message, "sending", at=at)
    return True


def wait_longer(session: Session, message: int, *, at: str, told: str) -> str:
    """Have a message wait after a try that failed, the longer the more there were; gives when it is due."""
    from sqlalchemy import func, select

    tries = session.scalar(
        select(func.count()).where(MessageStepRow.message_id == message, MessageStepRow.state == "sending")
    )
    due = _later(at, min(LONGEST_PAUSE, 5 * 2 ** min(int(tries or 1), 12)))
    add_step(session, message, "waiting", at=at, told=told, due=due)
    return due


def send_again(change: Change, message: int) -> None:
    """Have a message that was sent or refused sent once more, or one that waits sent now.

    Raises:
        NotAllowed: the person may not.
        NotFound: there is no such outgoing message.
        RecordChanged: it is being sent.
    """
    change.require("exchange.send")
    row = change.session.get(MessageRow, message)
    newest = newest_step(change.session, message)
    if row is None or newest is None or row.direction != "out":
        raise NotFound("there is no outgoing message of this number")
    if newest.state == "sending" and newest.at > _later(change.at, -CLAIM):
        raise RecordChanged("this message is being sent", way_out="Look again in two minutes.")
    add_step(change.session, message, "waiting", at=change.at, told=f"again, by {change.worker.name}", due=change.at)


def listed(
    change: Change, *, case_id: int | None = None, state: State | None = None, direction: Direction | None = None,
    before: int | None = None, limit: int = 100,
) -> tuple[Told, ...]:  # fmt: skip
    """Messages without what stands in them, newest first.

    What another system answered in its own words may name a patient: only whoever may know who a patient is reads it.

    Raises:
        NotAllowed: the person may not.
    """
    from sqlalchemy import select
    from sqlalchemy.orm import defer

    change.require("record.see")
    asked = _with_newest(select(MessageRow)).options(defer(MessageRow.body))
    if case_id is not None:
        asked = asked.where(MessageRow.case_id == case_id)
    if state is not None:
        asked = asked.where(MessageStepRow.state == state)
    if direction is not None:
        asked = asked.where(MessageRow.direction == direction)
    if before is not None:
        asked = asked.where(MessageRow.id < before)
    rows = tuple(change.session.scalars(asked.order_by(MessageRow.id.desc()).limit(limit)))
    return _told(change.session, rows, named=allowed(change.worker, "patient.identify"))


def body_of(change: Change, message: int) -> bytes:
    """A message to the byte; it may tell who a patient is.

    Args:
        change: a transaction, since a line is left that it was shown.
        message: its number.

    Raises:
        NotAllowed: the person may not see who a patient is.
        NotFound: there is no such message.
    """
    from consilium.laboratory.tables import CaseRow

    change.require("patient.identify")
    row = change.session.get(MessageRow, message)
    if row is None:
        raise NotFound("there is no message of this number")
    if row.case_id is not None and row.protocol != "dicom":
        disclose(change, change.session.get_one(CaseRow, row.case_id).patient, why=f"message {row.id} was read")
    return row.body


def _told(session: Session, rows: Sequence[MessageRow], *, named: bool) -> tuple[Told, ...]:
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow

    ids = [row.id for row in rows]
    ours = {row.id for row in rows if row.direction == "in"}
    steps: dict[int, list[Step]] = {one: [] for one in ids}
    asked = select(MessageStepRow).where(MessageStepRow.message_id.in_(ids)).order_by(MessageStepRow.number)
    for one in session.scalars(asked):
        steps[one.message_id].append(
            Step(at=one.at, state=one.state, due=one.due, told=one.told if named or one.message_id in ours else "")
        )
    numbers = {row.case_id for row in rows if row.case_id is not None}
    found = session.execute(select(CaseRow.id, CaseRow.number).where(CaseRow.id.in_(numbers)))
    cases = dict(found.all())
    return tuple(
        Told(
            id=row.id, at=row.at, direction=row.direction, protocol=row.protocol, kind=row.kind, control=row.control,
            peer=row.peer, who=row.who, case=cases.get(row.case_id or 0, ""), steps=tuple(steps[row.id]),
        )
        for row in rows
    )  # fmt: skip


def _with_newest(asked: Select[Any]) -> Select[Any]:
    from sqlalchemy import and_, func, select
    from sqlalchemy.orm import aliased

    other = aliased(MessageStepRow)
    newest = select(func.max(other.number)).where(other.message_id == MessageRow.id).scalar_subquery()
    return asked.join(MessageStepRow, and_(MessageStepRow.message_id == MessageRow.id, MessageStepRow.number == newest))


def _later(at: str, seconds: int) -> str:
    later = datetime.fromisoformat(at) + timedelta(seconds=seconds)
    return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _short(text: str, longest: int) -> str:
    """A text of another system, as a column can hold it."""
    return "".join(one if one.isprintable() else " " for one in text)[:longest]
