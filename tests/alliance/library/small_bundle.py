"""A bundle of a few kilobytes with everything that a package needs: a network that loads, its card, its documents."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from consilium.artefact.bundle import write_bundle

NO_TERMS = "The head was learnt from cases.\n\nNo terms were stated; ask the owner of the cases.\n"


def network(seed: int = 0) -> bytes:
    """An ONNX file: y = x + seed."""
    import onnx
    from onnx import TensorProto, helper

    shape = [1]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "c"], ["y"])],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [helper.make_tensor("c", TensorProto.FLOAT, shape, [float(seed)])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def card(content: bytes, **changed: Any) -> dict[str, Any]:
    """The card of such a network."""
    tensor = {"shape": [1], "dtype": "float32", "meaning": "a number"}
    return {
        "name": "small", "version": "1.0.0", "task": "binary: normal, tumour", "file": "model.onnx",
        "sha256": hashlib.sha256(content).hexdigest(), "inputs": [{"name": "x", **tensor}],
        "outputs": [{"name": "y", **tensor}],
        "trained_on": [
            {"name": "cases.csv", "licence": "as the owner of the cases says", "part": "all", "use": "the head"}
        ],
        "initialised_from": [], "metrics": [], "known_failures": ["it knows nothing"], "intended_use": "tests",
        "licence": "encoder: Apache-2.0; head: as the owner of the cases says", "recipe": "by hand",
        "modalities": ["us"], **changed,
    }  # fmt: skip


def files(*, seed: int = 0, cases: int = 0, changed: Mapping[str, Any] | None = None) -> dict[str, bytes]:
    """The files of such a bundle.

    Args:
        seed: another one makes another network.
        cases: of how many it keeps features.
        changed: entries of the card.
    """
    content = network(seed)
    made = {
        "models/model.onnx": content,
        "models/model.json": json.dumps(card(content, **(changed or {}))).encode(),
        "configs/metadata.json": json.dumps({"name": "small", "version": "1.0.0"}).encode(),
        "docs/README.md": "# small\n\n小模型\n".encode(),
        "LICENSE": NO_TERMS.encode(),
        "specialist.json": json.dumps({"task": "binary", "format": 2}).encode(),
    }
    if cases:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, gate_known=np.zeros((cases, 3), np.float32))
        made["models/head.npz"] = buffer.getvalue()
    return made


def small_bundle(folder: Path, *, seed: int = 0, cases: int = 0, changed: Mapping[str, Any] | None = None) -> Path:
    """Write such a bundle."""
    write_bundle(files(seed=seed, cases=cases, changed=changed), folder)
    return folder
