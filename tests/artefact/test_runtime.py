from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from consilium.artefact.card import ModelCard, Tensor, read_card, write_card
from consilium.artefact.runtime import ModelCache, load_model, sha256_of
from consilium.errors import ModelError


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_a_model_runs(threads: int | None, card_path: Path) -> None:
    model = load_model(card_path, threads=threads)
    assert model.card == read_card(card_path)
    x = np.array([[1, 2], [3, 4]], np.float32)
    results = model.run(x=x)
    assert set(results) == {"y"}
    assert results["y"].dtype == np.float32
    np.testing.assert_allclose(results["y"], 3 * x)


def test_an_array_that_is_not_contiguous_runs_too(card_path: Path) -> None:
    x = np.arange(8, dtype=np.float32).reshape(2, 4).T
    np.testing.assert_allclose(load_model(card_path, threads=1).run(x=x)["y"], 3 * x)


def test_a_model_is_loaded_once_a_process_and_number_of_threads(
    card_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ModelCache()
    model = load_model(card_path, threads=1, cache=cache)
    assert load_model(card_path.parent / "." / card_path.name, threads=1, cache=cache) is model
    assert load_model(card_path, threads=2, cache=cache) is not model
    assert load_model(card_path, threads=1, cache=ModelCache()) is not model
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: -1)
        assert load_model(card_path, threads=1, cache=cache) is not model
    cache.clear()
    assert load_model(card_path, threads=1, cache=cache) is not model


def test_an_altered_file_is_refused(card_path: Path) -> None:
    file = card_path.parent / "scaler.onnx"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="not the one its card describes") as refused:
        load_model(card_path, threads=1)
    assert str(file) in str(refused.value)


def test_a_missing_file_is_refused(card_path: Path) -> None:
    (card_path.parent / "scaler.onnx").unlink()
    with pytest.raises(ModelError, match=r"scaler\.onnx"):
        load_model(card_path, threads=1)


def test_a_file_that_is_no_model_is_refused(make_card: Callable[..., ModelCard], tmp_path: Path) -> None:
    (tmp_path / "scaler.onnx").write_bytes(b"no model at all")
    write_card(make_card(sha256=sha256_of(tmp_path / "scaler.onnx")), tmp_path / "scaler.json")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(tmp_path / "scaler.json", threads=1)


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_other_names_than_on_the_card_are_refused(side: str, card_path: Path) -> None:
    other = (Tensor(name="pixels", shape=("N", 2), dtype="float32", meaning="numbers"),)
    write_card(replace(read_card(card_path), **{side: other}), card_path)
    with pytest.raises(ModelError, match=f"{side} pixels"):
        load_model(card_path, threads=1)


def test_wrong_arguments_are_named(card_path: Path) -> None:
    model = load_model(card_path, threads=1)
    x = np.zeros((1, 2), np.float32)
    with pytest.raises(ModelError, match="takes x, not nothing"):
        model.run()
    with pytest.raises(ModelError, match="takes x, not x, z"):
        model.run(x=x, z=x)
    with pytest.raises(ModelError, match=r"x float64 \(1, 2\)"):
        model.run(x=x.astype(np.float64))
    with pytest.raises(ModelError, match=r"scaler 1\.0\.0.*x float32 \(1, 3\)"):
        model.run(x=np.zeros((1, 3), np.float32))


def test_the_runtime_is_imported_only_when_a_model_is_loaded() -> None:
    code = "import sys, consilium.artefact.runtime as r; assert 'onnxruntime' not in sys.modules, r"
    subprocess.run([sys.executable, "-c", code], check=True)
