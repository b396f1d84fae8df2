"""Pictures, runs, acts and the worksheet of a case."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from consilium.errors import (
    ImageOutOfBounds,
    InputError,
    NotAllowed,
    NothingToDo,
    RecordChanged,
    UnreadableImage,
)
from consilium.karyotype.editing.commands import Command, Reassign
from consilium.karyotype.metaphase import Failure
from consilium.laboratory.analysis.acts import record_act, withdraw_act
from consilium.laboratory.analysis.cells import OpenCells, cell_numbered, cells_of
from consilium.laboratory.analysis.commands import store
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.images import add_image, file_name, withdraw_image
from consilium.laboratory.analysis.runs import (
    ask_for_run,
    cancel_run,
    export_images,
    exported_name,
    for_run,
    images_of,
    note_job,
    note_state,
    runs_of,
    unfinished_runs,
)
from consilium.laboratory.analysis.take_in import take_in
from consilium.laboratory.analysis.worksheet import Worksheet, worksheet
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory, put_staff
from tests.conftest import BAD_IMAGES, draw_bad_image
from tests.laboratory.analysis.conftest import NORMAL, TRISOMY, case_with_cells, cell_ids, drawn, png, written
from tests.laboratory.conftest import received


def test_a_picture_is_taken_in_by_its_content(laboratory: Laboratory, files: Files) -> None:
    _, number, _ = received(laboratory)
    content = png(drawn(NORMAL, "a.png"))
    with laboratory.changing("tang") as change:
        row = add_image(change, files, case_called(change.session, number), "C:\\scans\\Zhang San 01.png", content)
        assert (row.name, row.kind, row.size) == ("Zhang San 01.png", "png", len(content))
        assert row.title == f"image {row.id}"
    with laboratory.looking("tang") as change:
        found = images_of(change.session, case_called(change.session, number))
        assert [one.id for one in found] == [row.id] and files.read(found[0].sha256) == content
    for name, again in (("b.png", content), ("Zhang San 01.png", png(drawn(TRISOMY, "b.png")))):
        with pytest.raises(InputError, match="already"), laboratory.changing("tang") as change:
            add_image(change, files, case_called(change.session, number), name, again)
    with pytest.raises(NotAllowed), laboratory.changing("ada") as change:
        add_image(change, files, case_called(change.session, number), "c.png", png(drawn(TRISOMY, "b.png")))


@pytest.mark.parametrize("kind", sorted(kind for kind, error in BAD_IMAGES.items() if error != "NoMetaphase"))
def test_what_is_no_picture_is_refused_without_a_trace(
    small: Laboratory, files: Files, tmp_path: Path, kind: str
) -> None:
    _, number, _ = received(small)
    content = draw_bad_image(kind, tmp_path / "bad.png").read_bytes()
    with pytest.raises((UnreadableImage, ImageOutOfBounds)) as refused, small.changing("tang") as change:
        add_image(change, files, case_called(change.session, number), "bad.png", content)
    assert refused.value.where == "bad.png"
    assert not files.folder.exists()


def test_empty_and_hostile_files_are_refused(small: Laboratory, files: Files) -> None:
    _, number, _ = received(small)
    for content in (b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", bytes(5000)):
        with pytest.raises(InputError), small.changing("tang") as change:
            add_image(change, files, case_called(change.session, number), "x.png", content)
    for name in ("", " ", "/", "..", "a\x00b", "x" * 201, "\u202egnp.exe"):
        with pytest.raises(InputError):
            file_name(name)
    assert file_name("a/b/../c  d.png") == "c d.png"


def test_a_run_reads_what_was_not_read(laboratory: Laboratory, files: Files, tmp_path: Path) -> None:
    number = case_with_cells(laboratory, files, tmp_path)
    with pytest.raises(NothingToDo), laboratory.changing("tang") as change:
        ask_for_run(change, case_called(change.session, number))
    with laboratory.changing("tang") as change:
        case = case_called(change.session, number)
        new = add_image(change, files, case, "new.png", png(drawn(TRISOMY, "new.png")))
        run = ask_for_run(change, case)
        assert run.images == [new.id] and run.state == "waiting"
        note_job(change, run, "7")
        # What a run is about to read is not read twice.
        with pytest.raises(NothingToDo):
            ask_for_run(change, case)
        with pytest.raises(InputError, match="no image"):
            ask_for_run(change, case, [10**6])
        export_images(change.session, files, run, tmp_path / "out")
        assert [one.name for one in (tmp_path / "out").iterdir()] == [exported_name(new)]
    with laboratory.reading() as session:
        assert [one.job for one in unfinished_runs(session)] == ["7"]
    result = written([drawn(TRISOMY, exported_name(new))], tmp_path / "result")
    with for_run(laboratory, run.id) as (change, row):
        note_state(change, row, "running")
        (cell,) = take_in(change, files, case_called(change.session, number), row, result)
    with laboratory.looking("ren") as change:
        case = case_called(change.session, number)
        done = runs_of(change.session, case)[0]
        assert (done.state, done.models[0]["name"], done.message) == ("done", "stand-in", "")
        assert json.loads(files.read_packed(str(done.record)))["schema_version"] == "1.2"
        listed = {one.id: one for one in cells_of(change, case)}
        assert listed[cell.id].image == "new.png" and listed[cell.id].count == 47
        assert done.state == "done"
    with for_run(laboratory, run.id) as (change, row):
        assert take_in(change, files, case_called(change.session, number), row, result) == ()


def test_reading_again_keeps_what_people_worked_on(
    laboratory: Laboratory, files: Files, cells: OpenCells, tmp_path: Path
) -> None:
    number = case_with_cells(laboratory, files, tmp_path)
    ids = cell_ids(laboratory, number)
    with laboratory.changing("tang") as change:
        record_act(change, cell_numbered(change.session, ids[0]), "counted", seen=0)
        edited = cell_numbered(change.session, ids[1])
        store(change, cells, edited, key=str(uuid4()), seen=0, command=Reassign(object="c0", label="2"))
        case = case_called(change.session, number)
        images = images_of(change.session, case)
        run = ask_for_run(change, case, [one.id for one in images])
        names = [exported_name(one) for one in images]
    result = written(
        [drawn(labels, name) for labels, name in zip((NORMAL, NORMAL, TRISOMY), names, strict=True)], tmp_path / "r"
    )
    with for_run(laboratory, run.id) as (change, row):
        new = take_in(change, files, case_called(change.session, number), row, result)
    assert len(new) == 1
    assert set(cell_ids(laboratory, number)) == {ids[0], ids[1], new[0].id}
    with laboratory.looking("tang") as change:
        gone = cell_numbered(change.session, ids[2])
        assert gone.withdrawn and gone.withdrawn_reason == f"read again in run {run.id}"


def test_failures_are_told_without_names_of_files(laboratory: Laboratory, files: Files, tmp_path: Path) -> None:
    _, number, _ = received(laboratory)
    with laboratory.changing("tang") as change:
        case = case_called(change.session, number)
        row = add_image(change, files, case, "Zhang San.png", png(drawn(NORMAL, "x")))
        run = ask_for_run(change, case)
        failure = Failure(image=exported_name(row), error="NoMetaphase", message="no chromosome spread was found.")
        take_in(change, files, case, run, written([], tmp_path / "r", (failure,)))
        assert run.state == "done" and run.message == f"image {row.id}: no chromosome spread was found."


@pytest.mark.parametrize("spoil", ["missing", "no json", "other version", "other pictures", "other size", "nan"])
def test_a_result_that_is_none_changes_nothing(small: Laboratory, files: Files, tmp_path: Path, spoil: str) -> None:
    number = case_with_cells(small, files, tmp_path)
    with small.changing("tang") as change:
        case = case_called(change.session, number)
        images = images_of(change.session, case)
        run = ask_for_run(change, case, [one.id for one in images])
    cells = [drawn(NORMAL, exported_name(one)) for one in images]
    if spoil == "other pictures":
        cells[0] = drawn(NORMAL, "elsewhere.png")
    if spoil == "other size":
        cells[2] = drawn((*NORMAL, *NORMAL), exported_name(images[2]))
    folder = written(cells, tmp_path / "r")
    text = (folder / "case.json").read_text()
    if spoil == "missing":
        (folder / "case.json").unlink()
    elif spoil == "no json":
        (folder / "case.json").write_text(text[:-50])
    elif spoil == "other version":
        (folder / "case.json").write_text(text.replace('"schema_version": "1.2"', '"schema_version": "9"'))
    elif spoil == "nan":
        (folder / "case.json").write_text(text.replace('"score": 0.8', '"score": NaN'))
    before = cell_ids(small, number)
    with pytest.raises(InputError), for_run(small, run.id) as (change, row):
        take_in(change, files, case_called(change.session, number), row, folder)
    assert cell_ids(small, number) == before
    with small.reading() as session:
        assert [one.id for one in unfinished_runs(session)] == [run.id]


def test_a_run_is_cancelled_once_and_what_comes_after_is_not_taken_in(
    small: Laboratory, files: Files, tmp_path: Path
) -> None:
    _, number, _ = received(small)
    with small.changing("tang") as change:
        case = case_called(change.session, number)
        row = add_image(change, files, case, "a.png", png(drawn(NORMAL, "x")))
        run = ask_for_run(change, case)
        cancel_run(change, run, reason="wrong slide")
        with pytest.raises(InputError, match="cancelled already"):
            cancel_run(change, run, reason="again")
    result = written([drawn(NORMAL, exported_name(row))], tmp_path / "r")
    with for_run(small, run.id) as (change, found):
        note_state(change, found, "running")
        assert take_in(change, files, case_called(change.session, number), found, result) == ()
        assert found.state == "cancelled"


def test_a_run_goes_on_when_who_asked_for_it_has_left(small: Laboratory, files: Files, tmp_path: Path) -> None:
    _, number, _ = received(small)
    with small.changing("tang") as change:
        case = case_called(change.session, number)
        row = add_image(change, files, case, "a.png", png(drawn(NORMAL, "x")))
        run = ask_for_run(change, case)
    with small.changing("ada") as change:
        put_staff(change, "tang", ())
    with for_run(small, run.id) as (change, found):
        assert take_in(change, files, case_called(change.session, number), found, written(
            [drawn(NORMAL, exported_name(row))], tmp_path / "r"
        ))  # fmt: skip


def test_a_withdrawn_picture_takes_its_cells_along(laboratory: Laboratory, files: Files, tmp_path: Path) -> None:
    number = case_with_cells(laboratory, files, tmp_path)
    ids = cell_ids(laboratory, number)
    with laboratory.changing("tang") as change:
        image = images_of(change.session, case_called(change.session, number))[0]
        withdraw_image(change, image, reason="of another patient")
    assert cell_ids(laboratory, number) == ids[1:]
    with laboratory.changing("tang") as change:
        row = cell_numbered(change.session, ids[0])
        with pytest.raises(InputError, match="withdrawn"):
            record_act(change, row, "counted", seen=0)


def test_acts_are_three_and_withdrawn_with_a_reason(
    laboratory: Laboratory, files: Files, cells: OpenCells, tmp_path: Path
) -> None:
    number = case_with_cells(laboratory, files, tmp_path)
    cell = cell_ids(laboratory, number)[0]
    with laboratory.changing("tang") as change:
        row = cell_numbered(change.session, cell)
        record_act(change, row, "counted", seen=0)
        record_act(change, row, "karyotyped", seen=0)
        with pytest.raises(InputError, match="counted before"):
            record_act(change, row, "counted", seen=0)
        with pytest.raises(InputError, match="none that is known"):
            record_act(change, row, "admired", seen=0)
        with pytest.raises(InputError, match="nobody has analysed"):
            withdraw_act(change, row, "analysed", reason="x")
        with pytest.raises(InputError, match="reason"):
            withdraw_act(change, row, "counted", reason=" ")
        withdraw_act(change, row, "counted", reason="miscounted")
        record_act(change, row, "counted", seen=0)
        store(change, cells, row, key=str(uuid4()), seen=0, command=Reassign(object="c0", label="2"))
        with pytest.raises(RecordChanged):
            record_act(change, row, "analysed", seen=0)
    with laboratory.looking("tang") as change:
        first = cells_of(change, case_called(change.session, number))[0]
        assert [(one.act, one.by, one.commands) for one in first.acts] == [
            ("karyotyped", "tang", 0),
            ("counted", "tang", 0),
        ]
        assert first.commands == 1 and first.has("counted") and not first.has("analysed")


def seen(laboratory: Laboratory, cells: OpenCells, number: str) -> Worksheet:
    with laboratory.looking("tang") as change:
        return worksheet(change, cells, case_called(change.session, number))


def act(laboratory: Laboratory, cells: OpenCells, ids: list[int], *acts: str) -> None:
    with laboratory.changing("tang") as change:
        for id_ in ids:
            row = cell_numbered(change.session, id_)
            for one in acts:
                record_act(change, row, one, seen=cells.open(change.session, row).folded.version)


def edit(laboratory: Laboratory, cells: OpenCells, id_: int, *commands: Command) -> None:
    with laboratory.changing("tang") as change:
        row = cell_numbered(change.session, id_)
        for one in commands:
            version = cells.open(change.session, row).folded.version
            store(change, cells, row, key=str(uuid4()), seen=version, command=one)


def test_the_worksheet_says_what_was_done_and_what_is_missing(
    small: Laboratory, files: Files, cells: OpenCells, tmp_path: Path
) -> None:
    number = case_with_cells(small, files, tmp_path, [NORMAL] * 5)
    empty = seen(small, cells, number)
    assert empty.acts == {"counted": 0, "analysed": 0, "karyotyped": 0}
    assert (empty.conclusion, empty.excluded, empty.effort, empty.modal_count) == (None, {}, None, None)
    ids = cell_ids(small, number)
    act(small, cells, ids, "counted")
    act(small, cells, ids[:3], "analysed")
    act(small, cells, ids[:2], "karyotyped")
    found = seen(small, cells, number)
    assert found.acts == {"counted": 5, "analysed": 3, "karyotyped": 2}
    assert (found.counts, found.modal_count, found.modal_karyotype) == ({46: 5}, 46, "46,XX")
    assert found.excluded[95] == pytest.approx(1 - 0.05 ** (1 / 5)) and found.excluded[99] > found.excluded[95]
    assert {one.what: (one.asked, one.found, one.met) for one in found.checks}["analysed"] == (5, 3, False)
    assert {one.what: one.met for one in found.checks}["karyotyped"] is True
    assert found.conclusion is not None and found.conclusion.iscn == "46,XX"
    assert found.effort is not None and found.effort.karyograms == 2


def test_the_conclusion_is_of_what_people_made_of_the_cells(
    small: Laboratory, files: Files, cells: OpenCells, tmp_path: Path
) -> None:
    number = case_with_cells(small, files, tmp_path, [NORMAL] * 4)
    ids = cell_ids(small, number)
    for id_ in ids:
        edit(small, cells, id_, Reassign(object="c10", label="del(6)(q13)"))
    act(small, cells, ids, "counted", "analysed")
    found = seen(small, cells, number)
    assert found.modal_karyotype == "46,XX,del(6)(q13)" and found.unfinished == ()
    assert found.conclusion is not None and found.conclusion.iscn == "46,XX,del(6)(q13)"
    assert not any(line.few for line in found.conclusion.lines)


def test_two_cells_of_twenty_that_a_person_analysed_are_a_clone_and_no_prompt(
    small: Laboratory, files: Files, cells: OpenCells, tmp_path: Path
) -> None:
    number = case_with_cells(small, files, tmp_path, [NORMAL] * 8 + [TRISOMY] * 2)
    act(small, cells, cell_ids(small, number), "counted", "analysed")
    found = seen(small, cells, number)
    assert found.conclusion is not None
    assert [(line.written, line.few) for line in found.conclusion.lines] == [
        ("47,XX,+21[2]", False), ("46,XX[8]", False)
    ]  # fmt: skip
    assert found.counts == {46: 8, 47: 2} and found.excluded == {}
    assert {one.what for one in found.checks} >= {"mosaic_count"}


def test_a_derivative_without_breakpoints_is_said_to_be_unfinished(
    small: Laboratory, files: Files, cells: OpenCells, tmp_path: Path
) -> None:
    number = case_with_cells(small, files, tmp_path, [NORMAL] * 3)
    ids = cell_ids(small, number)
    for id_ in ids:
        edit(small, cells, id_, Reassign(object="c16", label="der(9)"))
    act(small, cells, ids, "counted", "analysed")
    found = seen(small, cells, number)
    assert found.unfinished == ("der(9)",) and found.modal_karyotype == "46,XX,der(9)"
    assert found.conclusion is not None and (found.conclusion.outcome, found.conclusion.iscn) == ("not_valid", "")
    assert {one.rule for one in found.conclusion.broken_rules} >= {"breakpoints-missing"}


def test_a_marker_counts_and_is_written(small: Laboratory, files: Files, cells: OpenCells, tmp_path: Path) -> None:
    number = case_with_cells(small, files, tmp_path, [TRISOMY] * 3)
    ids = cell_ids(small, number)
    for id_ in ids:
        edit(small, cells, id_, Reassign(object="c46", label="mar"))
    act(small, cells, ids, "counted", "analysed")
    found = seen(small, cells, number)
    assert found.conclusion is not None and found.conclusion.iscn == "47,XX,+mar" == found.modal_karyotype
    assert np.isclose(sum(found.counts.values()), 3)
    # What was found out once is not told again when somebody edited since.
    assert seen(small, cells, number) == found
    for id_ in ids:
        edit(small, cells, id_, Reassign(object="c46", label="21"))
    later = seen(small, cells, number)
    assert later.conclusion is not None and later.conclusion.iscn == "47,XX,+21" == later.modal_karyotype
