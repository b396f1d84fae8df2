"""Encoder and head as one ONNX graph: pictures in, features and probabilities out, for whoever has an ONNX runtime.

Of cases that are pooled, one run is one case: its pictures are the batch, and one row of probabilities comes out.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import MissingExtra
from consilium.generalist.looks import Looks, area_weights
from consilium.specialist.case_features import Pooling
from consilium.specialist.head import Head

_OPSET = 17
_IR = 8


def need_onnx() -> None:
    """Says what to install when onnx is not there.

    Raises:
        MissingExtra: it is not.
    """
    if find_spec("onnx") is None:
        raise MissingExtra(
            "onnx is needed for fitting a specialist", way_out="Install it: pip install 'consilium[specialist]'."
        )


def whole_graph(encoder: bytes, row: int, head: Head, pooling: Pooling, *, answers: int, looks: Looks) -> bytes:
    """The encoder's graph with its modality fixed and the head on top.

    Args:
        encoder: content of an ONNX file with the inputs `images` (N, S, S, 3) and `modality` (N,) and the output
            `image` (N, D).
        row: of the modality in the encoder's table.
        head: fitted.
        pooling: of cases.
        answers: length of a row of probabilities; of a binary task 2.
        looks: over which `features` are the mean; the pictures are of the finest.

    Returns:
        An ONNX file with the input `images`, and the outputs `features` (N, D) and `probabilities`.
    """
    need_onnx()
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(encoder)
    graph = model.graph
    constants: dict[str, NDArray[Any]] = {
        "_zero": np.array([0], np.int64),
        "_one": np.array([1], np.int64),
        "_by_look": np.array([2 if looks.mirrored else 1, -1, _width(head, pooling)], np.int64),
    }
    nodes: list[Any] = []
    for number, side in enumerate(looks.sides):
        nodes += _look(graph, f"_look{number}", row, side, looks, constants)
    nodes += [
        helper.make_node("Mean", [f"_look{number}_mean" for number in range(len(looks.sides))], ["image"]),
        helper.make_node("Identity", ["image"], ["features"]),
        *_head(head, pooling, answers, constants),
    ]
    initialisers = [
        *graph.initializer,
        *(numpy_helper.from_array(values, name) for name, values in constants.items()),
    ]
    images = next(one for one in graph.input if one.name == "images")
    return _written(nodes, initialisers, [images], _outputs(head, pooling, answers, features="features"), model)


def _look(graph: Any, name: str, row: int, side: int, looks: Looks, constants: dict[str, NDArray[Any]]) -> list[Any]:
    """Nodes from `images` to the encoder's vectors of one size, `NAME_mean`; names begin with the look's.

    The encoder's nodes are copied for each size, its weights are not.
    """
    import onnx
    from onnx import TensorProto, helper

    make = helper.make_node
    nodes, seen = [], "images"
    if side != looks.sides[-1]:
        weights = area_weights(looks.sides[-1], side)
        constants |= {f"{name}_rows": weights, f"{name}_columns": np.ascontiguousarray(weights.T)}
        nodes += [
            make("Transpose", ["images"], [f"{name}_first"], perm=[0, 3, 1, 2]),
            make("MatMul", [f"{name}_rows", f"{name}_first"], [f"{name}_lower"]),
            make("MatMul", [f"{name}_lower", f"{name}_columns"], [f"{name}_smaller"]),
            make("Transpose", [f"{name}_smaller"], [f"{name}_small"], perm=[0, 2, 3, 1]),
        ]
        seen = f"{name}_small"
    if looks.mirrored:
        # Axis 2 of (N, H, W, 3), backwards from its end to before its start.
        constants |= {"_across": np.array([2], np.int64), "_back": np.array([-1], np.int64)}
        constants["_before_start"] = np.array([np.iinfo(np.int64).min], np.int64)
        nodes += [
            make("Slice", [seen, "_back", "_before_start", "_across", "_back"], [f"{name}_mirrored"]),
            make("Concat", [seen, f"{name}_mirrored"], [f"{name}_both"], axis=0),
        ]
        seen = f"{name}_both"
    told = helper.make_tensor("row", TensorProto.INT64, [1], [row])
    nodes += [
        make("Shape", [seen], [f"{name}_shape"]),
        make("Slice", [f"{name}_shape", "_zero", "_one"], [f"{name}_count"]),
        make("ConstantOfShape", [f"{name}_count"], [f"{name}_modality"], value=told),
    ]
    shared = {one.name for one in graph.initializer} | {""}
    given = {"images": seen, "modality": f"{name}_modality"}
    for node in graph.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = f"{name}{node.name}"
        copy.input[:] = [one if one in shared else given.get(one, f"{name}_{one}") for one in node.input]
        copy.output[:] = [one if one in shared else f"{name}_{one}" for one in node.output]
        nodes.append(copy)
    return [
        *nodes,
        make("Reshape", [f"{name}_image", "_by_look"], [f"{name}_of_each"]),
        make("ReduceMean", [f"{name}_of_each"], [f"{name}_mean"], axes=[0], keepdims=0),
    ]


def pyramid_graph(encoder: bytes, row: int) -> bytes:
    """The encoder's graph with its modality fixed, for what reads its maps.

    Args:
        encoder: content of an ONNX file as of `whole_graph`, with outputs `level4` and so on besides.
        row: of the modality in the encoder's table.

    Returns:
        An ONNX file with the input `images` (N, S, S, 3), and the outputs `features` (N, D) and each level.
    """
    need_onnx()
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(encoder)
    graph = model.graph
    constants: dict[str, NDArray[Any]] = {}
    nodes = [*_told(row, constants), *graph.node, helper.make_node("Identity", ["image"], ["features"])]
    given = {one.name: one for one in graph.output}
    features = onnx.ValueInfoProto()
    features.CopyFrom(given.pop("image"))
    features.name = "features"
    initialisers = [
        *graph.initializer,
        *(numpy_helper.from_array(values, name) for name, values in constants.items()),
    ]
    images = next(one for one in graph.input if one.name == "images")
    return _written(nodes, initialisers, [images], [features, *given.values()], model)


def _told(row: int, constants: dict[str, NDArray[Any]]) -> list[Any]:
    """Nodes that tell the encoder the same modality for every picture; adds their constants."""
    from onnx import TensorProto, helper

    constants["_zero"], constants["_one"] = np.array([0], np.int64), np.array([1], np.int64)
    return [
        helper.make_node("Shape", ["images"], ["_shape"]),
        helper.make_node("Slice", ["_shape", "_zero", "_one"], ["_count"]),
        helper.make_node(
            "ConstantOfShape",
            ["_count"],
            ["modality"],
            value=helper.make_tensor("row", TensorProto.INT64, [1], [row]),
        ),
    ]


def head_graph(head: Head, pooling: Pooling, *, answers: int) -> bytes:
    """The head alone, for encoders that have no graph of their own: `image` (N, D) in, `probabilities` out."""
    need_onnx()
    from onnx import TensorProto, helper, numpy_helper

    constants: dict[str, NDArray[Any]] = {}
    nodes = _head(head, pooling, answers, constants)
    width = _width(head, pooling)
    given = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", width])
    initialisers = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    return _written(nodes, initialisers, [given], _outputs(head, pooling, answers), None)


def _head(head: Head, pooling: Pooling, answers: int, constants: dict[str, NDArray[Any]]) -> list[Any]:
    """Nodes from `image` (N, D) to `probabilities`; adds their constants."""
    from onnx import helper

    make = helper.make_node
    nodes: list[Any] = []
    entering = "image"
    if pooling == "pooled":
        entering = "_case"
        nodes += [
            make("ReduceMean", ["image"], ["_mean"], axes=[0], keepdims=1),
            make("ReduceMax", ["image"], ["_max"], axes=[0], keepdims=1),
            make("Sub", ["image", "_mean"], ["_centred"]),
            make("Mul", ["_centred", "_centred"], ["_squares"]),
            make("ReduceMean", ["_squares"], ["_variance"], axes=[0], keepdims=1),
            make("Sqrt", ["_variance"], ["_deviation"]),
            make("Concat", ["_mean", "_max", "_deviation"], [entering], axis=1),
        ]
    # 0 where a feature did not vary in training: its scale is infinite.
    constants["_head_mean"] = head.mean
    constants["_head_weights"] = np.asarray(head.weights / head.scale[:, None], np.float32)
    constants["_head_intercepts"] = head.intercepts
    nodes += [
        make("Sub", [entering, "_head_mean"], ["_from_mean"]),
        make("MatMul", ["_from_mean", "_head_weights"], ["_product"]),
        make("Add", ["_product", "_head_intercepts"], ["_logits"]),
    ]
    if head.loss == "softmax":
        nodes.append(make("Softmax", ["_logits"], ["probabilities"], axis=1))
    elif head.loss == "squares":
        nodes.append(make("Identity", ["_logits"], ["probabilities"]))
    elif answers == len(head.intercepts):
        nodes.append(make("Sigmoid", ["_logits"], ["probabilities"]))
    else:
        constants["_all"] = np.array([1], np.float32)
        nodes += [
            make("Sigmoid", ["_logits"], ["_yes"]),
            make("Sub", ["_all", "_yes"], ["_no"]),
            make("Concat", ["_no", "_yes"], ["probabilities"], axis=1),
        ]
    return nodes


def _width(head: Head, pooling: Pooling) -> int:
    """Length of the vector of one picture."""
    return len(head.mean) // (3 if pooling == "pooled" else 1)


def _outputs(head: Head, pooling: Pooling, answers: int, *, features: str = "") -> list[Any]:
    from onnx import TensorProto, helper

    width = _width(head, pooling)
    rows: int | str = 1 if pooling == "pooled" else "N"
    found = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [rows, answers])]
    if features:
        found.insert(0, helper.make_tensor_value_info(features, TensorProto.FLOAT, ["N", width]))
    return found


def _written(nodes: list[Any], initialisers: list[Any], inputs: list[Any], outputs: list[Any], source: Any) -> bytes:
    """A model of what the outputs depend on, nothing else; checked."""
    import onnx
    from onnx import helper

    wanted = {one.name for one in outputs}
    kept = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    graph = helper.make_graph(
        kept[::-1], "specialist", inputs, outputs, [one for one in initialisers if one.name in wanted]
    )
    opsets = source.opset_import if source is not None else [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=source.ir_version if source is not None else _IR,
        producer_name="consilium",
    )  # fmt: skip
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
