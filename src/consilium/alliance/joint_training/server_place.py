"""Where the server of a study listens: one host name and one port, which is all that a firewall must let through."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from consilium.alliance.joint_training.flare_names import SERVER
from consilium.alliance.joint_training.membership import write_private
from consilium.errors import InputError

_FILE = "server.json"
_NAME = re.compile(r"(?=.{1,64}\Z)[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?)*")
"""At most 64 characters: the name is in the server's certificate, whose field holds no more (X.520)."""


@dataclass(frozen=True, kw_only=True)
class ServerPlace:
    """Host and port of a study's server.

    Attributes:
        host: as hospitals reach it, lower case; with "localhost" the server listens on loopback alone, with any other
            on all addresses of its machine.
        port: for training and for the lead.

    Raises:
        InputError: FLARE cannot listen there.
    """

    host: str = SERVER
    port: int

    def __post_init__(self) -> None:
        if not isinstance(self.host, str) or not _NAME.fullmatch(self.host) or _other_loopback(self.host):
            raise InputError(
                f"{self.host!r} cannot be the server's machine", where="host",
                way_out="Give a name or an IPv4 address that the hospitals reach, or localhost.",
            )  # fmt: skip
        if isinstance(self.port, bool) or not isinstance(self.port, int) or not 1024 <= self.port <= 65535:
            raise InputError(f"{self.port!r} cannot be its port", where="port", way_out="Take one of 1024 to 65535.")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def answers(self, *, seconds: float = 2.0) -> bool:
        """Whether anybody listens there."""
        try:
            socket.create_connection((self.host, self.port), timeout=seconds).close()
        except OSError:
            return False
        return True


def _other_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def place_from(told: Mapping[str, Any]) -> ServerPlace:
    """A place from JSON values.

    Raises:
        InputError: they are none.
    """
    if not isinstance(told, Mapping) or set(told) != {"host", "port"}:
        raise InputError("host and port of the server are not told")
    return ServerPlace(host=told["host"], port=told["port"])


def write_place(place: ServerPlace, folder: Path) -> None:
    """Settle where the server of the study in a folder listens."""
    write_private(folder / _FILE, json.dumps(asdict(place)).encode())


def place_in(folder: Path) -> ServerPlace:
    """Where the server of the study in a folder listens; where nobody said, it is settled now: loopback, a free port.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return place_from(json.loads((folder / _FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        found = ServerPlace(port=free_port())
        write_place(found, folder)
        return found
    except ValueError as problem:
        raise InputError("where the server listens is damaged", where=str(folder / _FILE)) from problem
