from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.specialist import graph
from tests.specialist.drawn_pictures import draw, two_classes

pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with data, home and model of two classes of 12."""
    folder = tmp_path_factory.mktemp("specialist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSILIUM_HOME", str(folder / "home"))
        data = two_classes(folder / "data", 12)
        assert run(["specialist", "fit", str(data), "--out", str(folder / "model"), "--lang", "en"]) == ExitCode.DONE
    return folder, folder / "model"


@pytest.fixture(autouse=True)
def home(fitted: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_HOME", str(fitted[0] / "home"))


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_new_pictures_get_answers(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path / "new" / "1.png", large=True, seed=77)
    draw(tmp_path / "new" / "2.png", seed=78)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / "new" / "3.png")
    (tmp_path / "new" / "4.png").write_text("no image")
    assert run(["specialist", "predict", str(fitted[1]), str(tmp_path / "new")]) == ExitCode.PARTLY_DONE
    told = capsys.readouterr()
    assert "4.png: not used" in told.err
    large, small, noise = lines(told.out)
    assert (large["label"], small["label"]) == ("tumour", "normal") and Path(str(large["file"])).name == "1.png"
    assert set(large) == {"file", "label", "probabilities", "set", "abstain", "why"}
    probabilities = large["probabilities"]
    assert isinstance(probabilities, dict) and sum(probabilities.values()) == pytest.approx(1)
    assert noise["abstain"] is True and "unlike the training cases" in noise["why"]  # type: ignore[operator]
    bad = str(tmp_path / "new" / "4.png")
    assert run(["specialist", "predict", str(fitted[1]), bad]) == ExitCode.UNUSABLE_INPUT


def test_predict_needs_nothing_of_the_extras(fitted: tuple[Path, Path]) -> None:
    picture = next((fitted[0] / "data" / "tumour").iterdir())
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "sklearn", "onnx", "matplotlib", "model_signing"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from consilium.cli.main import run
assert run(["specialist", "predict", {str(fitted[1])!r}, {str(picture)!r}]) == 0
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout)[0]["label"] == "tumour"


def test_files_of_a_group_are_one_case(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        draw(tmp_path / f"{number}.png", large=True, seed=60 + number)
    (tmp_path / "m.csv").write_text("file,group\n0.png,A\n1.png,A\n2.png,B\n")
    assert run(["specialist", "predict", str(fitted[1]), str(tmp_path / "m.csv"), "--by-group"]) == ExitCode.DONE
    assert [one["file"] for one in lines(capsys.readouterr().out)] == ["A", "2.png"]


def test_an_altered_model_is_refused(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    assert run(["specialist", "export", str(fitted[1]), str(copy), "--to", "monai"]) == ExitCode.DONE
    picture = str(next((fitted[0] / "data" / "tumour").iterdir()))
    assert run(["specialist", "predict", str(copy), picture]) == ExitCode.DONE
    record = copy / "specialist.json"
    record.write_text(record.read_text().replace('"validated": true', '"validated": false'))
    capsys.readouterr()
    assert run(["specialist", "predict", str(copy), picture]) == ExitCode.MODEL_OR_OUTPUT
    told = capsys.readouterr()
    assert "specialist.json was altered" in told.err and not told.out


def test_places_that_are_taken_are_refused_before_the_work(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(fitted[0] / "data")
    assert run(["specialist", "fit", data, "--out", str(fitted[1])]) == ExitCode.MODEL_OR_OUTPUT
    assert "--overwrite" in capsys.readouterr().err
    assert run(["specialist", "fit", data, "--out", data, "--overwrite"]) == ExitCode.MODEL_OR_OUTPUT
    assert "not empty" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    fitted: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(graph, "find_spec", lambda _name: None)
    out = str(tmp_path / "m")
    assert run(["specialist", "fit", str(fitted[0] / "data"), "--out", out]) == ExitCode.MODEL_OR_OUTPUT
    assert "consilium[specialist]" in capsys.readouterr().err


def test_one_class_is_an_error_and_so_are_masks_in_place_of_boxes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path / "data" / "normal" / "1.png")
    out = str(tmp_path / "m")
    assert run(["specialist", "fit", str(tmp_path / "data"), "--out", out]) == ExitCode.UNUSABLE_INPUT
    assert "only the label 'normal'" in capsys.readouterr().err
    draw(tmp_path / "data" / "normal" / "1_mask.png")
    words = ["specialist", "fit", str(tmp_path / "data"), "--out", out, "--task", "detect"]
    assert run(words) == ExitCode.UNUSABLE_INPUT
    assert "has no boxes" in capsys.readouterr().err and not (tmp_path / "m").exists()


def test_options_and_folders_of_outlines_are_not_for_labels(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["specialist", "fit", str(fitted[0] / "data"), "--out", str(tmp_path / "m"), "--instances"]
    assert run(words) == ExitCode.UNUSABLE_INPUT and "--instances" in capsys.readouterr().err
    picture = str(next((fitted[0] / "data" / "tumour").iterdir()))
    words = ["specialist", "predict", str(fitted[1]), picture, "--out", str(tmp_path)]
    assert run(words) == ExitCode.UNUSABLE_INPUT and "writes no files" in capsys.readouterr().err


def test_twelve_cases_give_a_model_that_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = two_classes(tmp_path / "data", 6), tmp_path / "m"
    assert run(["specialist", "fit", str(data), "--out", str(out), "--lang", "zh"]) == ExitCode.DONE
    assert "病例不足" in capsys.readouterr().out
    assert run(["specialist", "predict", str(out), str(data)]) == ExitCode.DONE
    answers = lines(capsys.readouterr().out)
    assert len(answers) == 12 and all(one["abstain"] for one in answers)
    assert "NOT VALIDATED" in (out / "docs" / "README.md").read_text(encoding="utf-8")


def test_any_name_and_the_terms_of_its_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = two_classes(tmp_path / "甲 状腺 'x'", 3), tmp_path / "模型 1 é.v2"
    (tmp_path / "terms.txt").write_text("Only inside the house.")
    words = ["specialist", "fit", str(data), "--out", str(out), "--licence"]
    assert run([*words, str(tmp_path / "none.txt")]) == ExitCode.UNUSABLE_INPUT
    assert run([*words, str(tmp_path / "terms.txt")]) == ExitCode.DONE
    assert "Only inside the house." in (out / "LICENSE").read_text()
    assert run(["specialist", "predict", str(out), str(data)]) == ExitCode.DONE
    assert run([*words[:-1], "--overwrite"]) == ExitCode.DONE
    assert "No terms were stated" in (out / "LICENSE").read_text()


def test_a_killed_run_leaves_nothing_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = two_classes(tmp_path / "data", 40)
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    out = str(tmp_path / "here" / "m")
    code = f"from consilium.cli.main import run; run(['specialist', 'fit', {str(data)!r}, '--out', {out!r}])"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, env=dict(os.environ))
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until and not any((tmp_path / "home").rglob("*.features")):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not any((tmp_path / "here").iterdir())
    assert run(["specialist", "fit", str(data), "--out", out, "--lang", "en"]) == ExitCode.DONE
    known = next(line for line in capsys.readouterr().err.splitlines() if "from the cache" in line)
    assert " (0 from" not in known


def test_an_explanation_is_drawn(fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = draw(tmp_path / "one.png", large=True, seed=91)
    words = ["specialist", "explain", str(fitted[1]), str(picture), "--out", str(tmp_path / "why")]
    assert run([*words, "--label", "tumour"]) == ExitCode.DONE
    with Image.open(tmp_path / "why" / "0001_one.png") as shown:
        assert shown.size == (512, 512) and shown.mode == "RGB"
    capsys.readouterr()
    assert run([*words, "--label", "cyst"]) == ExitCode.UNUSABLE_INPUT
    assert "no label 'cyst'" in capsys.readouterr().err


def test_the_network_alone(fitted: tuple[Path, Path], tmp_path: Path) -> None:
    from consilium.artefact.runtime import load_model

    assert run(["specialist", "export", str(fitted[1]), str(tmp_path / "o"), "--to", "onnx"]) == ExitCode.DONE
    model = load_model(tmp_path / "o" / "model.json", threads=1)
    found = model.run(images=np.zeros((2, 224, 224, 3), np.float32))
    assert found["probabilities"].shape == (2, 2)


def test_two_models_are_compared_on_new_cases_only(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weaker = two_classes(tmp_path / "few", 5, first_seed=300)
    assert run(["specialist", "fit", str(weaker), "--out", str(tmp_path / "weak")]) == ExitCode.DONE
    both = ["specialist", "compare", str(fitted[1]), str(tmp_path / "weak"), "--data"]
    capsys.readouterr()
    assert run([*both, str(weaker)]) == ExitCode.UNUSABLE_INPUT
    assert "10 case(s) were trained on" in capsys.readouterr().err
    new = two_classes(tmp_path / "new", 15, first_seed=600)
    assert run([*both, str(new), "--json"]) == ExitCode.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["cases"] == 30 and found["first"]["value"] > 0.9 and found["labels"] == ["tumour"]
    gap = found["first"]["value"] - found["second"]["value"]
    assert found["difference"]["value"] == pytest.approx(gap)
    renamed = tmp_path / "new" / "tumour"
    renamed.rename(tmp_path / "new" / "cyst")
    assert run([*both, str(new)]) == ExitCode.UNUSABLE_INPUT
    assert "'cyst' is unknown" in capsys.readouterr().err


def test_the_report_follows_and_the_model_names_no_case(fitted: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots are drawn by matplotlib (extra specialist)")
    folder, model = fitted
    words = ["specialist", "report", str(model), "--images", str(folder / "data"), "--lang", "en"]
    assert run([*words, "--no-pdf", "--out", str(tmp_path)]) == ExitCode.DONE
    assert "AUC" in (tmp_path / "report.html").read_text(encoding="utf-8")
    name = next((folder / "data" / "tumour").iterdir()).name
    assert name in (folder / "model-report" / "facts.json").read_text(encoding="utf-8")
    # A model is handed on; who the cases were stays here.
    assert not any(name.encode() in file.read_bytes() for file in model.rglob("*") if file.is_file())
