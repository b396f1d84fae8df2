from __future__ import annotations

import json
from pathlib import Path

import pytest

from consilium.artefact.card import Metric, ModelCard, Tensor, TrainingData, write_card
from consilium.artefact.runtime import sha256_of
from consilium.cli import models as models_verb
from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A card and its file in the place of the shipped ones."""
    (tmp_path / "finder.onnx").write_bytes(b"weights")
    numbers = Tensor(name="x", shape=(1,), dtype="float32", meaning="numbers")
    card = ModelCard(
        name="finder",
        version="2.1.0",
        task="find chromosomes",
        file="finder.onnx",
        sha256=sha256_of(tmp_path / "finder.onnx"),
        inputs=(numbers,),
        outputs=(numbers,),
        trained_on=(TrainingData(name="slides", licence="CC-BY-4.0", part="train", use="weights"),),
        initialised_from=("published weights",),
        metrics=(Metric(name="recall", value=0.99, low=0.985, high=0.995, n=40, data="test part", date="2026-02-03"),),
        known_failures=("very short chromosomes",),
        intended_use="finding, not diagnosis",
        licence="Apache-2.0",
        recipe="python -m training.finder",
    )
    write_card(card, tmp_path / "finder.json")
    monkeypatch.setattr(models_verb, "shipped_cards", lambda: [tmp_path / "finder.json"])
    return tmp_path


def test_the_list_says_what_the_card_says(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) is ExitCode.DONE
    shown = capsys.readouterr().out
    for words in (
        "finder 2.1.0: find chromosomes",
        "finding, not diagnosis",
        "recall 0.99 (95 % interval 0.985 to 0.995, n = 40), test part, 2026-02-03",
        "slides (train): weights; CC-BY-4.0",
        "published weights",
        "very short chromosomes",
        "python -m training.finder",
    ):
        assert words in shown


def test_as_json(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--json"]) is ExitCode.DONE
    (card,) = json.loads(capsys.readouterr().out)
    assert card == json.loads((shipped / "finder.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_file_that_is_not_the_one_of_the_card(damage: str, shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if damage == "altered":
        (shipped / "finder.onnx").write_bytes(b"other weights")
    else:
        (shipped / "finder.onnx").unlink()
    assert run(["models"]) is ExitCode.MODEL_OR_OUTPUT
    assert "finder.onnx" in capsys.readouterr().err


def test_no_model_at_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(models_verb, "shipped_cards", list)
    assert run(["models"]) is ExitCode.MODEL_OR_OUTPUT
    assert "Install consilium again" in capsys.readouterr().err
