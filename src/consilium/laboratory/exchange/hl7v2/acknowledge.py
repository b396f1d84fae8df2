"""Acknowledgements: the message that answers one, and what one of another system says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from consilium.errors import InputError
from consilium.laboratory.exchange.hl7v2.message import Message, message_of, time_of
from consilium.laboratory.exchange.hl7v2.text import encoded, escaped

Answer = Literal["AA", "AE", "AR"]
"""Taken; the message is wrong, and stays so when it is sent again; not taken for another reason (table 0008)."""

VERSION = "2.5.1"
_CODES = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "207": "Application internal error",
}
"""Table 0357."""

_LONGEST = 1000


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with a message.

    Attributes:
        code: of table 0357.
        told: in words, without what the message says about a patient.
        where: SEGMENT-FIELD, where it is one.
    """

    code: str
    told: str
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What another system answered.

    Attributes:
        answer: MSA-1.
        control: number of the message that it is about.
        told: why.
        internal: whether it says that itself was at fault (207 of table 0357).
    """

    answer: str
    control: str
    told: str
    internal: bool


def header(
    *, application: str, facility: str, to_application: str, to_facility: str, at: str, kind: str, control: str,
    processing: str = "P", charset: str = "UNICODE UTF-8",
) -> str:  # fmt: skip
    """The segment MSH; `kind` has components already."""
    fields = [
        "MSH", "^~\\&", escaped(application), escaped(facility), escaped(to_application), escaped(to_facility),
        time_of(at), "", kind, escaped(control), processing, VERSION, "", "", "", "", "", escaped(charset),
    ]  # fmt: skip
    return "|".join(fields)


def acknowledgement(
    message: Message | None, answer: Answer, *, at: str, application: str, facility: str, told: str = "",
    problems: Sequence[Problem] = (),
) -> bytes:  # fmt: skip
    """The answer to a message, in UTF-8.

    Args:
        message: that is answered; None where it could not be read.
        answer: what becomes of it.
        at: ISO 8601 in UTC; with the number of the message it makes the number of the answer.
        application: of the laboratory.
        facility: of the laboratory.
        told: MSA-3, e.g. under which number an order is recorded.
        problems: one segment ERR each.
    """
    control = "" if message is None else message.control[:200]
    event = "" if message is None else escaped(message.header.value(9, 2)[:3])
    there = ("", "") if message is None else (message.header.value(3), message.header.value(4))
    processing = "P" if message is None else message.header.value(11) or "P"
    lines = [
        header(
            application=application, facility=facility, to_application=there[0], to_facility=there[1], at=at,
            kind=f"ACK^{event}^ACK" if event else "ACK", control=f"A{time_of(at)[:14]}{at[20:23]}",
            processing=escaped(processing),
        ),
        f"MSA|{answer}|{escaped(control)}|{escaped(told[:_LONGEST])}",
    ]  # fmt: skip
    for one in problems:
        segment, _, field = one.where.partition("-")
        place = f"{segment}^1^{field}" if field.isdigit() else segment
        lines.append(f"ERR||{place}|{one.code}^{_CODES[one.code]}^HL70357|E||||{escaped(one.told[:_LONGEST])}")
    return encoded("\r".join(lines) + "\r", "UNICODE UTF-8")


def heard(data: bytes) -> Heard:
    """What another system answered.

    Raises:
        InputError: it is no acknowledgement.
    """
    message = message_of(data)
    answer = message.first("MSA")
    if answer is None:
        raise InputError("the answer is no acknowledgement: it has no MSA")
    errors = [one for one in message.segments if one.name == "ERR"]
    told = [answer.value(3), *(one.value(8) or one.value(3, 2) or one.value(1, 4, subcomponent=2) for one in errors)]
    return Heard(
        answer=answer.value(1), control=answer.value(2), told="; ".join(one for one in told if one)[:_LONGEST],
        internal=any(one.value(3) == "207" for one in errors),
    )  # fmt: skip
