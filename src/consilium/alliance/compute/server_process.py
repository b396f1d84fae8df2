"""The process behind an engine: one a folder, started by whoever needs it, outliving him.

It holds a lock for as long as it lives, so whether it runs can be told after any crash; it ends where it finds word
that it should.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from consilium.errors import EngineError

_LOCK = "server.lock"
_RECORD = "server.json"
_STOP = "stop"
_WITHIN = 20.0


def start(home: Path, module: str) -> None:
    """See that the process runs; it is started apart from this one and outlives it.

    Args:
        home: folder of the engine.
        module: what it runs, with the folder as its argument; it has to leave this process by itself (`leave`).

    Raises:
        EngineError: it does not start.
    """
    if serving(home):
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = home / "server.log"
    with log.open("ab") as stream:
        # It forks once more: its child is nobody's here, and no call leaves a process behind that it has to reap.
        subprocess.run(
            [sys.executable, "-m", module, str(home)],
            stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True, check=False,
        )  # fmt: skip
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        if (home / _RECORD).exists() and serving(home):
            return
        time.sleep(0.05)
    raise EngineError(
        f"the process behind the engine did not start in {_WITHIN:g} s",
        where=str(log),
        way_out="Its last lines say why. Jobs are kept and run as soon as it does.",
    )


def stop(home: Path) -> bool:
    """End the process. Whether it ran.

    Raises:
        EngineError: it does not end.
    """
    if not serving(home):
        return False
    (home / _STOP).touch()
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        if not serving(home):
            return True
        time.sleep(0.05)
    raise EngineError(
        "the process behind the engine does not end",
        where=str(home / _RECORD),
        way_out=f"End process {process(home) or '?'} by hand.",
    )


def serving(home: Path) -> bool:
    """Whether it runs."""
    try:
        with (home / _LOCK).open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def process(home: Path) -> int | None:
    """Its number; None where none runs."""
    try:
        pid = int(json.loads((home / _RECORD).read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError):
        return None
    return pid if serving(home) else None


def leave() -> None:
    """In the new process: go on as nobody's child."""
    if os.fork():
        os._exit(0)


@contextmanager
def only_one(home: Path) -> Iterator[bool]:
    """In the new process: be the one of the folder; false where another is."""
    with (home / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        (home / _STOP).unlink(missing_ok=True)
        try:
            yield True
        finally:
            (home / _RECORD).unlink(missing_ok=True)


def tell(home: Path, known: Mapping[str, Any]) -> None:
    """In the new process: say that it is ready."""
    half = home / f".{_RECORD}.{os.getpid()}"
    half.write_text(json.dumps({"pid": os.getpid(), "started": time.time(), **known}), encoding="utf-8")
    half.replace(home / _RECORD)


def told_to_stop(home: Path) -> bool:
    """In the new process: whether somebody wants it to end."""
    return (home / _STOP).exists()
