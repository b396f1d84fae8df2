from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest

from consilium.artefact.card import ModelCard, read_card, shipped_cards, write_card
from consilium.artefact.runtime import load_model, sha256_of
from consilium.errors import ModelError

MAY_BE_LEFT_OUT = ("constants", "modalities")

MakeCard = Callable[..., ModelCard]


@pytest.fixture
def document(make_card: MakeCard, tmp_path: Path) -> dict[str, Any]:
    write_card(make_card(), tmp_path / "good.json")
    made: dict[str, Any] = json.loads((tmp_path / "good.json").read_text(encoding="utf-8"))
    return made


def test_what_is_written_is_read_back(make_card: MakeCard, tmp_path: Path) -> None:
    card = make_card()
    write_card(card, tmp_path / "card.json")
    # JSON knows no tuples, so a sequence among the constants comes back as a list.
    expected = replace(card, constants={"threshold": 0.5, "edges": [1.0, 2.0]})
    assert read_card(tmp_path / "card.json") == expected


def test_a_card_cannot_be_changed(make_card: MakeCard) -> None:
    with pytest.raises(FrozenInstanceError):
        make_card().licence = "mine"  # type: ignore[misc]


@pytest.mark.parametrize("entry", [field.name for field in fields(ModelCard) if field.name not in MAY_BE_LEFT_OUT])
def test_every_entry_is_required(entry: str, document: dict[str, Any], tmp_path: Path) -> None:
    del document[entry]
    with pytest.raises(ModelError, match=entry):
        _read(document, tmp_path)


def test_constants_and_modalities_may_be_left_out(document: dict[str, Any], tmp_path: Path) -> None:
    del document["constants"], document["modalities"]
    assert _read(document, tmp_path).constants == {}
    assert _read(document, tmp_path).modalities == ()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("file", "../elsewhere/model.onnx"),
        ("file", "/etc/model.onnx"),
        ("file", ".hidden.onnx"),
        ("file", "model.pt"),
        ("sha256", "ABC"),
        ("version", "1"),
        ("licence", "  "),
        ("surplus", "entry"),
        ("trained_on", []),
        ("inputs.0.shape", [0, 3]),
        ("inputs.0.dtype", "float"),
        ("metrics.0.n", 0),
        ("metrics.0.n", "many"),
        ("metrics.0.date", "yesterday"),
        ("trained_on.0.licence", None),
        ("constants.threshold", {"deep": 1}),
    ],
)
def test_a_malformed_entry_is_named(place: str, value: Any, document: dict[str, Any], tmp_path: Path) -> None:
    target: Any = document
    *way, last = place.split(".")
    for step in way:
        target = target[int(step)] if step.isdigit() else target[step]
    target[last] = value
    with pytest.raises(ModelError) as refused:
        _read(document, tmp_path)
    assert last in str(refused.value)
    assert str(tmp_path) in str(refused.value)


@pytest.mark.parametrize("value", [0.79, 0.96])
def test_a_figure_outside_its_interval_is_refused(value: float, make_card: MakeCard, tmp_path: Path) -> None:
    card = make_card()
    with pytest.raises(ModelError, match="outside its interval"):
        write_card(replace(card, metrics=(replace(card.metrics[0], value=value),)), tmp_path / "card.json")
    assert not (tmp_path / "card.json").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_card(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(ModelError):
        read_card(tmp_path / "card.json")


def test_a_missing_card(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model card"):
        read_card(tmp_path / "gone.json")


def test_a_card_may_name_its_modalities(document: dict[str, Any], tmp_path: Path) -> None:
    assert _read(document, tmp_path).modalities == ()
    assert _read(document | {"modalities": ["us", "ct"]}, tmp_path).modalities == ("us", "ct")
    with pytest.raises(ModelError, match="modalities"):
        _read(document | {"modalities": "us"}, tmp_path)


def test_cards_are_found_in_the_rooms(tmp_path: Path) -> None:
    for name in (
        "karyotype/weights/b.json",
        "karyotype/weights/a.json",
        "karyotype/case.schema.json",
        "weights/c.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert shipped_cards(tmp_path) == [tmp_path / "karyotype/weights/a.json", tmp_path / "karyotype/weights/b.json"]


@pytest.mark.parametrize("path", shipped_cards(), ids=str)
def test_every_shipped_model_is_what_its_card_says(path: Path) -> None:
    card = read_card(path)
    file = path.parent / card.file
    assert sha256_of(file) == card.sha256
    assert file.stat().st_size <= 16 << 20
    assert card.metrics
    assert load_model(path, threads=1).card == card


def _read(document: dict[str, Any], folder: Path) -> ModelCard:
    path = folder / "card.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_card(path)
