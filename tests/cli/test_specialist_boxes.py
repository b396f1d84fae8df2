"""The verbs of `consilium specialist` on boxes: from a table with boxes to boxes in new pictures, and a report."""

from __future__ import annotations

import base64
import io
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.specialist.detection.average_precision import detection_figures
from consilium.specialist.detection.box_network import fit_box_network
from consilium.specialist.detection.boxes import overlaps
from tests.specialist.drawn_outlines import table
from tests.specialist.test_detector import LABELS, scenes

pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A home of its own, small views and few draws of the bootstrap: bright discs and dark squares need no more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSILIUM_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("consilium.specialist.detection.boxed_cases.SIDE", 128)
        patch.setattr(
            "consilium.specialist.detection.cross_validate.detection_figures", partial(detection_figures, draws=60)
        )
        patch.setattr("consilium.specialist.detection.compare._DRAWS", 60)
        patch.setattr("consilium.specialist.detection.box_network._FEWEST_STEPS", 100)
        patch.setattr("consilium.specialist.detection.box_network._BATCH", 256)
        patch.setattr("consilium.specialist.detection.second_look._SHAKEN", 4)
        for name in ("_HIDDEN", "_HIDDEN_OF_BOXES"):
            patch.setattr(f"consilium.specialist.detection.detector.{name}", 24)
        yield


FORGOTTEN = (4, 9)


def boxed_pictures(folder: Path, count: int, *, seed: int = 0, aside: int = 0, forgotten: tuple[int, ...] = ()) -> Path:
    """Pictures with boxes in files of CSV, two pictures a patient, the last ones set aside; the first box of some is
    forgotten. Their table."""
    folder.mkdir()
    pictures, truth = scenes(count, seed=seed)
    rows: list[dict[str, object]] = []
    for number, (picture, boxes) in enumerate(zip(pictures, truth, strict=True)):
        name = f"{number:03d}"
        Image.fromarray(np.round(picture * 255).astype(np.uint8)).save(folder / f"{name}.png")
        lines = ["label,xmin,ymin,xmax,ymax"]
        for corners, kind in zip(boxes.corners.tolist(), boxes.classes.tolist(), strict=True):
            lines.append(",".join([LABELS[kind], *map(str, corners)]))
        if number in forgotten:
            del lines[1]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        split = "test" if number >= count - aside else "train"
        rows.append({"file": f"{name}.png", "boxes": f"{name}.csv", "group": number // 2, "split": split})
    return table(folder / "cases.csv", rows)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with data, and the model of 28 pictures: four of them set aside, in two of them a box was forgotten."""
    folder = tmp_path_factory.mktemp("boxes")
    data = boxed_pictures(folder / "data", 28, aside=4, forgotten=FORGOTTEN)
    words = ["specialist", "fit", str(data), "--out", str(folder / "model"), "--modality", "smear", "--lang", "en"]
    assert run(words) == ExitCode.DONE
    return folder, folder / "model"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_case_is_searched_by_a_model_that_has_not_seen_its_patient(fitted: tuple[Path, Path]) -> None:
    folder, model = fitted
    told = json.loads((model / "validation.json").read_text(encoding="utf-8"))
    assert told["task"] == "detect" and told["labels"] == list(LABELS)
    assert told["counts"]["cases"] == 24 and told["counts"]["patients"] == 12
    assert told["ap50"]["value"] > 0.6 and told["froc_mean"]["value"] > 0.6
    assert [one["label"] for one in told["figures"]] == list(LABELS)
    assert told["external"]["cases"] == 4 and "figure" in told["external"]["ap50"]
    facts = json.loads((folder / "model-report" / "facts.json").read_text(encoding="utf-8"))
    groups = [case["group"] for case in facts["cases"]]
    fold = dict(zip(told["ledger"]["cases"], told["ledger"]["assigned"][0], strict=True))
    assert sorted(fold) == list(range(24))
    for group in set(groups[:24]):
        assert len({fold[row] for row in range(24) if groups[row] == group}) == 1
    for one in told["finds"] + told["external"]["finds"]:
        beside = json.loads((folder / "model-report" / facts["cases"][one["case"]]["found"]).read_text())
        assert len(beside["true"]) == one["true"] == one["hits"] + one["missed"]
        assert len(beside["found"]) == one["hits"] + one["surplus"]
    doubted = {one["case"] for one in told["doubtful"] if one["doubt"] == "no box"}
    assert doubted & set(FORGOTTEN) and told["doubts"] >= len(doubted)
    assert sum(one["true"] for one in told["finds"]) == sum(told["objects"].values())


def test_boxes_of_new_pictures(fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = boxed_pictures(tmp_path / "new", 4, seed=9).parent
    noise = np.random.default_rng(0).integers(0, 255, (64, 80, 3)).astype(np.uint8)
    Image.fromarray(noise).save(new / "noise.png")
    (new / "broken.png").write_bytes(b"no picture")
    capsys.readouterr()
    assert run(["specialist", "predict", str(fitted[1]), str(new)]) == ExitCode.PARTLY_DONE
    told = capsys.readouterr()
    assert "broken.png: not used" in told.err
    found = {Path(one["file"]).name: one for one in lines(told.out)}
    assert set(found) == {"000.png", "001.png", "002.png", "003.png", "noise.png"}
    _, truth = scenes(4, seed=9)
    hits = 0
    for number in (1, 2, 3):
        one = found[f"{number:03d}.png"]
        assert set(one) == {"file", "found", "abstain", "why"}
        for box in one["found"]:
            kind = LABELS.index(box["label"])
            true = truth[number].corners[truth[number].classes == kind]
            hits += bool(len(true)) and bool(overlaps(np.array([box["box"]]), true).max() >= 0.5)
    assert hits >= 6
    assert found["noise.png"]["abstain"] and "unlike the training cases" in found["noise.png"]["why"]
    for one in found.values():
        assert ("nothing found" in one["why"]) == (not one["found"])


def test_boxes_are_drawn_and_the_whole_model_is_exported(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = fitted[0] / "data" / "002.png"
    words = ["specialist", "explain", str(fitted[1]), str(picture), "--out", str(tmp_path / "why")]
    assert run(words) == ExitCode.DONE
    with Image.open(tmp_path / "why" / "0001_002.png") as shown, Image.open(picture) as plain:
        assert shown.size == plain.size and not np.array_equal(np.asarray(shown), np.asarray(plain))
    assert run(["specialist", "export", str(fitted[1]), str(tmp_path / "o"), "--to", "monai"]) == ExitCode.DONE
    capsys.readouterr()
    from consilium.specialist.detection.box_file import read_box_file

    answers = []
    for model in (fitted[1], tmp_path / "o"):
        assert run(["specialist", "predict", str(model), str(picture)]) == ExitCode.DONE
        answers.append(lines(capsys.readouterr().out))
    assert answers[0] == answers[1] and answers[0][0]["found"]
    (tmp_path / "again.json").write_text(json.dumps(answers[0][0]), encoding="utf-8")
    again = read_box_file(tmp_path / "again.json").of(picture)
    assert again is not None and [list(one.corners) for one in again] == [one["box"] for one in answers[0][0]["found"]]
    from consilium.specialist.detection.finds import opened

    assert opened(tmp_path / "o").boxes(picture) == answers[0][0]["found"]


def test_what_means_nothing_for_boxes_is_refused(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, model = fitted
    picture = str(folder / "data" / "005.png")
    for words, told in (
        (["predict", str(model), picture, "--out", str(tmp_path)], "--out"),
        (["predict", str(model), picture, "--by-group"], "--by-group"),
        (["explain", str(model), picture, "--out", str(tmp_path), "--label", "cyst"], "no label 'cyst'"),
        (["export", str(model), str(tmp_path / "o"), "--to", "onnx"], "--to monai"),
        (["compare", str(model), str(model), "--data", str(folder / "data" / "cases.csv")], "trained on"),
    ):
        assert run(["specialist", *words]) == ExitCode.UNUSABLE_INPUT
        assert told in capsys.readouterr().err
    data = str(folder / "data" / "cases.csv")
    for more, told in (
        (["--encoder", "hub:timm:x"], "shipped encoder"),
        (["--case", "split"], "--case"),
        (["--instances"], "--instances"),
        (["--fine-tune", "auto"], "not fine-tuned"),
    ):
        assert run(["specialist", "fit", data, "--out", str(tmp_path / "m"), *more]) == ExitCode.UNUSABLE_INPUT
        assert told in capsys.readouterr().err and not (tmp_path / "m").exists()


def test_few_cases_are_a_result_and_two_models_are_compared(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = boxed_pictures(tmp_path / "few", 12, seed=50)
    monkeypatch.setattr(
        "consilium.specialist.detection.second_look.fit_box_network",
        lambda *given, **named: fit_box_network(*given, **{**named, "epochs": 1}),
    )
    words = ["specialist", "fit", str(few), "--out", str(tmp_path / "weak"), "--modality", "smear", "--lang", "zh"]
    assert run(words) == ExitCode.DONE
    assert "病例不足" in capsys.readouterr().out
    assert run(["specialist", "predict", str(tmp_path / "weak"), str(tmp_path / "few" / "001.png")]) == ExitCode.DONE
    assert "not validated" in lines(capsys.readouterr().out)[0]["why"]
    pytest.importorskip("matplotlib", reason="plots are drawn by matplotlib (extra specialist)")
    words = ["specialist", "report", str(tmp_path / "weak"), "--lang", "en", "--out", str(tmp_path / "report")]
    assert run(words) == ExitCode.DONE
    record = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert record["verdict"]["grade"] == "not enough cases"
    capsys.readouterr()
    new = boxed_pictures(tmp_path / "new", 22, seed=70)
    assert run(["specialist", "compare", str(fitted[1]), str(tmp_path / "weak"), "--data", str(new), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["figure"] == "AP50" and found["labels"] == list(LABELS) and found["cases"] == 22
    assert found["first"]["value"] > 0.6
    assert found["difference"]["value"] == pytest.approx(found["first"]["value"] - found["second"]["value"])
    assert found["difference"]["low"] <= found["difference"]["value"] <= found["difference"]["high"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report(fitted: tuple[Path, Path], tmp_path: Path, lang: str) -> None:
    pytest.importorskip("matplotlib", reason="plots are drawn by matplotlib (extra specialist)")
    from consilium.typesetting.fonts import find_chinese_font, usual_font_folders

    if lang == "zh" and find_chinese_font(usual_font_folders()) is None:
        pytest.skip("no font with Chinese characters is installed (apt-get install fonts-noto-cjk)")
    words = ["specialist", "report", str(fitted[1]), "--lang", lang, "--out", str(tmp_path)]
    assert run(words) == ExitCode.DONE
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    tiles = re.findall(r"data:image/png;base64,([^\"]+)", page)
    assert len(tiles) >= 8
    for colour in ((86, 180, 233), (230, 159, 0)):
        seen = 0
        for tile in tiles:
            with Image.open(io.BytesIO(base64.b64decode(tile))) as image:
                seen += (np.asarray(image.convert("RGB")) == colour).all(2).sum() > 20
        assert seen >= 6
    assert (tmp_path / "report.pdf").stat().st_size > 20000
    record = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    status = {one["number"]: one["status"] for one in record["items"]}
    assert [number for number, one in status.items() if one == "not applicable"] == ["4", "7", "13"]
    assert [number for number, one in status.items() if one == "not made"] == ["5", "6", "9", "10"]
    assert all(one["reason"] in page for one in record["items"] if one["status"] != "given")
    assert all(label in page for label in LABELS) and "FROC" in page
    told = {"en": ("Boxes to look at again", "Worst pictures"), "zh": ("值得复核的目标框", "最差的图像")}[lang]
    assert all(one in page for one in told)
