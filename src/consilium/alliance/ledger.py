"""Who did what: a file to which lines are only ever added, each bound to the one before by its hash.

A line that was changed, taken out or put in breaks the chain at its place. What a chain cannot show by itself is that
its end was cut off or that all of it was written anew: for that, the newest digest (`Verified.head`) is kept elsewhere
and given to `verify` later (Haber and Stornetta 1991, "How to time-stamp a digital document").

Adding is safe against a crash: a line counts once it ends with a line feed and is on the disk, and what a crash left of
a line is moved aside by whoever adds next. Several processes may add to one file.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consilium.errors import LedgerBroken, OutputError

START = "0" * 64
"""The digest that the first entry follows."""

_TAIL = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line.

    Attributes:
        number: from 1.
        time: of writing, ISO 8601 in UTC, by the clock of the machine that wrote it.
        who: a person, or a part of the system.
        what: the act, e.g. "job.submit".
        on: what it was done to, e.g. "job 17".
        details: whatever else explains it; JSON, without names of patients.
        previous: digest of the entry before.
        digest: SHA-256 of all else, in hexadecimal.
    """

    number: int
    time: str
    who: str
    what: str
    on: str
    details: Mapping[str, Any] = field(default_factory=dict)
    previous: str
    digest: str

    def expected_digest(self) -> str:
        """The digest that belongs to the other fields."""
        told = {name: value for name, value in asdict(self).items() if name != "digest"}
        text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def as_line(self) -> bytes:
        """The line, with its line feed."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False).encode() + b"\n"


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a look at the whole chain found.

    Attributes:
        entries: how many there are.
        head: the newest digest; what to keep elsewhere.
        clock_went_back: numbers of entries with an earlier time than the one before; no break, but to be explained.
        unfinished: bytes after the last whole line, left by a crash or being written just now.
    """

    entries: int
    head: str
    clock_went_back: tuple[int, ...]
    unfinished: int


def append(path: Path, *, who: str, what: str, on: str, details: Mapping[str, Any] | None = None) -> Entry:
    """Add one entry and return when it is on the disk.

    Args:
        path: the ledger; made, readable by its owner alone, where there is none.
        who: did it.
        what: was done.
        on: what it was done to.
        details: whatever else explains it.

    Raises:
        LedgerBroken: the newest entry is not what its digest says; nothing is added to a broken ledger.
        OutputError: it cannot be written; the file is as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as problem:
        raise _unwritable(path, problem) from problem
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = _without_unfinished(handle, path)
        newest = _newest(handle, size, path)
        number, previous = (1, START) if newest is None else (newest.number + 1, newest.digest)
        bare = Entry(
            number=number, time=_now(), who=who, what=what, on=on, details=dict(details or {}), previous=previous,
            digest="",
        )  # fmt: skip
        entry = _of(json.loads(Entry(**{**asdict(bare), "digest": bare.expected_digest()}).as_line()), path, number)
        try:
            _write_all(handle, entry.as_line())
            os.fsync(handle)
        except OSError as problem:
            # A full disk: half a line is no entry.
            with contextlib.suppress(OSError):
                os.ftruncate(handle, size)
            raise _unwritable(path, problem) from problem
        return entry
    finally:
        os.close(handle)


def entries(path: Path) -> Iterator[Entry]:
    """The whole entries, oldest first, each held against its own digest and the one before.

    Raises:
        LedgerBroken: the chain breaks; the message has the number of the line.
        OSError: it cannot be read.
    """
    previous, number = START, 0
    with path.open("rb") as stream:
        for line in stream:
            if not line.endswith(b"\n"):
                return
            number += 1
            entry = _parsed(line, path, number)
            if entry.number != number or entry.previous != previous:
                raise _broken(path, number, "it does not follow the line before")
            previous = entry.digest
            yield entry


def verify(path: Path, *, head: str = "") -> Verified:
    """Go over the whole chain.

    Args:
        path: the ledger.
        head: a digest that was kept elsewhere; it must be one of the chain, or the end was cut off or rewritten.

    Raises:
        LedgerBroken: the chain breaks, or does not have `head`.
        OSError: it cannot be read.
    """
    newest, back, seen = START, [], head in ("", START)
    count, before = 0, ""
    for entry in entries(path):
        if entry.time < before:
            back.append(entry.number)
        before, newest, count = entry.time, entry.digest, entry.number
        seen = seen or entry.digest == head
    if not seen:
        raise LedgerBroken(
            f"none of its {count} entries has the digest that was kept ({head[:12]}...)",
            where=str(path),
            way_out="Its end was cut off or it was written anew: bring back a copy that has that entry.",
        )
    content = path.stat().st_size
    with path.open("rb") as stream:
        unfinished = _unfinished(stream.fileno(), content)
    return Verified(entries=count, head=newest, clock_went_back=tuple(back), unfinished=unfinished)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def _unfinished(handle: int, size: int) -> int:
    """Bytes after the last line feed."""
    at = size
    while at > 0:
        start = max(0, at - _TAIL)
        place = os.pread(handle, at - start, start).rfind(b"\n")
        if place >= 0:
            return size - (start + place + 1)
        at = start
    return size


def _without_unfinished(handle: int, path: Path) -> int:
    """Move what a crash left of a line aside; the size after it."""
    size = os.fstat(handle).st_size
    torn = _unfinished(handle, size)
    if torn:
        aside = path.with_name(f"{path.name}.torn-at-{size - torn}")
        with open(aside, "ab", opener=_private) as stream:
            stream.write(os.pread(handle, torn, size - torn))
        os.ftruncate(handle, size - torn)
    return size - torn


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _newest(handle: int, size: int, path: Path) -> Entry | None:
    """The last entry of a file that ends with a line feed."""
    if size == 0:
        return None
    before = _unfinished(handle, size - 1)
    return _parsed(os.pread(handle, before + 1, size - 1 - before), path, None)


def _parsed(line: bytes, path: Path, number: int | None) -> Entry:
    try:
        told = json.loads(line)
    except ValueError as problem:
        raise _broken(path, number, "it is not JSON") from problem
    return _of(told, path, number)


def _of(told: Any, path: Path, number: int | None) -> Entry:
    try:
        entry = Entry(**told)
        right = entry.digest == entry.expected_digest()
    except (TypeError, ValueError) as problem:
        raise _broken(path, number, "it is not an entry") from problem
    if not right:
        raise _broken(path, number, "it is not what its digest says")
    return entry


def _broken(path: Path, number: int | None, what: str) -> LedgerBroken:
    return LedgerBroken(
        f"the ledger is broken at line {number}: {what}"
        if number
        else f"the ledger is broken at its last line: {what}",
        where=str(path),
        way_out="Somebody changed it. Keep it as evidence, bring back a copy that verifies, and go on there.",
    )


def _unwritable(path: Path, problem: OSError) -> OutputError:
    return OutputError(
        f"the ledger cannot be written ({problem.strerror})",
        where=str(path),
        way_out="Nothing is done without an entry: make room or ask for permission, then call again.",
    )
