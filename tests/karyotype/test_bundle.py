from __future__ import annotations

import json
from pathlib import Path

import pytest

from consilium.artefact.bundle import METADATA, Bundle, open_bundle, write_bundle
from consilium.artefact.card import read_card
from consilium.errors import ModelError
from consilium.karyotype import models
from consilium.karyotype.bundle import RECORD, bundle_files, weights_in
from consilium.karyotype.case import shipped_stages, stages_with
from consilium.karyotype.models import NAMES, WEIGHTS, card_path, constants, model, model_references, using

pytestmark = pytest.mark.usefixtures("shipped_models")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    write_bundle(bundle_files(), tmp_path / "karyotype")
    return open_bundle(tmp_path / "karyotype")


def test_it_has_every_model_with_its_card(bundle: Bundle) -> None:
    folder = weights_in(bundle)
    for name in NAMES:
        shipped, bundled = read_card(WEIGHTS / f"{name}.json"), read_card(folder / f"{name}.json")
        assert (folder / bundled.file).read_bytes() == (WEIGHTS / shipped.file).read_bytes()
        assert bundled.metrics == shipped.metrics and bundled.sha256 == shipped.sha256
        assert [one.name for one in bundled.trained_on] == [one.name for one in shipped.trained_on]
        for ours, theirs in zip(bundled.trained_on, shipped.trained_on, strict=True):
            assert theirs.licence in ours.licence


def test_it_tells_monai_what_it_is(bundle: Bundle) -> None:
    told = bundle.document(METADATA)
    assert {"version", "monai_version", "network_data_format", "task", "authors", "copyright"} <= set(told)
    assert set(told["eval_metrics"]) >= {"detection_recall"}


def test_models_of_a_folder_are_used_where_that_is_asked_for(bundle: Bundle) -> None:
    folder = weights_in(bundle)
    card = json.loads((folder / "classifier.json").read_text())
    card["version"], card["constants"]["extra_copy"] = "9.9.9", 4.25
    (folder / "classifier.json").write_text(json.dumps(card))
    before = constants("classifier")["extra_copy"]
    with using(folder):
        assert card_path("classifier").parent == folder
        assert constants("classifier")["extra_copy"] == 4.25
        assert {one.name: one.version for one in model_references()}["classifier"] == "9.9.9"
        assert model("structure").card.file == "structure.onnx"
        with using(None):
            assert card_path("classifier").parent == folder
    assert constants("classifier")["extra_copy"] == before and card_path("classifier").parent == WEIGHTS
    assert {one.name: one.version for one in stages_with(folder).models()}["classifier"] == "9.9.9"
    assert shipped_stages().models() == model_references() and models.card_path("amodal").parent == WEIGHTS


def test_stages_of_a_folder_can_be_sent_to_workers(bundle: Bundle) -> None:
    import pickle

    stages = stages_with(weights_in(bundle))
    assert pickle.loads(pickle.dumps(stages)) == stages


@pytest.mark.parametrize("record", [{}, {"format": 2, "models": list(NAMES)}, {"format": 1, "models": ["detector"]}])
def test_models_of_another_form_are_refused(tmp_path: Path, record: dict[str, object]) -> None:
    files = {RECORD: json.dumps(record).encode()}
    write_bundle(files, tmp_path / "other")
    with pytest.raises(ModelError, match="cannot use"):
        weights_in(open_bundle(tmp_path / "other"))


def test_a_bundle_that_lacks_a_model_is_refused(tmp_path: Path) -> None:
    files = {name: content for name, content in bundle_files().items() if name != "models/amodal.json"}
    write_bundle(files, tmp_path / "other")
    with pytest.raises(ModelError, match=r"no models/amodal\.json"):
        weights_in(open_bundle(tmp_path / "other"))
