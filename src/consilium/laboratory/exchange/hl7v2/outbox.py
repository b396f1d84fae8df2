"""Messages that wait are sent, and what the other side said is kept.

A message is at least once with its receiver: killed between sending and writing down the answer, it goes again under
the same number (MSH-10), by which a receiver knows it. An amendment never overtakes the report that it amends.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from consilium.database.database import now
from consilium.errors import ConsiliumError, EngineError, InputError
from consilium.laboratory.exchange import messages
from consilium.laboratory.exchange.hl7v2.acknowledge import heard
from consilium.laboratory.exchange.hl7v2.mllp import ask
from consilium.laboratory.exchange.partners import Receiver, partners_in
from consilium.laboratory.exchange.tables import MessageRow, State
from consilium.laboratory.laboratory import Laboratory


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of a message that was tried."""

    message: int
    peer: str
    state: State
    told: str


def send_waiting(
    laboratory: Laboratory, who: str, *, only: str | None = None, seconds: float = 30.0
) -> tuple[Sent, ...]:
    """Try all messages that wait, each once.

    Args:
        laboratory: whose.
        who: sends.
        only: to this receiver.
        seconds: for an answer.

    Raises:
        NotAllowed: the person may not.
        EngineError: the database does not answer.
    """
    tried: list[Sent] = []
    down: set[str] = set()
    with laboratory.looking(who) as look:
        look.require("exchange.send")
        found = messages.waiting(look.session, look.at, peer=only)
    for row in found:
        if row.protocol != "hl7" or row.peer in down:
            continue
        one = _try(laboratory, who, row.id, seconds)
        if one is not None:
            tried.append(one)
            if one.state == "waiting":
                down.add(one.peer)
    return tuple(tried)


def _try(laboratory: Laboratory, who: str, message: int, seconds: float) -> Sent | None:
    with laboratory.changing(who) as change:
        change.require("exchange.send")
        row = change.session.get_one(MessageRow, message)
        peer, body, control = row.peer, row.body, row.control
        receiver = partners_in(change).receivers.get(peer)
        if not messages.in_order(change.session, row) or not messages.claim(change.session, message, change.at):
            return None
    state: State
    try:
        if receiver is None:
            raise InputError("there is no receiver of this name any more")
        state, told = _send(receiver, body, control, seconds)
    except ConsiliumError as problem:
        state, told = "waiting", problem.what
    with laboratory.writing() as session:
        if state == "waiting":
            messages.wait_longer(session, message, at=now(), told=told)
        else:
            messages.add_step(session, message, state, at=now(), told=told)
    return Sent(message=message, peer=peer, state=state, told=told)


def _send(receiver: Receiver, body: bytes, control: str, seconds: float) -> tuple[State, str]:
    found = heard(asyncio.run(ask(body, host=receiver.host, port=receiver.port, seconds=seconds)))
    if found.control != control:
        raise EngineError("the answer is about another message")
    if found.answer in ("AA", "CA"):
        return "sent", found.told
    if found.answer in ("AE", "CE") or (found.answer in ("AR", "CR") and not found.internal):
        return "refused", f"{found.answer} {found.told}".strip()
    # Not the message but the other system is at fault, or it says nothing that is known.
    raise EngineError(f"{found.answer or 'no answer code'} {found.told}".strip())
