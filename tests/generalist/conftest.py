"""A tiny encoder: levels are means over squares, the image vector is the mean colour plus what the modality adds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consilium.artefact.card import ModelCard, Tensor, TrainingData, write_card
from consilium.artefact.runtime import load_model, sha256_of
from consilium.generalist.shipped import ShippedEncoder

ADDED = {"us": 10.0, "ct": 20.0, "unknown": 15.0}


def write_encoder(folder: Path, **constants: object) -> Path:
    """The ONNX file and its card; gives the card's path."""
    onnx = pytest.importorskip("onnx", reason="builds a model with the onnx package (extra dev)")
    helper, kinds = onnx.helper, onnx.TensorProto
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Transpose", ["images"], ["x"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["x"], ["level4"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("AveragePool", ["x"], ["level8"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("ReduceMean", ["x"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("Gather", ["table", "modality"], ["added"]),
        helper.make_node("Add", ["colour", "added"], ["image"]),
    ]
    table = np.repeat(np.asarray(list(ADDED.values()), np.float32)[:, None], 3, 1)
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("images", kinds.FLOAT, ["N", "S", "S", 3]), value("modality", kinds.INT64, ["N"])],
        [
            value("image", kinds.FLOAT, ["N", 3]),
            value("level4", kinds.FLOAT, ["N", 3, "A", "A"]),
            value("level8", kinds.FLOAT, ["N", 3, "B", "B"]),
        ],
        [onnx.numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "tiny.onnx")

    def port(name: str, shape: tuple[int | str, ...], dtype: str = "float32") -> Tensor:
        return Tensor(name=name, shape=shape, dtype=dtype, meaning="numbers")

    card = ModelCard(
        name="tiny", version="1.0.0", task="mean colours", file="tiny.onnx", sha256=sha256_of(folder / "tiny.onnx"),
        inputs=(port("images", ("N", "S", "S", 3)), port("modality", ("N",), "int64")),
        outputs=(
            port("image", ("N", 3)), port("level4", ("N", 3, "S/4", "S/4")), port("level8", ("N", 3, "S/8", "S/8")),
        ),
        trained_on=(TrainingData(name="nothing", licence="CC0-1.0", part="all", use="example"),),
        initialised_from=(), metrics=(), known_failures=(), intended_use="tests", licence="Apache-2.0", recipe="pytest",
        constants={"side": 64.0, "rows": "us ct", "strides": (4.0, 8.0)} | constants, modalities=("us",),
    )  # fmt: skip
    write_card(card, folder / "tiny.json")
    return folder / "tiny.json"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ShippedEncoder:
    """The tiny encoder, five pictures a batch."""
    return ShippedEncoder(load_model(write_encoder(tmp_path_factory.mktemp("tiny")), threads=1), batch=5)


@pytest.fixture
def paint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a picture of one colour."""

    def write(name: str, colour: tuple[int, int, int] = (255, 0, 0), size: tuple[int, int] = (80, 60)) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path)
        return path

    return write


@pytest.fixture
def noise() -> Callable[..., NDArray[np.float32]]:
    """Pictures of noise."""

    def make(count: int, side: int = 64, seed: int = 0) -> NDArray[np.float32]:
        return np.random.default_rng(seed).random((count, side, side, 3)).astype(np.float32)

    return make
