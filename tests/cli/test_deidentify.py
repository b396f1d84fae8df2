from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.imaging.deidentify import run as room


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "Quixwell"
    folder.mkdir()
    ramp = np.add.outer(np.arange(90), np.arange(120)).astype(np.uint8)
    for number in range(2):
        Image.fromarray(ramp + number).save(folder / f"ottoline_{number}.png")
    return folder


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def call(pictures: Path, tmp_path: Path, *more: str) -> ExitCode:
    return run(
        ["deidentify", str(pictures), "--out", str(tmp_path / "out"), "--key", str(tmp_path / "site.key"), *more]
    )


def test_all_is_done_and_the_new_key_is_told_of(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(pictures, tmp_path, "--lang", "zh", "--report", str(tmp_path / "report.json")) == ExitCode.DONE
    told = capsys.readouterr()
    assert "a new site key was made" in told.err and str(tmp_path / "site.key") in told.err
    assert (tmp_path / "site.key").read_text().strip() not in told.err + told.out
    assert "已去标识化 2 个文件" in told.out
    assert len(files_in(tmp_path / "out")) == 2
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["written"] == 2
    names = {path.name for path in files_in(tmp_path / "out")}

    assert call(pictures, tmp_path) == ExitCode.DONE
    assert "new site key" not in capsys.readouterr().err
    assert {path.name for path in files_in(tmp_path / "out")} == names


def test_some_refused_and_all_refused(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pictures / "letter.txt").write_text("Dear colleague")
    assert call(pictures, tmp_path) == ExitCode.PARTLY_DONE
    assert "letter.txt: refused: the file is of no kind" in capsys.readouterr().err
    for path in pictures.glob("*.png"):
        path.unlink()
    assert call(pictures, tmp_path) == ExitCode.UNUSABLE_INPUT


def test_a_trial_makes_neither_files_nor_a_key(pictures: Path, tmp_path: Path) -> None:
    assert call(pictures, tmp_path, "--dry-run") == ExitCode.DONE
    assert not (tmp_path / "out").exists() and not (tmp_path / "site.key").exists()


def test_options_that_are_not_built_are_refused_by_name(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(pictures, tmp_path, "--retain", "uids") == ExitCode.UNUSABLE_INPUT
    assert "'uids' is not built" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mask", ["1,2,3", "a,b,c,d", "5,5,5,9", "-1,0,4,4", "1,2,3,99999999"])
def test_a_wrong_mask_is_bad_usage(pictures: Path, tmp_path: Path, mask: str) -> None:
    assert call(pictures, tmp_path, f"--mask={mask}") == ExitCode.USAGE


def test_a_mask_is_applied(pictures: Path, tmp_path: Path) -> None:
    assert call(pictures, tmp_path, "--mask", "0,0,120,20") == ExitCode.DONE
    for path in files_in(tmp_path / "out"):
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            assert not np.asarray(image)[:20].any()


def test_the_key_may_not_travel_with_the_output(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["deidentify", str(pictures), "--out", str(out), "--key", str(out / "site.key")]
    assert run(words) == ExitCode.UNUSABLE_INPUT
    assert not out.exists()


def test_an_interruption_says_so(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "_check", interrupt)
    assert call(pictures, tmp_path) == ExitCode.INTERRUPTED
    assert files_in(tmp_path / "out") == []
