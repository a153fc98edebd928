"""Operations of TensorFlow that tf2onnx leaves as they are, written in those of ONNX.

Each function takes what tf2onnx passes: its graph, the node, the node's name and an empty list.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from tf2onnx.graph import Graph, Node
from tf2onnx.onnx_opset.math import FloorDiv, FloorMod

from keras_dtl.export.graphs import resizing

_FLOATS = (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)


def _replaced(ctx: Graph, node: Node) -> Callable[..., str]:
    """Remove a node, and return what makes others: `make(kind, inputs, dtype)`, the last by `end`.

    The function returns the name of a tensor; of the node's own output where `end` is true.
    """
    name, outputs, shapes = node.name, node.output, node.output_shapes
    ctx.remove_node(name)

    def make(kind, inputs, dtype, end=False, **attr):
        more = {"name": name, "outputs": outputs, "shapes": shapes} if end else {}
        return ctx.make_node(kind, inputs, dtypes=[dtype], attr=attr, **more).output[0]

    return make


def _constant(ctx: Graph, name: str, value: Any, dtype: int) -> str:
    array = np.array(value, helper.tensor_dtype_to_np_dtype(dtype))
    return ctx.make_const(name, array).output[0]


def _erfc(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """What exact GELU takes, `1 - erf(x)`."""
    dtype, taken = ctx.get_dtype(node.output[0]), list(node.input)
    make, one = _replaced(ctx, node), _constant(ctx, f"{name}/one", 1, dtype)
    make("Sub", [one, make("Erf", taken, dtype)], dtype, end=True)


def _expm1(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """What CELU takes, `exp(x) - 1`."""
    dtype, taken = ctx.get_dtype(node.output[0]), list(node.input)
    make, one = _replaced(ctx, node), _constant(ctx, f"{name}/one", 1, dtype)
    make("Sub", [make("Exp", taken, dtype), one], dtype, end=True)


def _log1p(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    dtype, taken = ctx.get_dtype(node.output[0]), list(node.input)
    make, one = _replaced(ctx, node), _constant(ctx, f"{name}/one", 1, dtype)
    make("Log", [make("Add", [*taken, one], dtype)], dtype, end=True)


def _bucketize(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """What `Discretization` takes: how many of the boundaries a number has reached."""
    taken, kind = node.input[0], ctx.get_dtype(node.output[0])
    bounds = _constant(ctx, f"{name}/bounds", node.get_attr_value("boundaries"), TensorProto.FLOAT)
    last = _constant(ctx, f"{name}/last", [-1], TensorProto.INT64)
    make = _replaced(ctx, node)
    number = make("Cast", [taken], TensorProto.FLOAT, to=TensorProto.FLOAT)
    number = make("Unsqueeze", [number, last], TensorProto.FLOAT)
    reached = make("LessOrEqual", [bounds, number], TensorProto.BOOL)
    reached = make("Cast", [reached], TensorProto.INT64, to=TensorProto.INT64)
    count = make("ReduceSum", [reached, last], TensorProto.INT64, keepdims=0)
    make("Cast", [count], kind, end=True, to=kind)


def _sign_bit(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """What `keras.ops.argmax` takes: the bits of a float, of which only the sign is asked.

    They are -1 where it is set, as it is of -0.0, and 0 elsewhere. Other uses stay as they are.
    """
    kinds = ctx.get_dtype(node.input[0]), ctx.get_dtype(node.output[0])
    users = ctx.find_output_consumers(node.output[0])
    if kinds != (TensorProto.FLOAT, TensorProto.INT32) or not all(map(_asks_the_sign, users)):
        return
    taken = node.input[0]
    zero = _constant(ctx, f"{name}/zero", 0, TensorProto.FLOAT)
    make = _replaced(ctx, node)
    inverse = make("Reciprocal", [taken], TensorProto.FLOAT)  # of -0.0 minus infinity
    below = make("Less", [taken, zero], TensorProto.BOOL)
    is_zero = make("Equal", [taken, zero], TensorProto.BOOL)
    other = make(
        "And", [is_zero, make("Less", [inverse, zero], TensorProto.BOOL)], TensorProto.BOOL
    )
    is_set = make("Or", [below, other], TensorProto.BOOL)
    is_set = make("Cast", [is_set], TensorProto.INT32, to=TensorProto.INT32)
    make("Neg", [is_set], TensorProto.INT32, end=True)


def _asks_the_sign(node: Node) -> bool:
    other = node.inputs[1]
    value = other.get_tensor_value(as_list=False).tolist() if other.is_const() else None
    return (node.type, value) in (("Less", 0), ("BitwiseAnd", -(1 << 31)))


def _floor_div(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """A division that rounds down, where that of whole numbers rounds towards 0."""
    dtype, (number, divisor) = ctx.get_dtype(node.output[0]), node.input
    if dtype in _FLOATS:
        FloorDiv.version_6(ctx, node)
        return
    make = _replaced(ctx, node)
    rest = make("Mod", [number, divisor], dtype)
    make("Div", [make("Sub", [number, rest], dtype), divisor], dtype, end=True)


def _floor_mod(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """What that division leaves, of the divisor's sign."""
    dtype, taken = ctx.get_dtype(node.output[0]), list(node.input)
    if dtype in _FLOATS:
        FloorMod.version_7(ctx, node)
        return
    _replaced(ctx, node)("Mod", taken, dtype, end=True)


HANDLERS = {
    "Bitcast": _sign_bit,
    "Bucketize": _bucketize,
    "Erfc": _erfc,
    "Expm1": _expm1,
    "FloorDiv": _floor_div,
    "FloorMod": _floor_mod,
    "Log1p": _log1p,
    "ResizeBicubic": resizing.convert_by_matrices,
    "ResizeBilinear": resizing.convert_by_sizes,
    "ResizeNearestNeighbor": resizing.convert_by_sizes,
    "ScaleAndTranslate": resizing.convert_by_matrices,
}
"""What converts an operation for tf2onnx, by the operation's name."""
