"""`consilium demo`: the first thing that somebody new sees."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.karyotype import case as pipeline
from consilium.karyotype import demo_case
from consilium.karyotype.synthetic import is_synthetic, save_marked


@pytest.fixture
def _plain_demo(stand_in: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo with two plain cells, which are drawn and read at once."""

    def write(folder: Path, *, seed: int = 21) -> list[Path]:
        files = [folder / f"synthetic_{number:02d}.png" for number in (1, 2)]
        for file in files:
            save_marked(stand_in.draw(stand_in.TRISOMY_21), file)
        return files

    monkeypatch.setattr(pipeline, "shipped_stages", lambda: stand_in.STAGES)
    monkeypatch.setattr(demo_case, "write_demo_case", write)


@pytest.mark.usefixtures("_plain_demo")
def test_it_draws_karyotypes_says_what_to_open_and_can_be_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "演示 demo"
    for lang, synthetic in (("en", "SYNTHETIC"), ("zh", "合成图像")):
        assert run(["demo", "--out", str(out), "--lang", lang]) is ExitCode.DONE
        shown = capsys.readouterr().out
        assert str(out / "case" / "report.html") in shown.splitlines()[-1]
        assert synthetic in shown
    record = json.loads((out / "case" / "case.json").read_text(encoding="utf-8"))
    assert record["modal_karyotype"] == "47,XX,+21"
    assert all(cell["synthetic"] for cell in record["cells"])
    assert sorted(entry.name for entry in out.iterdir()) == ["case", "images"]
    assert all(is_synthetic(file) for file in (out / "images").iterdir())


@pytest.mark.usefixtures("_plain_demo")
@pytest.mark.parametrize("place", ["images", "case"])
def test_it_replaces_nothing_of_the_users(tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    (tmp_path / place).mkdir()
    (tmp_path / place / "slide.png").write_text("precious")
    assert run(["demo", "--out", str(tmp_path)]) is ExitCode.MODEL_OR_OUTPUT
    assert "something other" in capsys.readouterr().err
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()] == [f"{place}/slide.png"]


@pytest.mark.usefixtures("shipped_models")
def test_the_demo_finds_the_trisomy_it_was_drawn_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--out", str(tmp_path), "--lang", "en"]) is ExitCode.DONE
    record = json.loads((tmp_path / "case" / "case.json").read_text(encoding="utf-8"))
    assert record["modal_karyotype"] == demo_case.KARYOTYPE
    assert record["conclusion"]["iscn"] == demo_case.KARYOTYPE
    assert (tmp_path / "case" / "report.pdf").is_file()
    assert len(record["cells"]) == demo_case.CELLS
    assert demo_case.KARYOTYPE in capsys.readouterr().out
