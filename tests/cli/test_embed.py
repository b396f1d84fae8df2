from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pictures, and a home of its own."""
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path / "home"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(folder / f"{number}.png")
    return folder


def test_a_folder_becomes_a_table(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "features.npz"
    assert run(["embed", str(folder), "--out", str(out), "--modality", "us"]) == ExitCode.DONE
    with np.load(out) as found:
        first = found["features"]
        assert first.shape[0] == 3 and str(found["side"]) == "128"
        assert [Path(name).name for name in found["files"].tolist()] == ["0.png", "1.png", "2.png"]
    assert "3 images" in capsys.readouterr().out
    assert run(["embed", str(folder), "--out", str(out), "--modality", "us"]) == ExitCode.DONE
    assert "3 from the cache" in capsys.readouterr().out
    with np.load(out) as found:
        assert np.array_equal(found["features"], first)


def test_without_a_cache_nothing_is_kept(folder: Path, tmp_path: Path) -> None:
    assert run(["embed", str(folder), "--out", str(tmp_path / "f.csv"), "--no-cache", "--side", "64"]) == ExitCode.DONE
    assert not (tmp_path / "home").exists()


def test_a_bad_file_is_told_and_passed_over(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    assert run(["embed", str(folder), "--out", str(tmp_path / "f.npz")]) == ExitCode.PARTLY_DONE
    told = capsys.readouterr()
    assert "bad.png: not used" in told.err and "1 not used" in told.out
    with np.load(tmp_path / "f.npz") as found:
        assert len(found["files"]) == 3


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--modality", "xyz"], ExitCode.UNUSABLE_INPUT, "no modality 'xyz'"),
        (["--side", "100"], ExitCode.UNUSABLE_INPUT, "multiple of 32"),
        (["--encoder", "resnet18"], ExitCode.UNUSABLE_INPUT, "timm:NAME"),
    ],
)
def test_wrong_wishes_are_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: ExitCode, said: str
) -> None:
    assert run(["embed", str(folder), "--out", str(tmp_path / "f.npz"), *arguments]) == status
    assert said in capsys.readouterr().err
    assert not (tmp_path / "f.npz").exists()


def test_nothing_usable_is_no_table(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    wanted = ["embed", str(folder / "bad.png"), "--out", str(tmp_path / "f.npz")]
    assert run(wanted) == ExitCode.UNUSABLE_INPUT
    assert "none of the images could be used" in capsys.readouterr().err
    assert run(["embed", str(folder), "--out", str(tmp_path / "f.txt")]) == ExitCode.UNUSABLE_INPUT
