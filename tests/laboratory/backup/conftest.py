"""A laboratory with something in every corner, and a place to bring it back to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from consilium.cli.laboratory_backup import _parts
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.laboratory import Laboratory
from consilium.web.security.accounts import Accounts, reset_password
from consilium.web.security.sign_in import sign_in
from consilium.web.security.tokens import make_token
from tests.laboratory.analysis.conftest import case_with_cells
from tests.laboratory.conftest import founded, received
from tests.postgres import postgres

__all__ = ["postgres"]

PARTS = _parts()


@pytest.fixture
def new_url(postgres_or_not: Callable[[], str], tmp_path: Path) -> Callable[[str], str]:
    """`new_url("sqlite")` or `new_url("postgresql")`: an empty database."""
    made = 0

    def make(kind: str) -> str:
        nonlocal made
        made += 1
        return f"sqlite:///{tmp_path / f'records{made}.db'}" if kind == "sqlite" else postgres_or_not()

    return make


@pytest.fixture
def postgres_or_not(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes a database of PostgreSQL where a test wants one."""
    made = 0

    def make() -> str:
        nonlocal made
        import psycopg

        folder = request.getfixturevalue("postgres")
        made += 1
        name = f"b{abs(hash(request.node.nodeid)):x}_{made}"
        with psycopg.connect(host=folder, user="consilium", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://consilium@/{name}?host={folder}"

    return make


def filled(url: str, folder: Path, cases: int = 2) -> Files:
    """Records, pictures, readings, accounts, tokens."""
    records, files = founded(url), Files(folder / "files")
    case_with_cells(records, files, folder / "made")
    for number in range(cases):
        received(records, name=f"Patient \u4e2d\u6587 \u00e9 {number}", birth_date="1980-01-01")
    records.close()
    accounts = Accounts(url)
    once = reset_password(accounts, "tang", by="ada")
    make_token(accounts, "tang", name="lis", roles=["technologist"], days=9)
    sign_in(accounts, person="tang", password=once, address="192.0.2.1")
    accounts.close()
    return files


@pytest.fixture
def source(tmp_path: Path) -> str:
    """URL of a filled laboratory on SQLite; its files are in `files` beside it."""
    url = f"sqlite:///{tmp_path / 'source' / 'records.db'}"
    filled(url, tmp_path / "source")
    return url


def opened(url: str) -> Laboratory:
    return Laboratory(url)
