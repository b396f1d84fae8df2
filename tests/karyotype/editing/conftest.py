"""A small drawn cell with known truth, as the machine's entry in case.json and as a cell to edit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consilium.karyotype.editing.cell import EditedCell
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.metaphase import CLASSES, Metaphase
from consilium.karyotype.record import cell_record
from tests.karyotype.conftest import draw_cell

NORMAL = (*(label for label in CLASSES[:22] for _ in range(2)), "X", "X")


def entry_of(metaphase: Metaphase) -> dict[str, Any]:
    """Its entry, as it comes back from a file."""
    entry: dict[str, Any] = json.loads(json.dumps(cell_record(metaphase, number=1, lang="en")))
    return entry


@pytest.fixture(scope="session")
def drawn() -> Metaphase:
    return draw_cell(NORMAL)


@pytest.fixture(scope="session")
def cell(drawn: Metaphase) -> EditedCell:
    return read_cell(entry_of(drawn))
