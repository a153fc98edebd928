"""Transposed convolutions as ordinary ones, which runtimes have in int8.

Each of the output pixels that lie between two input pixels takes its own part of the kernel: one
convolution makes all of them as channels, which are then laid side by side.

Reference: Shi et al., "Is the deconvolution layer the same as a convolutional layer?", 2016.
"""

import itertools
import typing

import numpy as np
from onnx import helper, numpy_helper

_WITHOUT_END = 2**31 - 1
_IMAGE_AXES = (2, 3)


class Axis(typing.NamedTuple):
    """What a transposed convolution is along one axis.

    Args:
        places: List of `(phase, place in the old kernel, place in the new one)`.
        size: Of the new kernel.
        before: Margin of the image at its beginning.
        after: Margin at its end.
        crop: How many pixels of the output are too many, at its end.
    """

    places: list
    size: int
    before: int
    after: int
    crop: int


def axis_of(length, stride, begin, end):
    """Return the `Axis` of a kernel.

    Args:
        length: Of the kernel.
        stride: Of the transposed convolution.
        begin: How many pixels of its full output are dropped at the beginning.
        end: At the end.
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


def subpixel_kernel(kernel, stride, rows, columns):
    """Return the kernel of the convolution that makes all phases.

    Args:
        kernel: Of the transposed convolution, `(channels, filters, height, width)`.
        stride: Of it.
        rows: The `Axis` of its height.
        columns: The `Axis` of its width.

    Returns:
        An array `(stride ** 2 * filters, channels, height, width)`.
    """
    channels, filters = kernel.shape[:2]
    shape = (stride, stride, filters, channels, rows.size, columns.size)
    made = np.zeros(shape, kernel.dtype)
    for (row, i, y), (column, j, x) in itertools.product(rows.places, columns.places):
        made[row, column, :, :, y, x] = kernel[:, :, i, j].T
    return made.reshape(stride**2 * filters, channels, rows.size, columns.size)


def replace_transposed_convolutions(model):
    """Replace the transposed convolutions of images, and the crops that follow them.

    Left are those of unequal strides, groups or dilations.

    Args:
        model: `onnx.ModelProto`, changed in place.

    Returns:
        How many were replaced.
    """
    graph = model.graph
    constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    users = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    nodes, crops = [], []
    for node in graph.node:
        crop = _crop(users.get(node.output[0], []), constants)
        made = _replacement(node, crop, constants)
        if made is None:
            nodes.append(node)
            continue
        nodes += made[0]
        graph.initializer.extend(made[1])
        crops.append(crop)
    dropped = [id(crop.node) for crop in crops if crop.node is not None]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(node for node in nodes if id(node) not in dropped)
    return len(crops)


class _Crop(typing.NamedTuple):
    node: object  # the Slice, or None where nothing is cropped
    begin: tuple
    end: tuple


def _crop(users, constants):
    """Return what the only user of a tensor cuts off an image."""
    nothing = _Crop(None, (0, 0), (0, 0))
    if len(users) != 1 or users[0].op_type != "Slice":
        return nothing
    inputs = [constants.get(name) for name in users[0].input[1:]]
    if len(inputs) != 3 or any(value is None for value in inputs):
        return nothing
    begin, end = [0, 0], [0, 0]
    for first, last, axis in zip(*(value.tolist() for value in inputs), strict=True):
        is_whole = first == 0 and last >= _WITHOUT_END
        if first < 0 or 0 <= last < _WITHOUT_END or (axis not in _IMAGE_AXES and not is_whole):
            return nothing
        if axis in _IMAGE_AXES:
            begin[axis - 2], end[axis - 2] = first, max(0, -last)
    return _Crop(users[0], tuple(begin), tuple(end))


def _replacement(node, crop, constants):
    """Return nodes and constants in the place of a node and its crop, or `None`."""
    if node.op_type != "ConvTranspose":
        return None
    values = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    kernel, bias = (constants.get(name) for name in [*node.input[1:], ""][:2])
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


def _nodes(node, crop, stride, rows, columns, added):
    name = node.output[0]
    output = name if crop.node is None else crop.node.output[0]
    inputs = [node.input[0], *(f"{name}/{key}" for key in added)]
    margins = [rows.before, columns.before, rows.after, columns.after]
    is_cropped = rows.crop or columns.crop
    made = f"{name}/whole" if is_cropped else output
    nodes = [
        helper.make_node("Conv", inputs, [f"{name}/phases"], node.name, pads=margins),
        helper.make_node("DepthToSpace", [f"{name}/phases"], [made], blocksize=stride, mode="DCR"),
    ]
    if is_cropped:
        ends = [-axis.crop or _WITHOUT_END for axis in (rows, columns)]
        added = added | {"starts": np.zeros(2, np.int64), "ends": np.array(ends, np.int64)}
        added["axes"] = np.array(_IMAGE_AXES, np.int64)
        cut = [made, *(f"{name}/{key}" for key in ("starts", "ends", "axes"))]
        nodes.append(helper.make_node("Slice", cut, [output]))
    tensors = [numpy_helper.from_array(value, f"{name}/{key}") for key, value in added.items()]
    return nodes, tensors
