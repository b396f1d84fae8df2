"""A real PostgreSQL for tests; where there is none they are skipped with the reason."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def wait_until(ready: Callable[[], bool], what: str, within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not start"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL that listens on a socket in a folder alone: its folder."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: PostgreSQL is not tested")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(one) for one in (shutil.which("initdb"),) if one is not None
    ]
    if not found:
        pytest.skip("PostgreSQL is not installed: shared databases are not tested")
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
