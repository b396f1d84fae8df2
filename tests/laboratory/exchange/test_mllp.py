"""The line: real sockets, the client and server of the package hl7 as peers, kills, and peers that misbehave."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")
pytest.importorskip("hl7", reason="the exchange needs hl7 (extra exchange)")

from sqlalchemy import func, select

from consilium.errors import EngineError
from consilium.laboratory import tables
from consilium.laboratory.exchange import messages
from consilium.laboratory.exchange.hl7v2.acknowledge import heard
from consilium.laboratory.exchange.hl7v2.inbox import receive
from consilium.laboratory.exchange.hl7v2.listen import listen
from consilium.laboratory.exchange.hl7v2.message import message_of
from consilium.laboratory.exchange.hl7v2.mllp import Limits, ask, serve
from consilium.laboratory.exchange.hl7v2.outbox import send_waiting
from consilium.laboratory.exchange.send import queue_result
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory
from tests.laboratory.conftest import received
from tests.laboratory.exchange.conftest import exchanging, oml
from tests.laboratory.exchange.reports import amended, signed


def inbox(laboratory: Laboratory) -> Callable[[bytes, str], Awaitable[bytes]]:
    async def handle(data: bytes, peer: str) -> bytes:
        return (await asyncio.to_thread(receive, laboratory, "tang", data, peer=peer)).data

    return handle


def cases(laboratory: Laboratory) -> int:
    with laboratory.reading() as session:
        return session.scalar(select(func.count()).select_from(tables.CaseRow)) or 0


def test_the_client_of_another_program_is_answered(partnered: Laboratory) -> None:
    from hl7.mllp import open_hl7_connection

    async def talk() -> list[str]:
        server = await serve(inbox(partnered))
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await open_hl7_connection("127.0.0.1", port, encoding="utf-8")
            answers = []
            for text in (oml(), oml("ORD-2", message="M2"), oml("ORD-3", message="M3", service="QQ", specimen="")):
                writer.writemessage(text)
                await writer.drain()
                answer = await asyncio.wait_for(reader.readmessage(), 10)
                answers.append(f"{answer.segment('MSA')[1]} {answer.segment('MSA')[2]}")
            writer.close()
            return answers

    assert asyncio.run(talk()) == ["AA M1", "AA M2", "AE M3"]
    assert cases(partnered) == 2


@pytest.mark.parametrize(
    "bytes_",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x0b" + b"x" * 5000, b"\x0bMSH|^~\\&|half", b"", b"\x00" * 1000],
)
def test_a_peer_that_misbehaves_is_hung_up_on_and_others_are_served(partnered: Laboratory, bytes_: bytes) -> None:
    limits = Limits(frame=4096, frame_seconds=0.3, idle_seconds=0.5, connections=4)

    async def talk() -> tuple[float, bytes]:
        server = await serve(inbox(partnered), limits=limits)
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(bytes_)
            began = time.monotonic()
            with suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return time.monotonic() - began, await ask(oml().encode(), host="127.0.0.1", port=port)

    took, answer = asyncio.run(talk())
    assert took < 3 and heard(answer).answer == "AA"


def test_connections_have_a_bound(partnered: Laboratory) -> None:
    async def talk() -> int:
        server = await serve(inbox(partnered), limits=Limits(connections=2))
        async with server:
            port = server.sockets[0].getsockname()[1]
            lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
            closed = 0
            for reader, _ in lines:
                with suppress(TimeoutError):
                    closed += await asyncio.wait_for(reader.read(1), 0.3) == b""
            for _, writer in lines:
                writer.close()
            return closed

    assert asyncio.run(talk()) == 2


def test_twenty_peers_at_once_each_get_the_answer_to_their_own_order(partnered: Laboratory) -> None:
    async def talk() -> list[str]:
        server = await serve(inbox(partnered))
        async with server:
            port = server.sockets[0].getsockname()[1]
            sent = (
                ask(oml(f"ORD-{at}", message=f"M{at}", patient=f"HN-{at}").encode(), host="127.0.0.1", port=port)
                for at in range(20)
            )
            return [heard(one).control for one in await asyncio.gather(*sent)]

    assert asyncio.run(talk()) == [f"M{at}" for at in range(20)]
    assert cases(partnered) == 20


CHILD = """
import asyncio, os, signal, sys
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.exchange.hl7v2.inbox import receive
from consilium.laboratory.exchange.hl7v2.mllp import serve
import sqlalchemy.engine
laboratory = Laboratory(sys.argv[1])
at, steps = int(sys.argv[2]), 0
def counted(real):
    def call(*arguments, **named):
        global steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)
        found = real(*arguments, **named)
        if at == -1 and real.__name__ == "_commit_impl":
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    call.__name__ = real.__name__
    return call
kind = sqlalchemy.engine.Connection
async def main():
    async def handle(data, peer):
        return (await asyncio.to_thread(receive, laboratory, "tang", data, peer=peer)).data
    server = await serve(handle)
    for name in ("_commit_impl", "execute"):
        setattr(kind, name, counted(getattr(kind, name)))
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def listening(place: str, at: int) -> Iterator[int]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, place, str(at)], stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert child.stdout is not None
    try:
        yield int(child.stdout.readline())
    finally:
        child.kill()
        child.wait(10)
        child.stdout.close()


@pytest.mark.parametrize("at", [1, 5, 9, 14, 20, -1])
def test_what_is_acknowledged_is_there_whenever_the_listener_is_killed(
    partnered: Laboratory, tmp_path: Path, at: int
) -> None:
    place = f"sqlite:///{tmp_path / 'records.db'}"
    with listening(place, at) as port:
        try:
            answer = heard(asyncio.run(ask(oml().encode(), host="127.0.0.1", port=port))).answer
        except EngineError:
            answer = ""
    # Not acknowledged, so it is either there or not, but never half; whoever sends it again gets its acknowledgement.
    assert answer in ("", "AA") and cases(partnered) == (1 if answer == "AA" or at == -1 else 0)
    with listening(place, 0) as port:
        assert heard(asyncio.run(ask(oml().encode(), host="127.0.0.1", port=port))).answer == "AA"
    assert cases(partnered) == 1
    with partnered.reading() as session:
        assert session.scalar(select(func.count()).select_from(tables.SpecimenRow)) == 1


class Peer:
    """A receiver that is the server of the package hl7, in a thread; `answers` says what it answers."""

    def __init__(self, answer: Callable[[Any], str | None]) -> None:
        self.got: list[Any] = []
        self._answer = answer
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        from hl7.mllp import start_hl7_server

        async def line(reader: Any, writer: Any) -> None:
            try:
                message = await reader.readmessage()
                self.got.append(message)
                told = self._answer(message)
                if told is not None:
                    writer.writemessage(told)
                    await writer.drain()
            except asyncio.IncompleteReadError:
                pass
            finally:
                writer.close()

        async def main() -> None:
            self._server = await start_hl7_server(line, "127.0.0.1", 0, encoding="utf-8", limit=2**20)
            self.port = self._server.sockets[0].getsockname()[1]
            self._stop = asyncio.Event()
            self._ready.set()
            await self._stop.wait()
            self._server.close()

        self._loop.run_until_complete(main())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()


def answering(code: str, error: str = "") -> Callable[[Any], str]:
    def answer(message: Any) -> str:
        told = f"MSH|^~\\&|HIS|HOSP|||20260320||ACK|A1|P|2.5.1\rMSA|{code}|{message.segment('MSH')[10]}\r"
        return told + (f"ERR|||{error}|E||||told\r" if error else "")

    return answer


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[Any], str | None]], Peer]]:
    made: list[Peer] = []

    def start(answer: Callable[[Any], str | None]) -> Peer:
        made.append(Peer(answer))
        return made[-1]

    yield start
    for one in made:
        one.close()


def queued(laboratory: Laboratory, port: int, *reports: Any) -> list[int]:
    from consilium.laboratory.exchange.partners import Receiver

    exchanging(laboratory, receivers={"his": Receiver(host="127.0.0.1", port=port)})
    _, number, _ = received(laboratory)
    with laboratory.changing("dai") as change:
        case = case_called(change.session, number)
        return [queue_result(change, case, one, "his").id for one in reports]


def state(laboratory: Laboratory, message: int) -> messages.Told:
    with laboratory.looking("dai") as look:
        return next(one for one in messages.listed(look) if one.id == message)


def test_a_report_gets_to_its_receiver_once(partnered: Laboratory, peer: Any) -> None:
    there = peer(answering("AA"))
    first = signed()
    one, again, two = queued(partnered, there.port, first, first, amended(first))
    assert one == again and one != two
    assert [sent.state for sent in send_waiting(partnered, "dai")] == ["sent", "sent"]
    assert send_waiting(partnered, "dai") == ()
    assert [str(got.segment("OBR")[25]) for got in there.got] == ["F", "C"]
    assert state(partnered, one).state == "sent" and state(partnered, one).steps[0].state == "waiting"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answering("AE"), "refused"),
        (answering("AR", "200^Unsupported message type^HL70357"), "refused"),
        (answering("AR", "207^Application internal error^HL70357"), "waiting"),
        (answering("QQ"), "waiting"),
        (lambda _message: None, "waiting"),
        (lambda _message: "MSH|^~\\&|HIS|HOSP|||20260320||ACK|A1|P|2.5.1\rMSA|AA|another\r", "waiting"),
        (lambda _message: "MSH|^~\\&|HIS|HOSP|||20260320||ACK|A1|P|2.5.1\r", "waiting"),
    ],
)
def test_what_a_receiver_answers_is_kept(partnered: Laboratory, peer: Any, answer: Any, expected: str) -> None:
    (message,) = queued(partnered, peer(answer).port, signed())
    (sent,) = send_waiting(partnered, "dai", seconds=3)
    assert sent.state == expected and state(partnered, message).state == expected
    with partnered.changing("dai") as change:
        messages.send_again(change, message)
    assert state(partnered, message).state == "waiting"


def test_what_a_receiver_says_in_its_own_words_is_for_those_who_may_know_names(
    partnered: Laboratory, peer: Any
) -> None:
    (message,) = queued(partnered, peer(answering("AE", "204^Unknown key identifier^HL70357")).port, signed())
    send_waiting(partnered, "dai")
    assert state(partnered, message).steps[-1].told == "AE told"
    with partnered.looking("ada") as look:
        (shown,) = messages.listed(look)
    assert shown.state == "refused" and shown.steps[-1].told == ""


def test_a_receiver_that_is_down_loses_nothing_and_nothing_overtakes(partnered: Laboratory, peer: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first = signed()
    one, two = queued(partnered, port, first, amended(first))
    (tried,) = send_waiting(partnered, "dai", seconds=2)
    assert tried.message == one and "nobody answers" in tried.told
    told = state(partnered, one)
    assert told.state == "waiting" and (told.steps[-1].due or "") > told.steps[-1].at
    # The first waits for its time, and the amendment waits for the first.
    assert send_waiting(partnered, "dai", seconds=2) == ()
    assert state(partnered, two).state == "waiting"
    there = peer(answering("AA"))
    exchanging_again(partnered, there.port)
    with partnered.changing("dai") as change:
        messages.send_again(change, one)
    assert [sent.message for sent in send_waiting(partnered, "dai")] == [one, two]


def exchanging_again(laboratory: Laboratory, port: int) -> None:
    from consilium.laboratory.exchange.partners import Receiver

    exchanging(laboratory, receivers={"his": Receiver(host="127.0.0.1", port=port)})


SENDER = """
import os, signal, sys
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.exchange.hl7v2 import outbox
laboratory = Laboratory(sys.argv[1])
real = outbox.ask
async def ask(*arguments, **named):
    if sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    await real(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
outbox.ask = ask
outbox.send_waiting(laboratory, "dai")
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_sender_that_is_killed_leaves_the_message_to_the_next(
    partnered: Laboratory, peer: Any, tmp_path: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = peer(answering("AA"))
    (message,) = queued(partnered, there.port, signed())
    killed = subprocess.run(
        [sys.executable, "-c", SENDER, f"sqlite:///{tmp_path / 'records.db'}", when], timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert state(partnered, message).state == "sending"
    # Whoever had it may still be alive: nobody else takes it before its time.
    assert send_waiting(partnered, "dai") == ()
    monkeypatch.setattr(messages, "CLAIM", 0)
    (sent,) = send_waiting(partnered, "dai")
    assert sent.state == "sent"
    numbers = {str(got.segment("MSH")[10]) for got in there.got}
    assert len(there.got) == (1 if when == "before" else 2) and len(numbers) == 1


def test_two_senders_do_not_send_the_same_message(partnered: Laboratory, peer: Any) -> None:
    there = peer(answering("AA"))
    queued(partnered, there.port, signed())
    threads = [threading.Thread(target=send_waiting, args=(partnered, "dai")) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert len(there.got) == 1


def test_listening_takes_orders_and_sends_what_waits(partnered: Laboratory, peer: Any) -> None:
    there = peer(answering("AA"))
    (message,) = queued(partnered, there.port, signed())
    told: list[str] = []

    async def run() -> bytes:
        task = asyncio.create_task(listen(partnered, "dai", host="127.0.0.1", port=0, tell=told.append, pause=0.1))
        while not told:
            await asyncio.sleep(0.02)
        port = int(told[0].rpartition(":")[2])
        answer = await ask(oml().encode(), host="127.0.0.1", port=port)
        for _ in range(200):
            if there.got:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return answer

    assert heard(asyncio.run(run())).answer == "AA"
    assert state(partnered, message).state == "sent"
    assert not any("欧阳" in one or "HN-1" in one for one in told)
    assert message_of(str(there.got[0]).encode()).kind == "ORU^R01"


def test_nobody_listens_on_a_port_that_is_taken(partnered: Laboratory) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EngineError, match="nobody can listen"):
            asyncio.run(listen(partnered, "dai", host="127.0.0.1", port=taken.getsockname()[1], tell=print))
