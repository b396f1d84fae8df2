"""FLARE's processes of a study on this machine: started by us, known by process id, stopped by us.

A process is kept as a file with its id and the time it began, so that a number that the system gave to somebody else
meanwhile is never taken for ours.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from consilium.alliance.joint_training.membership import write_private
from consilium.errors import EngineError

Part = Literal["server", "client"]
_FILE = "process.json"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start(kit: Path, part: Part, name: str, organisation: str) -> int:
    """Start FLARE in a kit, if it does not run already; its process id."""
    if (running := alive(kit)) is not None:
        return running
    module = f"nvflare.private.fed.app.{part}.{part}_train"
    settings = ["secure_train=true", f"org={organisation}", "config_folder=config"]
    if part == "client":
        settings.insert(1, f"uid={name}")
    command = [
        sys.executable, "-u", "-m", module, "-m", str(kit), "-s", f"fed_{part}.json", "--set", *settings,
    ]  # fmt: skip
    (kit / "transfer").mkdir(exist_ok=True, mode=0o700)
    with open(kit / "out.log", "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
        process = subprocess.Popen(
            command, cwd=kit, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            umask=0o077, env=_environment(),
        )  # fmt: skip
    # It outlives this call and is known by its id from here on; else Python would complain that nobody waits for it.
    process.returncode = 0
    write_private(kit / _FILE, json.dumps({"pid": process.pid, "began": _began(process.pid)}).encode())
    return process.pid


def alive(kit: Path) -> int | None:
    """The process id of what runs in a kit."""
    try:
        told = json.loads((kit / _FILE).read_text(encoding="utf-8"))
        pid, began = int(told["pid"]), told["began"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if began is not None and _began(pid) == began else None


def stop(kit: Path, *, seconds: float = 10.0) -> None:
    """End what runs in a kit, with the processes of its jobs; at once if it does not go."""
    family = _family(kit)
    for one in family:
        _signal(one, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(map(_lives, family)):
        for one in family:
            _reap(one)
        time.sleep(0.1)
    for one in _family(kit):
        _signal(one, signal.SIGKILL)
        _reap(one)
    (kit / _FILE).unlink(missing_ok=True)


def wait_for_port(kit: Path, port: int, *, seconds: float = 60.0) -> None:
    """Wait until the server listens.

    Raises:
        EngineError: it does not, or has ended.
    """
    import socket

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as one:
            one.settimeout(0.5)
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        if alive(kit) is None:
            break
        time.sleep(0.1)
    raise EngineError("the server of NVIDIA FLARE did not start", where=str(kit), way_out=f"See {kit / 'out.log'}.")


def _environment() -> dict[str, str]:
    found = {**os.environ, **{name: os.environ.get(name, "1") for name in _THREADS}}
    # What FLARE starts finds the same packages, this one included.
    found["PYTHONPATH"] = os.pathsep.join(one for one in sys.path if one)
    found.pop("CONSILIUM_PERSON", None)
    return found


def _began(pid: int) -> str | None:
    """When a process began, by the system's clock; None where there is none, or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _family(kit: Path) -> list[int]:
    """The processes that run in a kit: FLARE tells each the folder; those of jobs have sessions of their own."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(kit).encode() in arguments and _lives(int(path.name)):
            found.append(int(path.name))
    return sorted(found)


def _lives(pid: int) -> bool:
    return _began(pid) is not None


def _signal(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except (ProcessLookupError, PermissionError):
        return


def _reap(pid: int) -> None:
    """Take the exit status of a child of ours, so that nothing is left of it."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
