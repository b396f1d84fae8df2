"""A backup holds everything, of one moment, whole or not at all, and comes back equal row by row on either database."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from sqlalchemy import create_engine, text

from consilium.database.database import Database
from consilium.errors import ConsiliumError, EngineError, InputError
from consilium.laboratory.backup.backup import make_backup
from consilium.laboratory.backup.contents import opened
from consilium.laboratory.backup.restore import restore
from consilium.laboratory.backup.rows import lines_of, tables_of
from consilium.laboratory.laboratory import Laboratory
from consilium.web.security.accounts import Accounts
from consilium.web.security.tables import PASSING
from tests.laboratory.backup.conftest import PARTS, filled
from tests.laboratory.conftest import received

KINDS = ("sqlite", "postgresql")


def rows(url: str) -> dict[str, list[bytes]]:
    """Every row of every table that a backup keeps."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            return {
                table.name: list(lines_of(connection, table))
                for prefix in ("laboratory_", "web_")
                for table in tables_of(connection, prefix, but=(*PASSING, "laboratory_schema", "web_schema"))
            }
    finally:
        engine.dispose()


def content(folder: Path) -> dict[str, str]:
    return {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*") if one.is_file()
    }  # fmt: skip


@pytest.mark.parametrize("back", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_everything_comes_back_equal_row_by_row_on_either_database(
    kind: str, back: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    url, into, path = new_url(kind), new_url(back), tmp_path / "backup.zip"
    filled(url, tmp_path)
    made = make_backup(url, tmp_path / "files", PARTS, path)
    assert not made.missing
    assert len(made.files) == len(content(tmp_path / "files")) > 5
    restore(path, into, tmp_path / "again", PARTS)
    before, after = rows(url), rows(into)
    assert before == after
    filled_tables = [name for name, lines in before.items() if lines]
    assert {"laboratory_event", "laboratory_identity", "laboratory_cell", "web_account", "web_event"} <= set(
        filled_tables
    )
    assert content(tmp_path / "files") == content(tmp_path / "again")
    # The one that came back backs up to the same rows and files.
    second = make_backup(into, tmp_path / "again", PARTS, tmp_path / "second.zip")
    assert [(one.name, one.sha256) for one in second.tables] == [(one.name, one.sha256) for one in made.tables]
    assert second.files == made.files


@pytest.mark.parametrize("back", KINDS)
def test_what_came_back_refuses_what_the_first_one_refused_and_counts_on(
    source: str, back: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    into, path = new_url(back), tmp_path / "backup.zip"
    make_backup(source, tmp_path / "source" / "files", PARTS, path)
    restore(path, into, tmp_path / "again", PARTS)
    records = Laboratory(into)
    for act in ("DELETE FROM laboratory_case", "UPDATE laboratory_event SET who = 'x'", "DELETE FROM web_event"):
        with pytest.raises(EngineError, match="is not"), records.writing() as session:
            session.execute(text(act))
    _, number, _ = received(records)
    first = Laboratory(source)
    assert number == received(first)[1]
    first.close()
    records.close()


def test_nobody_is_signed_in_where_it_came_back(source: str, new_url: Callable[[str], str], tmp_path: Path) -> None:
    make_backup(source, tmp_path / "source" / "files", PARTS, tmp_path / "backup.zip")
    into = new_url("sqlite")
    restore(tmp_path / "backup.zip", into, tmp_path / "again", PARTS)
    accounts = Accounts(into)
    with accounts.reading() as session:
        for table in PASSING:
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
        assert session.execute(text("SELECT count(*) FROM web_token")).scalar() == 1
    accounts.close()


def test_a_backup_is_for_its_owner_alone_and_overwrites_nothing(source: str, tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    make_backup(source, tmp_path / "source" / "files", PARTS, path)
    assert path.stat().st_mode & 0o077 == 0
    before = path.read_bytes()
    with pytest.raises(InputError, match="already"):
        make_backup(source, tmp_path / "source" / "files", PARTS, path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if ".half" in one.name] == []


def test_a_file_that_is_lost_or_changed_is_named_and_the_rest_is_saved(source: str, tmp_path: Path) -> None:
    folder = tmp_path / "source" / "files"
    lost, changed = sorted(one for one in folder.rglob("*") if one.is_file())[:2]
    lost.unlink()
    changed.write_bytes(b"something else")
    made = make_backup(source, folder, PARTS, tmp_path / "backup.zip")
    assert made.missing == sorted([lost.name, changed.name])
    assert lost.name not in made.files
    with opened(tmp_path / "backup.zip") as backup:
        assert len(backup.manifest.files) == len(content(folder)) - 1


# Damage


def test_a_damaged_backup_is_refused_or_says_the_same(
    source: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    path, damaged = tmp_path / "backup.zip", tmp_path / "damaged.zip"
    make_backup(source, tmp_path / "source" / "files", PARTS, path)
    whole, expected = path.read_bytes(), None
    refused, generator = 0, random.Random(7)
    places = [*range(60), *(generator.randrange(len(whole)) for _ in range(120)), *range(len(whole) - 60, len(whole))]
    with opened(path) as backup:
        expected = backup.manifest
    for place in places:
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << generator.randrange(8)
        damaged.write_bytes(spoilt)
        try:
            with opened(damaged) as backup:
                assert backup.manifest == expected
        except InputError:
            refused += 1
    assert refused > len(places) // 2
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        damaged.write_bytes(whole[:length])
        with pytest.raises(InputError):
            restore(damaged, new_url("sqlite"), tmp_path / "again", PARTS)
    assert not (tmp_path / "again").exists()


def rewritten(path: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A backup in which somebody changed something and made the archive anew."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            given = change(name, old.read(name))
            if given is not None:
                new.writestr(name, given)
    return target


def test_a_backup_that_was_put_together_anew_is_refused(
    source: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    path, into = tmp_path / "backup.zip", new_url("sqlite")
    made = make_backup(source, tmp_path / "source" / "files", PARTS, path)
    staff, picture = "tables/laboratory_staff.jsonl", f"files/{made.files[0]}"

    def manifest_with(**entries: object) -> Callable[[str, bytes], bytes]:
        return lambda name, was: json.dumps(json.loads(was) | entries).encode() if name == "manifest.json" else was

    changes: dict[str, Callable[[str, bytes], bytes | None]] = {
        "row": lambda name, was: was.replace(b"technologist", b"administrator") if name == staff else was,
        "file": lambda name, was: was + b"x" if name == picture else was,
        "no table": lambda name, was: None if name == staff else was,
        "no file": lambda name, was: None if name == picture else was,
        "no list": lambda name, was: None if name == "manifest.json" else was,
        "list": lambda name, was: b"[" * 100_000 if name == "manifest.json" else was,
        "format": manifest_with(format="another"),
        "entry": manifest_with(more=1),
        "steps": manifest_with(steps={"laboratory_": "9999", "web_": "0001"}),
        "no step": manifest_with(steps={}),
        "path": manifest_with(files=["../../../../etc/passwd"]),
        "name": manifest_with(tables=[{"name": "laboratory_staff; DROP TABLE x", "part": "", "columns": [], "rows": 0,
                                       "sha256": ""}]),
    }  # fmt: skip
    for what, change in changes.items():
        with pytest.raises(InputError):
            restore(rewritten(path, tmp_path / f"{what}.zip", change), into, tmp_path / "again", PARTS)
    restore(path, into, tmp_path / "again", PARTS)


def test_rows_that_do_not_fit_are_refused_even_with_the_right_hash(
    source: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    path, into = tmp_path / "backup.zip", new_url("sqlite")
    make_backup(source, tmp_path / "source" / "files", PARTS, path)
    for number, line in enumerate((b"[1]\n", b"{}\n", b"nonsense\n", b"[" * 5000 + b"\n")):

        def change(name: str, was: bytes, line: bytes = line) -> bytes:
            if name == "tables/laboratory_staff.jsonl":
                return line
            if name == "manifest.json":
                told = json.loads(was)
                for table in told["tables"]:
                    if table["name"] == "laboratory_staff":
                        table["sha256"] = hashlib.sha256(line).hexdigest()
                return json.dumps(told).encode()
            return was

        with pytest.raises(ConsiliumError):
            restore(rewritten(path, tmp_path / f"{number}.zip", change), into, tmp_path / "again", PARTS)
    assert sum(map(len, rows(into).values())) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_records_that_are_there_are_never_overwritten(
    source: str, kind: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    path, into = tmp_path / "backup.zip", new_url(kind)
    make_backup(source, tmp_path / "source" / "files", PARTS, path)
    filled(into, tmp_path / "other", cases=1)
    before = rows(into)
    with pytest.raises(InputError, match="already"):
        restore(path, into, tmp_path / "again", PARTS)
    assert rows(into) == before
    with pytest.raises(InputError, match="already"):
        restore(path, source, tmp_path / "again", PARTS)


def test_a_backup_of_an_older_version_comes_back_and_is_brought_up_to_date(
    new_url: Callable[[str], str], tmp_path: Path
) -> None:
    from dataclasses import replace

    url, into, path = new_url("sqlite"), new_url("sqlite"), tmp_path / "backup.zip"
    older = tuple(replace(one, schema=replace(one.schema, head="0001")) for one in PARTS)
    for part in older:
        Database(url, part.schema).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO laboratory_staff (version, name, roles) VALUES (1, 'ada', '[\"director\"]')")
        )
    engine.dispose()
    make_backup(url, tmp_path / "files", older, path)
    restore(path, into, tmp_path / "again", PARTS)
    assert len(rows(into)["laboratory_staff"]) == 1
    assert "laboratory_cell" in rows(into)
    Laboratory(into).close()


# While others write, and when it is killed

WRITER = """
import sys, time
from tests.laboratory.conftest import received
from consilium.laboratory.laboratory import Laboratory
records = Laboratory(sys.argv[1])
while True:
    received(records)
    print("one", flush=True)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_under_writing_is_of_one_moment(kind: str, new_url: Callable[[str], str], tmp_path: Path) -> None:
    url = new_url(kind)
    filled(url, tmp_path)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    try:
        moments = []
        for number in range(4):
            for _ in range(3):
                writer.stdout.readline()
            moments.append(make_backup(url, tmp_path / "files", PARTS, tmp_path / f"{number}.zip"))
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait(10)
        writer.stdout.close()
    counts = [{one.name: one.rows for one in made.tables} for made in moments]
    for count in counts:
        # A transaction of the writer makes one of each; of one moment are those backups alone in which they agree.
        assert count["laboratory_specimen"] == count["laboratory_case"] == count["laboratory_patient"]
    assert counts[0]["laboratory_case"] < counts[-1]["laboratory_case"]
    into = new_url("sqlite")
    restore(tmp_path / "3.zip", into, tmp_path / "again", PARTS)
    records = Laboratory(into)
    with records.reading() as session:
        orphans = (
            "SELECT count(*) FROM laboratory_event e LEFT JOIN laboratory_case c ON c.id = e.of WHERE c.id IS NULL"
        )
        assert session.execute(text(f"{orphans} AND e.kind = 'laboratory_case'")).scalar() == 0
    records.close()


KILLED = """
import json, os, signal, sys
from pathlib import Path
import sqlalchemy.engine
from consilium.laboratory.backup.backup import make_backup
from consilium.laboratory.backup.restore import restore
from tests.laboratory.backup.conftest import PARTS
import alembic.command, psycopg

def one(what, at, url, files, path):
    steps = 0

    def counted(real):
        def call(*arguments, **named):
            nonlocal steps
            steps += 1
            if steps == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)
        return call

    for name in ("fsync", "link", "unlink", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    Path.replace = counted(Path.replace)
    sqlalchemy.engine.Connection._commit_impl = counted(sqlalchemy.engine.Connection._commit_impl)
    sqlalchemy.engine.Connection.execute = counted(sqlalchemy.engine.Connection.execute)
    if what == "backup":
        make_backup(url, Path(files), PARTS, Path(path))
    else:
        restore(Path(path), url, Path(files), PARTS)
    print(steps, flush=True)

for task in json.loads(sys.argv[1]):
    # A process of its own for each, without the seconds that the imports take.
    child = os.fork()
    if child == 0:
        try:
            one(*task)
        except BaseException as problem:
            print(repr(problem), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


def killed(what: str, tasks: list[tuple[int, str, Path, Path]]) -> list[int]:
    """Calls, each killed before a step (0: at none): the steps of one that ended, and how each ended."""
    told = [(what, at, url, str(files), str(path)) for at, url, files, path in tasks]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps(told)], capture_output=True, text=True, timeout=100
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [int(line) for line in done.stdout.split()]


def test_a_backup_that_is_killed_leaves_a_whole_one_or_none(source: str, tmp_path: Path) -> None:
    files = tmp_path / "source" / "files"
    steps, ended = killed("backup", [(0, source, files, tmp_path / "whole.zip")])
    assert ended == 0
    places = sorted({1, 2, steps // 3, steps // 2, *range(steps - 4, steps + 1)})
    paths = {at: tmp_path / f"{at}.zip" for at in places}
    assert killed("backup", [(at, source, files, path) for at, path in paths.items()]) == [-9] * len(places)
    there = [path for path in paths.values() if path.exists()]
    assert 0 < len(there) < len(places)
    for path in there:
        with opened(path) as backup:
            assert len(backup.manifest.files) > 5
    # What it left does not stand in the way.
    absent = next(path for path in paths.values() if not path.exists())
    make_backup(source, files, PARTS, absent)


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_that_is_killed_leaves_all_or_nothing_and_is_done_again(
    source: str, kind: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    path, expected = tmp_path / "backup.zip", rows(source)
    make_backup(source, tmp_path / "source" / "files", PARTS, path)
    steps, ended = killed("restore", [(0, new_url(kind), tmp_path / "whole", path)])
    assert ended == 0
    places = sorted({2, steps // 4, steps // 2, (3 * steps) // 4, steps - 12, steps - 3, steps})
    tasks = [(at, new_url(kind), tmp_path / f"files-{at}", path) for at in places]
    assert killed("restore", tasks) == [-9] * len(places)
    states = set()
    for _, into, folder, _ in tasks:
        for part in PARTS:
            Database(into, part.schema).close()
        found = rows(into)
        states.add(found == expected)
        assert found == expected or sum(map(len, found.values())) == 0
        if found != expected and len(states) < 3:
            restore(path, into, folder, PARTS)
            assert rows(into) == expected
            assert content(folder) == content(tmp_path / "source" / "files")
    assert False in states


def test_a_disk_without_room_leaves_nothing(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from consilium.errors import OutputError

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space"):
        make_backup(source, tmp_path / "source" / "files", PARTS, tmp_path / "backup.zip")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["source"]
