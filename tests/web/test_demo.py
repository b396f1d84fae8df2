"""The demo laboratory: there at once, drawn while it is served, and nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from consilium.karyotype.synthetic import is_synthetic
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.runs import images_of, unfinished_runs
from consilium.laboratory.found import every
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.tables import CaseRow
from consilium.laboratory.worklist import queue
from consilium.web import demo
from consilium.web.demo import CASES, draw, fill
from consilium.web.security.first_accounts import found_demo
from consilium.web.settings import Settings
from tests.laboratory.conftest import PROFILE


def test_a_demo_laboratory_is_filled_once_and_its_cells_are_drawn_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database=f"sqlite:///{tmp_path / 'demo.db'}", files=tmp_path / "files")
    records = Laboratory(settings.database)
    # One cell a case is as good as six, and six times as fast.
    monkeypatch.setattr(demo, "CASES", tuple(_with_one_cell(one) for one in CASES))
    assert found_demo(records)
    assert (fill(records), fill(records)) == (len(CASES), 0)
    with records.looking("technologist") as look:
        shown = queue(look, view="waiting")
        assert shown.total == len(CASES)
        assert {one.state for one in shown.rows} == {"received", "in culture", "harvested"}
        assert any(one.late for one in shown.rows)
    drawn = sum(one.cells > 0 for one in CASES)
    assert (draw(records, settings), draw(records, settings)) == (drawn, 0)
    files = Files(settings.files)
    with records.reading() as session:
        assert len(unfinished_runs(session)) == drawn
        for case in every(session, "cases"):
            assert isinstance(case, CaseRow)
            for image in images_of(session, case):
                assert is_synthetic(files.path(image.sha256)), "every drawn picture says so"
    records.close()


def test_a_laboratory_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(database=f"sqlite:///{tmp_path / 'real.db'}", files=tmp_path / "files")
    records = Laboratory(settings.database)
    records.begin("ada", PROFILE)
    assert draw(records, settings) == 0
    assert not settings.files.exists()
    records.close()


def _with_one_cell(one: demo.DemoCase) -> demo.DemoCase:
    from dataclasses import replace

    return replace(one, cells=min(one.cells, 1))
