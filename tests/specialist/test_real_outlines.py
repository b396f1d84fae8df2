"""Outlines of real pictures and volumes through the verbs; small samples, the simplest way alone.

The encoder that ships has seen these sets, and the samples are small: floors against decay, no figures to quote. How
good outlines of new data are, `benchmarks/segmentation.py` measures.
"""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.specialist.segmentation.overlap import dice
from tests.specialist.drawn_outlines import table

pytestmark = [pytest.mark.real_data, pytest.mark.timeout(900)]
pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")

FLOOR_OF_BREAST, FLOOR_OF_HIPPOCAMPUS = 0.3, 0.6


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("consilium.specialist.segmentation.cross_validation.WAYS", {"linear": 0})
    monkeypatch.setattr("consilium.specialist.segmentation.segmenter._PIXELS", 120)


def test_breast_ultrasound(real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(real_data / "medical" / "us_busi_breast.zip") as archive:
        rows = list(csv.DictReader(archive.read("manifest.csv").decode().splitlines()))
        chosen = [*rows[:400:16], *[row for row in rows if row["label"] == "malignant"][:150:15]]
        chosen += [row for row in rows if row["label"] == "normal"][:60:12]
        fresh = [rows[number] for number in range(5, 300, 50)]
        for row in (*chosen, *fresh):
            archive.extract(row["file"], tmp_path)
            archive.extract(row["mask"], tmp_path)
    kept = [{"file": row["file"], "mask": row["mask"], "kind": row["label"]} for row in chosen]
    data = table(tmp_path / "cases.csv", kept)
    words = ["specialist", "fit", str(data), "--out", str(tmp_path / "model"), "--modality", "us", "--lang", "en"]
    assert run([*words, "--label", "lesion"]) == ExitCode.DONE
    told = json.loads((tmp_path / "model" / "validation.json").read_text(encoding="utf-8"))
    assert told["kind"] == "one object" and told["counts"]["cases_of_label"] == {"lesion": 35}
    assert told["dice"]["value"] > FLOOR_OF_BREAST
    assert told["figures"][0]["without"] == 5 and told["figures"][0]["invented"] is not None
    assert {one["value"] for one in told["subgroups"]} == {"benign", "malignant"}
    capsys.readouterr()
    table(tmp_path / "new.csv", [{"file": row["file"]} for row in fresh])
    words = ["specialist", "predict", str(tmp_path / "model"), str(tmp_path / "new.csv"), "--out"]
    assert run([*words, str(tmp_path / "found")]) == ExitCode.DONE
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    overlaps = []
    for answer, row in zip(answers, fresh, strict=True):
        with Image.open(answer["mask"]) as found, Image.open(tmp_path / row["mask"]) as true:
            assert found.size == true.size
            overlaps.append(dice(np.asarray(found) > 0, np.asarray(true) > 0))
    assert np.mean(overlaps) > FLOOR_OF_BREAST


def test_hippocampus(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Three axes are three fits of 30 sections a volume.
    monkeypatch.setattr("consilium.specialist.segmentation.segmenter._PIXELS", 40)
    monkeypatch.setattr("consilium.specialist.segmentation.pixel_classifier._FEWEST_STEPS", 100)
    with zipfile.ZipFile(real_data / "medical" / "mr_hippocampus_nifti.zip") as archive:
        archive.extractall(tmp_path)
    files = sorted((tmp_path / "images").iterdir())[:11]
    rows = [{"file": f"images/{file.name}", "mask": f"labels/{file.name}"} for file in files]
    data = table(tmp_path / "cases.csv", rows[:10])
    words = ["specialist", "fit", str(data), "--out", str(tmp_path / "model"), "--modality", "mr", "--lang", "en"]
    assert run([*words, "--label", "anterior", "--label", "posterior"]) == ExitCode.DONE
    told = json.loads((tmp_path / "model" / "validation.json").read_text(encoding="utf-8"))
    assert told["volumes"] and told["kind"] == "one object"
    assert [one["label"] for one in told["figures"]] == ["anterior", "posterior"]
    for one in told["figures"]:
        assert one["dice"]["value"] > FLOOR_OF_HIPPOCAMPUS and one["missed"]["value"] == 0
    # These volumes are cropped round the organ, so the mean shape is hard to beat by the little that is learnt here.
    (baseline,) = told["baselines"]
    assert baseline["name"] == "mean shape" and 0.6 < baseline["dice"]["value"] < 0.8
    capsys.readouterr()
    words = ["specialist", "predict", str(tmp_path / "model"), str(files[10]), "--out", str(tmp_path / "found")]
    assert run(words) == ExitCode.DONE
    answer = json.loads(capsys.readouterr().out)
    found, true = nibabel.load(answer["mask"]), nibabel.load(tmp_path / "labels" / files[10].name)
    assert np.allclose(found.affine, true.affine)
    mask, labels = np.asarray(found.dataobj), np.asarray(true.dataobj)
    for number, label in ((1, "anterior"), (2, "posterior")):
        assert dice(mask == number, labels == number) > FLOOR_OF_HIPPOCAMPUS
        assert answer["found"][label]["voxels"] == answer["found"][label]["mm3"] == int((mask == number).sum())
