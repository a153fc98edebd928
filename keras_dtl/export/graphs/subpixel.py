"""Transposed convolutions as ordinary ones, which runtimes have in int8.

Each of the output pixels that lie between two input pixels takes its own part of the kernel: one
convolution makes all of them as channels, which are then laid side by side.

Reference: Shi et al., "Is the deconvolution layer the same as a convolutional layer?", 2016.
"""

import itertools
import typing

import numpy as np
import onnx
from onnx import helper, numpy_helper

from keras_dtl.export.graphs.graph import GraphIndex, attributes, remove_unused

_WITHOUT_END = 2**31 - 1
_IMAGE_AXES = (2, 3)


class Axis(typing.NamedTuple):
    """What a transposed convolution is along one axis.

    Args:
        places: List of `(phase, place in the old kernel, place in the new one)`, all from 0 on.
        size: Length of the new kernel, in pixels of the image.
        before: Zeros to pad the image with at its beginning, in pixels.
        after: Zeros to pad it with at its end.
        crop: Pixels to cut off the output at its end.
    """

    places: list[tuple[int, int, int]]
    size: int
    before: int
    after: int
    crop: int


def axis_of(length: int, stride: int, begin: int, end: int) -> Axis:
    """Work out what a transposed convolution is along one axis.

    Args:
        length: Length of its kernel along the axis, 1 or more.
        stride: Its stride, 1 or more: how many pixels of the output an input pixel becomes.
        begin: Pixels of its full output that are dropped at the beginning, 0 or more.
        end: Pixels of its full output that are dropped at the end; below 0 where zeros are added.

    Returns:
        The `Axis`.
    """
    found = [
        (phase, place, (phase + begin - place) // stride)
        for phase, place in itertools.product(range(stride), range(length))
        if (phase + begin - place) % stride == 0
    ]
    kept = length - begin - end
    more = -(-kept // stride) - 1  # by which the output, in strides, is longer than the image
    first = min(0, *(at for _, _, at in found))
    last = max(-more, *(at for _, _, at in found))
    places = [(phase, place, at - first) for phase, place, at in found]
    return Axis(places, last - first + 1, -first, more + last, stride * (more + 1) - kept)


def subpixel_kernel(kernel: np.ndarray, stride: int, rows: Axis, columns: Axis) -> np.ndarray:
    """Return the kernel of the convolution that makes all phases.

    Args:
        kernel: That of the transposed convolution, `(channels, filters, height, width)`.
        stride: Stride of the transposed convolution, the same along both axes.
        rows: The `Axis` of the kernel's height.
        columns: The `Axis` of its width.

    Returns:
        An array `(stride ** 2 * filters, channels, height, width)`.
    """
    channels, filters = kernel.shape[:2]
    shape = (stride, stride, filters, channels, rows.size, columns.size)
    phases = np.zeros(shape, kernel.dtype)
    for (row, i, y), (column, j, x) in itertools.product(rows.places, columns.places):
        phases[row, column, :, :, y, x] = kernel[:, :, i, j].T
    return phases.reshape(stride**2 * filters, channels, rows.size, columns.size)


def replace_transposed_convolutions(model: onnx.ModelProto) -> int:
    """Replace the transposed convolutions of images, and the crops that follow them.

    Left are those of unequal strides, groups or dilations.

    Args:
        model: `onnx.ModelProto`, changed in place.

    Returns:
        How many were replaced.
    """
    index = GraphIndex(model.graph)
    nodes, crops = [], []
    for node in model.graph.node:
        crop = _crop(index, node)
        replacement = _replacement(index, node, crop)
        if replacement is None:
            nodes.append(node)
            continue
        nodes += replacement[0]
        model.graph.initializer.extend(replacement[1])
        crops.append(crop)
    dropped = [id(crop.node) for crop in crops if crop.node is not None]
    del model.graph.node[:], model.graph.value_info[:]
    model.graph.node.extend(node for node in nodes if id(node) not in dropped)
    if crops:  # onnxruntime would warn of each constant that is left over
        remove_unused(model.graph)
    return len(crops)


class _Crop(typing.NamedTuple):
    """Pixels that a `Slice` cuts off an image, `(rows, columns)`."""

    node: onnx.NodeProto | None  # None where nothing is cropped
    begin: tuple[int, int]
    end: tuple[int, int]


def _crop(index: GraphIndex, node: onnx.NodeProto) -> _Crop:
    """Return what the only user of a node's output cuts off it, where that is an image."""
    nothing = _Crop(None, (0, 0), (0, 0))
    user = index.sole_user(node.output[0], "Slice")
    if user is None:
        return nothing
    inputs = [index.constant(name) for name in user.input[1:]]
    if len(inputs) != 3 or any(value is None for value in inputs):
        return nothing
    begin, end = [0, 0], [0, 0]
    for first, last, axis in zip(*(value.tolist() for value in inputs), strict=True):
        is_whole = first == 0 and last >= _WITHOUT_END
        if first < 0 or 0 <= last < _WITHOUT_END or (axis not in _IMAGE_AXES and not is_whole):
            return nothing
        if axis in _IMAGE_AXES:
            begin[axis - 2], end[axis - 2] = first, max(0, -last)
    return _Crop(user, tuple(begin), tuple(end))


def _replacement(
    index: GraphIndex, node: onnx.NodeProto, crop: _Crop
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]] | None:
    """Return nodes and constants in the place of a node and its crop, or `None`."""
    if node.op_type != "ConvTranspose":
        return None
    values = attributes(node)
    kernel, bias = (index.constant(name) for name in [*node.input[1:], ""][:2])
    stride, *others = set(values.get("strides", [1, 1]))
    odd = others or values.get("group", 1) != 1 or set(values.get("dilations", [1])) != {1}
    if kernel is None or kernel.ndim != 4 or odd or "output_shape" in values:
        return None
    if values.get("auto_pad", b"NOTSET") != b"NOTSET" or (len(node.input) > 2 and bias is None):
        return None
    pads, longer = values.get("pads", [0] * 4), values.get("output_padding", [0, 0])
    rows, columns = (
        axis_of(
            kernel.shape[2 + axis],
            stride,
            pads[axis] + crop.begin[axis],
            pads[2 + axis] - longer[axis] + crop.end[axis],
        )
        for axis in (0, 1)
    )
    added = {"kernel": subpixel_kernel(kernel, stride, rows, columns)}
    if bias is not None:
        added["bias"] = np.tile(bias, stride**2)
    return _nodes(node, crop, stride, rows, columns, added)


def _nodes(
    node: onnx.NodeProto,
    crop: _Crop,
    stride: int,
    rows: Axis,
    columns: Axis,
    added: dict[str, np.ndarray],
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return the convolution, the laying side by side, and the crop where there is one to make."""
    name = node.output[0]
    output = name if crop.node is None else crop.node.output[0]
    inputs = [node.input[0], *(f"{name}/{key}" for key in added)]
    margins = [rows.before, columns.before, rows.after, columns.after]
    is_cropped = rows.crop or columns.crop
    image = f"{name}/whole" if is_cropped else output
    nodes = [
        helper.make_node("Conv", inputs, [f"{name}/phases"], node.name, pads=margins),
        helper.make_node("DepthToSpace", [f"{name}/phases"], [image], blocksize=stride, mode="DCR"),
    ]
    if is_cropped:
        ends = [-axis.crop or _WITHOUT_END for axis in (rows, columns)]
        added = added | {"starts": np.zeros(2, np.int64), "ends": np.array(ends, np.int64)}
        added["axes"] = np.array(_IMAGE_AXES, np.int64)
        cut = [image, *(f"{name}/{key}" for key in ("starts", "ends", "axes"))]
        nodes.append(helper.make_node("Slice", cut, [output]))
    tensors = [numpy_helper.from_array(value, f"{name}/{key}") for key, value in added.items()]
    return nodes, tensors
