"""Messages as tables. Both of them are append-only: what became of a message is a further step, never a change.

A message is kept as it came or went, to the byte, so it may tell who a patient is: whoever reads it needs the right to.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consilium.laboratory.tables import Table, Thing

Direction = Literal["in", "out"]
Protocol = Literal["hl7", "fhir", "dicom"]
State = Literal["taken", "waiting", "sending", "sent", "refused"]
"""In: taken or refused. Out: waiting, sending, and then sent or refused by whoever got it."""


class MessageRow(Table):
    """A message, in or out.

    Attributes:
        at: when it was kept.
        direction: in or out.
        protocol: how it is written.
        kind: as its sender calls it, e.g. "ORM^O01".
        control: its number, of whoever wrote it; empty where it told none.
        peer: the other side: an address, or the name of a receiver.
        who: took it, or had it sent.
        key: of an outgoing one, so that the same report does not go to the same receiver twice.
        case_id: the case that it is about, where that is one.
        body: the message.
    """

    __tablename__ = "laboratory_message"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(String(32))
    direction: Mapped[Direction] = mapped_column(String(8))
    protocol: Mapped[Protocol] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(64))
    control: Mapped[str] = mapped_column(String(200), index=True)
    peer: Mapped[str] = mapped_column(String(255))
    who: Mapped[str] = mapped_column(String(255))
    key: Mapped[str | None] = mapped_column(String(255), unique=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class MessageStepRow(Table):
    """What became of a message; the state of one is that of its newest step.

    Attributes:
        message_id: which.
        number: 1 first; two who write the same number at once do not both succeed.
        at: when.
        state: since then.
        due: when it is tried again; only where it waits.
        told: why, or what the other side said; repeats nothing that a message says about a patient.
    """

    __tablename__ = "laboratory_message_step"
    __table_args__ = (UniqueConstraint("message_id", "number", name="laboratory_message_step_once"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("laboratory_message.id"), index=True)
    number: Mapped[int]
    at: Mapped[str] = mapped_column(String(32))
    state: Mapped[State] = mapped_column(String(16))
    due: Mapped[str | None] = mapped_column(String(32))
    told: Mapped[str] = mapped_column(String(2000))


class ExchangeRow(Thing):
    """With whom the laboratory exchanges what; one row."""

    __tablename__ = "laboratory_exchange"
    document: Mapped[str]

    @property
    def title(self) -> str:
        """There is one."""
        return "exchange"


APPEND_ONLY = ("laboratory_message", "laboratory_message_step")
