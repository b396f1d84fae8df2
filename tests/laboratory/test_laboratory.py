"""The database of a laboratory: its tables, what it refuses by itself, who is let in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from sqlalchemy import func, inspect, select, text

from consilium.database import database as module
from consilium.errors import EngineError, InputError, NotAllowed
from consilium.laboratory import tables
from consilium.laboratory.analysis import tables as analysis
from consilium.laboratory.exchange import tables as exchange
from consilium.laboratory.laboratory import (
    HEAD,
    SCHEMA,
    VERSION_TABLE,
    Laboratory,
    change_profile,
    profile_in,
    put_staff,
)
from consilium.laboratory.profile import Profile
from consilium.laboratory.review import tables as review
from tests.laboratory.conftest import PROFILE, received

EVERY = sorted(tables.Table.metadata.tables)


def test_the_steps_make_the_tables_that_the_program_knows(laboratory: Laboratory) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with laboratory._engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), tables.Table.metadata) == []


def test_the_newest_step_is_the_one_that_is_named() -> None:
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(module._ENVIRONMENT), version_locations=[str(SCHEMA.steps)])
    assert steps.get_current_head() == HEAD


def test_what_is_there_stays_when_it_is_opened_again(laboratory: Laboratory, url: str) -> None:
    label, _, _ = received(laboratory)
    again = Laboratory(url)
    with again.reading() as session:
        assert session.scalar(select(tables.SpecimenRow.label)) == label
        assert profile_in(session) == PROFILE
    again.close()


def filled(laboratory: Laboratory, folder: Path) -> None:
    """A row in each table."""
    from consilium.karyotype.editing.commands import Confirm
    from consilium.laboratory.analysis.acts import record_act
    from consilium.laboratory.analysis.cells import OpenCells, cell_numbered, cells_of
    from consilium.laboratory.analysis.commands import store
    from consilium.laboratory.analysis.files import Files
    from consilium.laboratory.consent import record_consent
    from consilium.laboratory.disclosure import disclose
    from consilium.laboratory.found import case_called, patient_called
    from consilium.laboratory.preparation import harvest, make_slide, start_culture
    from consilium.laboratory.storage import hand_over, make_place, put
    from tests.laboratory.analysis.conftest import case_with_cells

    number = case_with_cells(laboratory, Files(folder / "files"), folder)
    with laboratory.changing("tang") as change:
        row = cell_numbered(change.session, cells_of(change, case_called(change.session, number))[0].id)
        record_act(change, row, "counted", seen=0)
        store(
            change, OpenCells(Files(folder / "files")), row, key="a-key-of-a-test", seen=0,
            command=Confirm(objects=("c0",)),
        )  # fmt: skip
    _reported(laboratory, number)
    _exchanged(laboratory, number)
    label, _, patient = received(laboratory)
    with laboratory.changing("ada") as change:
        make_place(change, "F1/B1/A1")
    with laboratory.changing("tang") as change:
        make_slide(change, harvest(change, start_culture(change, label).label).label)
        put(change, label, "F1/B1/A1")
        hand_over(change, label, "courier")
        record_consent(change, patient_called(change.session, patient), ["storage"], given="2026-03-01")
        disclose(change, patient_called(change.session, patient), why="a test")


def _reported(laboratory: Laboratory, number: str) -> None:
    from consilium.laboratory.found import case_called
    from consilium.laboratory.review.texts import write_text

    with laboratory.changing("dai") as change:
        case = case_called(change.session, number)
        write_text(change, case, seen=0, drafted="46,XX", iscn="46,XX")
        told = {"case_id": case.id, "revision": 1, "at": change.at}
        both = {"cell_id": None, "first": "46,XX", "second": "46,XY", "kept": "first", "reason": "seen together"}
        change.session.add_all(
            [
                review.SecondReadingRow(
                    **told, cell_id=None, count=None, karyotype="46,XX", labels={}, note="", blind=True, reader="ren"
                ),
                review.DecisionRow(**told, **both, what="karyotype", of="", by="dai"),
                review.ReportRow(case_id=case.id, revision=1, content_sha256="ab" * 32, document="{}"),
                review.SignatureRow(
                    **told, content_sha256="ab" * 32, signer="dai", meaning="approved", method="password",
                    previous="", sha256="cd" * 32, seal="", seal_key="",
                ),
            ]
        )  # fmt: skip


def _exchanged(laboratory: Laboratory, number: str) -> None:
    from consilium.laboratory.disclosure import disclose
    from consilium.laboratory.exchange.messages import keep
    from consilium.laboratory.exchange.partners import Partners, settle
    from consilium.laboratory.found import case_called

    with laboratory.changing("ada") as change:
        settle(change, Partners(), reason="test")
    with laboratory.changing("dai") as change:
        disclose(change, case_called(change.session, number).patient, why="test")
        keep(
            change.session, at=change.at, direction="out", protocol="hl7", kind="ORU^R01", control="C1", peer="his",
            who="dai", body=b"MSH", state="waiting",
        )  # fmt: skip


def test_no_row_of_any_table_can_be_deleted(laboratory: Laboratory, tmp_path: Path) -> None:
    filled(laboratory, tmp_path)
    for table in EVERY:
        with laboratory.reading() as session:
            before = session.scalar(text(f"SELECT count(*) FROM {table}"))
        assert before, table
        with pytest.raises(EngineError, match="not deleted"), laboratory.writing() as session:
            session.execute(text(f"DELETE FROM {table}"))
        with laboratory.reading() as session:
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == before


@pytest.mark.parametrize(
    "table", [*tables.APPEND_ONLY, *analysis.APPEND_ONLY, *review.APPEND_ONLY, *exchange.APPEND_ONLY]
)
def test_what_happened_cannot_be_rewritten(laboratory: Laboratory, tmp_path: Path, table: str) -> None:
    filled(laboratory, tmp_path)
    column = inspect(laboratory._engine).get_columns(table)[-1]["name"]
    with pytest.raises(EngineError, match="not changed"), laboratory.writing() as session:
        session.execute(text(f"UPDATE {table} SET {column} = {column}"))


def test_a_table_cannot_be_emptied_on_postgresql_either(laboratory: Laboratory, tmp_path: Path) -> None:
    filled(laboratory, tmp_path)
    if laboratory._engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(EngineError, match="not deleted"), laboratory.writing() as session:
        session.execute(text("TRUNCATE laboratory_event"))


def test_every_version_of_every_thing_has_its_event(laboratory: Laboratory, tmp_path: Path) -> None:
    filled(laboratory, tmp_path)
    things = [one for one in tables.Thing.__subclasses__() if not one.__dict__.get("__abstract__")]
    things += tables.Labelled.__subclasses__()
    with laboratory.reading() as session:
        for kind in things:
            for row in session.scalars(select(kind)):
                asked = select(tables.EventRow.version).where(
                    tables.EventRow.kind == kind.__tablename__, tables.EventRow.of == row.id
                )
                assert sorted(session.scalars(asked)) == list(range(1, row.version + 1)), kind


CHILD = """
import os, signal, sys, sqlalchemy.engine
from consilium.laboratory.laboratory import Laboratory  # noqa: E402
from tests.laboratory.conftest import received  # noqa: E402
laboratory = Laboratory(sys.argv[1])
at, steps = int(sys.argv[2]), 0
def counted(real):
    def call(*arguments, **named):
        global steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call
kind = sqlalchemy.engine.Connection
for name in ("_commit_impl", "execute"):
    setattr(kind, name, counted(getattr(kind, name)))
received(laboratory, name="Zhang San")
print(steps)
"""


def test_a_process_that_is_killed_in_a_transaction_leaves_nothing_of_it(laboratory: Laboratory, url: str) -> None:
    def tried(at: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", CHILD, url, str(at)], capture_output=True, text=True, timeout=60,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip

    whole = tried(0)
    assert whole.returncode == 0, whole.stderr
    steps = int(whole.stdout)
    assert steps > 8
    kinds = (tables.PatientRow, tables.IdentityRow, tables.CaseRow, tables.SpecimenRow, tables.SeriesRow)
    before = _counts(laboratory, kinds)
    for at in sorted({2, steps // 3, 2 * steps // 3, steps - 1, steps}):
        assert tried(at).returncode == -signal.SIGKILL
        assert _counts(laboratory, kinds) == before, f"killed at step {at} of {steps}"
    # The next one has the next number: none was lost.
    assert received(laboratory)[0] == "S26-00002"


def _counts(laboratory: Laboratory, kinds: tuple[type[tables.Table], ...]) -> list[int | None]:
    with laboratory.reading() as session:
        every = (*kinds, tables.EventRow)
        return [session.scalar(select(func.count()).select_from(kind)) for kind in every]


def test_a_laboratory_is_founded_once(laboratory: Laboratory) -> None:
    with pytest.raises(InputError, match="founded before"):
        laboratory.begin("eve", Profile(name="another"))


def test_one_that_is_not_founded_says_how(tmp_path: object) -> None:
    empty = Laboratory(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(InputError, match="no laboratory") as refused, empty.changing("tang"):
        pass
    assert "init" in refused.value.way_out
    empty.close()


def test_who_does_not_work_here_is_not_let_in_and_roles_are_those_of_now(laboratory: Laboratory) -> None:
    small = laboratory
    for name in ("eve", "", "tang\x00", "\ud800", "tang'; DROP TABLE laboratory_case; --"):
        with pytest.raises(NotAllowed, match="works in this laboratory"), small.looking(name):
            pass
    with small.changing("ada") as change:
        put_staff(change, "tang", ())
    with pytest.raises(NotAllowed, match="may not"):
        received(small)


def test_the_last_administrator_stays(small: Laboratory) -> None:
    with pytest.raises(InputError, match="without an administrator"), small.changing("ada") as change:
        put_staff(change, "ada", ("director",))
    with pytest.raises(InputError, match="no role"), small.changing("ada") as change:
        put_staff(change, "ada", ("king",))  # type: ignore[arg-type]
    with pytest.raises(NotAllowed), small.changing("tang") as change:
        put_staff(change, "tang", ("director",))


def test_the_profile_is_changed_by_an_administrator_with_a_reason(small: Laboratory) -> None:
    other = Profile(name="Laboratory of tests", zone="Europe/Zurich")
    with pytest.raises(NotAllowed), small.changing("dai") as change:
        change_profile(change, other, reason="moved")
    with pytest.raises(InputError, match="reason"), small.changing("ada") as change:
        change_profile(change, other, reason="")
    with small.changing("ada") as change:
        change_profile(change, other, reason="moved")
    with small.reading() as session:
        assert profile_in(session) == other
