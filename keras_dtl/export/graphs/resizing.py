"""Resizing of images from one fixed size to another, of TensorFlow's kinds that ONNX lacks.

It is linear along each side: a matrix takes the place of the filter, made by TensorFlow itself, so
that nothing of a filter is written twice.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from tf2onnx.graph import Graph, Node
from tf2onnx.onnx_opset.nn import Resize

_SWAP = [0, 2, 1, 3]  # height and width
_FLAGS = ("align_corners", "half_pixel_centers")


def convert_by_matrices(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """Convert a `ScaleAndTranslate` or `ResizeBicubic` for tf2onnx.

    The first, of antialiased filters and Lanczos', is left as it is where a size is free; of the
    second tf2onnx computes the filter exactly, which TensorFlow reads from a table.

    Args:
        ctx: The graph of tf2onnx that the node is in.
        node: The node, which is replaced.
        name: Of the node.
        arguments: None are given; tf2onnx passes an empty list.
    """
    sizes = (ctx.get_shape(node.input[0]) or [-1] * 4)[1:3]
    if -1 in sizes or not node.inputs[1].is_const():
        if node.type == "ResizeBicubic":
            Resize.version_11(ctx, node)
        return
    rows, columns = (
        ctx.make_const(f"{name}/{word}", _matrix(node, side, axis))
        for axis, (word, side) in enumerate(zip(("rows", "columns"), sizes, strict=True))
    )
    image, outputs = node.input[0], node.output
    shapes, dtypes = node.output_shapes, node.output_dtypes
    ctx.remove_node(name)
    image = ctx.make_node("Cast", [image], attr={"to": dtypes[0]}, dtypes=dtypes).output[0]
    image = ctx.make_node("Transpose", [image], attr={"perm": _SWAP}, dtypes=dtypes).output[0]
    image = ctx.make_node("MatMul", [rows.output[0], image], dtypes=dtypes).output[0]
    image = ctx.make_node("Transpose", [image], attr={"perm": _SWAP}, dtypes=dtypes).output[0]
    given = [columns.output[0], image]
    ctx.make_node("MatMul", given, name=name, outputs=outputs, shapes=shapes, dtypes=dtypes)


def convert_by_sizes(ctx: Graph, node: Node, name: str, arguments: list[Any]) -> None:
    """Convert a `ResizeBilinear` or `ResizeNearestNeighbor` for tf2onnx.

    It writes a factor, by which some sizes, as 224 to 31, come out one pixel short: there the size
    itself is written.

    Args:
        ctx, node, name, arguments: As for `convert_by_matrices`.
    """
    image = node.input[0]
    shape = ctx.get_shape(image)
    if shape and -1 not in shape[1:3] and node.inputs[1].is_const():
        wanted = node.inputs[1].get_tensor_value()
        pairs = zip(shape[1:3], wanted, strict=True)
        if any(float(np.float32(new / old)) * old != new for old, new in pairs):
            ctx.set_shape(image, [shape[0], -1, -1, shape[3]])
    Resize.version_11(ctx, node)
    if shape:
        ctx.set_shape(image, shape)


def _matrix(node: Node, side: int, axis: int) -> np.ndarray:
    """Return what each new row, or column, takes of the old ones: `(new, old)`."""
    images = np.eye(side, dtype="float32").reshape(side, side, 1, 1)  # of one pixel each
    size = int(node.inputs[1].get_tensor_value(as_list=False)[axis])
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:  # in whose graph ever
        resized = session.run(_resized(node, images, size, axis))
    return np.ascontiguousarray(resized[:, :, 0, 0].T)


def _resized(node: Node, images: np.ndarray, size: int, axis: int) -> tf.Tensor:
    """Return images with their height resized as a node does it along an axis."""
    sizes = np.array([size, 1], "int32")
    if node.type == "ResizeBicubic":
        options = {key: bool(node.get_attr_value(key, 0)) for key in _FLAGS}
        return tf.raw_ops.ResizeBicubic(images=images, size=sizes, **options)
    # Where it is computed from the shape, the factor is that of the sizes, which is compared later.
    factors = [np.array([size / images.shape[1]] * 2), np.zeros(2)]
    for place, given in enumerate(node.inputs[2:]):
        if given.is_const():
            factors[place] = given.get_tensor_value(as_list=False)
    scale, translation = (float(each[axis]) for each in factors)
    kernel = node.get_attr_value("kernel_type", b"lanczos3")
    return tf.raw_ops.ScaleAndTranslate(
        images=images,
        size=sizes,
        scale=np.array([scale, 1], "float32"),
        translation=np.array([translation, 0], "float32"),
        kernel_type=kernel if isinstance(kernel, str) else kernel.decode(),
        antialias=bool(node.get_attr_value("antialias", 1)),
    )
