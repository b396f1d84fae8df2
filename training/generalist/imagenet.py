"""ImageNet weights out of a quantised TensorFlow Lite file into the pyramid.

The file (MobileNetV2 1.0, Apache-2.0) has its batch normalisation folded and its weights in 8 bits a channel; here
they become float again. Needs the package `tflite`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from consilium.generalist.network import Convolution, Pyramid
from training.cells import data_folder as chromosome_folder

FILE = "tf2_mobilenet_v2_1.0_224_ptq.tflite"
SOURCE = "MobileNetV2 1.0 at 224, ImageNet, 8 bits (google-coral/test_data, Apache-2.0)"


def layers(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Kernel (out, in / groups, k, k) and offset of each convolution as it runs, the classes' last."""
    import tflite

    data = path.read_bytes()
    model = tflite.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)

    def values(number: int) -> NDArray[np.float32]:
        tensor = graph.Tensors(int(number))
        kind = {tflite.TensorType.INT8: np.int8, tflite.TensorType.INT32: np.int32}[tensor.Type()]
        array = model.Buffers(tensor.Buffer()).DataAsNumpy().view(kind).reshape(tensor.ShapeAsNumpy())
        scale = tensor.Quantization().ScaleAsNumpy()
        axis = tensor.Quantization().QuantizedDimension()
        sides = [-1 if one == axis else 1 for one in range(array.ndim)]
        return array.astype(np.float32) * scale.reshape(sides)

    found = []
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if kind not in (tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEPTHWISE_CONV_2D):
            continue
        _, kernel, offset = operator.InputsAsNumpy()
        order = (3, 0, 1, 2) if kind == tflite.BuiltinOperator.DEPTHWISE_CONV_2D else (0, 3, 1, 2)
        found.append((torch.from_numpy(values(kernel).transpose(order).copy()), torch.from_numpy(values(offset))))
    return found


def start_from_imagenet(network: Pyramid, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Fill the trunk; normalisation becomes the identity on what these pictures give, so that it can be learnt.

    Args:
        network: filled in place.
        pictures: (N, 3, H, W) 0..1, real ones, for the statistics of each layer.

    Returns:
        Weight (1001, 1280) and offset of the classes of ImageNet, which the pyramid does without.
    """
    found = layers(chromosome_folder().parent / "weights" / FILE)
    *body, (weight, offset) = found
    network.eval()
    hooks: list[torch.utils.hooks.RemovableHandle] = []
    for layer, (kernel, bias) in zip(network.convolutions(), body, strict=True):
        with torch.no_grad():
            layer.conv.weight.copy_(kernel)
        hooks.append(layer.norm.register_forward_pre_hook(_identity_with(bias)))
    with torch.no_grad():
        network(pictures, torch.full((len(pictures),), 19))
    for hook in hooks:
        hook.remove()
    return weight.flatten(1), offset


def _identity_with(bias: Tensor):  # type: ignore[no-untyped-def]
    def restore(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        with torch.no_grad():
            x = inputs[0].transpose(0, 1).flatten(1)
            norm.running_mean.copy_(x.mean(1))
            norm.running_var.copy_(x.var(1))
            norm.weight.copy_((norm.running_var + norm.eps).sqrt())
            norm.bias.copy_(norm.running_mean + bias)

    return restore


def normalisation_layers(network: Pyramid) -> list[nn.BatchNorm2d]:
    return [one.norm for one in network.convolutions() if isinstance(one, Convolution)]
