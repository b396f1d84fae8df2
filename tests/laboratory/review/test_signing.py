"""From two readings to a signature and an amended report, on both databases: what is refused, and what is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from consilium.errors import InputError, NotAllowed, RecordChanged, StorageBroken
from consilium.laboratory.analysis.acts import withdraw_act
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.tables import CellRow
from consilium.laboratory.casework import move, withdraw_case
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory, change_profile
from consilium.laboratory.profile import Profile
from consilium.laboratory.review import tables
from consilium.laboratory.review.content import content_sha256
from consilium.laboratory.review.prepared import prepare
from consilium.laboratory.review.readings import record_reading
from consilium.laboratory.review.release import ReleaseRules
from consilium.laboratory.review.seal import Seal, holds
from consilium.laboratory.review.signed import newest_revision, signed_report, verify
from consilium.laboratory.review.signing import reopen, reviewed, sign
from consilium.laboratory.review.texts import write_text
from tests.laboratory.conftest import PROFILE, received
from tests.laboratory.review.conftest import (
    DOWN,
    FEMALE,
    MALE,
    act,
    add_cells,
    analysed_case,
    command,
    confirm_all,
    read_again,
    ready_case,
    settle,
    signed_case,
    step,
)


def codes(laboratory: Laboratory, opened: OpenCells, number: str) -> list[str]:
    with laboratory.looking("dai") as look:
        return [one.code for one in prepare(look, opened, case_called(look.session, number)).blockers]


def shown(laboratory: Laboratory, opened: OpenCells, number: str) -> str:
    with laboratory.looking("dai") as look:
        return prepare(look, opened, case_called(look.session, number)).sha256


def test_what_was_shown_is_what_is_signed(laboratory: Laboratory, opened: OpenCells, tmp_path: Path) -> None:
    number, _ = ready_case(laboratory, opened)
    assert codes(laboratory, opened, number) == []
    seen = shown(laboratory, opened, number)
    seal = Seal(tmp_path / "seal")
    signed = signed_case(laboratory, opened, number, seal=seal)
    assert signed.signature.content_sha256 == seen == content_sha256(signed.content)
    assert (signed.signature.signer, signed.signature.method, signed.signature.previous) == ("dai", "password", "")
    assert holds(signed.seal, seal.public, signed.sha256)
    assert signed.content.iscn == "46,XX" and signed.content.analysed_by == "tang"
    assert signed.content.reviewed_by == "ren" and signed.content.synthetic
    with laboratory.looking("dai") as look:
        case = case_called(look.session, number)
        assert case.state == "signed" and case.reported == signed.signature.at
        assert signed_report(look.session, case) == signed
        (checked,) = verify(look.session, case, opened.files)
        assert checked.problems == () and checked.signer == "dai"


def test_only_a_director_signs(small: Laboratory, opened: OpenCells) -> None:
    number, _ = ready_case(small, opened)
    seen = shown(small, opened, number)
    for who in ("tang", "ren", "ada"):
        with pytest.raises(NotAllowed), small.changing(who) as change:
            sign(change, opened, case_called(change.session, number), shown=seen, method="password")


def test_a_word_does_not_review_sign_or_reopen_a_case_whose_cells_are_read_here(
    small: Laboratory, opened: OpenCells
) -> None:
    number, ids = analysed_case(small, opened)
    with pytest.raises(InputError, match="written here"), small.changing("ren") as change:
        move(change, case_called(change.session, number), "reviewed")
    read_again(small, number, ids[:2])
    settle(small, opened, number)
    with small.changing("ren") as change:
        reviewed(change, opened, case_called(change.session, number))
    with pytest.raises(InputError, match="written here"), small.changing("dai") as change:
        move(change, case_called(change.session, number), "signed")
    signed_case(small, opened, number)
    for state in ("amended", "reopened"):
        with pytest.raises(InputError, match="written here"), small.changing("dai") as change:
            move(change, case_called(change.session, number), state, reason="x")
    with small.changing("dai") as change:
        reopen(change, case_called(change.session, number), reason="a line was missed")
    step(small, "tang", number, "analysed")
    with pytest.raises(InputError, match="out, and such a one"), small.changing("dai") as change:
        withdraw_case(change, case_called(change.session, number), reason="x")


def test_a_case_whose_report_is_written_elsewhere_goes_its_way_by_words(small: Laboratory, opened: OpenCells) -> None:
    _, number, _ = received(small)
    step(small, "tang", number, "harvested", "analysed")
    step(small, "ren", number, "reviewed")
    step(small, "dai", number, "signed")
    with small.looking("dai") as look:
        case = case_called(look.session, number)
        assert newest_revision(look.session, case) == 0 and verify(look.session, case, opened.files) == ()


def test_who_read_again_and_analysed_then_is_no_second_reader(small: Laboratory, opened: OpenCells) -> None:
    number, ids = analysed_case(small, opened)
    with small.changing("both") as change:
        case = case_called(change.session, number)
        record_reading(change, case, None, karyotype="46,XX")
        for cell in ids[:2]:
            record_reading(change, case, cell, count=46)
        move(change, case, "harvested", reason="more cells")
    step(small, "both", number, "analysed")
    assert codes(small, opened, number)[:2] == ["second_reading_cells", "second_reading_case"]


def test_a_content_that_changed_since_it_was_shown_is_not_signed(laboratory: Laboratory, opened: OpenCells) -> None:
    number, _ = ready_case(laboratory, opened)
    seen = shown(laboratory, opened, number)
    with laboratory.changing("ren") as change:
        case = case_called(change.session, number)
        text_ = prepare(change, opened, case).text
        assert text_ is not None
        write_text(change, case, seen=text_.version, interpretation={"en": "Something else."})
    with pytest.raises(RecordChanged, match="something else"), laboratory.changing("dai") as change:
        sign(change, opened, case_called(change.session, number), shown=seen, method="password")
    for bad in ("", "x", "\x00", "0" * 64):
        with pytest.raises(RecordChanged), laboratory.changing("dai") as change:
            sign(change, opened, case_called(change.session, number), shown=bad, method="password")
    with laboratory.looking("dai") as look:
        case = case_called(look.session, number)
        assert case.state == "reviewed" and newest_revision(look.session, case) == 0
    assert shown(laboratory, opened, number) != seen


def test_an_edit_of_a_cell_after_it_was_shown_is_not_signed(small: Laboratory, opened: OpenCells) -> None:
    number, ids = ready_case(small, opened)
    seen = shown(small, opened, number)
    command(small, opened, "tang", ids[0], {"kind": "flip", "object": "c0", "axis": "vertical"})
    with pytest.raises(RecordChanged), small.changing("dai") as change:
        sign(change, opened, case_called(change.session, number), shown=seen, method="password")


def test_every_step_that_is_missing_is_told_in_its_turn(small: Laboratory, opened: OpenCells) -> None:
    _, number, _ = received(small)
    step(small, "tang", number, "harvested")
    ids = add_cells(small, opened, number, (FEMALE,) * 3, doubtful=(1,))
    texts = ["iscn_missing", "interpretation_missing_en", "interpretation_missing_zh"]
    assert codes(small, opened, number) == [
        "no_cells", "second_reading_case", *texts, "guideline_missed", "guideline_missed", "guideline_missed",
        "no_karyogram", "not_reviewed",
    ]  # fmt: skip
    act(small, "tang", ids, "counted", "analysed", "karyotyped")
    found = codes(small, opened, number)
    assert found[:3] == ["flagged_unreviewed", "second_reading_cells", "second_reading_case"]
    step(small, "tang", number, "analysed")
    read_again(small, number, ids[:2])
    with pytest.raises(InputError, match="flagged"), small.changing("ren") as change:
        reviewed(change, opened, case_called(change.session, number))
    confirm_all(small, opened, ids)
    settle(small, opened, number)
    assert codes(small, opened, number) == ["not_reviewed"]
    seen = shown(small, opened, number)
    with pytest.raises(InputError, match="not reviewed"), small.changing("dai") as change:
        sign(change, opened, case_called(change.session, number), shown=seen, method="password")
    with small.changing("ren") as change:
        reviewed(change, opened, case_called(change.session, number))
    assert codes(small, opened, number) == []


def test_the_karyotype_is_settled_anew_when_the_cells_say_something_else(small: Laboratory, opened: OpenCells) -> None:
    number, ids = ready_case(small, opened)
    for cell in ids:
        command(small, opened, "tang", cell, {"kind": "remove", "object": "c40", "reason": "other cell"})
        command(small, opened, "tang", cell, {"kind": "remove", "object": "c41", "reason": "other cell"})
    found = codes(small, opened, number)
    assert "iscn_stale" in found and "disagreement_open_cell" in found


def test_a_person_may_write_her_own_karyotype_if_it_is_right_or_she_says_why(
    small: Laboratory, opened: OpenCells
) -> None:
    number, _ = ready_case(small, opened)

    def write(**entries: object) -> None:
        with small.changing("dai") as change:
            case = case_called(change.session, number)
            prepared = prepare(change, opened, case)
            assert prepared.text is not None
            write_text(change, case, seen=prepared.text.version, drafted=prepared.draft.iscn, **entries)  # type: ignore[arg-type]

    write(iscn="46,XX,+21")
    assert codes(small, opened, number) == ["disagreement_open_case", "iscn_invalid"]
    write(iscn="46,XX ,t(9;22)", iscn_override="known from another study")
    assert codes(small, opened, number) == ["disagreement_open_case"]
    with small.looking("dai") as look:
        content = prepare(look, opened, case_called(look.session, number)).content
        assert content.iscn_override == "known from another study" and content.lines == ()
    write(iscn="46,XX", iscn_override="known from another study")
    with small.looking("dai") as look:
        prepared = prepare(look, opened, case_called(look.session, number))
        assert prepared.blockers == () and prepared.content.iscn_override == ""


def test_a_text_that_somebody_else_changed_is_not_written_over(small: Laboratory, opened: OpenCells) -> None:
    number, _ = analysed_case(small, opened)
    settle(small, opened, number)
    for seen in (0, 2):
        with pytest.raises(InputError), small.changing("ren") as change:
            write_text(change, case_called(change.session, number), seen=seen, interpretation={"en": "x"})
    with pytest.raises(NotAllowed), small.changing("ada") as change:
        write_text(change, case_called(change.session, number), seen=1, interpretation={"en": "x"})
    for bad in (
        {"interpretation": {"de": "x"}},
        {"reasons": {"beauty": "x"}},
        {"karyograms": [1, 1]},
        {"iscn": "x" * 2001, "drafted": ""},
    ):
        with pytest.raises(InputError), small.changing("dai") as change:
            write_text(change, case_called(change.session, number), seen=1, **bad)  # type: ignore[arg-type]


def test_a_report_is_amended_and_the_old_one_stays_readable(laboratory: Laboratory, opened: OpenCells) -> None:
    number, ids = ready_case(laboratory, opened)
    first = signed_case(laboratory, opened, number)
    with pytest.raises(InputError, match=r"report of .* is out"), laboratory.changing("tang") as change:
        withdraw_act(change, change.session.get_one(CellRow, ids[0]), "karyotyped", reason="x")
    with pytest.raises(InputError, match="reason"), laboratory.changing("dai") as change:
        reopen(change, case_called(change.session, number), reason=" ")
    with pytest.raises(NotAllowed), laboratory.changing("ren") as change:
        reopen(change, case_called(change.session, number), reason="x")
    with laboratory.changing("dai") as change:
        reopen(change, case_called(change.session, number), reason="a marker was missed")
    assert "second_reading_case" in codes(laboratory, opened, number), "an amended report is read anew"
    command(laboratory, opened, "tang", ids[0], {"kind": "flip", "object": "c0", "axis": "vertical"})
    step(laboratory, "tang", number, "analysed")
    read_again(laboratory, number, ids[:2])
    settle(laboratory, opened, number)
    with laboratory.changing("ren") as change:
        reviewed(change, opened, case_called(change.session, number))
    second = signed_case(laboratory, opened, number)
    assert second.content.revision == 2 and second.content.amendment_reason == "a marker was missed"
    assert second.content.supersedes == first.signature.content_sha256
    assert second.signature.previous == first.sha256
    with laboratory.looking("tang") as look:
        case = case_called(look.session, number)
        assert case.state == "amended" and case.amendments == 1
        old = signed_report(look.session, case, 1)
        assert old.content == first.content and old.superseded_by == 2
        assert signed_report(look.session, case) == second
        assert [one.problems for one in verify(look.session, case, opened.files)] == [(), ()]
        for revision in (0, 3, -1):
            with pytest.raises(InputError, match="does not have a signed report"):
                signed_report(look.session, case, revision)


def test_the_sex_is_withheld_where_the_laboratory_wants_it(small: Laboratory, opened: OpenCells) -> None:
    with small.changing("ada") as change:
        rules = ReleaseRules(withhold_sex_of=frozenset({"constitutional_blood"}))
        change_profile(change, Profile(name=PROFILE.name, zone=PROFILE.zone, release=rules), reason="as the law has it")
    number, ids = analysed_case(small, opened, (MALE,) * 3)
    read_again(small, number, ids[:2], "46,XY")
    settle(small, opened, number)
    with small.changing("ren") as change:
        reviewed(change, opened, case_called(change.session, number))
    signed = signed_case(small, opened, number)
    told = signed.content
    assert (told.iscn, told.sex) == ("46,U", "withheld")
    assert [one.iscn for one in told.lines] == ["46,U"] and {one.karyotype for one in told.karyograms} == {"46,U"}
    assert "XY" not in str(told) and "XX" not in str(told)
    # The pictures are others than those with the sex chromosomes.
    open_ = analysed_case(small, opened, (MALE,) * 3)[0]
    with small.changing("dai") as change:
        case = case_called(change.session, open_)
        write_text(change, case, seen=0, withhold_sex=False)
        plain = prepare(change, opened, case).content
    assert plain.sex == "stated" and {one.sha256 for one in plain.karyograms}.isdisjoint(
        one.sha256 for one in told.karyograms
    )


def test_an_unclear_sex_that_is_to_be_withheld_stands_in_the_way(small: Laboratory, opened: OpenCells) -> None:
    number, _ = analysed_case(small, opened, (MALE, FEMALE, MALE, FEMALE))
    with small.changing("dai") as change:
        case = case_called(change.session, number)
        write_text(change, case, seen=0, withhold_sex=True)
        prepared = prepare(change, opened, case)
    assert "sex_pending" in [one.code for one in prepared.blockers] and prepared.content.iscn == ""


def test_a_mosaic_shows_a_karyogram_of_each_line(small: Laboratory, opened: OpenCells) -> None:
    number, _ = analysed_case(small, opened, (DOWN, DOWN, FEMALE, FEMALE, DOWN))
    with small.looking("dai") as look:
        told = prepare(look, opened, case_called(look.session, number)).content
    assert told.iscn == "47,XX,+21[3]/46,XX[2]" and told.mosaicism is None
    assert [(one.iscn, one.cells) for one in told.lines] == [
        ("47,XX,+21[3]", ("01.png", "02.png", "05.png")), ("46,XX[2]", ("03.png", "04.png")),
    ]  # fmt: skip
    assert [one.cell for one in told.karyograms] == ["01.png", "03.png"]


TAMPERING = {
    "UPDATE laboratory_report SET document = replace(document, '46,XX', '46,XY')": "document altered",
    "UPDATE laboratory_report SET document = '{}'": "document altered",
    "UPDATE laboratory_report SET content_sha256 = document": "document altered",
    "DELETE FROM laboratory_report": "document missing",
    "UPDATE laboratory_signature SET signer = 'eve'": "signature altered",
    "UPDATE laboratory_signature SET at = '2020-01-01T00:00:00.000Z'": "signature altered",
    "UPDATE laboratory_signature SET seal = seal_key": "seal broken",
    "UPDATE laboratory_case SET reported = '2020-01-01T00:00:00.000Z'": "state differs",
}


@pytest.mark.parametrize("statement", TAMPERING)
def test_whoever_rules_the_database_and_changes_something_is_found_out(
    small: Laboratory, opened: OpenCells, tmp_path: Path, statement: str
) -> None:
    number, _ = ready_case(small, opened)
    signed_case(small, opened, number, seal=Seal(tmp_path / "seal"))
    with small.writing() as session:
        for name in ("report_never_changed", "report_never_deleted", "signature_never_changed"):
            session.execute(text(f"DROP TRIGGER laboratory_{name}"))
        session.execute(text(statement.replace("content_sha256 = document", "content_sha256 = 'ab'")))
    with small.looking("dai") as look:
        (found,) = verify(look.session, case_called(look.session, number), opened.files)
        assert TAMPERING[statement] in found.problems
        if TAMPERING[statement].startswith("document"):
            with pytest.raises(StorageBroken):
                signed_report(look.session, case_called(look.session, number))


def test_a_signature_that_was_made_up_anew_breaks_the_chain_or_the_seal(
    small: Laboratory, opened: OpenCells, tmp_path: Path
) -> None:
    from dataclasses import replace

    from consilium.laboratory.review.signature import signature_sha256

    number, _ = ready_case(small, opened)
    signed = signed_case(small, opened, number, seal=Seal(tmp_path / "seal"))
    forged = replace(signed.signature, signer="eve")
    with small.writing() as session:
        session.execute(text("DROP TRIGGER laboratory_signature_never_changed"))
        session.execute(
            text("UPDATE laboratory_signature SET signer = 'eve', sha256 = :sha256"),
            {"sha256": signature_sha256(forged)},
        )
    with small.looking("dai") as look:
        (found,) = verify(look.session, case_called(look.session, number), opened.files)
        assert found.problems == ("seal broken",)


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_picture_that_was_changed_or_lost_is_found_out(small: Laboratory, opened: OpenCells, how: str) -> None:
    number, _ = ready_case(small, opened)
    signed = signed_case(small, opened, number)
    path = opened.files.path(signed.content.karyograms[0].sha256)
    if how == "gone":
        path.unlink()
    else:
        path.chmod(0o600)
        path.write_bytes(b"x")
    with small.looking("dai") as look:
        (found,) = verify(look.session, case_called(look.session, number), opened.files)
    assert found.problems == ("picture altered",)


CHILD = """
import os, signal, sys
from pathlib import Path
import sqlalchemy.engine
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.found import case_called
from consilium.laboratory.review.prepared import prepare
from consilium.laboratory.review.seal import Seal
from consilium.laboratory.review.signing import sign

url, folder, numbers = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
opened = OpenCells(Files(folder))
laboratory = Laboratory(url)
with laboratory.looking("dai") as look:
    shown = {one: prepare(look, opened, case_called(look.session, one)).sha256 for one in numbers}
laboratory.close()

def attempt(number, at):
    steps = 0
    def counted(real):
        def call(*arguments, **named):
            nonlocal steps
            steps += 1
            if steps == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)
        return call
    laboratory = Laboratory(url)
    kind = sqlalchemy.engine.Connection
    for name in ("_commit_impl", "execute"):
        setattr(kind, name, counted(getattr(kind, name)))
    Files.keep = counted(Files.keep)
    with laboratory.changing("dai") as change:
        sign(change, opened, case_called(change.session, number), shown=shown[number], method="password",
             seal=Seal(folder))
    return steps

for line in sys.stdin:
    number, at = line.split()
    came, went = os.pipe()
    process = os.fork()
    if process == 0:
        os.write(went, str(attempt(number, int(at))).encode())
        os._exit(0)
    os.close(went)
    told = os.read(came, 100).decode()
    _, status = os.waitpid(process, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    print("killed" if killed else told or "failed", flush=True)
"""


def test_a_process_that_is_killed_while_signing_has_signed_all_or_nothing(
    laboratory: Laboratory, opened: OpenCells, url: str
) -> None:
    numbers = [ready_case(laboratory, opened)[0] for _ in range(2)]

    def kept(number: str) -> tuple[str, int, int, int]:
        with laboratory.looking("dai") as look:
            case = case_called(look.session, number)
            counts = [
                look.session.scalar(select(func.count()).select_from(kind).where(kind.case_id == case.id)) or 0
                for kind in (tables.ReportRow, tables.SignatureRow)
            ]
            return case.state, case.version, *counts  # type: ignore[return-value]

    with subprocess.Popen(
        [sys.executable, "-c", CHILD, url, str(opened.files.folder), *numbers], text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as child:  # fmt: skip
        assert child.stdin is not None and child.stdout is not None

        def tried(number: str, at: int) -> str:
            child.stdin.write(f"{number} {at}\n")
            return child.stdout.readline().strip()

        steps = int(tried(numbers[0], 0))
        assert steps > 12
        before = kept(numbers[1])
        assert before[0] == "reviewed" and before[2:] == (0, 0)
        for at in sorted({2, steps // 3, steps // 2, steps - 4, steps - 2, steps - 1, steps}):
            assert tried(numbers[1], at) == "killed"
            assert kept(numbers[1]) == before, f"killed at step {at} of {steps}"
        assert tried(numbers[1], 0) == str(steps)
        assert kept(numbers[1]) == ("signed", before[1] + 1, 1, 1)
        child.stdin.close()
    with laboratory.looking("dai") as look:
        (found,) = verify(look.session, case_called(look.session, numbers[1]), opened.files)
        assert found.problems == ()


def test_files_of_another_folder_are_told(small: Laboratory, opened: OpenCells, tmp_path: Path) -> None:
    from consilium.errors import OutputError

    number, _ = ready_case(small, opened)
    elsewhere = OpenCells(Files(tmp_path / "elsewhere"))
    with pytest.raises(OutputError, match="missing"), small.looking("dai") as look:
        prepare(look, elsewhere, case_called(look.session, number))
