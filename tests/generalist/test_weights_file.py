from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from consilium.artefact.card import read_card
from consilium.artefact.runtime import model_of
from consilium.errors import ModelError
from consilium.generalist.shipped import WEIGHTS, ShippedEncoder, shipped_encoder
from consilium.generalist.weights_file import read_weights, with_convolutions

onnx = pytest.importorskip("onnx", reason="weights are read by onnx (extra specialist)")
FILE = WEIGHTS / "generalist.onnx"


def test_it_is_the_network_that_the_card_tells_of() -> None:
    weights = read_weights(FILE)
    assert len(weights.convolutions) == 52
    assert weights.convolutions[0][0].shape == (32, 3, 3, 3) and weights.convolutions[-1][0].shape == (1280, 320, 1, 1)
    assert [table.shape for table in weights.modulations] == [(20, 64), (20, 48), (20, 64), (20, 192), (20, 640)]
    learnt = {row for row in range(19) if (weights.modulations[3][row] != weights.modulations[3][19]).any()}
    card = read_card(FILE.with_suffix(".json"))
    assert learnt == {str(card.constants["rows"]).split().index(one) for one in card.modalities}


def test_tables_that_are_kept_once_are_found_by_their_use(tmp_path: Path) -> None:
    model = onnx.load(str(FILE))
    first, other = "trunk.modulations.0.rows", "trunk.modulations.2.rows"
    kept = [one for one in model.graph.initializer if one.name != other]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    model.graph.node.insert(0, onnx.helper.make_node("Identity", [first], [other]))
    onnx.save(model, str(tmp_path / "shared.onnx"))
    weights = read_weights(tmp_path / "shared.onnx")
    assert np.array_equal(weights.modulations[2], weights.modulations[0]) and len(weights.modulations) == 5


def test_new_weights_change_what_follows_and_nothing_before() -> None:
    kernel, offset = read_weights(FILE).convolutions[51]
    content = with_convolutions(FILE.read_bytes(), {51: (kernel * 2, offset * 0)})
    card = replace(read_card(FILE.with_suffix(".json")), sha256=hashlib.sha256(content).hexdigest())
    shown = np.random.default_rng(0).random((2, 64, 64, 3)).astype(np.float32)
    before = shipped_encoder(threads=1).embed(shown)
    after = ShippedEncoder(model_of(card, content, FILE, threads=1)).embed(shown)
    # Mean and spread of the last map are the last 2560 numbers.
    assert np.array_equal(before.image[:, :-2560], after.image[:, :-2560])
    assert np.abs(before.image[:, -2560:] - after.image[:, -2560:]).max() > 0.1
    assert with_convolutions(FILE.read_bytes(), {}) != content


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    kernel, offset = read_weights(FILE).convolutions[51]
    with pytest.raises(ModelError, match="no number 52"):
        with_convolutions(FILE.read_bytes(), {52: (kernel, offset)})
    with pytest.raises(ModelError, match="convolution 50 of the encoder is"):
        with_convolutions(FILE.read_bytes(), {50: (kernel, offset)})
    graph = onnx.helper.make_graph([], "nothing", [], [])
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "nothing.onnx"))
    with pytest.raises(ModelError, match="not the encoder of Consilium"):
        read_weights(tmp_path / "nothing.onnx")
