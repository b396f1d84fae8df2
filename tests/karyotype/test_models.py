"""The models that come with the package are the ones that the stages ask for."""

from __future__ import annotations

import numpy as np
import pytest

from consilium.artefact.card import read_card, shipped_cards
from consilium.artefact.runtime import sha256_of
from consilium.errors import ModelError
from consilium.karyotype import models, rescore
from consilium.karyotype.amodal import SIDE
from consilium.karyotype.find import LEAST_SCORE, STRIDE
from consilium.karyotype.metaphase import CLASSES
from consilium.karyotype.models import NAMES, WEIGHTS, model, model_references
from consilium.karyotype.rescore import RELATIONS
from consilium.karyotype.strip import COLUMNS, GEOMETRY, ROWS

MOST_BYTES = 16_000_000
CONSTANTS = {
    "detector": set(),
    "amodal": {"threshold", "same_object"},
    "rescorer": set(),
    "structure": {"threshold"} | {f"{what}_{name}" for what in ("mean", "deviation") for name in CLASSES},
    "classifier": {
        "temperature",
        "extra_copy",
        "margin_scale",
        "margin_offset",
        "unusual_copy",
        "class_weight",
        "presence_scale",
        "presence_offset",
    },
}


def test_an_unknown_model_is_missed_by_its_card() -> None:
    with pytest.raises(ModelError, match="no such model card") as problem:
        model("generalist")
    assert problem.value.where == str(WEIGHTS / "generalist.json")
    assert problem.value.way_out


def test_a_folder_without_models_says_which_is_missing(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "WEIGHTS", tmp_path_factory.mktemp("weights"))
    with pytest.raises(ModelError, match=r"detector\.json"):
        model_references()


def test_every_shipped_card_of_this_room_is_a_model_that_is_asked_for(shipped_models: None) -> None:
    assert {path.stem for path in shipped_cards() if path.parent == WEIGHTS} == set(NAMES)


def test_references_are_the_names_versions_and_hashes_of_the_files(shipped_models: None) -> None:
    references = model_references()
    assert tuple(one.name for one in references) == NAMES
    for one in references:
        assert one.sha256 == sha256_of(WEIGHTS / f"{one.name}.onnx")
        assert one.version == read_card(WEIGHTS / f"{one.name}.json").version


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_is_small_and_its_card_holds_what_the_stages_read(name: str, shipped_models: None) -> None:
    card = read_card(WEIGHTS / f"{name}.json")
    assert (WEIGHTS / card.file).stat().st_size <= MOST_BYTES
    assert set(card.constants) >= CONSTANTS[name]
    assert card.trained_on and card.known_failures


def test_the_detector_answers_every_fourth_pixel(shipped_models: None) -> None:
    answer = model("detector", threads=1).run(darkness=np.zeros((1, 1, 64, 96), np.float32))
    assert answer["scores"].shape == (1, 1, 64 // STRIDE, 96 // STRIDE)
    assert answer["distances"].shape == (1, 4, 64 // STRIDE, 96 // STRIDE)
    assert answer["scores"].min() >= 0 and answer["scores"].max() <= 1
    # Nothing lies on an empty slide.
    assert answer["scores"].max() < LEAST_SCORE


@pytest.mark.parametrize("number", [1, 3])
def test_the_mask_network_answers_a_sample_a_pixel(number: int, shipped_models: None) -> None:
    answer = model("amodal", threads=1).run(crops=np.zeros((number, 2, SIDE, SIDE), np.float32))
    assert answer["logits"].shape == (number, 1, SIDE, SIDE)
    assert answer["quality"].shape == (number,) and answer["shifts"].shape == (number, 4)


@pytest.mark.parametrize("number", [1, 3])
def test_the_rescorer_answers_for_every_object(number: int, shipped_models: None) -> None:
    crops = np.zeros((number, 4, rescore.SIDE, rescore.SIDE), np.float32)
    answer = model("rescorer", threads=1).run(crops=crops, relations=np.zeros((number, RELATIONS), np.float32))
    assert answer["odds"].shape == (number,)


@pytest.mark.parametrize("number", [1, 46, 50])
def test_the_classifier_takes_cells_of_any_size(number: int, shipped_models: None) -> None:
    shown = np.random.default_rng(0).random((number, 2, ROWS, COLUMNS), np.float32)
    answer = model("classifier", threads=1).run(strips=shown, geometry=np.zeros((number, len(GEOMETRY)), np.float32))
    assert answer["logits"].shape == (number, len(CLASSES))
    assert answer["upside_down"].shape == (number,)


def test_a_model_is_loaded_once(shipped_models: None) -> None:
    assert model("amodal", threads=1) is model("amodal", threads=1)
