"""The weights in the encoder's ONNX file, out and back in: what fine-tuning starts from and what it leaves behind.

The file has its batch normalisation folded, so every convolution is a kernel and an offset. Fine-tuning changes some of
them and nothing else: the tuned encoder is the same graph with other numbers, and nobody needs PyTorch to write or run
it. Needs the package `onnx`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ModelError

Kernel = NDArray[np.float32]
Convolution = tuple[Kernel, NDArray[np.float32]]
"""Kernel (out, in / groups, k, k) and offset (out,)."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Everything that was learnt.

    Attributes:
        convolutions: in the order in which they run.
        modulations: (20, 2 C) gain and offset of each modality, one table a level; the last row is of an unknown one.
    """

    convolutions: tuple[Convolution, ...]
    modulations: tuple[NDArray[np.float32], ...]


def read_weights(path: Path) -> Weights:
    """The weights of an encoder's file, or of the network of a bundle, which has the encoder in it.

    Raises:
        ModelError: the file holds no such encoder.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    held = {one.name: one for one in graph.initializer}

    # The exporter keeps tables that are equal once, and names the others after it.
    other = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}

    def values(name: str) -> NDArray[np.float32]:
        return np.array(numpy_helper.to_array(held[other.get(name, name)]), np.float32)

    try:
        convolutions = tuple((values(node.input[1]), values(node.input[2])) for node in _convolutions(graph))
        told = [node for node in graph.node if node.op_type == "Gather" and node.input[1] == "modality"]
        modulations = tuple(values(node.input[0]) for node in told)
    except (KeyError, IndexError, ValueError) as problem:
        raise _no_encoder(path, str(problem)) from problem
    if not convolutions or not modulations:
        raise _no_encoder(path, f"{len(convolutions)} convolutions, {len(modulations)} tables of modalities")
    return Weights(convolutions=convolutions, modulations=modulations)


def with_convolutions(content: bytes, changed: Mapping[int, Convolution]) -> bytes:
    """The same network with other weights in some of its convolutions.

    Args:
        content: of the ONNX file.
        changed: kernel and offset by the number of the convolution, in the order in which they run.

    Raises:
        ModelError: there is no such convolution, or it has another shape.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(content)
    held = {one.name: one for one in model.graph.initializer}
    nodes = _convolutions(model.graph)
    for number, arrays in changed.items():
        if not 0 <= number < len(nodes):
            raise ModelError(f"the encoder has {len(nodes)} convolutions, there is no number {number}")
        for name, new in zip(nodes[number].input[1:3], arrays, strict=True):
            shape = tuple(held[name].dims) if name in held else None
            if shape != new.shape:
                raise ModelError(f"convolution {number} of the encoder is {shape}, not {new.shape}")
            held[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(new, np.float32), name))
    return bytes(model.SerializeToString())


def _convolutions(graph: Any) -> list[Any]:
    return [node for node in graph.node if node.op_type == "Conv"]


def _no_encoder(path: Path, problem: str) -> ModelError:
    return ModelError(
        f"this network is not the encoder of Consilium ({problem})",
        where=str(path),
        way_out="Only the shipped encoder can be trained on; those of the hub stay as they are.",
    )
