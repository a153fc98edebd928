"""The index that all changes of an ONNX graph read: who makes a tensor, who takes it, constants.

It is taken of a graph as it is; after nodes were added or removed, take another.
"""

from collections import defaultdict
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


class GraphIndex:
    """Nodes by the tensors they make and take, and the constants by name.

    Args:
        graph: An `onnx.GraphProto`.
    """

    def __init__(self, graph: onnx.GraphProto):
        self.graph = graph
        self.makers = {name: node for node in graph.node for name in node.output}
        self.users = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self.users[name].append(node)
        self.constants = {item.name: item for item in graph.initializer}

    def maker(self, name: str, kind: str | None = None) -> onnx.NodeProto | None:
        """Return the node that makes a tensor, or None where there is none of this kind.

        Args:
            name: Of the tensor.
            kind: Operator that the node must be, such as `"Sqrt"`; any by default.
        """
        node = self.makers.get(name)
        return node if node is not None and kind in (None, node.op_type) else None

    def sole_user(self, name: str, kind: str | None = None) -> onnx.NodeProto | None:
        """Return the one node that takes a tensor, or None where there are others, or of its kind.

        Args:
            name: Of the tensor.
            kind: Operator that the node must be; any by default.
        """
        users = self.users.get(name, [])
        return users[0] if len(users) == 1 and kind in (None, users[0].op_type) else None

    def constant(self, name: str) -> np.ndarray | None:
        """Return the values of a constant, or None where the tensor is computed.

        Args:
            name: Of the tensor.
        """
        item = self.constants.get(name)
        return None if item is None else numpy_helper.to_array(item)

    def constant_shape(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of a constant without reading its values, or None as `constant`.

        Args:
            name: Of the tensor.
        """
        item = self.constants.get(name)
        return None if item is None else tuple(item.dims)


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Return the attributes that a node states, by name; ONNX's defaults are not among them.

    Args:
        node: An `onnx.NodeProto`.
    """
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def remove_unused(graph: onnx.GraphProto) -> None:
    """Remove the nodes and constants that no output needs.

    Args:
        graph: An `onnx.GraphProto` in the order of computation, changed in place.
    """
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed.update(_taken_by(node))
    constants = [item for item in graph.initializer if item.name in needed]
    nodes = kept[::-1]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)


def _taken_by(node: onnx.NodeProto) -> set[str]:
    """Return what a node takes, in its branches too, which see the tensors around them."""
    taken = set(node.input)
    for item in node.attribute:
        for branch in (item.g, *item.graphs):
            taken.update(value.name for value in branch.output)
            taken.update(*(_taken_by(inner) for inner in branch.node))
    return taken


def sort_nodes(graph: onnx.GraphProto) -> None:
    """Bring nodes into the order of computation, each after what it takes, as ONNX demands.

    Args:
        graph: An `onnx.GraphProto` without circles, changed in place.
    """
    nodes = list(graph.node)
    maker = {name: place for place, node in enumerate(nodes) for name in node.output}
    ordered: dict[int, onnx.NodeProto] = {}
    stack = list(range(len(nodes)))[::-1]
    while stack:
        place = stack[-1]
        sources = [maker[name] for name in nodes[place].input if name in maker]
        missing = [source for source in sources if source not in ordered]
        if missing:
            stack += missing
        else:
            ordered.setdefault(place, nodes[stack.pop()])
    del graph.node[:]
    graph.node.extend(ordered.values())
