"""A small real package, libraries to put it in, and real servers on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from consilium.alliance.library.keys import trust_key
from consilium.alliance.library.library import Library, open_library
from consilium.alliance.library.pack import Terms
from consilium.alliance.library.trust import make_key
from consilium.alliance.permissions import ROLES, Person
from tests.alliance.library.small_bundle import small_bundle

ZHANG = Person(name="zhang", hospital="hospital_a", roles=frozenset(ROLES))
LI = Person(name="li", hospital="hospital_a", roles=frozenset({"member", "approver"}))
WANG = Person(name="wang", hospital="hospital_b", roles=frozenset({"member"}))
ZHAO = Person(name="zhao", hospital="hospital_c", roles=frozenset({"member", "publisher"}))
TERMS = Terms(licence="CC-BY-4.0", data={"": "CC0-1.0"})


@pytest.fixture(autouse=True)
def extras() -> None:
    """What the library and its tests need."""
    for module in ("sqlalchemy", "alembic", "packaging", "cryptography", "model_signing"):
        pytest.importorskip(module, reason=f"the library needs {module} (extra library)")
    pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A library, the ledger of its acts, and the key of hospital_a."""

    library: Library
    home: Path
    key: Path
    acts: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)


def place_in(home: Path, *, catalogue: str = "", store: str = "", with_key: bool = True) -> Place:
    acts: list[tuple[str, str, dict[str, Any]]] = []

    def note(what: str, on: str, **details: Any) -> None:
        acts.append((what, on, details))

    library = open_library(home, catalogue=catalogue, store=store, note=note)
    key = home / "keys" / "own.pem"
    if with_key and not key.exists():
        trust_key(library, ZHANG, make_key(key), hospital="hospital_a")
    acts.clear()
    return Place(library=library, home=home, key=key, acts=acts)


def beside(place: Place, home: Path) -> Place:
    """The same library as another hospital's installation sees it."""
    kept = place.home / "library"
    return place_in(home, catalogue=f"sqlite:///{kept / 'catalogue.db'}", store=str(kept / "files"), with_key=False)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = place_in(tmp_path / "home")
    yield made
    made.library.catalogue.close()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return small_bundle(tmp_path / "bundle")


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_until(ready: Callable[[], bool], what: str, within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not start"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real registry: HOST:PORT."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed: the store in a registry is not tested")
    folder = tmp_path_factory.mktemp("registry")
    port = free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/v2/"), "the registry")
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL that listens on a socket in a folder alone: its folder."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: PostgreSQL is not tested")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(one) for one in (shutil.which("initdb"),) if one is not None
    ]
    if not found:
        pytest.skip("PostgreSQL is not installed: the shared catalogue is not tested")
    as_other: list[str] = []
    # A path that is short, since a socket's may have 107 letters, and that another user may enter.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no setpriv to be somebody else")
        shutil.chown(folder, "nobody")
        as_other = ["setpriv", "--reuid=nobody", "--clear-groups", "--"]
    binaries, data = found[-1].parent, folder / "data"
    try:
        subprocess.run(
            [*as_other, str(binaries / "initdb"), "-D", str(data), "-U", "consilium", "-A", "trust", "-E", "UTF8"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        with (folder / "log").open("wb") as log:
            options = ["-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
            server = subprocess.Popen(
                [*as_other, str(binaries / "postgres"), "-D", str(data), *options], stdout=log, stderr=log, cwd=folder
            )
        try:
            wait_until(lambda: _lets_in(folder), "PostgreSQL")
            yield str(folder)
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lets_in(folder: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(host=str(folder), user="consilium", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def database(postgres: str, request: pytest.FixtureRequest) -> str:
    """URL of a new database on it."""
    import psycopg

    name = f"t{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(host=postgres, user="consilium", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://consilium@/{name}?host={postgres}"
