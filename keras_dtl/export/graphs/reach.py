"""How far around a pixel a generator looks, followed through its ONNX graph."""

import dataclasses
import math
from typing import Any

import onnx

from keras_dtl.export.graphs.graph import GraphIndex, attributes

# These leave every pixel where it is.
_POINTWISE = {
    *("Abs", "Add", "BatchNormalization", "Cast", "Clip", "Concat", "Div", "Elu", "Erf", "Exp"),
    *("Gelu", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LeakyRelu"),
    *("Log", "Max", "Min", "Mul", "Neg", "PRelu", "Pad", "Pow", "Reciprocal", "Relu", "Round"),
    *("Selu", "Sigmoid", "Slice", "Softplus", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh"),
    *("Transpose", "Unsqueeze", "Where"),
}
_WINDOWS = ("Conv", "MaxPool", "AveragePool")


class NotLocal(Exception):
    """The graph holds an operation whose result depends on the whole image."""


@dataclasses.dataclass(frozen=True)
class Reach:
    """What one value of a graph depends on.

    Args:
        radius: How far it looks along rows and along columns, to each side, in pixels of the image.
        stride: How many pixels of the image lie between two of its own.
        channels: How many numbers it holds at each place.
    """

    radius: tuple[float, float]
    stride: float
    channels: int

    def further(self, *pixels: float) -> tuple[float, float]:
        """Return a radius that is longer.

        Args:
            pixels: By how many of its own, once for both axes or for each.
        """
        more = pixels * (2 // len(pixels))
        rows, columns = (a + b * self.stride for a, b in zip(self.radius, more, strict=True))
        return rows, columns


def measure_reach(model: onnx.ModelProto, image_channels: int) -> tuple[int, int, int]:
    """Follow the image through a graph.

    Args:
        model: An `onnx.ModelProto` with one image as input and one as output.
        image_channels: Channels of the input: 1, 3 or 4.

    Returns:
        `(radius, stride, numbers)`: how far a pixel of the output looks, the largest stride
        within, and the most numbers for each pixel that an operation takes and makes.

    Raises:
        NotLocal: Its result depends on the whole image, or an operation is not known.
    """
    index = GraphIndex(model.graph)
    known = {model.graph.input[0].name: Reach((0, 0), 1, image_channels)}
    largest, numbers = 1, 0
    for node in model.graph.node:
        sources = [known[name] for name in node.input if name in known]
        # Sizes of images are no images.
        if not sources or node.op_type in ("Shape", "Size"):
            continue
        result = _reach(index, node, sources)
        known |= dict.fromkeys(node.output, result)
        largest = max(largest, result.stride)
        held = [*sources, result]
        numbers = max(numbers, sum(item.channels / item.stride**2 for item in held))
    result = known[model.graph.output[0].name]
    if result.stride != 1:
        raise NotLocal("the output has another size than the input")
    return math.ceil(max(result.radius)), math.ceil(largest), math.ceil(numbers)


def _reach(index: GraphIndex, node: onnx.NodeProto, sources: list[Reach]) -> Reach:
    """Return what the result of a node depends on, from what its inputs do."""
    rows, columns = (max(source.radius[axis] for source in sources) for axis in (0, 1))
    stride = max(source.stride for source in sources)
    channels = max(source.channels for source in sources)
    source = Reach((rows, columns), stride, channels)
    if node.op_type in _POINTWISE:
        if node.op_type == "Concat":
            channels = sum(source.channels for source in sources)
        return dataclasses.replace(source, channels=channels)
    values = attributes(node)
    if node.op_type in _WINDOWS:
        return _window_reach(index, node, source, values)
    if node.op_type == "ConvTranspose":
        kernel = index.constant_shape(node.input[1])
        step = max(values.get("strides", [1]))
        return Reach(source.further(max(kernel[2:]) / step), stride / step, kernel[1])
    if node.op_type == "DepthToSpace":
        step = values["blocksize"]
        return Reach(source.further(1), stride / step, channels // step**2)
    if node.op_type in ("Resize", "Upsample"):
        factors = index.constant(node.input[-1] if node.op_type == "Upsample" else node.input[2])
        if factors is None or not factors.size:  # of a size that is computed
            raise NotLocal("an image is resized by a factor that is not constant")
        factor = float(max(factors))
        return Reach(source.further(2), stride / factor, channels)
    raise NotLocal(f"{node.op_type} may look at the whole image")


def _window_reach(
    index: GraphIndex, node: onnx.NodeProto, source: Reach, values: dict[str, Any]
) -> Reach:
    if node.op_type == "Conv":
        kernel = index.constant_shape(node.input[1])
        size, channels = kernel[2:], kernel[0]
    else:
        size, channels = values["kernel_shape"], source.channels
    dilations = values.get("dilations") or [1] * len(size)
    extents = [(n - 1) * d for n, d in zip(size, dilations, strict=True)]
    pads = values.get("pads") or [extent // 2 for extent in extents] * 2
    # All of it on one side: padding may be uneven.
    more = [
        max(extent / 2, extent - min(before, after))
        for extent, before, after in zip(extents, pads[: len(size)], pads[len(size) :], strict=True)
    ]
    step = max(values.get("strides", [1]))
    return Reach(source.further(*more), source.stride * step, channels)
