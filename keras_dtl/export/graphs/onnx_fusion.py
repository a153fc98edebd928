"""Many small nodes of an ONNX graph made one, where ONNX has an operator that says it all."""

from typing import NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

from keras_dtl.export.graphs.graph import GraphIndex, attributes, remove_unused

POSITIONS = (2, 3)
"""The axes of an image's positions, as tf2onnx lays them out: channels first."""


def fuse_instance_normalizations(model: onnx.ModelProto) -> int:
    """Replace the arithmetic of each instance normalisation of images by one node.

    Looked for is `(x - mean(x)) / sqrt(mean((x - mean(x)) ** 2) + epsilon)` over the positions,
    with the factor and the offset of each channel that may follow.

    Args:
        model: `onnx.ModelProto`, changed in place.

    Returns:
        How many were found.
    """
    graph = GraphIndex(model.graph)
    found = [match for node in model.graph.node if (match := _match(graph, node))]
    replaced = sum(_replace(graph, match) for match in found)
    remove_unused(model.graph)  # tf2onnx leaves constants behind that it has folded
    return replaced


class _Match(NamedTuple):
    last: onnx.NodeProto
    """The node whose output is that of the normalisation."""
    x: str
    epsilon: float
    factor: str | None
    """Constant of one number a channel that the reciprocal was multiplied by."""


def _match(graph: GraphIndex, node: onnx.NodeProto) -> _Match | None:
    """Return the `_Match` where a `Reciprocal` belongs to an instance normalisation."""
    if node.op_type != "Reciprocal":
        return None
    root = graph.maker(node.input[0], "Sqrt")
    total = root and graph.maker(root.input[0], "Add")
    epsilon = total and graph.constant(total.input[1])
    if epsilon is None or epsilon.size != 1:
        return None
    square = _mean_source(graph, total.input[0])
    product = square and graph.maker(square, "Mul")
    is_square = product and product.input[0] == product.input[1]
    x = is_square and _centred_source(graph, product.input[0])
    last = graph.sole_user(node.output[0], "Mul")
    if not x or not last:
        return None
    other, factor = _other(last, node.output[0]), None
    if graph.constant(other) is not None:
        scaled, factor, last = last, other, graph.sole_user(last.output[0], "Mul")
        other = last and _other(last, scaled.output[0])
    if not other or _centred_source(graph, other) != x:
        return None
    return _Match(last, x, float(epsilon.reshape(())), factor)


def _other(node: onnx.NodeProto, name: str) -> str:
    """Return the input of a node of two inputs that is not `name`."""
    return node.input[1] if node.input[0] == name else node.input[0]


def _mean_source(graph: GraphIndex, name: str) -> str | None:
    """Return what a tensor is the mean of over the positions, or None."""
    reshaped = graph.maker(name, "Reshape")  # of one number a channel: changes nothing
    name = reshaped.input[0] if reshaped else name
    axes, mean = (), graph.maker(name, "ReduceMean")
    while mean and len(axes) < len(POSITIONS):  # one axis after the other, or all at once
        taken = _mean_axes(graph, mean)
        if taken is None:
            return None
        axes, name = (*axes, *taken), mean.input[0]
        mean = graph.maker(name, "ReduceMean")
    return name if tuple(sorted(axes)) == POSITIONS else None


def _mean_axes(graph: GraphIndex, mean: onnx.NodeProto) -> tuple[int, ...] | None:
    """Return the axes that a node takes the mean over, where they are constant."""
    axes = attributes(mean).get("axes")  # up to opset 17; from 18 on an input
    if axes is None and len(mean.input) > 1:
        axes = graph.constant(mean.input[1])
    return None if axes is None else tuple(int(axis) for axis in axes)


def _centred_source(graph: GraphIndex, name: str) -> str | None:
    """Return what a tensor is without its mean, or None."""
    difference = graph.maker(name, "Sub")
    if difference and _mean_source(graph, difference.input[1]) == difference.input[0]:
        return difference.input[0]
    return None


def _channels(graph: GraphIndex, x: str) -> int | None:
    """Return the number of channels of what a convolution makes, or None."""
    convolution = graph.maker(x)
    if convolution is None or convolution.op_type not in ("Conv", "ConvTranspose"):
        return None
    shape = graph.constant_shape(convolution.input[1])
    return None if shape is None else shape[0 if convolution.op_type == "Conv" else 1]


def _replace(graph: GraphIndex, match: _Match) -> bool:
    """Put one node in the place of the last of a match; whether it was possible."""
    channels = _channels(graph, _origin(graph, match.x))
    factor = np.ones((channels or 0, 1, 1), "float32")
    if match.factor is not None:
        factor = graph.constant(match.factor)
    if not _is_one_a_channel(factor, channels):
        return False
    last, offset = match.last, np.zeros(channels, "float32")
    if match.factor is None:
        last, factor = _absorb(graph, last, "Mul", factor)
    last, offset = _absorb(graph, last, "Add", offset)
    output = last.output[0]
    names = [f"{output}/scale", f"{output}/offset"]
    for name, values in zip(names, (factor, offset), strict=True):
        values = values.reshape(-1).astype("float32")
        graph.graph.initializer.append(numpy_helper.from_array(values, name))
    fused = onnx.helper.make_node(
        "InstanceNormalization",
        [match.x, *names],
        [output],
        name=last.name,
        epsilon=match.epsilon,
    )
    last.CopyFrom(fused)
    return True


def _is_one_a_channel(values: np.ndarray, channels: int | None) -> bool:
    return channels is not None and values.size == channels and values.shape[-3:-2] == (channels,)


def _origin(graph: GraphIndex, x: str) -> str:
    """Return the tensor behind nodes that keep the channels as they are."""
    while (node := graph.maker(x)) is not None and node.op_type in ("Slice", "Pad"):
        x = node.input[0]
    return x


def _absorb(
    graph: GraphIndex, node: onnx.NodeProto, kind: str, default: np.ndarray
) -> tuple[onnx.NodeProto, np.ndarray]:
    """Return the node that applies one constant a channel after this one, and the constants."""
    after = graph.sole_user(node.output[0], kind)
    values = after and graph.constant(_other(after, node.output[0]))
    if values is None or not _is_one_a_channel(values, default.size):
        return node, default
    return after, values
