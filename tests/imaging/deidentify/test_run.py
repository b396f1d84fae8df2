from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from consilium.errors import InputError, NothingToDo, OutputError
from consilium.imaging.deidentify import run
from consilium.imaging.deidentify.policy import Policy
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import WORDING, Reason
from consilium.imaging.deidentify.report import Report
from consilium.imaging.deidentify.site_key import SiteKey
from consilium.imaging.deidentify.sources import source_files
from consilium.imaging.deidentify.wording import ACTIONS, NOTES

Builder = Callable[..., bytes]
KEY = SiteKey(b"k" * 32)
NOW = datetime(2026, 2, 3, tzinfo=UTC)
TOLD = ("quixwell", "ottoline", "hosp-0815", "wexborough", "20031119", "19310417", "secret_name", "4711")


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def source(tmp_path: Path, make_file: Builder) -> Path:
    """A folder as a hospital has it: good files, doubtful ones, names in the names of files."""
    folder = tmp_path / "in" / "Quixwell Ottoline"
    folder.mkdir(parents=True)
    (folder / "secret_name_1.dcm").write_bytes(make_file())
    (folder / "secret_name_2").write_bytes(make_file(SOPInstanceUID="1.2.826.0.1.4711.4"))
    (folder / "secret_name_3.dcm").write_bytes(make_file(BurnedInAnnotation="YES", SOPInstanceUID="1.2.3.4711"))
    (folder / "letter.pdf").write_bytes(b"%PDF-1.4 Quixwell")
    (folder / "cut.dcm").write_bytes(make_file()[:900])
    buffer = io.BytesIO()
    Image.fromarray(np.add.outer(np.arange(90), np.arange(120)).astype(np.uint8)).save(buffer, "PNG")
    (folder / "secret_name.png").write_bytes(buffer.getvalue())
    page = Image.new("L", (400, 120), 20)
    ImageDraw.Draw(page).text((30, 40), "QUIXWELL OTTOLINE", fill=255, font=ImageFont.load_default(size=26))
    page.save(folder / "written.png")
    (folder / ".hidden").write_bytes(b"x")
    return tmp_path / "in"


def done(source: Path, out: Path, policy: Policy | None = None, *, dry_run: bool = False, key: SiteKey = KEY) -> Report:
    return run.deidentify(source_files([source]), out, policy=policy or Policy(), key=key, created=NOW, dry_run=dry_run)


def test_good_files_are_written_and_the_others_refused_with_their_reason(source: Path, tmp_path: Path) -> None:
    report = done(source, tmp_path / "out")
    assert len(report.written) == 3
    assert sorted(one.reason for one in report.refused if one.reason) == sorted(
        [Reason.SAYS_BURNT_IN, Reason.UNKNOWN_KIND, Reason.DAMAGED, Reason.TEXT_SUSPECTED]
    )
    written = files_in(tmp_path / "out")
    assert sorted(written) == sorted(one.became.place for one in report.written if one.became)


def test_no_name_is_in_any_file_name_or_the_report(source: Path, tmp_path: Path) -> None:
    report = done(source, tmp_path / "out")
    everything = " ".join(files_in(tmp_path / "out")) + report.as_json() + report.as_text("en") + report.as_text("zh")
    assert [word for word in TOLD if word in everything.casefold()] == []
    assert KEY.secret.hex() not in everything and "kkkk" not in everything


def test_the_same_run_gives_the_same_bytes_and_another_key_other_names(source: Path, tmp_path: Path) -> None:
    done(source, tmp_path / "one")
    done(source, tmp_path / "two")
    done(source, tmp_path / "three", key=SiteKey(b"x" * 32))
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")
    assert not set(files_in(tmp_path / "one")) & set(files_in(tmp_path / "three"))


def test_a_trial_writes_nothing_and_says_so(source: Path, tmp_path: Path) -> None:
    report = done(source, tmp_path / "out", dry_run=True)
    assert not (tmp_path / "out").exists()
    assert len(report.written) == 3
    assert report.as_text("en").startswith("A trial") and report.as_text("zh").startswith("试运行")


def test_what_fails_the_search_after_writing_is_not_left(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from consilium.imaging.deidentify.identity import Identity

    monkeypatch.setattr(Identity, "in_bytes", lambda *_args, **_more: True)
    report = done(source, tmp_path / "out")
    reasons = [one.reason for one in report.refused]
    assert reasons.count(Reason.STILL_IDENTIFYING) == 2
    assert [name for name in files_in(tmp_path / "out") if not name.endswith(".png")] == []


def test_an_interruption_leaves_nothing_half_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_check", interrupt)
    with pytest.raises(KeyboardInterrupt):
        done(source, tmp_path / "out")
    assert files_in(tmp_path / "out") == {}


def test_two_files_that_claim_to_be_one_are_not_mixed(tmp_path: Path, make_file: Builder) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(make_file())
    (tmp_path / "in" / "b").write_bytes(make_file())
    (tmp_path / "in" / "c").write_bytes(make_file(Manufacturer="Other"))
    report = done(tmp_path / "in", tmp_path / "out")
    assert [one.reason for one in report.outcomes] == [None, None, Reason.SAME_NAME]
    assert len(files_in(tmp_path / "out")) == 1


def test_a_person_may_answer_for_what_the_finder_suspects(source: Path, tmp_path: Path) -> None:
    report = done(source, tmp_path / "out", Policy(reviewed=True))
    assert Reason.TEXT_SUSPECTED not in [one.reason for one in report.refused]
    assert report.as_document()["profile"]["reviewed"] is True


def test_the_report_is_written_whole(source: Path, tmp_path: Path) -> None:
    report = done(source, tmp_path / "out")
    run.write_report(report, tmp_path / "told" / "report.json")
    document = json.loads((tmp_path / "told" / "report.json").read_text(encoding="utf-8"))
    assert document["written"] == 3 and document["refused"] == 4
    assert [one["number"] for one in document["files"]] == list(range(1, 8))
    assert document["attributes"]["PatientName"] == {"pseudonym": 2}
    assert all(set(one["told"]) == {"en", "zh"} for one in document["files"] if one["outcome"] == "refused")
    with pytest.raises(OutputError):
        run.write_report(report, tmp_path / "told" / "report.json" / "below")


def test_places_that_would_mix_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    key = tmp_path / "key"
    for out in (tmp_path / "in", tmp_path / "in" / "out", tmp_path):
        with pytest.raises(InputError):
            run.refuse_places([tmp_path / "in"], out, key, None)
    with pytest.raises(InputError, match="key"):
        run.refuse_places([tmp_path / "in"], tmp_path / "out", tmp_path / "out" / "key", None)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        run.refuse_places([tmp_path / "in"], tmp_path / "file", key, None)
    run.refuse_places([tmp_path / "in"], tmp_path / "out", key, tmp_path / "report.json")


def test_an_output_that_cannot_be_written_is_an_error_of_its_own(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError):
        done(source, tmp_path / "out")


def test_nothing_to_do_and_wrong_names(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToDo):
        source_files([tmp_path / "empty"])
    with pytest.raises(InputError):
        source_files([tmp_path / "none"])


def test_every_reason_action_and_note_has_both_languages() -> None:
    assert set(WORDING) == set(Reason)
    for told in WORDING.values():
        assert set(told) == {"en", "zh"} and all(all(parts) for parts in told.values())
    assert all(set(told) == {"en", "zh"} for told in (*ACTIONS.values(), *NOTES.values()))


def test_an_error_tells_the_person_where(source: Path, tmp_path: Path, pseudonyms: Pseudonyms) -> None:
    path = next(source.rglob("cut.dcm"))
    with pytest.raises(InputError) as caught:
        run.clean_file(path, Policy(), pseudonyms)
    assert caught.value.where == str(path) and caught.value.way_out
