"""A private Slurm on one machine, owned by whoever starts it: for trying the alliance, and for its tests.

`up` starts munge, MariaDB, slurmdbd, slurmctld and one slurmd a node, each only where it does not run already; `down`
ends them. Nothing is installed or changed outside the folder, and no right of an administrator is needed. Its nodes
share the one machine: they hold the count of cores, they do not make any.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from consilium.alliance.compute import slurm_files
from consilium.alliance.compute.slurm_files import Layout, Place
from consilium.errors import EngineError

PACKAGES = "slurm-wlm slurmdbd slurm-client slurm-wlm-basic-plugins slurm-wlm-mysql-plugin mariadb-server munge"
"""Of Debian and Ubuntu: what has to be installed."""

_PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacctmgr")
_WITHIN = 60.0
_TO_END = 20.0


class SlurmCluster:
    """A private Slurm.

    Args:
        home: its folder; made where there is none.
    """

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()

    @property
    def conf(self) -> Path:
        """What `SLURM_CONF` has to be."""
        return self._home / "etc" / "slurm.conf"

    def layout(self) -> Layout:
        """What it was made of.

        Raises:
            EngineError: there is none yet.
        """
        try:
            return Layout(**json.loads((self._home / "cluster.json").read_text(encoding="utf-8"))["layout"])
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise EngineError(
                "there is no private Slurm", where=str(self._home), way_out="consilium alliance up --dev"
            ) from problem

    def up(self, layout: Layout, told: Callable[[str], None] = lambda step: None) -> None:
        """Start whatever of it does not run.

        Args:
            layout: its nodes; a cluster that was made before keeps those it was made with.
            told: called with each step as it begins.

        Raises:
            EngineError: programs are not installed, or one does not start; the message has its last words.
        """
        _need_programs()
        place, layout = self._made(layout)
        if not self._pid("munged"):
            told("munge")
            self._run(["munged", "--force", f"--socket={self._home}/munge/munge.sock",
                       f"--key-file={self._home}/munge/munge.key", f"--pid-file={self._home}/run/munged.pid",
                       f"--log-file={self._home}/log/munged.log", f"--seed-file={self._home}/munge/seed"])  # fmt: skip
            self._wait("munged", lambda: (self._home / "munge" / "munge.sock").exists())
        if not self._pid("mariadbd"):
            told("MariaDB")
            self._start_database(place)
        if not self._pid("slurmdbd"):
            told("slurmdbd")
            (self._home / "run" / "slurmdbd.pid").unlink(missing_ok=True)
            self._run(["slurmdbd"])
            self._wait("slurmdbd", lambda: self._asks(["sacctmgr", "-n", "list", "cluster"]))
            self._run(["sacctmgr", "-i", "add", "cluster", "alliance"], check=False)
        if not self._pid("slurmctld"):
            told("slurmctld")
            (self._home / "run" / "slurmctld.pid").unlink(missing_ok=True)
            self._run(["slurmctld"])
            self._wait("slurmctld", lambda: self._asks(["scontrol", "ping"], "is UP"))
        told(f"{layout.nodes} nodes")
        self._start_nodes()
        self._resume(layout)
        self._wait("slurmd", lambda: self._idle(layout))

    def _start_nodes(self) -> None:
        """Start the slurmd of each node that is always there and has none."""
        for name in self.layout().names():
            if not self._pid(f"slurmd-{name}"):
                (self._home / "run" / f"slurmd-{name}.pid").unlink(missing_ok=True)
                self._run(["slurmd", "-N", name])

    def down(self) -> None:
        """End all of it; jobs that run are started again after the next `up`.

        Raises:
            EngineError: a process does not end.
        """
        nodes = sorted(path.stem for path in (self._home / "run").glob("slurmd-*.pid"))
        for daemons in (nodes, ["slurmctld"], ["slurmdbd"], ["mariadbd", "munged"]):
            self._end(daemons)

    def running(self) -> dict[str, int]:
        """The daemons that run, and their processes."""
        found = {path.stem: self._pid(path.stem) for path in sorted((self._home / "run").glob("*.pid"))}
        return {name: pid for name, pid in found.items() if pid}

    def environment(self) -> dict[str, str]:
        """The environment in which the tools of Slurm find it."""
        return {**os.environ, "SLURM_CONF": str(self.conf), "PATH": _with_sbin(), "SLURM_TIME_FORMAT": "%s"}

    def _made(self, layout: Layout) -> tuple[Place, Layout]:
        record = self._home / "cluster.json"
        if record.exists():
            place = Place(**json.loads(record.read_text(encoding="utf-8"))["place"] | {"home": self._home})
            layout = self.layout()
        else:
            place = Place(
                home=self._home, host=socket.gethostname().partition(".")[0], user=pwd.getpwuid(os.getuid()).pw_name,
                ports=tuple(_free_ports(2 + layout.nodes + layout.cloud)),
            )  # fmt: skip
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("etc", "munge", "run", "log", "state", "spool", "db", "dev"):
            (self._home / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (*layout.names(), *layout.cloud_names()):
            (self._home / "spool" / name).mkdir(exist_ok=True)
        for number in range(layout.gpus):
            (self._home / "dev" / f"gpu{number}").touch()
        key = self._home / "munge" / "munge.key"
        if not key.exists():
            _write(key, secrets.token_bytes(128))
        for name, text in {
            "slurm.conf": slurm_files.slurm_conf(layout, place),
            "slurmdbd.conf": slurm_files.slurmdbd_conf(place),
            "cgroup.conf": slurm_files.cgroup_conf(place),
            "gres.conf": slurm_files.gres_conf(layout, place),
            "resume.sh": slurm_files.resume_sh(place, sys.executable),
            "suspend.sh": slurm_files.suspend_sh(place),
        }.items():
            _write(self._home / "etc" / name, text.encode(), 0o700 if name.endswith(".sh") else 0o600)
        told = {"layout": asdict(layout), "place": {**asdict(place), "home": str(self._home)}}
        _write(record, json.dumps(told).encode())
        return place, layout

    def _start_database(self, place: Place) -> None:
        data, sock = self._home / "db" / "data", self._home / "db" / "m.sock"
        if not (data / "mysql").is_dir():
            shutil.rmtree(data, ignore_errors=True)
            self._run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={place.user}",
                       "--auth-root-authentication-method=socket", f"--auth-root-socket-user={place.user}",
                       "--skip-test-db"])  # fmt: skip
        sock.unlink(missing_ok=True)
        with (self._home / "log" / "mariadbd.log").open("ab") as log:
            # It does not leave its starter by itself, as the other daemons do: a shell in between does it for it.
            subprocess.run(
                ["sh", "-c", '"$@" &', "sh", "mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={sock}",
                 "--skip-networking", f"--pid-file={self._home}/run/mariadbd.pid", f"--user={place.user}",
                 "--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(), start_new_session=True,
                check=True,
            )  # fmt: skip
        asked = ["mariadb", "--no-defaults", f"--socket={sock}", f"--user={place.user}", "-e"]
        self._wait("mariadbd", lambda: self._asks([*asked, "CREATE DATABASE IF NOT EXISTS slurm_acct"]))

    def _resume(self, layout: Layout) -> None:
        """Take nodes back that the controller gave up while it, or they, were down."""
        told = self._said(["sinfo", "-h", "-N", "-o", "%N %T"])
        for name in (line.split()[0] for line in told.splitlines() if "drain" in line or "down" in line):
            if name in layout.names():
                self._run(["scontrol", "update", f"nodename={name}", "state=resume"], check=False)

    def _idle(self, layout: Layout) -> bool:
        told = self._said(["sinfo", "-h", "-N", "-o", "%N %T"])
        fit = {line.split()[0] for line in told.splitlines() if line.split()[1] in ("idle", "mixed", "allocated")}
        return set(layout.names()) <= fit

    def _pid(self, daemon: str) -> int | None:
        """The process of a daemon of this cluster, if it lives."""
        try:
            pid = int((self._home / "run" / f"{daemon}.pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if Path(os.fsdecode(words[0])).name == daemon.partition("-")[0] else None

    def _end(self, daemons: Sequence[str]) -> None:
        pids = {name: pid for name in daemons if (pid := self._pid(name))}
        for pid in pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _TO_END
        while left := [name for name, pid in pids.items() if self._pid(name) == pid]:
            if time.monotonic() > deadline:
                raise EngineError(
                    f"{', '.join(left)} does not end", where=str(self._home), way_out=f"End {pids} by hand."
                )
            time.sleep(0.05)

    def _wait(self, daemon: str, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _WITHIN
        while time.monotonic() < deadline:
            if there():
                return
            time.sleep(0.05)
        log = self._home / "log" / f"{daemon}.log"
        last = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
        raise EngineError(
            f"{daemon} did not start in {_WITHIN:g} s" + (": " + " | ".join(last) if last else ""),
            where=str(self._home / "log"),
            way_out="Its log says why; `consilium alliance down`, then up again.",
        )

    def _asks(self, command: Sequence[str], expected: str = "") -> bool:
        try:
            done = subprocess.run(
                command, env=self.environment(), capture_output=True, text=True, check=False, timeout=5
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0 and expected in done.stdout

    def _said(self, command: Sequence[str]) -> str:
        return subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, check=False, timeout=30
        ).stdout

    def _run(self, command: Sequence[str], *, check: bool = True) -> None:
        environment = {**self.environment(), "MYSQL_UNIX_PORT": str(self._home / "db" / "m.sock")}
        with (self._home / "log" / "start.log").open("ab") as log:
            # Daemons keep what they were started with open: no pipe of ours, or whoever reads it waits for them.
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, timeout=_WITHIN
            )
        if check and done.returncode:
            last = (self._home / "log" / "start.log").read_text(errors="replace").splitlines()[-3:]
            raise EngineError(f"{command[0]} does not start: {' | '.join(last)}", where=str(self._home / "log"))


def missing_programs() -> list[str]:
    """Which programs of Slurm are not installed."""
    return [one for one in _PROGRAMS if shutil.which(one, path=_with_sbin()) is None]


def _need_programs() -> None:
    if lacking := missing_programs():
        raise EngineError(
            f"{', '.join(lacking)} not installed",
            way_out=f"On Debian or Ubuntu: apt-get install --no-install-recommends {PACKAGES}",
        )


def _with_sbin() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/bin"])


def _free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    half = path.with_name(f".{path.name}.half")
    with open(half, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as stream:
        stream.write(content)
    half.chmod(mode)
    half.replace(path)
