"""Messages on a line: the Minimal Lower Layer Protocol (HL7 2.5.1, appendix C), over asyncio.

A message stands between the bytes 0B and 1C 0D. Connections are many, slow ones are closed, and a frame that is too
large or never ends is not held. There is no login in this protocol: it is for loopback, or a line that is secured.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from consilium.errors import EngineError, InputError
from consilium.laboratory.exchange.hl7v2.text import END, LARGEST_ORDER, START

Handle = Callable[[bytes, str], Awaitable[bytes]]
"""A message and where it came from, to its answer."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a line may cost.

    Attributes:
        frame: bytes of a message.
        frame_seconds: from its first byte to its last.
        idle_seconds: between two messages.
        connections: at once.
    """

    frame: int = LARGEST_ORDER
    frame_seconds: float = 30.0
    idle_seconds: float = 600.0
    connections: int = 32


async def serve(
    handle: Handle, *, host: str = "127.0.0.1", port: int = 0, limits: Limits | None = None
) -> asyncio.Server:
    """Listen for messages, and answer each when it was handled.

    Args:
        handle: what is done with one; it answers, whatever the message is.
        host: where.
        port: where; 0 is one that is free.
        limits: of a line.

    Raises:
        EngineError: nobody can listen there.
    """
    bounds = limits or Limits()
    lines: set[asyncio.StreamWriter] = set()

    async def line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(lines) >= bounds.connections:
            writer.close()
            return
        lines.add(writer)
        try:
            await _converse(handle, reader, writer, bounds)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, InputError):
            pass
        finally:
            lines.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    try:
        return await asyncio.start_server(line, host, port, limit=2**16)
    except OSError as problem:
        raise EngineError(
            f"nobody can listen on {host}:{port} ({problem.strerror})", way_out="Choose another --host or --port."
        ) from problem


async def ask(data: bytes, *, host: str, port: int, seconds: float = 30.0, limit: int = LARGEST_ORDER) -> bytes:
    """Send a message, and wait for its answer.

    Args:
        data: the message.
        host: of whoever listens.
        port: of whoever listens.
        seconds: for all of it.
        limit: bytes of the answer.

    Raises:
        EngineError: nobody answers, or not within the time, or not a whole message.
    """
    place = f"{host}:{port}"
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port, limit=2**16)
            try:
                writer.write(START + data + END)
                await writer.drain()
                return await read_frame(reader, limit)
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
    except TimeoutError as problem:
        raise EngineError(f"no answer within {seconds:g} s", where=place) from problem
    except asyncio.IncompleteReadError as problem:
        raise EngineError("the line was closed without an answer", where=place) from problem
    except InputError as problem:
        raise EngineError(f"the answer is no message: {problem.what}", where=place) from problem
    except OSError as problem:
        raise EngineError(f"nobody answers ({problem.strerror or type(problem).__name__})", where=place) from problem


async def read_frame(reader: asyncio.StreamReader, limit: int) -> bytes:
    """The message of a frame whose beginning, or the noise before it, comes next.

    Raises:
        InputError: it is too large, or what comes is no frame.
        asyncio.IncompleteReadError: the line was closed before its end.
    """
    noise = 0
    while (first := await reader.readexactly(1)) != START:
        noise += 1
        if noise > 64 or first not in b"\r\n\0 ":
            raise InputError("what came is no message in a frame")
    return await _rest(reader, limit)


async def _rest(reader: asyncio.StreamReader, limit: int) -> bytes:
    held = bytearray()
    while True:
        part = await reader.read(2**16)
        if not part:
            raise asyncio.IncompleteReadError(bytes(held[:64]), None)
        before = max(0, len(held) - 1)
        held += part
        end = held.find(END, before)
        if end >= 0:
            if len(held) > end + len(END):
                # Whoever sends waits for each answer: more than one message is no conversation.
                raise InputError("more than one message came without waiting for an answer")
            return bytes(held[:end])
        if len(held) > limit:
            raise InputError(f"the message is larger than {limit} bytes")


async def _converse(handle: Handle, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
    told = writer.get_extra_info("peername")
    peer = f"{told[0]}:{told[1]}" if told else "unknown"
    while True:
        async with asyncio.timeout(limits.idle_seconds):
            first = await reader.read(1)
        if not first:
            return
        if first in b"\r\n\0 ":
            continue
        if first != START:
            return
        async with asyncio.timeout(limits.frame_seconds):
            data = await _rest(reader, limits.frame)
        answer = await handle(data, peer)
        writer.write(START + answer + END)
        await writer.drain()
