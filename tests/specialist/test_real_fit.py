"""A specialist of 200 real pictures tells new ones apart."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.specialist.evidence.intervals import auc

FLOOR = 0.83
"""A little under the 0.865 that was measured."""
FLOOR_OF_NEW = 0.86
"""A little under the 0.897 that was measured, which copies of learnt pictures among the new ones raise."""

pytestmark = pytest.mark.real_data
pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")


def test_breast_ultrasound(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """200 of its pictures, evenly spaced, since the table is sorted by label; answers about 200 others."""
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path / "home"))
    with zipfile.ZipFile(real_data / "medical" / "us_busi_breast.zip") as archive:
        archive.extractall(tmp_path)
    with (tmp_path / "manifest.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    learnt = [round(number * len(rows) / 200) for number in range(200)]
    others = [number for number in range(len(rows)) if number not in set(learnt)][1::3][:200]
    for name, chosen in (("learnt", learnt), ("new", others)):
        lines = [f"{rows[n]['file']},{'malignant' if rows[n]['label'] == 'malignant' else 'other'}" for n in chosen]
        (tmp_path / f"{name}.csv").write_text("\n".join(["file,label", *lines]) + "\n")
    words = ["--out", str(tmp_path / "model"), "--modality", "us", "--lang", "en"]
    assert run(["specialist", "fit", str(tmp_path / "learnt.csv"), *words]) == ExitCode.DONE
    validation = json.loads((tmp_path / "model" / "validation.json").read_text(encoding="utf-8"))
    assert validation["macro_auc"]["value"] > FLOOR
    capsys.readouterr()
    assert run(["specialist", "predict", str(tmp_path / "model"), str(tmp_path / "new.csv")]) == ExitCode.DONE
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    scores = np.array([one["probabilities"]["malignant"] for one in answers])
    truth = np.array([rows[n]["label"] == "malignant" for n in others])
    assert len(answers) == len(others) and auc(scores, truth) > FLOOR_OF_NEW
    share = np.mean([one["abstain"] for one in answers])
    assert 0 < share < 0.8
