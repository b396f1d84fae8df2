"""The verbs of `consilium specialist` on outlines: from a table with masks to masks of new pictures, and a report."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.specialist.segmentation.overlap import dice
from tests.imaging.made_files import dicom
from tests.specialist.drawn_outlines import outlined_pictures, outlined_volumes, table
from tests.specialist.shapes import discs

pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A home of its own, the linear way alone and few steps: discs are learnt by that, in a tenth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSILIUM_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("consilium.specialist.segmentation.cross_validation.WAYS", {"linear": 0})
        patch.setattr("consilium.specialist.segmentation.segmenter._PIXELS", 100)
        patch.setattr("consilium.specialist.segmentation.pixel_classifier._FEWEST_STEPS", 40)
        yield


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with data, and the model of 28 pictures: four of them empty, four set aside."""
    folder = tmp_path_factory.mktemp("outlines")
    data = outlined_pictures(folder / "data", 28, empty=4, aside=4)
    words = ["specialist", "fit", str(data), "--out", str(folder / "model"), "--modality", "us", "--lang", "en"]
    assert run([*words, "--label", "lesion"]) == ExitCode.DONE
    return folder, folder / "model"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_case_is_outlined_by_a_model_that_has_not_seen_its_patient(fitted: tuple[Path, Path]) -> None:
    folder, model = fitted
    told = json.loads((model / "validation.json").read_text(encoding="utf-8"))
    assert told["task"] == "segment" and told["labels"] == ["lesion"] and told["kind"] == "one object"
    assert told["counts"] == {
        "cases": 24, "patients": 12, "cases_of_label": {"lesion": 20}, "patients_of_label": {"lesion": 10},
    }  # fmt: skip
    (figures,) = told["figures"]
    assert figures["dice"]["value"] > 0.85 and figures["surface"]["value"] > 0.85 and figures["without"] == 4
    assert {one["name"]: one["gain"]["low"] > 0 for one in told["baselines"]} == {"mean shape": True, "threshold": True}
    assert told["external"]["cases"] == 4 and "figure" in told["external"]["dice"]
    assert {one["value"] for one in told["subgroups"]} == {"f", "m"}
    facts = json.loads((folder / "model-report" / "facts.json").read_text(encoding="utf-8"))
    groups = [case["group"] for case in facts["cases"]]
    fold = dict(zip(told["ledger"]["cases"], told["ledger"]["assigned"][0], strict=True))
    assert sorted(fold) == list(range(24))
    for group in set(groups[:24]):
        assert len({fold[row] for row in range(24) if groups[row] == group}) == 1
    for row, case in enumerate(facts["cases"]):
        with Image.open(folder / "model-report" / case["found"]) as image:
            mask = np.asarray(image) > 0
        with Image.open(case["masks"][0]) as image:
            true = np.asarray(image) > 0
        if row < 24 and true.any():
            score = next(one for one in told["scores"] if one["case"] == row)
            assert score["dice"][0] == pytest.approx(dice(mask, true))


def test_the_model_names_no_case_and_keeps_its_own_encoder(fitted: tuple[Path, Path]) -> None:
    import onnxruntime

    from consilium.generalist.shipped import shipped_encoder

    _, model = fitted
    assert not any(b"010" + ending in file.read_bytes() for file in model.rglob("*") if file.is_file()
                   for ending in (b".png", b"_mask"))  # fmt: skip
    pictures = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
    session = onnxruntime.InferenceSession(str(model / "models" / "model.onnx"))
    found = dict(zip([one.name for one in session.get_outputs()], session.run(None, {"images": pictures}), strict=True))
    expected = shipped_encoder(threads=1).embed(pictures, "us")
    assert found["features"] == pytest.approx(expected.image, abs=1e-4)
    assert found["level16"] == pytest.approx(expected.levels[2], abs=1e-4)


def test_masks_of_new_pictures(fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outlined_pictures(tmp_path / "new", 3, seed=9)
    for file in (tmp_path / "new").glob("*_mask.png"):
        file.rename(tmp_path / file.name)
    flat = np.full((48, 64), 64, np.uint8)
    Image.fromarray(flat).save(tmp_path / "new" / "flat.png")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "new" / "noise.png")
    (tmp_path / "new" / "broken.png").write_text("no image")
    words = ["specialist", "predict", str(fitted[1]), str(tmp_path / "new")]
    capsys.readouterr()
    assert run([*words, "--out", str(tmp_path / "masks")]) == ExitCode.PARTLY_DONE
    told = capsys.readouterr()
    assert "broken.png: not used" in told.err
    found = {Path(one["file"]).name: one for one in lines(told.out)}
    assert set(found) == {"000.png", "001.png", "002.png", "flat.png", "noise.png"}
    for number in range(3):
        one = found[f"{number:03d}.png"]
        assert set(one) == {"file", "mask", "found", "abstain", "why"}
        with Image.open(one["mask"]) as image, Image.open(tmp_path / f"{number:03d}_mask.png") as other:
            mask, true = np.asarray(image), np.asarray(other)
        assert set(np.unique(mask)) == {0, 255} and dice(mask > 0, true > 0) > 0.8
        assert one["found"] == {"lesion": {"pixels": int((mask > 0).sum())}}
    nothing = found["flat.png"]
    assert nothing["abstain"] and nothing["found"]["lesion"]["pixels"] == 0
    assert "nothing found" in nothing["why"]
    assert found["noise.png"]["abstain"] and "unlike the training cases" in found["noise.png"]["why"]
    assert not [file for file in (tmp_path / "masks").iterdir() if file.name.startswith(".")]


def test_what_means_nothing_for_outlines_is_refused(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, model = fitted
    picture = str(folder / "data" / "005.png")
    for words, told in (
        (["predict", str(model), picture], "--out"),
        (["predict", str(model), picture, "--out", str(tmp_path), "--by-group"], "--by-group"),
        (["predict", str(model), picture, "--out", str(folder / "data")], "take the place"),
        (["explain", str(model), picture, "--out", str(tmp_path), "--label", "cyst"], "no label 'cyst'"),
        (["export", str(model), str(tmp_path / "o"), "--to", "onnx"], "--to monai"),
    ):
        assert run(["specialist", *words]) == ExitCode.UNUSABLE_INPUT
        assert told in capsys.readouterr().err
    data = str(folder / "data" / "cases.csv")
    for more, told in (
        (["--encoder", "hub:timm:x"], "shipped encoder"),
        (["--case", "sex"], "--case"),
        (["--tolerance", "0"], "tolerance"),
        (["--label", "a", "--label", "b"], "need 1"),
        (["--task", "classify"], "no label"),
    ):
        assert run(["specialist", "fit", data, "--out", str(tmp_path / "m"), *more]) == ExitCode.UNUSABLE_INPUT
        assert told in capsys.readouterr().err and not (tmp_path / "m").exists()


def test_an_outline_and_its_probability_are_drawn(fitted: tuple[Path, Path], tmp_path: Path) -> None:
    picture = str(fitted[0] / "data" / "012.png")
    assert run(["specialist", "explain", str(fitted[1]), picture, "--out", str(tmp_path)]) == ExitCode.DONE
    with Image.open(tmp_path / "0001_012.png") as shown:
        drawn = np.asarray(shown)
    assert drawn.shape == (512, 2 * round(64 * 512 / 48) + 8, 3)
    orange = (drawn == (230, 159, 0)).all(2)
    assert orange[:, :683].sum() > 200 and orange[:, -683:].sum() > 200


def test_a_whole_model_is_exported_and_works(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["specialist", "export", str(fitted[1]), str(tmp_path / "o"), "--to", "monai"]) == ExitCode.DONE
    picture = str(fitted[0] / "data" / "012.png")
    masks = []
    for model in (fitted[1], tmp_path / "o"):
        out = tmp_path / f"masks {model.name}"
        assert run(["specialist", "predict", str(model), picture, "--out", str(out)]) == ExitCode.DONE
        masks.append((out / "012.png").read_bytes())
    assert masks[0] == masks[1]
    from consilium.specialist.segmentation.outlines import opened

    with Image.open(tmp_path / "masks o" / "012.png") as image:
        assert np.array_equal(opened(tmp_path / "o").mask(Path(picture)), np.asarray(image))
    metadata = json.loads((tmp_path / "o" / "configs" / "metadata.json").read_text(encoding="utf-8"))
    assert metadata["network_data_format"]["outputs"]["pred"]["channel_def"] == {"0": "background", "255": "lesion"}
    record = tmp_path / "o" / "specialist.json"
    record.write_text(record.read_text().replace('"validated": true', '"validated": false'))
    words = ["specialist", "predict", str(tmp_path / "o"), picture, "--out", str(tmp_path)]
    assert run(words) == ExitCode.MODEL_OR_OUTPUT
    assert "altered" in capsys.readouterr().err


def test_two_models_are_compared_on_new_cases_only(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = outlined_pictures(tmp_path / "few", 10, seed=50)
    words = ["specialist", "fit", str(few), "--out", str(tmp_path / "weak"), "--modality", "us"]
    assert run([*words, "--label", "lesion", "--lang", "zh"]) == ExitCode.DONE
    assert "病例不足" in capsys.readouterr().out
    both = ["specialist", "compare", str(fitted[1]), str(tmp_path / "weak"), "--data"]
    assert run([*both, str(few)]) == ExitCode.UNUSABLE_INPUT
    assert "10 case(s) were trained on" in capsys.readouterr().err
    new = outlined_pictures(tmp_path / "new", 22, seed=70, empty=2)
    assert run([*both, str(new), "--json"]) == ExitCode.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["figure"] == "Dice" and found["labels"] == ["lesion"] and found["cases"] == 20
    assert found["first"]["value"] > 0.85
    assert found["difference"]["value"] == pytest.approx(found["first"]["value"] - found["second"]["value"])
    # Five patients are no validation: the model is there, and abstains on everything.
    picture = str(tmp_path / "new" / "012.png")
    predict = ["specialist", "predict", str(tmp_path / "weak"), picture, "--out", str(tmp_path / "masks")]
    assert run(predict) == ExitCode.DONE
    assert "not validated" in lines(capsys.readouterr().out)[0]["why"]


def test_volumes_get_masks_in_their_geometry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Three axes are three fits.
    monkeypatch.setattr("consilium.specialist.segmentation.segmenter._PIXELS", 40)
    monkeypatch.setattr("consilium.specialist.segmentation.pixel_classifier._FEWEST_STEPS", 25)
    data = outlined_volumes(tmp_path / "data", 11)
    words = ["specialist", "fit", str(data), "--out", str(tmp_path / "model"), "--modality", "mr", "--lang", "en"]
    assert run(words) == ExitCode.DONE
    told = json.loads((tmp_path / "model" / "validation.json").read_text(encoding="utf-8"))
    assert told["volumes"] and told["unit"] == "mm3" and told["dice"]["value"] > 0.6
    assert len(told["baselines"]) == 2 and told["figures"][0]["size"]["bias"]["value"] is not None
    outlined_volumes(tmp_path / "new", 1, seed=5)
    capsys.readouterr()
    source = tmp_path / "new" / "0.nii.gz"
    predict = ["specialist", "predict", str(tmp_path / "model"), str(source), "--out", str(tmp_path / "masks")]
    assert run(predict) == ExitCode.DONE
    (one,) = lines(capsys.readouterr().out)
    back, like = nibabel.load(one["mask"]), nibabel.load(source)
    assert np.allclose(back.affine, like.affine) and back.shape == like.shape
    count = int((np.asarray(back.dataobj) > 0).sum())
    assert one["found"]["object"] == {"voxels": count, "mm3": pytest.approx(count * 3.0)}
    true = np.asarray(nibabel.load(tmp_path / "new" / "0_labels.nii.gz").dataobj) > 0
    assert dice(np.asarray(back.dataobj) > 0, true) > 0.6
    words = ["specialist", "explain", str(tmp_path / "model"), str(source), "--out", str(tmp_path / "why")]
    assert run(words) == ExitCode.DONE and (tmp_path / "why" / "0001_0.nii.png").exists()
    picture = str(outlined_pictures(tmp_path / "flat", 1).parent / "000.png")
    assert run([*predict[:3], picture, "--out", str(tmp_path)]) == ExitCode.UNUSABLE_INPUT
    assert "volume" in capsys.readouterr().err


def test_two_labels_in_pictures_larger_than_the_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = outlined_pictures(tmp_path / "data", 20, two=True, scale=6)
    words = ["specialist", "fit", str(data), "--out", str(tmp_path / "m"), "--modality", "us", "--lang", "en"]
    assert run([*words, "--label", "left", "--label", "right", "--tolerance", "5"]) == ExitCode.DONE
    told = json.loads((tmp_path / "m" / "validation.json").read_text(encoding="utf-8"))
    assert told["tolerance"] == 5 and [one["name"] for one in told["baselines"]] == ["mean shape"]
    for one in told["figures"]:
        assert one["dice"]["value"] > 0.6 and one["surface"]["value"] > 0.4
    sizes = [score["true_size"][0] for score in told["scores"]]
    with Image.open(tmp_path / "data" / "000_mask.png") as mask:
        assert sizes[0] == (np.asarray(mask) == 128).sum() and mask.size == (384, 288)
    capsys.readouterr()
    words = ["specialist", "predict", str(tmp_path / "m"), str(tmp_path / "data" / "003.png"), "--out"]
    assert run([*words, str(tmp_path / "found")]) == ExitCode.DONE
    (answer,) = lines(capsys.readouterr().out)
    with Image.open(answer["mask"]) as found:
        assert found.size == (384, 288) and set(np.unique(np.asarray(found))) == {0, 128, 255}
    assert set(answer["found"]) == {"left", "right"}


def test_objects_that_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures, masks = discs(20, several=True)
    (tmp_path / "data").mkdir()
    rows: list[dict[str, object]] = []
    for number, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        Image.fromarray((picture[:, :, 0] * 255).astype(np.uint8)).save(tmp_path / "data" / f"{number}.png")
        Image.fromarray((mask * 11 % 256).astype(np.uint8)).save(tmp_path / "data" / f"{number}_mask.png")
        rows.append({"file": f"{number}.png", "mask": f"{number}_mask.png", "group": number // 2})
    data = table(tmp_path / "data" / "cases.csv", rows)
    words = ["specialist", "fit", str(data), "--out", str(tmp_path / "m"), "--lang", "zh", "--instances"]
    assert run([*words, "--label", "nucleus"]) == ExitCode.DONE
    assert "AP@0.5" in capsys.readouterr().out
    told = json.loads((tmp_path / "m" / "validation.json").read_text(encoding="utf-8"))
    assert told["kind"] == "objects" and told["objects"]["true"] == 60 and told["objects"]["precision"]["value"] > 0.7
    words = ["specialist", "predict", str(tmp_path / "m"), str(tmp_path / "data" / "3.png"), "--out"]
    assert run([*words, str(tmp_path / "found")]) == ExitCode.DONE
    (answer,) = lines(capsys.readouterr().out)
    with Image.open(answer["mask"]) as found:
        count = int(np.asarray(found).max())
    assert answer["found"]["nucleus"]["objects"] == count >= 2


def test_an_area_in_millimetres_where_the_file_tells_them(
    fitted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Image.open(fitted[0] / "data" / "012.png") as image:
        pixels = np.asarray(image)
    (tmp_path / "one.dcm").write_bytes(dicom(pixels, PixelSpacing=[0.5, 0.25]))
    words = ["specialist", "predict", str(fitted[1]), str(tmp_path / "one.dcm"), "--out", str(tmp_path / "found")]
    capsys.readouterr()
    assert run(words) == ExitCode.DONE
    (answer,) = lines(capsys.readouterr().out)
    lesion = answer["found"]["lesion"]
    assert lesion["pixels"] > 50 and lesion["mm2"] == pytest.approx(lesion["pixels"] * 0.125, abs=1e-3)
    with Image.open(tmp_path / "found" / "one.png") as found:
        assert (np.asarray(found) > 0).sum() == lesion["pixels"]


def test_cases_that_do_not_fit_are_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = outlined_pictures(tmp_path / "data", 8)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "data" / "003_mask.png")
    assert run(["specialist", "fit", str(data), "--out", str(tmp_path / "m"), "--lang", "en"]) == ExitCode.DONE
    told = capsys.readouterr().out
    assert "1 file(s) not used" in told and "9 x 9 and 48 x 64 pixels" in told
    rows = [{"file": f"{n:03d}.png", "mask": f"{n:03d}_mask.png"} for n in range(3)]
    alone = table(tmp_path / "data" / "three.csv", [*rows])
    assert run(["specialist", "fit", str(alone), "--out", str(tmp_path / "n")]) == ExitCode.UNUSABLE_INPUT
    assert "3 patients are too few" in capsys.readouterr().err and not (tmp_path / "n").exists()
    for number in range(3):
        Image.fromarray(np.zeros((48, 64), np.uint8)).save(tmp_path / "data" / f"{number:03d}_mask.png")
    assert run(["specialist", "fit", str(alone), "--out", str(tmp_path / "n")]) == ExitCode.UNUSABLE_INPUT
    assert "nothing is outlined" in capsys.readouterr().err


def test_a_killed_fit_leaves_nothing(tmp_path: Path) -> None:
    data = outlined_pictures(tmp_path / "data", 24)
    (tmp_path / "here").mkdir()
    home = tmp_path / "home"
    words = ["specialist", "fit", str(data), "--out", str(tmp_path / "here" / "m")]
    code = f"from consilium.cli.main import run; run({words!r})"
    environment = {**os.environ, "CONSILIUM_HOME": str(home)}
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, env=environment)
    until = time.monotonic() + 100
    while process.poll() is None and time.monotonic() < until and not any(home.rglob("*.features")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not any((tmp_path / "here").iterdir())


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
    assert len(tiles) >= 12
    for tile in tiles:
        with Image.open(io.BytesIO(base64.b64decode(tile))) as image:
            drawn = np.asarray(image.convert("RGB"))
        assert (drawn == (86, 180, 233)).all(2).sum() > 20 and (drawn == (230, 159, 0)).all(2).sum() > 20
    assert (tmp_path / "report.pdf").stat().st_size > 20000
    record = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    status = {one["number"]: one["status"] for one in record["items"]}
    assert [number for number, one in status.items() if one == "not applicable"] == ["4", "6", "7", "13"]
    assert all(one == "given" for number, one in status.items() if number not in {"4", "6", "7", "13"})
    assert all(one["reason"] in page for one in record["items"] if one["status"] != "given")
