"""The benchmark of editing: what it does is an editor's work, and what it writes is what it measured."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from benchmarks import editing as module
from benchmarks.editing import ROWS, commands_cold, commands_warm, filled, lists, summary, table_of, work, worksheets
from consilium.errors import InputError
from consilium.karyotype.editing.log import Folded
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.editing.told import told
from consilium.laboratory.analysis.cells import OpenCell
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.laboratory import Laboratory
from tests.karyotype.conftest import draw_cell
from tests.karyotype.editing.conftest import NORMAL, entry_of
from tests.laboratory.conftest import founded


def drawn() -> OpenCell:
    cell = read_cell(entry_of(draw_cell(NORMAL)))
    return OpenCell(folded=Folded(reading=cell), says=told(cell))


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laboratory:
    """A small laboratory of drawn cells, since drawing and reading real ones takes models and minutes."""
    for name, value in (("CASES", 3), ("CELLS", 2), ("COMMANDS", 25), ("LOOKS", 10)):
        monkeypatch.setattr(module, name, value)
    files, opened = Files(tmp_path / "files"), drawn()
    import json

    kept = files.keep_packed(json.dumps(entry_of(draw_cell(NORMAL))).encode())
    monkeypatch.setattr(module, "readings", lambda _files: [("ab" * 32, kept, opened)])
    made = founded(f"sqlite:///{tmp_path / 'records.db'}")
    filled(made, files)
    return made


def test_each_measure_is_taken_as_often_as_it_says(records: Laboratory, tmp_path: Path) -> None:
    rng, files = np.random.default_rng(0), Files(tmp_path / "files")
    taken = {
        "command_warm": commands_warm(records, files, rng), "command_cold": commands_cold(records, files, rng),
        "list": lists(records, rng), "worksheet_warm": worksheets(records, files, rng, warm=True),
        "worksheet_cold": worksheets(records, files, rng, warm=False),
    }  # fmt: skip
    assert {name: len(values) for name, values in taken.items()} == {
        "command_warm": 25, "command_cold": 10, "list": 10, "worksheet_warm": 1, "worksheet_cold": 1
    }  # fmt: skip
    assert set(taken) == set(ROWS) and all((values > 0).all() for values in taken.values())
    figures = {name: summary(values) for name, values in taken.items()}
    text = table_of({"figures": figures, "load": [1.0, 2.0], "date": "2026-11-26", "machine": "a machine"})
    assert text.count("\n| ") == 1 + len(ROWS) and "a machine" in text
    records.close()


def test_most_of_the_work_can_be_done() -> None:
    opened = drawn()
    folded, refused = opened.folded, 0
    for command in islice(work(opened, np.random.default_rng(1)), 40):
        try:
            folded = folded.then(command)
        except InputError:
            refused += 1
    assert refused < 10 and folded.version == 40 - refused


def test_a_figure_that_is_too_large_is_not_reached() -> None:
    slow = summary(np.full((20, 2), 60.0))
    assert slow["p95"] == slow["p95_low"] == 60.0
    document = {"figures": dict.fromkeys(ROWS, slow), "load": [0.0, 0.0], "date": "", "machine": ""}
    assert table_of(document).count("not reached") == 2 and table_of(document).count("300, reached") == 1
