"""A case with cells that people read, made from drawn metaphases."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from consilium.karyotype.editing import command_json
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.editing.told import told
from consilium.karyotype.metaphase import CLASSES
from consilium.karyotype.record import cell_record
from consilium.karyotype.synthetic import save_marked
from consilium.laboratory.analysis.acts import record_act
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.commands import store
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.casework import move
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.review.prepared import prepare
from consilium.laboratory.review.readings import record_reading
from consilium.laboratory.review.signed import SignedReport
from consilium.laboratory.review.signing import reviewed, sign
from consilium.laboratory.review.texts import write_text
from tests.karyotype.conftest import draw_cell
from tests.laboratory.conftest import database, extras, laboratory, postgres, received, small, url

__all__ = ["database", "extras", "laboratory", "postgres", "small", "url"]

FEMALE = (*(label for label in CLASSES[:22] for _ in range(2)), "X", "X")
MALE = (*FEMALE[:-1], "Y")
DOWN = (*FEMALE, "21")


@pytest.fixture
def opened(tmp_path: Path) -> OpenCells:
    return OpenCells(Files(tmp_path / "files"))


def add_cells(
    laboratory: Laboratory,
    opened: OpenCells,
    number: str,
    cells: Sequence[tuple[str, ...]],
    *,
    synthetic: bool = True,
    doubtful: Sequence[int] = (),
) -> list[int]:
    """Pictures and readings of a case as a run leaves them; ids of the cells, best first.

    Those whose place, from 1, is among `doubtful` have a chromosome that the machine was not sure of.
    """
    from consilium.laboratory.analysis.tables import CellRow, CellStateRow, ImageRow, RunRow

    ids = []
    with laboratory.changing("tang") as change:
        case = case_called(change.session, number)
        run = RunRow(
            case_id=case.id, by="tang", asked=change.at, state="done", job="", images=[], message="",
            models=[{"name": "classifier", "version": "1.0", "sha256": "ab" * 32}], version_of_consilium="0.1",
            record=None,
        )  # fmt: skip
        change.add(run, "run.start")
        for place, labels in enumerate(cells, start=1):
            entry, picture = json.loads(entry_of(labels)), picture_of(labels)
            entry |= {"image": f"{place:02d}.png", "synthetic": synthetic}
            if place in doubtful:
                one = entry["chromosomes"][5]
                one["confidence"] = 0.4
            width, height = entry["width"], entry["height"]
            image = ImageRow(
                case_id=case.id, name=f"{place:02d}.png", sha256=opened.files.keep(picture), kind="png",
                size=len(picture), width=width, height=height,
            )  # fmt: skip
            change.add(image, "image.add")
            cell = CellRow(
                case_id=case.id, run_id=run.id, image_id=image.id, number=place, quality=1 - place / 100,
                band_level=entry["quality"]["band_level"], synthetic=synthetic, inverted=False, width=width,
                height=height, reading=opened.files.keep_packed(json.dumps(entry).encode()),
            )  # fmt: skip
            change.add(cell, "run.start")
            said = told(read_cell(entry))
            state = CellStateRow(
                cell_id=cell.id, commands=0, count=said.count, karyotype=said.karyotype, doubtful=len(said.doubtful),
                flags=[], interactions=0,
            )  # fmt: skip
            change.session.add(state)
            ids.append(cell.id)
    return ids


@cache
def entry_of(labels: tuple[str, ...]) -> str:
    """A drawn cell's entry of case.json."""
    return json.dumps(cell_record(draw_cell(labels), number=1, lang="en"))


@cache
def picture_of(labels: tuple[str, ...]) -> bytes:
    """Its picture, PNG."""
    with tempfile.TemporaryDirectory() as folder:
        save_marked(draw_cell(labels).pixels, Path(folder) / "a.png")
        return (Path(folder) / "a.png").read_bytes()


def act(laboratory: Laboratory, who: str, cells: Sequence[int], *acts: str) -> None:
    """Record acts on cells as they are."""
    from consilium.laboratory.analysis.tables import CellRow, CellStateRow

    with laboratory.changing(who) as change:
        for cell in cells:
            for one in acts:
                seen = change.session.get_one(CellStateRow, cell).commands
                record_act(change, change.session.get_one(CellRow, cell), one, seen=seen)


def command(laboratory: Laboratory, opened: OpenCells, who: str, cell: int, told: dict[str, Any]) -> None:
    """Edit a cell."""
    import uuid

    from consilium.laboratory.analysis.tables import CellRow, CellStateRow

    with laboratory.changing(who) as change:
        row = change.session.get_one(CellRow, cell)
        seen = change.session.get_one(CellStateRow, cell).commands
        store(change, opened, row, key=str(uuid.uuid4()), seen=seen, command=command_json.read(told))


def confirm_all(laboratory: Laboratory, opened: OpenCells, cells: Sequence[int], who: str = "tang") -> None:
    """Look at every flagged chromosome of some cells."""
    from consilium.laboratory.analysis.tables import CellRow

    for cell in cells:
        with laboratory.looking(who) as look:
            doubtful = opened.open(look.session, look.session.get_one(CellRow, cell)).says.doubtful
        if doubtful:
            command(laboratory, opened, who, cell, {"kind": "confirm", "objects": list(doubtful)})


def step(laboratory: Laboratory, who: str, number: str, *states: str) -> None:
    with laboratory.changing(who) as change:
        for state in states:
            move(change, case_called(change.session, number), state)  # type: ignore[arg-type]


def analysed_case(
    laboratory: Laboratory,
    opened: OpenCells,
    cells: Sequence[tuple[str, ...]] = (FEMALE,) * 3,
    *,
    synthetic: bool = True,
) -> tuple[str, list[int]]:
    """A case whose cells Tang counted, analysed and karyotyped, with all flags looked at."""
    _, number, _ = received(laboratory)
    step(laboratory, "tang", number, "harvested")
    ids = add_cells(laboratory, opened, number, cells, synthetic=synthetic)
    confirm_all(laboratory, opened, ids)
    act(laboratory, "tang", ids, "counted", "analysed", "karyotyped")
    step(laboratory, "tang", number, "analysed")
    return number, ids


def read_again(laboratory: Laboratory, number: str, cells: Sequence[int], karyotype: str = "46,XX") -> None:
    """Ren reads cells and the case a second time, and agrees."""
    with laboratory.changing("ren") as change:
        case = case_called(change.session, number)
        for cell in cells:
            record_reading(change, case, cell, karyotype=karyotype)
        record_reading(change, case, None, karyotype=karyotype)


def settle(laboratory: Laboratory, opened: OpenCells, number: str, iscn: str = "") -> None:
    """Dai takes the drafts over and tells why few cells were read."""
    with laboratory.changing("dai") as change:
        case = case_called(change.session, number)
        prepared = prepare(change, opened, case)
        write_text(
            change, case, seen=0 if prepared.text is None else prepared.text.version, drafted=prepared.draft.iscn,
            iscn=iscn or prepared.draft.iscn, interpretation=prepared.drafted,
            reasons={one.what: "a test has few cells" for one in prepared.facts.checks if one.met is False},
        )  # fmt: skip


def ready_case(
    laboratory: Laboratory, opened: OpenCells, cells: Sequence[tuple[str, ...]] = (FEMALE,) * 3
) -> tuple[str, list[int]]:
    """A case that only waits for a signature."""
    number, ids = analysed_case(laboratory, opened, cells)
    read_again(laboratory, number, ids[:2])
    settle(laboratory, opened, number)
    with laboratory.changing("ren") as change:
        reviewed(change, opened, case_called(change.session, number))
    return number, ids


def signed_case(laboratory: Laboratory, opened: OpenCells, number: str, **more: Any) -> SignedReport:
    """Dai signs what she sees."""
    with laboratory.looking("dai") as look:
        shown = prepare(look, opened, case_called(look.session, number)).sha256
    with laboratory.changing("dai") as change:
        return sign(change, opened, case_called(change.session, number), shown=shown, method="password", **more)
