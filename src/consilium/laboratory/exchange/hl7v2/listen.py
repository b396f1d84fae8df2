"""The laboratory listens: orders in by MLLP, results out as they wait, until somebody stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from consilium.errors import ConsiliumError
from consilium.laboratory.exchange.hl7v2 import inbox, outbox
from consilium.laboratory.exchange.hl7v2.mllp import Limits, serve
from consilium.laboratory.laboratory import Laboratory

Tell = Callable[[str], None]


async def listen(
    laboratory: Laboratory, who: str, *, host: str, port: int, tell: Tell, limits: Limits | None = None,
    pause: float = 2.0,
) -> None:  # fmt: skip
    """Listen and send until it is cancelled.

    Args:
        laboratory: whose records.
        who: receives and sends.
        host: where.
        port: where; 0 is one that is free.
        tell: is told what comes and goes, without what stands in it.
        limits: of a line.
        pause: seconds between two looks at what waits.

    Raises:
        EngineError: nobody can listen there.
        NotAllowed: that person may not receive.
    """
    with laboratory.looking(who) as look:
        look.require("exchange.receive")

    async def handle(data: bytes, peer: str) -> bytes:
        reply = await asyncio.to_thread(inbox.receive, laboratory, who, data, peer=peer)
        cases = ", ".join(f"{one.case} ({one.what})" for one in reply.taken)
        tell(f"{peer}: {reply.answer} {cases or reply.why}")
        return reply.data

    server = await serve(handle, host=host, port=port, limits=limits)
    where = server.sockets[0].getsockname()
    tell(f"listening on {where[0]}:{where[1]}")
    async with server:
        await asyncio.gather(server.serve_forever(), _send(laboratory, who, tell, pause))


async def _send(laboratory: Laboratory, who: str, tell: Tell, pause: float) -> None:
    while True:
        try:
            # What the other side said in its own words stays in the records: it may name a patient, and this is a log.
            for one in await asyncio.to_thread(outbox.send_waiting, laboratory, who):
                tell(f"{one.peer}: message {one.message} {one.state}")
        except ConsiliumError as problem:
            tell(f"nothing was sent: {problem}")
        await asyncio.sleep(pause)
