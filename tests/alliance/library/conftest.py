"""A small real package, libraries to put it in, and real servers on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
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
from tests.postgres import database, postgres, wait_until

__all__ = ["database", "postgres"]

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
