"""Weights back out of a shipped ONNX file, so that a recipe can go on where the last one ended.

Checkpoints are not in the repository; what ships is. The export folds batch normalisation into the convolutions
before it, so a layer's normalisation comes back as the identity on statistics measured anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

WEIGHTS = Path(__file__).parents[1] / "src" / "consilium" / "karyotype" / "weights"


def load_shipped(network: nn.Module, name: str, example: tuple[Tensor, ...]) -> None:
    """Fill the convolutions and linear layers of a network from its shipped file, in the order they run.

    Embeddings keep their names in the file. Layers that the file lacks keep their values; they must run last.

    Args:
        network: filled in place, on whatever device it is.
        name: "detector", "amodal" or "structure" (the classifier's layers run in another order in its file).
        example: real input on the processor, several cells or crops, on which normalisation takes its statistics.

    Raises:
        ValueError: a layer of the file has another shape than the network's.
    """
    device = next(network.parameters()).device
    network.cpu()
    kernels = list(_kernels(WEIGHTS / f"{name}.onnx"))
    for (label, layer), (weight, bias) in zip(_in_order(network, example), kernels, strict=False):
        if layer.weight.shape != weight.shape:
            raise ValueError(f"{name}.onnx and the network differ at {label}: {weight.shape}, {layer.weight.shape}")
        with torch.no_grad():
            layer.weight.copy_(weight)
            if layer.bias is not None and bias is not None:
                layer.bias.copy_(bias)
            elif bias is not None:
                layer.folded = bias  # for the normalisation that follows it
    named = _initializers(WEIGHTS / f"{name}.onnx")
    for label, layer in network.named_modules():
        if isinstance(layer, nn.Embedding):
            with torch.no_grad():
                layer.weight.copy_(named[f"{label}.weight"])
    _restore_normalisation(network, example)
    network.to(device)


def _initializers(path: Path) -> dict[str, Tensor]:
    graph = onnx.load(str(path)).graph
    values = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
    # A layer that runs twice has its weights once, and a second name for them.
    twice = [node for node in graph.node if node.op_type == "Identity" and node.input[0] in values]
    values.update({node.output[0]: values[node.input[0]] for node in twice})
    return values


def _kernels(path: Path) -> Iterator[tuple[Tensor, Tensor | None]]:
    values = _initializers(path)
    for node in onnx.load(str(path)).graph.node:
        if node.op_type == "Conv":
            yield values[node.input[1]], values[node.input[2]] if len(node.input) > 2 else None
        elif node.op_type == "Gemm":  # PyTorch writes its linear layers with the weights as they are
            yield values[node.input[1]], values[node.input[2]]


def _in_order(network: nn.Module, example: tuple[Tensor, ...]) -> list[tuple[str, nn.Conv1d | nn.Conv2d | nn.Linear]]:
    """The convolutions and linear layers as they run."""
    met: list[tuple[str, nn.Conv1d | nn.Conv2d | nn.Linear]] = []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, _, label=label: met.append((label, layer)))
        for label, layer in network.named_modules()
        if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear)
    ]
    network.eval()
    with torch.no_grad():
        network(*(t[:1] for t in example))
    network.train()
    for hook in hooks:
        hook.remove()
    return met


def _restore_normalisation(network: nn.Module, example: tuple[Tensor, ...]) -> None:
    """Give each normalisation the statistics of what it meets and the gain and offset that undo them."""

    def restore(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
        with torch.no_grad():
            x = inputs[0].transpose(0, 1).flatten(1)
            layer.running_mean.copy_(x.mean(1))
            layer.running_var.copy_(x.var(1))
            layer.weight.copy_((layer.running_var + layer.eps).sqrt())
            layer.bias.copy_(layer.running_mean + before[layer])

    def offset_of(layer: nn.Module) -> Tensor:
        assert isinstance(layer, nn.Conv1d | nn.Conv2d)
        return getattr(layer, "folded", torch.zeros(layer.out_channels))

    before: dict[nn.Module, Tensor] = {}
    last: list[Tensor] = []
    hooks = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d):
            hooks.append(layer.register_forward_hook(lambda c, _i, _o: last.append(offset_of(c))))
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            hooks.append(layer.register_forward_pre_hook(lambda b, _: before.update({b: last[-1]})))
            hooks.append(layer.register_forward_pre_hook(restore))
    network.eval()
    with torch.no_grad():
        network(*example)
    network.train()
    for hook in hooks:
        hook.remove()
