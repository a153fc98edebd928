"""Transposed convolutions of images of any size, without arithmetic on sizes in the graph."""

from typing import Any

import numpy as np
from tf2onnx.graph import Graph, Node
from tf2onnx.onnx_opset.nn import ConvTranspose

OPERATION = "Conv2DBackpropInput"
_SIZE = 8  # any will do: the padding is the same for all
_SAME_VALUE = ("Cast", "Identity", "Squeeze", "Unsqueeze")
_TAKES_A_SIZE = ("Slice", "StridedSlice", "Gather")


def convert(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """Convert one for tf2onnx, which knows how to pad where sizes are known.

    Where they are free it writes the arithmetic of every run into the graph, some 40 nodes, and
    copies the image twice; yet the padding is the same at every size as long as the output grows
    by the stride. In that case it is shown an example; in all others it does as it always does.

    Args:
        ctx: The graph of tf2onnx that the node is in.
        node: A `Conv2DBackpropInput`, which is changed in place.
        name: Of the node.
        arguments: None are given; tf2onnx passes an empty list.
    """
    image = node.input[2]
    shape, output_shape = ctx.get_shape(image), ctx.get_shape(node.output[0])
    example = _example(ctx, node, shape)
    if example is None:
        ConvTranspose.version_1(ctx, node)
        return
    sizes = ctx.make_const(f"{name}/example", np.array(example, "int64"))
    ctx.replace_input(node, node.input[0], sizes.output[0], 0)
    ctx.set_shape(image, [shape[0], _SIZE, _SIZE, shape[3]])
    ConvTranspose.version_1(ctx, node)
    ctx.set_shape(image, shape)
    ctx.set_shape(node.output[0], output_shape)


def _example(ctx: Graph, node: Node, shape: list[int] | None) -> list[int] | None:
    """Return the output's shape for an image of `_SIZE`, or None where there is no simple rule."""
    layout = node.get_attr("data_format")
    if shape is None or -1 not in shape[1:3] or (layout and layout.s != b"NHWC"):
        return None
    strides = node.get_attr("strides").ints[1:3]
    packed = node.inputs[0]
    while packed.type in _SAME_VALUE:
        packed = packed.inputs[0]
    if packed.type not in ("Concat", "Pack") or len(packed.inputs) != 4:
        return None
    example = [1]
    for value, stride in zip(packed.inputs[1:3], strides, strict=True):
        size, next_size = (_value(value, at) for at in (_SIZE, _SIZE + 1))
        if size is None or next_size is None or next_size - size != stride:
            return None
        example.append(size)
    return [*example, ctx.get_shape(node.input[1])[2]]


def _value(node: Node, size: int) -> int | None:
    """Return the number that a node computes from the size of the image, or None."""
    if node.is_const():
        return int(np.asarray(node.get_tensor_value(as_list=False)).reshape(-1)[0])
    if node.type in _SAME_VALUE:
        return _value(node.inputs[0], size)
    if node.type in _TAKES_A_SIZE:
        return size
    if node.type not in ("Add", "AddV2", "Sub", "Mul"):
        return None
    one, other = (_value(part, size) for part in node.inputs)
    if one is None or other is None:
        return None
    return {"Mul": one * other, "Sub": one - other}.get(node.type, one + other)
