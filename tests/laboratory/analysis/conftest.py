"""A case with drawn cells that the machine has read."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from PIL import Image

from consilium import __version__
from consilium.karyotype.count import count_cell, modal_karyotype
from consilium.karyotype.metaphase import CLASSES, Case, Failure, Metaphase
from consilium.karyotype.record import ModelReference, case_record
from consilium.laboratory.analysis.cells import OpenCells, cells_of
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.images import add_image
from consilium.laboratory.analysis.runs import ask_for_run
from consilium.laboratory.analysis.take_in import take_in
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory
from tests.karyotype.conftest import draw_cell
from tests.laboratory.conftest import received

NORMAL = (*(label for label in CLASSES[:22] for _ in range(2)), "X", "X")
TRISOMY = (*NORMAL, "21")
MODELS = (ModelReference(name="stand-in", version="1", sha256="0" * 64),)


def drawn(labels: Sequence[str], image: str, score: float = 0.8) -> Metaphase:
    count, karyotype, gains, losses = count_cell(labels)
    assert count == len(labels)
    return draw_cell(labels, image=image, karyotype=karyotype, gains=gains, losses=losses, score=score)


def png(cell: Metaphase) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(cell.pixels).save(stream, format="PNG")
    return stream.getvalue()


def written(cells: Sequence[Metaphase], folder: Path, failures: tuple[Failure, ...] = ()) -> Path:
    """What `consilium karyotype` leaves of these cells, as far as the records take it in."""
    modal, disagreeing = modal_karyotype(cells)
    case = Case(
        name="a case", cells=tuple(cells), failures=failures, modal_karyotype=modal, disagreeing=disagreeing
    )  # fmt: skip
    record = case_record(case, lang="en", created=datetime.now(UTC), version=__version__, models=MODELS)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def case_with_cells(
    laboratory: Laboratory, files: Files, folder: Path, kinds: Sequence[Sequence[str]] = (NORMAL, NORMAL, TRISOMY)
) -> str:
    """A case of which the machine has read a cell of each kind; its number."""
    _, number, _ = received(laboratory)
    cells = [drawn(labels, f"{index:02d}.png", score=0.9 - index / 100) for index, labels in enumerate(kinds)]
    with laboratory.changing("tang") as change:
        case = case_called(change.session, number)
        # Two cells of the same kind would be one picture.
        for index, cell in enumerate(cells):
            cell.pixels[0, 0] = index
            add_image(change, files, case, cell.image, png(cell))
        run = ask_for_run(change, case)
        take_in(change, files, case, run, written(cells, folder / f"result-{number}"))
    return number


def cell_ids(laboratory: Laboratory, number: str) -> list[int]:
    with laboratory.looking("tang") as change:
        return [one.id for one in cells_of(change, case_called(change.session, number))]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


@pytest.fixture
def cells(files: Files) -> OpenCells:
    return OpenCells(files)


@pytest.fixture
def case_number(laboratory: Laboratory, files: Files, tmp_path: Path) -> str:
    return case_with_cells(laboratory, files, tmp_path)
