"""Convolutions to a few channels as two, of columns and of rows, which CPUs are faster at.

CPUs make 8 or 16 channels at once: a convolution to the three of an image wastes most of them. One
that has a channel for each channel of the image and each column of the kernel wastes few, and a
second one adds up what these see of a row.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from keras_dtl.export.graphs.graph import GraphIndex, attributes, remove_unused

OF_COLUMNS = "/columns"
"""What the name of the first of two convolutions ends in."""
_AT_ONCE = (8, 16)
"""Channels that CPUs make at once, in float32: with AVX2, and with AVX512."""
_MOST_WORK = 0.7
"""Share of the work up to which, in onnxruntime and OpenVINO, the two were faster than the one."""


def split_narrow_convolutions(model: onnx.ModelProto) -> int:
    """Replace the convolutions of images to a few channels that are faster as two.

    What is computed stays the same but for the order of the sums. Left are those of strides, groups
    or dilations.

    Args:
        model: `onnx.ModelProto`, changed in place.

    Returns:
        How many were replaced.
    """
    index = GraphIndex(model.graph)
    nodes, replaced = [], 0
    for node in model.graph.node:
        kernel = index.constant(node.input[1]) if _is_plain(node) else None
        if kernel is None or kernel.ndim != 4 or _work(kernel.shape) > _MOST_WORK:
            nodes.append(node)
            continue
        pair, tensors = _two_of(node, kernel)
        nodes += pair
        model.graph.initializer.extend(tensors)
        replaced += 1
    if replaced:
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        remove_unused(model.graph)
    return replaced


def _is_plain(node: onnx.NodeProto) -> bool:
    values = attributes(node)
    steps = {*values.get("strides", [1]), *values.get("dilations", [1]), values.get("group", 1)}
    return node.op_type == "Conv" and steps == {1}


def _work(shape: tuple[int, ...]) -> float:
    """Return the share of the products that remains, on the CPU on which it is the most.

    Args:
        shape: Of the kernel, `(filters, channels, height, width)`.
    """
    filters, channels, height, width = shape
    shares = []
    for at_once in _AT_ONCE:
        made, between = (-(-count // at_once) * at_once for count in (filters, filters * width))
        of_two = height * channels * between + width * between * made
        shares.append(of_two / (height * width * channels * made))
    return max(shares)


def _pads(node: onnx.NodeProto, height: int, width: int) -> list[int]:
    """Return the zeros before rows and columns, and after: of strides of 1, of any size."""
    values = attributes(node)
    less, more = ([(size - 1) // 2 for size in (height, width)], [height // 2, width // 2])
    kinds = {b"VALID": [0] * 4, b"SAME_UPPER": [*less, *more], b"SAME_LOWER": [*more, *less]}
    return kinds.get(values.get("auto_pad"), values.get("pads", [0] * 4))


def _two_of(
    node: onnx.NodeProto, kernel: np.ndarray
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    filters, channels, height, width = kernel.shape
    columns = kernel.transpose(3, 0, 1, 2).reshape(width * filters, channels, height, 1)
    # Channel c of column k goes to channel c, k places further on.
    row = np.eye(filters, dtype=kernel.dtype)[:, None].repeat(width, 1)  # (filters, column, c)
    row = row[..., None] * np.eye(width, dtype=kernel.dtype)[:, None]
    added = {"columns": columns, "row": row.reshape(filters, width * filters, 1, width)}
    top, left, bottom, right = _pads(node, height, width)
    name = node.output[0]
    between = f"{name}/of_columns"
    first = [node.input[0], f"{name}/columns"]
    second = [between, f"{name}/row", *node.input[2:]]
    pads = [top, 0, bottom, 0], [0, left, 0, right]
    if not any((top, left, bottom, right)):
        pads = None, None  # `measure_reach` takes it that the image was padded before
    pair = [
        helper.make_node("Conv", first, [between], f"{node.name}{OF_COLUMNS}", pads=pads[0]),
        helper.make_node("Conv", second, [name], node.name, pads=pads[1]),
    ]
    tensors = [
        numpy_helper.from_array(np.ascontiguousarray(values), f"{name}/{key}")
        for key, values in added.items()
    ]
    return pair, tensors
