"""A workstation over a laboratory of its own, asked as one of its people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from consilium.laboratory.laboratory import Laboratory, put_staff, worker_in
from consilium.web.app import create_app
from consilium.web.context import Signed
from consilium.web.settings import Settings
from tests.laboratory.conftest import PEOPLE, PROFILE

Client = Callable[..., TestClient]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a founded laboratory with the people of `PEOPLE`."""
    made = Settings(database=f"sqlite:///{tmp_path / 'records.db'}", files=tmp_path / "files", hosts=("testserver",))
    records = Laboratory(made.database)
    records.begin("ada", PROFILE)
    with records.changing("ada") as change:
        for name, roles in PEOPLE.items():
            put_staff(change, name, roles)
    records.close()
    return made


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    def signed(request: Request) -> Signed | None:
        name = request.headers.get("x-person", "")
        if not name:
            return None
        with request.app.state.records.reading() as session:
            worker = worker_in(session, name)
        return Signed(
            person=name,
            roles=worker.roles,
            csrf="csrf",
            lang="zh" if "zh" in request.cookies.get("consilium_lang", "") else "en",
        )

    return create_app(settings, signed)


@pytest.fixture
def client(app: FastAPI) -> Iterator[Client]:
    """`client("tang")` asks as Tang, `client()` as nobody."""
    opened: list[TestClient] = []

    def asking(person: str = "") -> TestClient:
        made = TestClient(app, headers={"x-person": person} if person else {}, follow_redirects=False)
        made.__enter__()
        opened.append(made)
        return made

    yield asking
    for one in opened:
        one.__exit__(None, None, None)
