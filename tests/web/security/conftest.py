"""Accounts of a founded laboratory, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from consilium.web.app import create_app
from consilium.web.security.accounts import Accounts, change_password, reset_password
from consilium.web.settings import Settings
from tests.laboratory.conftest import founded
from tests.postgres import database, postgres

__all__ = ["database", "postgres"]

PASSWORD = "seven otters under a green piano"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2 with little work; `test_passwords.py` has it as it is."""
    if request.module.__name__.endswith("test_passwords"):
        yield
        return
    from argon2 import PasswordHasher

    from consilium.web.security import passwords

    little = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: little)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.db'}"
    return str(request.getfixturevalue("database"))


def opened(url: str, clock: Clock) -> Accounts:
    """Accounts of Tang and Ada, on records with the people of `tests/laboratory`."""
    founded(url).close()
    made = Accounts(url, clock=clock)
    for person in ("tang", "both", "ada"):
        reset_password(made, person, by="ada")
        change_password(made, person, new=PASSWORD)
    return made


@pytest.fixture
def accounts(url: str, clock: Clock) -> Iterator[Accounts]:
    made = opened(url, clock)
    yield made
    made.close()


@pytest.fixture
def small(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    """On SQLite alone, for what no database makes different."""
    made = opened(f"sqlite:///{tmp_path / 'small.db'}", clock)
    yield made
    made.close()


EVERYBODY = ("tang", "ren", "dai", "ada", "both")
Seat = Callable[..., TestClient]


def settled_in(folder: Path) -> Settings:
    """Of a founded laboratory in which everybody has an account."""
    made = Settings(database=f"sqlite:///{folder / 'records.db'}", files=folder / "files", hosts=("testserver",))
    founded(made.database).close()
    accounts = Accounts(made.database)
    for person in EVERYBODY:
        reset_password(accounts, person, by="ada")
        change_password(accounts, person, new=PASSWORD)
    accounts.close()
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """As `settled_in` makes them."""
    return settled_in(tmp_path)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def seat(app: FastAPI) -> Iterator[Seat]:
    """`seat("tang")` is a browser at which Tang signed in, `seat()` one at which nobody did."""
    opened: list[TestClient] = []

    def sit(person: str = "") -> TestClient:
        made = TestClient(app, follow_redirects=False)
        made.__enter__()
        opened.append(made)
        if person:
            answer = made.post("/api/v1/session", json={"person": person, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            made.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return made

    yield sit
    for one in opened:
        one.__exit__(None, None, None)
