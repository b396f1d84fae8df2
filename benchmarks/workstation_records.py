"""A laboratory of thousands of cases to measure on: cases by the services, cells copied from ones really read.

Six drawn cells are read by the machine and taken in as any others. Every further case has the same readings under other
numbers, as rows that the services would have written, events included; its pictures are the six, again and again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, insert, select

from consilium import __version__
from consilium.karyotype.case import karyotype_case
from consilium.karyotype.demo_case import write_demo_case
from consilium.karyotype.models import model_references
from consilium.karyotype.record import case_record
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.images import add_image
from consilium.laboratory.analysis.pictures import Pictures
from consilium.laboratory.analysis.runs import ask_for_run
from consilium.laboratory.analysis.tables import CellRow, CellStateRow, ImageRow, RunRow
from consilium.laboratory.analysis.take_in import take_in
from consilium.laboratory.casework import move
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import Change
from consilium.laboratory.laboratory import Laboratory, put_staff
from consilium.laboratory.preparation import harvest, make_slide, start_culture
from consilium.laboratory.profile import Profile
from consilium.laboratory.reception import Order
from consilium.laboratory.reception import take_in as take_specimen_in
from consilium.laboratory.tables import EventRow

BENCH = "bench"
KINDS = ("constitutional_blood", "bone_marrow", "amniotic_flask")
INDICATIONS = ("short stature", "two miscarriages", "leucocytosis", "raised risk in screening", "白细胞增高待查")
AT_ONCE = 50
"""Cases of one transaction."""


def person(number: int) -> str:
    """The name of one of the simulated people."""
    return f"person-{number:02d}"


def fill(records: Laboratory, files: Files, *, people: int, cases: int, cells: int) -> None:
    """Found a laboratory and fill it.

    Args:
        records: where nothing is yet.
        files: where pictures and readings go.
        people: technologists in it.
        cases: how many.
        cells: of each case.
    """
    records.begin("ada", Profile(name="Laboratory under load", zone="Asia/Shanghai"))
    with records.changing("ada") as change:
        put_staff(change, BENCH, ["technologist"])
        for number in range(people):
            put_staff(change, person(number), ["technologist", "reviewer"])
    numbers = _cases(records, cases)
    _read(records, files, numbers[0])
    _copy(records, numbers, cells)


def _cases(records: Laboratory, cases: int) -> list[str]:
    """Cases of the last two months, a specimen each and what was made of it; their numbers."""
    numbers: list[str] = []
    start = datetime.now(UTC) - timedelta(days=60)
    for first in range(0, cases, AT_ONCE):
        with records.changing(BENCH) as change:
            for index in range(first, min(first + AT_ONCE, cases)):
                numbers.append(_case(change, index, start + timedelta(minutes=60 * 24 * 60 * index / cases)))
    return numbers


def _case(change: Change, index: int, received: datetime) -> str:
    order = Order(
        specimen=KINDS[index % len(KINDS)], indication=INDICATIONS[index % len(INDICATIONS)],
        urgency="urgent" if index % 11 == 0 else "routine", order_number=f"ORDER-{index:06d}",
        received=received.isoformat(timespec="minutes"),
    )  # fmt: skip
    identity = {
        "name": f"Synthetic {index}",
        "hospital_number": f"H{index:06d}",
        "sex": ("", "female", "male")[index % 3],
    }
    specimen = take_specimen_in(change, order, identity=identity)
    for _ in range(2):
        made = harvest(change, start_culture(change, specimen.label, medium="RPMI 1640").label)
        make_slide(change, made.label)
        make_slide(change, made.label)
    case = specimen.case
    move(change, case, "in culture")
    move(change, case, "harvested")
    return case.number


def _read(records: Laboratory, files: Files, number: str) -> None:
    """Six drawn cells, read by the machine and taken in."""
    with TemporaryDirectory(prefix="consilium-load-") as name:
        folder = Path(name)
        paths = write_demo_case(folder / "images")
        case = karyotype_case(paths, name="case", workers=1)
        record = case_record(case, lang="en", created=datetime.now(UTC), version=__version__, models=model_references())
        (folder / "case.json").write_text(json.dumps(record), encoding="utf-8")
        with records.changing(BENCH) as change:
            row = case_called(change.session, number)
            for path in paths:
                add_image(change, files, row, path.name, path.read_bytes())
            rows = take_in(change, files, row, ask_for_run(change, row), folder)
    opened, pictures = OpenCells(files), Pictures(files)
    for cell in rows:
        # As a workstation does when a run is taken in.
        with records.reading() as session:
            pictures.thumbnail(session, cell)
            pictures.drawn(session, cell, opened.open(session, cell).cell.objects)


def _copy(records: Laboratory, numbers: Sequence[str], cells: int) -> None:
    """Give every case but the first cells like those of the first."""
    with records.reading() as session:
        images, runs, read, states = (
            [_values(row) for row in session.scalars(select(kind))]
            for kind in (ImageRow, RunRow, CellRow, CellStateRow)
        )
        newest = {kind: session.scalar(select(func.max(kind.id))) or 0 for kind in (ImageRow, RunRow, CellRow)}
        ids = {number: case_called(session, number).id for number in numbers[1:]}
    for first in range(1, len(numbers), AT_ONCE):
        rows: dict[Any, list[dict[str, Any]]] = {ImageRow: [], RunRow: [], CellRow: [], CellStateRow: [], EventRow: []}
        for number in numbers[first : first + AT_ONCE]:
            _copy_case(rows, ids[number], newest, images, runs[0], read, states, cells)
        with records.writing() as session:
            for kind, all_of in rows.items():
                session.execute(insert(kind), all_of)


def _copy_case(
    rows: dict[Any, list[dict[str, Any]]], case_id: int, newest: dict[Any, int], images: list[dict[str, Any]],
    run: dict[str, Any], read: list[dict[str, Any]], states: list[dict[str, Any]], cells: int,
) -> None:  # fmt: skip
    def next_id(kind: Any) -> int:
        newest[kind] += 1
        return newest[kind]

    def added(kind: Any, values: dict[str, Any], act: str) -> int:
        id_ = next_id(kind)
        whole = values | {"id": id_, "version": 1}
        rows[kind].append(whole)
        title = {ImageRow: "image", RunRow: "run", CellRow: "cell"}[kind]
        after = {name: value for name, value in whole.items() if name not in ("id", "version")}
        event = {"at": run["asked"], "who": BENCH, "what": act, "kind": kind.__tablename__, "of": id_, "version": 1}
        rows[EventRow].append(event | {"title": f"{title} {id_}", "before": {}, "after": after, "reason": ""})
        return id_

    there = [
        added(ImageRow, images[number % len(images)] | {"case_id": case_id, "name": f"{number:02d}.png"}, "image.add")
        for number in range(cells)
    ]
    run_id = added(RunRow, run | {"case_id": case_id, "images": there}, "run.start")
    for number, image_id in enumerate(there, start=1):
        like = (number - 1) % len(read)
        cell_id = added(
            CellRow, read[like] | {"case_id": case_id, "run_id": run_id, "image_id": image_id, "number": number},
            "run.start",
        )  # fmt: skip
        rows[CellStateRow].append(states[like] | {"cell_id": cell_id})


def _values(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}
