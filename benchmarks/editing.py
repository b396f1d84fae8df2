"""How long an editor waits: `python -m benchmarks.editing` (needs no data; about three minutes).

A laboratory with 2,000 cases of 20 cells each is made on SQLite, by rows, from the six synthetic cells of the demo.
Then commands are stored as the interface stores them, one transaction each: on a cell that this process has open, and
on one that it has to open first. Beside that: the list of a case's cells, and its worksheet with 20 analysed cells,
known to the process and not. What counts is the time on the clock, the disk's included; where others use the machine it
has their time in it, so the load and what the processor worked stand beside it.

The figures go to `benchmarks/results/editing.json` and, as a table, to `editing.md` beside it.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.results import machine
from consilium.errors import InputError
from consilium.karyotype.case import karyotype_image
from consilium.karyotype.demo_case import write_demo_case
from consilium.karyotype.editing.commands import Command, Confirm, Cut, Flip, Join, Reassign, Rotate, Undo
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.record import cell_record
from consilium.laboratory.analysis.cells import OpenCell, OpenCells, cell_numbered, cells_of
from consilium.laboratory.analysis.commands import state_of, store
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.worksheet import worksheet
from consilium.laboratory.laboratory import Laboratory, put_staff
from consilium.laboratory.profile import Profile

RESULTS = Path(__file__).parent / "results" / "editing.json"
CASES, CELLS = 2000, 20
COMMANDS, LOOKS = 1000, 300
ASKED_COMMAND, ASKED_LIST = 50.0, 300.0
SEED = 0


def readings(files: Files) -> list[tuple[str, str, OpenCell]]:
    """The demo's cells as the machine reads them: hash of the picture, hash of the reading, the cell."""
    from consilium.karyotype.editing.log import Folded
    from consilium.karyotype.editing.told import told

    found = []
    with TemporaryDirectory(prefix="consilium-demo-") as name:
        for path in write_demo_case(Path(name)):
            entry = cell_record(karyotype_image(path, image=path.name), number=1, lang="en")
            cell = read_cell(entry)
            kept = files.keep_packed(json.dumps(entry, sort_keys=True).encode())
            found.append(
                (files.keep(path.read_bytes()), kept, OpenCell(folded=Folded(reading=cell), says=told(cell)))
            )  # fmt: skip
    return found


def filled(records: Laboratory, files: Files) -> None:
    """Make the cases and cells, by rows."""
    from sqlalchemy import insert

    from consilium.laboratory.analysis.tables import ActRow, CellRow, CellStateRow, ImageRow, RunRow
    from consilium.laboratory.tables import CaseRow, PatientRow

    at, known = "2026-01-05T08:00:00.000Z", readings(files)
    thing = {"version": 1, "withdrawn": None, "withdrawn_reason": None}
    rows: dict[type, list[dict[str, Any]]] = {
        one: [] for one in (PatientRow, CaseRow, RunRow, ImageRow, CellRow, CellStateRow, ActRow)
    }
    for case in range(1, CASES + 1):
        rows[PatientRow].append(thing | {"id": case, "number": f"P{case:07d}", "sex": "", "identity": 1})
        rows[CaseRow].append(
            thing | {
                "id": case, "number": f"K26-{case:05d}", "patient_id": case, "order_number": None,
                "specimen": "constitutional_blood", "indication": "", "referrer": "", "urgency": "routine",
                "received": at, "due": None, "due_reason": "", "state": "harvested", "assigned": "",
                "analysed_by": "", "reported": None, "amendments": 0,
            }
        )  # fmt: skip
        rows[RunRow].append(
            thing | {
                "id": case, "case_id": case, "by": "tang", "asked": at, "state": "done", "job": str(case),
                "images": [], "message": "", "models": [], "version_of_consilium": "0", "record": None,
            }
        )  # fmt: skip
        for number in range(1, CELLS + 1):
            cell = (case - 1) * CELLS + number
            picture, reading, opened = known[cell % len(known)]
            state = opened.cell
            rows[ImageRow].append(
                thing | {
                    "id": cell, "case_id": case, "name": f"{number:02d}.png", "sha256": picture, "kind": "png",
                    "size": 1, "width": state.width, "height": state.height,
                }
            )  # fmt: skip
            rows[CellRow].append(
                thing | {
                    "id": cell, "case_id": case, "run_id": case, "image_id": cell, "number": number,
                    "quality": 1 - number / 100, "band_level": 550, "synthetic": True, "inverted": False,
                    "width": state.width, "height": state.height, "reading": reading,
                }
            )  # fmt: skip
            rows[CellStateRow].append(state_of(opened) | {"cell_id": cell})
            rows[ActRow].extend(
                thing | {
                    "case_id": case, "cell_id": cell, "act": act, "by": "tang", "at": at, "commands": 0,
                    "count": opened.says.count, "karyotype": opened.says.karyotype[:500],
                }
                for act in ("counted", "analysed")
            )  # fmt: skip
    with records.writing() as session:
        for kind, many in rows.items():
            for start in range(0, len(many), 5000):
                session.execute(insert(kind), many[start : start + 5000])


def work(opened: OpenCell, rng: np.random.Generator) -> Iterator[Command]:
    """What a person does to a cell, roughly in the shares of an editor: names, confirmations, turns, cuts, undo."""
    ids = [one.id for one in opened.cell.objects]
    while True:
        one, other = (str(name) for name in rng.choice(ids, 2, replace=False))
        kind = rng.integers(0, 10)
        x0, y0, x1, y1 = opened.cell.named(one).region.box
        if kind < 4:
            yield Reassign(object=one, label=str(rng.integers(1, 23)))
        elif kind < 6:
            yield Confirm(objects=(one, other))
        elif kind == 6:
            yield Flip(object=one, axis="vertical")
        elif kind == 7:
            yield Rotate(object=one, degrees=5.0)
        elif kind == 8:
            yield Cut(object=one, line=((x0 - 3, (y0 + y1) / 2), (x1 + 3, (y0 + y1) / 2)))
            yield Undo()
        else:
            yield Join(objects=(one, other))
            yield Undo()


Taken = tuple[float, float]
"""Milliseconds on the clock, and of the processor."""


def timed(act: Callable[[], object]) -> Taken:
    """How long a call takes."""
    start, worked = time.perf_counter(), time.process_time()
    act()
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - worked)


def commands_warm(records: Laboratory, files: Files, rng: np.random.Generator) -> NDArray[np.float64]:
    """Milliseconds of commands on cells that are open, twenty on each."""
    cells, keys = OpenCells(files), count()
    taken: list[Taken] = []
    while len(taken) < COMMANDS:
        number = int(rng.integers(1, CASES * CELLS + 1))
        with records.looking("tang") as change:
            opened = cells.open(change.session, cell_numbered(change.session, number))
        version = opened.folded.version
        for _, command in zip(range(20), work(opened, rng), strict=False):

            def one(number: int = number, version: int = version, command: Command = command) -> None:
                with records.changing("tang") as change:
                    row = cell_numbered(change.session, number)
                    store(change, cells, row, key=f"benchmark-{next(keys)}", seen=version, command=command)

            # What cannot be done, as a cut along a line that misses, is refused and not counted.
            with suppress(InputError):
                taken.append(timed(one))
                version += 1
    return np.array(taken[:COMMANDS])


def commands_cold(records: Laboratory, files: Files, rng: np.random.Generator) -> NDArray[np.float64]:
    """Milliseconds of the first command on a cell that nobody has open."""
    from sqlalchemy import func, select

    from consilium.laboratory.analysis.tables import CommandRow

    taken = []
    for at in range(LOOKS):
        number = int(rng.integers(1, CASES * CELLS + 1))
        with records.reading() as session:
            asked = select(func.count()).select_from(CommandRow).where(CommandRow.cell_id == number)
            seen = int(session.scalar(asked) or 0)

        def one(number: int = number, seen: int = seen, key: str = f"benchmark-cold-{at}") -> None:
            with records.changing("tang") as change:
                row = cell_numbered(change.session, number)
                store(change, OpenCells(files), row, key=key, seen=seen, command=Confirm(objects=("c0",)))

        taken.append(timed(one))
    return np.array(taken)


def lists(records: Laboratory, rng: np.random.Generator) -> NDArray[np.float64]:
    """Milliseconds of the list of a case's cells."""
    from consilium.laboratory.found import case_called

    def one(case: int) -> None:
        with records.looking("tang") as change:
            assert len(cells_of(change, case_called(change.session, f"K26-{case:05d}"))) == CELLS

    return np.array([timed(lambda: one(int(rng.integers(1, CASES + 1)))) for _ in range(LOOKS)])


def worksheets(records: Laboratory, files: Files, rng: np.random.Generator, *, warm: bool) -> NDArray[np.float64]:
    """Milliseconds of the worksheet of a case with 20 analysed cells."""
    from consilium.laboratory.found import case_called

    taken = []
    for _ in range(LOOKS // 10):
        number, cells = f"K26-{int(rng.integers(1, CASES + 1)):05d}", OpenCells(files)

        def one(number: str = number, cells: OpenCells = cells) -> None:
            with records.looking("tang") as change:
                worksheet(change, cells, case_called(change.session, number))

        if warm:
            one()
        taken.append(timed(one))
    return np.array(taken)


def summary(taken: NDArray[np.float64]) -> dict[str, float]:
    """Median and 95th percentile of the clock, that with a 95 % interval by resampling; the processor's percentile.

    Args:
        taken: (n, 2) milliseconds on the clock and of the processor.
    """
    values, worked = taken.T
    rng = np.random.default_rng(SEED)
    resampled = np.percentile(rng.choice(values, (1000, len(values))), 95, axis=1)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return {
        "n": len(values), "median": float(np.median(values)), "p95": float(np.percentile(values, 95)),
        "p95_low": float(low), "p95_high": float(high), "most": float(values.max()),
        "processor_p95": float(np.percentile(worked, 95)),
    }  # fmt: skip


ROWS: Mapping[str, tuple[str, float | None]] = {
    "command_warm": ("a command stored, on a cell that is open", ASKED_COMMAND),
    "command_cold": ("a command stored, on a cell that has to be opened first", ASKED_COMMAND),
    "list": (f"the list of the {CELLS} cells of a case", ASKED_LIST),
    "worksheet_warm": (f"the worksheet of a case, {CELLS} analysed cells that are open", None),
    "worksheet_cold": (f"the worksheet of a case, {CELLS} analysed cells that have to be opened", None),
}


def table_of(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        "# How long an editor waits", "",
        f"Written by `python -m benchmarks.editing`; do not edit. {CASES:,} cases of {CELLS} synthetic cells,",
        "on SQLite, one process. Milliseconds on the clock; the interval is 95 %, by resampling.", "",
        "| what | n | median | 95th percentile | most | asked | 95th percentile of processor time |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, (what, asked) in ROWS.items():
        told = document["figures"][name]
        limit = "" if asked is None else f"{asked:g}, {'reached' if told['p95'] <= asked else 'not reached'}"
        lines.append(
            f"| {what} | {told['n']} | {told['median']:.1f} | {told['p95']:.1f} ({told['p95_low']:.1f} to "
            f"{told['p95_high']:.1f}) | {told['most']:.1f} | {limit} | {told['processor_p95']:.1f} |"
        )
    lines += ["", f"Load of the machine when it began and ended: {document['load'][0]:.1f}, {document['load'][1]:.1f}."]
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


@click.command(help=__doc__)
def main() -> None:
    """Measure and write."""
    rng, began = np.random.default_rng(SEED), os.getloadavg()[0]
    with TemporaryDirectory(prefix="consilium-editing-") as name:
        files = Files(Path(name) / "files")
        records = Laboratory(f"sqlite:///{Path(name) / 'records.db'}")
        records.begin("ada", Profile(name="A laboratory of the benchmark"))
        with records.changing("ada") as change:
            put_staff(change, "tang", ("technologist",))
        filled(records, files)
        measured = {
            "command_warm": commands_warm(records, files, rng), "command_cold": commands_cold(records, files, rng),
            "list": lists(records, rng), "worksheet_warm": worksheets(records, files, rng, warm=True),
            "worksheet_cold": worksheets(records, files, rng, warm=False),
        }  # fmt: skip
        records.close()
    document = {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "load": [began, os.getloadavg()[0]],
        "cases": CASES, "cells": CASES * CELLS,
        "versions": {"python": platform.python_version()} | {one: version(one) for one in ("numpy", "sqlalchemy")},
        "figures": {name: summary(values) for name, values in measured.items()},
    }  # fmt: skip
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table_of(document), encoding="utf-8")
    click.echo(table_of(document))


if __name__ == "__main__":
    main()
