"""A tiny model and its card: y = scale * x, with the factor kept as a 16-bit number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilium.artefact.card import Metric, ModelCard, Tensor, TrainingData, write_card
from consilium.artefact.runtime import sha256_of


def _card(**changes: Any) -> ModelCard:
    entries: dict[str, Any] = {
        "name": "scaler",
        "version": "1.0.0",
        "task": "multiply by three",
        "file": "scaler.onnx",
        "sha256": "0" * 64,
        "inputs": (Tensor(name="x", shape=("N", 2), dtype="float32", meaning="numbers"),),
        "outputs": (Tensor(name="y", shape=("N", 2), dtype="float32", meaning="thrice the numbers"),),
        "trained_on": (TrainingData(name="nothing", licence="CC0-1.0", part="all", use="example"),),
        "initialised_from": (),
        "metrics": (Metric(name="accuracy", value=0.9, low=0.8, high=0.95, n=20, data="a test", date="2026-01-31"),),
        "known_failures": ("numbers beyond 16 bits",),
        "intended_use": "tests",
        "licence": "Apache-2.0",
        "recipe": "pytest",
        "constants": {"threshold": 0.5, "edges": (1.0, 2.0)},
    }
    return ModelCard(**(entries | changes))


@pytest.fixture(scope="session")
def make_card() -> Callable[..., ModelCard]:
    return _card


@pytest.fixture
def card_path(tmp_path: Path) -> Path:
    """A card beside a true ONNX file, as a package ships them."""
    onnx = pytest.importorskip("onnx", reason="builds a model with the onnx package (extra dev)")
    helper, kinds = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["scale16"], ["scale"], to=kinds.FLOAT),
            helper.make_node("Mul", ["x", "scale"], ["y"]),
        ],
        "scaler",
        [helper.make_tensor_value_info("x", kinds.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("y", kinds.FLOAT, ["N", 2])],
        [helper.make_tensor("scale16", kinds.FLOAT16, [1], [3.0])],
    )
    # An old opset and IR, so that the oldest runtime of the floors reads what the newest onnx writes.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "scaler.onnx")
    path = tmp_path / "scaler.json"
    write_card(_card(sha256=sha256_of(tmp_path / "scaler.onnx")), path)
    return path
