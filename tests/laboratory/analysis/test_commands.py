"""Commands in the records: stored once, in their order, by one hand at a time, whoever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from consilium.errors import InputError, NotAllowed, RecordChanged
from consilium.karyotype.editing.commands import Command, Confirm, Cut, Flip, Reassign, Redo, Remove, Undo
from consilium.karyotype.editing.told import told
from consilium.laboratory.analysis.cells import OpenCell, OpenCells, cell_numbered, cells_of
from consilium.laboratory.analysis.commands import Stored, log_of, store
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.tables import CellStateRow, CommandRow
from consilium.laboratory.casework import withdraw_case
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory
from tests.laboratory.analysis.conftest import cell_ids


def sent(
    laboratory: Laboratory,
    cells: OpenCells,
    cell: int,
    command: Command,
    *,
    seen: int,
    key: str | None = None,
    who: str = "tang",
) -> Stored:
    with laboratory.changing(who) as change:
        row = cell_numbered(change.session, cell)
        return store(change, cells, row, key=str(uuid4()) if key is None else key, seen=seen, command=command)


def opened(laboratory: Laboratory, cells: OpenCells, cell: int) -> OpenCell:
    with laboratory.looking("tang") as change:
        return cells.open(change.session, cell_numbered(change.session, cell))


@pytest.fixture
def cell(laboratory: Laboratory, case_number: str) -> int:
    return cell_ids(laboratory, case_number)[0]


def test_a_command_is_stored_and_the_state_follows(
    laboratory: Laboratory, cells: OpenCells, files: Files, cell: int
) -> None:
    stored = sent(laboratory, cells, cell, Reassign(object="c0", label="2"), seen=0)
    assert not stored.again and stored.removed == ()
    # Of the pair that was left, and of the three that there are now, each is doubtful in another way.
    assert {"c0"} <= {one.id for one in stored.changed} <= {"c0", "c1", "c2", "c3"}
    for known in (cells, OpenCells(files)):
        found = opened(laboratory, known, cell)
        assert found.folded.version == 1 and found.says.karyotype == "46,XX,-1,+2"
    with laboratory.reading() as session:
        state = session.get_one(CellStateRow, cell)
        assert (state.commands, state.karyotype, state.count, state.interactions) == (1, "46,XX,-1,+2", 46, 1)


def test_the_same_key_is_the_same_command_and_the_same_answer(
    laboratory: Laboratory, cells: OpenCells, cell: int
) -> None:
    first = sent(laboratory, cells, cell, Flip(object="c0", axis="horizontal"), seen=0, key="the-same-key")
    sent(laboratory, cells, cell, Flip(object="c1", axis="horizontal"), seen=1)
    again = sent(laboratory, cells, cell, Flip(object="c0", axis="horizontal"), seen=0, key="the-same-key")
    assert again.again and (again.changed, again.removed) == (first.changed, first.removed)
    assert again.opened == first.opened
    with pytest.raises(InputError, match="another command"):
        sent(laboratory, cells, cell, Undo(), seen=2, key="the-same-key")
    with laboratory.reading() as session:
        assert session.scalar(select(func.count()).select_from(CommandRow)) == 2


def test_who_has_not_seen_the_newest_is_told_who_did_what(laboratory: Laboratory, cells: OpenCells, cell: int) -> None:
    sent(laboratory, cells, cell, Confirm(objects=("c0",)), seen=0, who="ren")
    with pytest.raises(RecordChanged, match="confirm by ren"):
        sent(laboratory, cells, cell, Confirm(objects=("c1",)), seen=0)
    for seen in (-1, 2, 99):
        with pytest.raises(RecordChanged, match=f"no version {seen}"):
            sent(laboratory, cells, cell, Confirm(objects=("c1",)), seen=seen)
    assert opened(laboratory, cells, cell).folded.version == 1


def test_what_cannot_be_done_leaves_nothing(laboratory: Laboratory, cells: OpenCells, cell: int) -> None:
    for command in (Undo(), Confirm(objects=("zz",)), Cut(object="c0", line=((0.0, 0.0), (1.0, 1.0)))):
        with pytest.raises(InputError):
            sent(laboratory, cells, cell, command, seen=0)
    for key in ("", "short", "x" * 65, "a key with blanks", "schlüssel-1"):
        with pytest.raises(InputError, match="key"):
            sent(laboratory, cells, cell, Confirm(objects=("c0",)), seen=0, key=key)
    with pytest.raises(NotAllowed):
        sent(laboratory, cells, cell, Confirm(objects=("c0",)), seen=0, who="ada")
    assert opened(laboratory, cells, cell).folded.version == 0
    for number in (0, -1, 10**12, 99):
        with pytest.raises(InputError, match="no cell"), laboratory.looking("tang") as change:
            cell_numbered(change.session, number)


def test_a_closed_case_takes_no_command_but_answers_what_it_took(
    laboratory: Laboratory, cells: OpenCells, cell: int, case_number: str
) -> None:
    sent(laboratory, cells, cell, Confirm(objects=("c0",)), seen=0, key="before-closing")
    with laboratory.changing("dai") as change:
        withdraw_case(change, case_called(change.session, case_number), reason="mixed up")
    with pytest.raises(InputError, match="withdrawn"):
        sent(laboratory, cells, cell, Confirm(objects=("c1",)), seen=1)
    assert sent(laboratory, cells, cell, Confirm(objects=("c0",)), seen=0, key="before-closing").again


def test_a_reported_case_is_closed(laboratory: Laboratory, cells: OpenCells, cell: int, case_number: str) -> None:
    with laboratory.changing("dai") as change:
        change.edit(case_called(change.session, case_number), "case.sign", state="signed")
    with pytest.raises(InputError, match="report") as refused:
        sent(laboratory, cells, cell, Confirm(objects=("c1",)), seen=0)
    assert "Reopen" in refused.value.way_out


def test_another_process_wrote_meanwhile(laboratory: Laboratory, cells: OpenCells, files: Files, cell: int) -> None:
    elsewhere = OpenCells(files)
    sent(laboratory, cells, cell, Confirm(objects=("c0",)), seen=0)
    sent(laboratory, elsewhere, cell, Remove(object="c5", reason="dirt"), seen=1)
    sent(laboratory, elsewhere, cell, Undo(), seen=2)
    found = opened(laboratory, cells, cell)
    assert found.folded.version == 3 and found.folded == opened(laboratory, OpenCells(files), cell).folded
    sent(laboratory, cells, cell, Redo(), seen=3)
    assert opened(laboratory, elsewhere, cell).says.count == 45


def test_what_was_rolled_back_is_forgotten(laboratory: Laboratory, cells: OpenCells, cell: int) -> None:
    def interrupted() -> None:
        with laboratory.changing("tang") as change:
            row = cell_numbered(change.session, cell)
            store(change, cells, row, key=str(uuid4()), seen=0, command=Remove(object="c0", reason="dirt"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert opened(laboratory, cells, cell).folded.version == 0
    sent(laboratory, cells, cell, Confirm(objects=("c0",)), seen=0)
    assert opened(laboratory, cells, cell).says.count == 46


def test_many_hands_at_once_leave_one_log(laboratory: Laboratory, cells: OpenCells, files: Files, cell: int) -> None:
    taken, lost = [], []

    def hand(number: int, known: OpenCells) -> None:
        for turn in range(6):
            seen = opened(laboratory, known, cell).folded.version
            command = Flip(object=f"c{number}", axis="horizontal")
            try:
                sent(laboratory, known, cell, command, seen=seen, key=f"hand-{number}-{turn}")
                taken.append(number)
            except RecordChanged:
                lost.append(number)

    hands = [
        threading.Thread(target=hand, args=(number, OpenCells(files) if number % 2 else cells)) for number in range(4)
    ]
    for one in hands:
        one.start()
    for one in hands:
        one.join()
    assert len(taken) + len(lost) == 24 and taken
    found = opened(laboratory, OpenCells(files), cell)
    assert found.folded.version == len(taken)
    for number in range(4):
        assert found.cell.named(f"c{number}").mirrored == bool(taken.count(number) % 2)
    with laboratory.reading() as session:
        assert session.scalar(select(func.max(CommandRow.sequence))) == len(taken)
        assert session.get_one(CellStateRow, cell).commands == len(taken)


def test_the_log_tells_who_did_what_and_what_was_taken_back(
    laboratory: Laboratory, cells: OpenCells, cell: int
) -> None:
    for seen, command in enumerate([Confirm(objects=("c0",)), Confirm(objects=("c1",)), Undo(), Undo(), Redo(),
                                    Confirm(objects=("c2",))]):  # fmt: skip
        sent(laboratory, cells, cell, command, seen=seen, who="ren")
    with laboratory.looking("tang") as change:
        log = log_of(change.session, cell_numbered(change.session, cell))
    assert [(one.sequence, one.command["kind"], one.undone) for one in log] == [
        (1, "confirm", False), (2, "confirm", True), (3, "undo", False), (4, "undo", False), (5, "redo", False),
        (6, "confirm", False),
    ]  # fmt: skip
    assert {one.who for one in log} == {"ren"}


def test_the_list_tells_what_the_state_tells(laboratory: Laboratory, cells: OpenCells, case_number: str) -> None:
    ids = cell_ids(laboratory, case_number)
    sent(laboratory, cells, ids[2], Remove(object="c46", reason="other cell"), seen=0)
    with laboratory.looking("tang") as change:
        listed = cells_of(change, case_called(change.session, case_number))
        for one in listed:
            found = cells.open(change.session, cell_numbered(change.session, one.id))
            assert (one.count, one.karyotype, one.doubtful, one.commands, one.interactions) == (
                found.says.count, found.says.karyotype, len(found.says.doubtful), found.folded.version,
                found.folded.interactions,
            )  # fmt: skip
            assert told(found.cell) == found.says
    assert [one.number for one in listed] == [1, 2, 3]
    assert listed[2].karyotype == "46,XX"


CHILD = """
import json, os, sys, threading
from pathlib import Path
from consilium.karyotype.editing import command_json
from consilium.laboratory.analysis.cells import OpenCells, cell_numbered
from consilium.laboratory.analysis.commands import store
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.laboratory import Laboratory
url, folder, cell = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
laboratory, cells, version = Laboratory(url), OpenCells(Files(folder)), 0
with laboratory.looking("tang") as change:
    version = cells.open(change.session, cell_numbered(change.session, cell)).folded.version
print("ready", flush=True)
while True:
    command = command_json.read({"kind": "flip", "object": f"c{version % 46}", "axis": "horizontal"})
    key = f"{os.getpid()}-command-{version}"
    with laboratory.changing("tang") as change:
        store(change, cells, cell_numbered(change.session, cell), key=key, seen=version, command=command)
    version += 1
    print(json.dumps([version, key]), flush=True)
"""


def test_killed_between_command_and_answer_it_keeps_what_it_acknowledged(
    laboratory: Laboratory, url: str, files: Files, cell: int
) -> None:
    before = 0
    for turn in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, url, str(files.folder), str(cell)], stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(3 + turn):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=30)
        whole = [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = json.loads(whole[-1])[0] if whole else before + 3 + turn
        with laboratory.reading() as session:
            rows = list(session.execute(select(CommandRow.sequence).order_by(CommandRow.sequence)))
            state = session.get_one(CellStateRow, cell)
        # At most the one that was stored and not yet acknowledged is there beside those that were.
        assert acknowledged <= len(rows) <= acknowledged + 1
        assert [one.sequence for one in rows] == list(range(1, len(rows) + 1))
        assert state.commands == state.interactions == len(rows)
        found = opened(laboratory, OpenCells(files), cell)
        assert found.folded.version == len(rows)
        before = len(rows)
    assert Path(files.folder).is_dir()
