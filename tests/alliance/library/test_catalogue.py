"""The catalogue on both databases: its tables, its steps, its transactions."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consilium.alliance.library.catalogue import HEAD, SCHEMA, VERSION_TABLE, Catalogue
from consilium.database import database as module
from consilium.errors import EngineError, InputError, MissingExtra, OutputError


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a' / 'catalogue.db'}"
    return str(request.getfixturevalue("database"))


@pytest.fixture
def catalogue(url: str) -> Iterator[Catalogue]:
    made = Catalogue(url)
    yield made
    made.close()


def model(name: str) -> Any:
    from consilium.alliance.library.tables import ModelRow

    return ModelRow(name=name, hospital="hospital_a")


def number_in(session: Any) -> int:
    from sqlalchemy import func, select

    from consilium.alliance.library.tables import ModelRow

    return int(session.scalar(select(func.count()).select_from(ModelRow)))


def count(catalogue: Catalogue) -> int:
    with catalogue.reading() as session:
        return number_in(session)


def test_the_steps_make_the_tables_that_the_program_knows(catalogue: Catalogue) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from consilium.alliance.library.tables import Table

    with catalogue._engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": VERSION_TABLE, "compare_type": True},
        )
        assert compare_metadata(context, Table.metadata) == []


def test_the_newest_step_is_the_one_that_is_named() -> None:
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(module._ENVIRONMENT), version_locations=[str(SCHEMA.steps)])
    assert steps.get_current_head() == HEAD


def test_what_is_there_stays_when_it_is_opened_again(catalogue: Catalogue, url: str) -> None:
    with catalogue.writing() as session:
        session.add(model("small"))
    again = Catalogue(url)
    assert count(again) == 1
    again.close()


def test_a_block_that_raises_leaves_nothing(catalogue: Catalogue) -> None:
    def half() -> None:
        with catalogue.writing() as session:
            session.add(model("small"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert count(catalogue) == 0


def test_writers_wait_for_each_other(catalogue: Catalogue) -> None:
    """Each looks and then adds: without waiting two would see the same number."""

    def add() -> None:
        for _ in range(5):
            with catalogue.writing() as session:
                session.add(model(f"m{number_in(session)}"))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert count(catalogue) == 20


def test_several_processes_open_a_new_one_at_once(url: str) -> None:
    code = f"from consilium.alliance.library.catalogue import Catalogue; Catalogue({url!r}).close()"
    several = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    for one in several:
        _, told = one.communicate(timeout=60)
        assert one.returncode == 0, told.decode()
    made = Catalogue(url)
    assert count(made) == 0
    made.close()


def test_one_of_a_newer_version_is_refused(catalogue: Catalogue, url: str) -> None:
    from sqlalchemy import text

    with catalogue.writing() as session:
        session.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(EngineError, match="newer version"):
        Catalogue(url)


def test_a_file_of_sqlite_is_for_its_owner_alone(tmp_path: Path) -> None:
    Catalogue(f"sqlite:///{tmp_path / 'home' / 'library' / 'c.db'}").close()
    assert stat.S_IMODE((tmp_path / "home" / "library" / "c.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home" / "library").stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_catalogue_is_refused(url: str) -> None:
    with pytest.raises(InputError) as refused:
        Catalogue(url)
    assert refused.value.way_out


def test_a_file_that_is_no_database_is_said_and_kept(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_text("Dear colleague, the slides are in the post. " * 50)
    with pytest.raises(EngineError, match="not a database"):
        Catalogue(f"sqlite:///{tmp_path / 'c.db'}")
    assert (tmp_path / "c.db").read_text().startswith("Dear colleague")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        Catalogue(f"sqlite:///{tmp_path / 'file' / 'c.db'}")


def test_a_server_that_does_not_answer_is_said_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: PostgreSQL is not tested")
    with pytest.raises(EngineError, match="does not answer") as refused:
        Catalogue(f"postgresql://li:geheim@/library?host={tmp_path}")
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("missing", ["sqlalchemy", "alembic", "psycopg"])
def test_without_the_extra_it_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else real(name))
    with pytest.raises(MissingExtra, match=missing) as refused:
        Catalogue("postgresql://host/library")
    assert "consilium[library]" in refused.value.way_out
