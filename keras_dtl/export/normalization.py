"""Instance normalisation in an ONNX graph: one node instead of eight."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


class Graph:
    """The nodes of an ONNX graph by what they make and take.

    Args:
        model: An `onnx.ModelProto`.
    """

    def __init__(self, model):
        self.nodes = model.graph.node
        self.constants = {item.name: item for item in model.graph.initializer}
        self.makers = {name: node for node in self.nodes for name in node.output}
        self.takers = {}
        for node in self.nodes:
            for name in node.input:
                self.takers.setdefault(name, []).append(node)
        self.outputs = {item.name for item in model.graph.output}

    def constant(self, name):
        """Return a constant as an array, or `None` where it is none."""
        item = self.constants.get(name)
        return None if item is None else numpy_helper.to_array(item)

    def maker(self, name, kind):
        """Return the node that makes a value where it is of a kind, else `None`."""
        node = self.makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def only_taker(self, name, kind):
        """Return the one node that takes a value where it is of a kind, else `None`."""
        takers = self.takers.get(name, [])
        if len(takers) != 1 or takers[0].op_type != kind or name in self.outputs:
            return None
        return takers[0]

    def partner(self, node, name):
        """Return the other operand of a node of two, as an array or `None`."""
        other = node.input[1] if node.input[0] == name else node.input[0]
        return self.constant(other)


def fuse_instance_normalization(model):
    """Replace the moments of `keras_dtl.layers.InstanceNormalization` by ONNX' own node.

    A learnt factor and offset that follow go into the node. What it makes is the same but for
    rounding, which the comparison with Keras covers.

    Args:
        model: The `onnx.ModelProto`, changed in place.

    Returns:
        How many were found.
    """
    graph = Graph(model)
    found = [match for node in graph.nodes if (match := _match(graph, node))]
    for match in found:
        _replace(model, *match)
    drop_unused(model)
    return len(found)


def _match(graph, node):
    """Return the parts of a normalisation that ends in `node`: d / sqrt(mean(d * d) + epsilon)."""
    if node.op_type != "Mul" or node.input[0] == node.input[1]:
        return None
    for centred_name, factor in (node.input, reversed(node.input)):
        centred = graph.maker(centred_name, "Sub")
        inverse, scale = _inverse(graph, factor)
        root = inverse and graph.maker(inverse.input[0], "Sqrt")
        total = root and graph.maker(root.input[0], "Add")
        mean = centred and _mean(graph, centred.input[1])
        if not (total and mean and mean[1]) or mean[0].input[0] != centred.input[0]:
            continue
        variance = next(filter(None, (_mean(graph, name) for name in total.input)), None)
        squares = variance and graph.maker(variance[0].input[0], "Mul")
        epsilon = graph.partner(total, variance[0].output[0]) if variance else None
        if epsilon is None or epsilon.size != 1:
            continue
        if squares and set(squares.input) == {centred_name}:
            return centred, node, mean[1], float(epsilon.reshape(())), scale
    return None


def _inverse(graph, name):
    """Return the node of 1 / sqrt(...), and what it was multiplied with, or `None`."""
    product = graph.maker(name, "Mul")
    if product is None:
        return graph.maker(name, "Reciprocal"), None
    for own in product.input:
        scale = graph.partner(product, own)
        if scale is not None and (inverse := graph.maker(own, "Reciprocal")):
            return inverse, scale
    return None, None


def _mean(graph, name):
    """Return the node that takes a mean over height and width, and the number of channels."""
    channels = None
    reshape = graph.maker(name, "Reshape")
    if reshape is not None:
        shape = graph.constant(reshape.input[1])
        if shape is None or shape.size != 4 or list(shape[[0, 2, 3]]) != [-1, 1, 1]:
            return None
        name, channels = reshape.input[0], int(shape[1])
    node = graph.maker(name, "ReduceMean")
    if node is None:
        return None
    values = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    axes = graph.constant(node.input[1]) if len(node.input) > 1 else values.get("axes", [])
    if axes is None or list(axes) != [2, 3] or not values.get("keepdims", 1):
        return None
    return node, channels


def _replace(model, centred, last, channels, epsilon, scale):
    graph = Graph(model)
    scale = np.ones(channels, np.float32) if scale is None else scale.reshape(-1)
    scale, offset = np.broadcast_to(scale, channels), np.zeros(channels, np.float32)
    output, dropped = last.output[0], [last]
    for kind in ("Mul", "Add"):
        following = graph.only_taker(output, kind)
        value = following and graph.partner(following, output)
        if following is None or value is None or value.shape not in _vectors(channels):
            continue
        if kind == "Mul":
            scale = scale * value.reshape(-1)
        else:
            offset = value.reshape(-1)
        output = following.output[0]
        dropped.append(following)
    names = [f"{output}/scale", f"{output}/offset"]
    for name, value in zip(names, (scale, offset), strict=True):
        model.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), name))
    node = helper.make_node(
        "InstanceNormalization", [centred.input[0], *names], [output], output, epsilon=epsilon
    )
    place = next(i for i, item in enumerate(model.graph.node) if item.output[0] == output)
    model.graph.node.insert(place, node)
    for item in dropped:
        model.graph.node.remove(item)


def _vectors(channels):
    return ((1, channels, 1, 1), (channels, 1, 1))


def drop_unused(model):
    """Remove nodes and constants that nothing takes any more."""
    needed = {item.name for item in model.graph.output}
    for node in reversed(list(model.graph.node)):
        if needed.isdisjoint(node.output):
            model.graph.node.remove(node)
        else:
            needed |= set(node.input)
    for item in list(model.graph.initializer):
        if item.name not in needed:
            model.graph.initializer.remove(item)


def counted(model):
    """Return how often each operator occurs, by its name."""
    kinds = [node.op_type for node in model.graph.node]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def copy_of(model):
    """Return a copy of an `onnx.ModelProto`."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy
