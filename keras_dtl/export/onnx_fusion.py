"""Many small nodes of an ONNX graph made one, where ONNX has an operator that says it all."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

POSITIONS = (2, 3)
"""The axes of an image's positions, as tf2onnx lays them out: channels first."""


def fuse_instance_normalizations(model):
    """Replace the arithmetic of each instance normalisation of images by one node.

    Looked for is `(x - mean(x)) / sqrt(mean((x - mean(x)) ** 2) + epsilon)` over the positions,
    with the factor and the offset of each channel that may follow.

    Args:
        model: `onnx.ModelProto`, changed in place.

    Returns:
        How many were found.
    """
    graph = _Graph(model.graph)
    found = [match for node in model.graph.node if (match := _match(graph, node))]
    replaced = sum(_replace(graph, match) for match in found)
    if replaced:
        remove_unused(model.graph)
    return replaced


class _Graph:
    """The nodes by what they make and by what they take, and the constants."""

    def __init__(self, graph):
        self.graph = graph
        self.makers = {name: node for node in graph.node for name in node.output}
        self.users = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self.users[name].append(node)
        self.constants = {item.name: item for item in graph.initializer}

    def made_by(self, name, kind):
        """Return the node that makes a tensor, if it is of this kind."""
        node = self.makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def constant(self, name):
        item = self.constants.get(name)
        return None if item is None else numpy_helper.to_array(item)

    def sole_user(self, name, kind):
        users = self.users[name]
        return users[0] if len(users) == 1 and users[0].op_type == kind else None


class _Match(NamedTuple):
    last: object
    """The node whose output is that of the normalisation."""
    x: str
    epsilon: float
    factor: str | None
    """Constant of one number a channel that the reciprocal was multiplied by."""


def _match(graph, node):
    """Return the `_Match` where a `Reciprocal` belongs to an instance normalisation."""
    if node.op_type != "Reciprocal":
        return None
    root = graph.made_by(node.input[0], "Sqrt")
    total = root and graph.made_by(root.input[0], "Add")
    epsilon = total and graph.constant(total.input[1])
    if epsilon is None or epsilon.size != 1:
        return None
    square = _averaged(graph, total.input[0])
    product = square and graph.made_by(square, "Mul")
    x = product and product.input[0] == product.input[1] and _centred(graph, product.input[0])
    last = graph.sole_user(node.output[0], "Mul")
    if not x or not last:
        return None
    other, factor = _other(last, node.output[0]), None
    if graph.constant(other) is not None:
        scaled, factor, last = last, other, graph.sole_user(last.output[0], "Mul")
        other = last and _other(last, scaled.output[0])
    if not other or _centred(graph, other) != x:
        return None
    return _Match(last, x, float(epsilon.reshape(())), factor)


def _other(node, name):
    """Return the input of a node of two inputs that is not `name`."""
    return node.input[1] if node.input[0] == name else node.input[0]


def _averaged(graph, name):
    """Return what a tensor is the mean of over the positions, or None."""
    reshaped = graph.made_by(name, "Reshape")  # of one number a channel: changes nothing
    mean = graph.made_by(reshaped.input[0] if reshaped else name, "ReduceMean")
    if not mean:
        return None
    axes = [tuple(a.ints) for a in mean.attribute if a.name == "axes"]
    if not axes and len(mean.input) > 1 and (given := graph.constant(mean.input[1])) is not None:
        axes = [tuple(int(axis) for axis in given)]
    return mean.input[0] if axes == [POSITIONS] else None


def _centred(graph, name):
    """Return what a tensor is without its mean, or None."""
    difference = graph.made_by(name, "Sub")
    if difference and _averaged(graph, difference.input[1]) == difference.input[0]:
        return difference.input[0]
    return None


def _channels(graph, x):
    """Return the number of channels of what a convolution makes, or None."""
    convolution = graph.makers.get(x)
    if convolution is None or convolution.op_type not in ("Conv", "ConvTranspose"):
        return None
    kernel = graph.constant(convolution.input[1])
    return kernel.shape[0 if convolution.op_type == "Conv" else 1]


def _replace(graph, match):
    """Put one node in the place of the last of a match; whether it was possible."""
    channels = _channels(graph, _origin(graph, match.x))
    factor = np.ones((channels or 0, 1, 1), "float32")
    if match.factor is not None:
        factor = graph.constant(match.factor)
    if not _one_a_channel(factor, channels):
        return False
    last, offset = match.last, np.zeros(channels, "float32")
    if match.factor is None:
        last, factor = _followed(graph, last, "Mul", factor)
    last, offset = _followed(graph, last, "Add", offset)
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


def _one_a_channel(values, channels):
    return channels is not None and values.size == channels and values.shape[-3:-2] == (channels,)


def _origin(graph, x):
    """Return the tensor behind nodes that keep the channels as they are."""
    while (node := graph.makers.get(x)) is not None and node.op_type in ("Slice", "Pad"):
        x = node.input[0]
    return x


def _followed(graph, node, kind, default):
    """Return the node that applies one constant a channel after this one, and the constants."""
    after = graph.sole_user(node.output[0], kind)
    values = after and graph.constant(_other(after, node.output[0]))
    if values is None or not _one_a_channel(values, default.size):
        return node, default
    return after, values


def remove_unused(graph):
    """Remove nodes and constants that nothing needs any more."""
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):  # in the order of computation, as ONNX demands
        if needed & set(node.output):
            kept.append(node)
            needed.update(node.input)
    constants = [item for item in graph.initializer if item.name in needed]
    nodes = kept[::-1]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
