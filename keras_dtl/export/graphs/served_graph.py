"""The ONNX graph made fit for what clients send: large even images, and sizes of any kind.

A runtime that sums a plane of float32 number by number loses the mean of a large one. Here means
are taken over the width, then over the height, and taken off before a plane is normalised: of large
images, and of blank ones, of which only noise would be left.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from keras_dtl.export.graphs.graph import GraphIndex, attributes, remove_unused
from keras_dtl.layers.instance_normalization import EVEN
from keras_dtl.manifest import Manifest, Preprocessing, Tensor

LARGE = 256 * 256
"""Pixels beyond which an image is large; up to there one sum of a plane is exact, and faster."""
_IS_LARGE = "is_large"
_STRIDED = ((1, 2), (1, 2, 3), (1, 2, 4))  # between others in memory; the last one of groups
_TOGETHER = (2, 3)  # side by side in memory
_PLANES = (_TOGETHER, *_STRIDED)


def served_graph(core: onnx.ModelProto, manifest: Manifest) -> onnx.ModelProto:
    """Return a copy of a graph that takes images of every size, and even ones too.

    Args:
        core: `onnx.ModelProto` as it was converted, for multiples and in one piece.
        manifest: The `Manifest`.
    """
    model = onnx.ModelProto()
    model.CopyFrom(core)
    image = manifest.inputs[0]
    if len(manifest.inputs) > 1 or not image.is_image:
        return model
    free = None in image.shape[1:3]
    is_large = free or image.shape[1] * image.shape[2] > LARGE
    # One sum of 48x48 numbers that lie apart misses their mean by 1e-5, and is slower than two.
    _split_means(model, _PLANES if is_large else _STRIDED)
    _steady_normalizations(model, image)
    if free and not manifest.preprocessing.takes_any_size:
        _take_any_size(model, image, manifest)
    return model


# Means ------------------------------------------------------------------------------------


def _opset(model: onnx.ModelProto) -> int:
    return next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))


def mean_nodes(
    source: str, target: str, axes: tuple[int, ...], opset: int, keepdims: int = 1
) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
    """Return the nodes and constants that take a mean over one axis, then over the others.

    Args:
        source: Name of the tensor.
        target: Name of its mean.
        axes: Of the height and of the width, which comes first, and further ones.
        opset: Version of the operators.
        keepdims: 1 where the axes stay, with length 1.
    """
    row, (height, width, *more) = f"{target}/rows", axes
    rest = [height, *more] if keepdims else list(axes)
    steps = [(source, row, [width], 1), (row, target, rest, keepdims)]
    nodes, constants = [], []
    for taken, given, over, keep in steps:
        inputs, options = [taken], {"axes": over}
        if opset >= 18:
            constants.append(numpy_helper.from_array(_integers(over), f"{given}/axes"))
            inputs, options = [taken, f"{given}/axes"], {}
        nodes.append(
            helper.make_node(
                "ReduceMean", inputs, [given], f"{given}/mean", keepdims=keep, **options
            )
        )
    return nodes, constants


def _integers(values: Any) -> np.ndarray:
    return np.array(values, np.int64)


def _split_means(model: onnx.ModelProto, planes: tuple[tuple[int, ...], ...]) -> None:
    """Take every mean over such positions of an image in two steps."""
    index, nodes = GraphIndex(model.graph), []
    for node in model.graph.node:
        axes = _mean_axes(index, node)
        if axes not in planes:
            nodes.append(node)
            continue
        keep = attributes(node).get("keepdims", 1)
        made, constants = mean_nodes(node.input[0], node.output[0], axes, _opset(model), keep)
        nodes += made
        model.graph.initializer.extend(constants)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    remove_unused(model.graph)  # the axes of single sums


def _mean_axes(index: GraphIndex, node: onnx.NodeProto) -> tuple[int, ...] | None:
    """Return the axes that a node takes the mean over, in order, or None."""
    if node.op_type == "GlobalAveragePool":
        return _TOGETHER
    if node.op_type != "ReduceMean":
        return None
    axes = attributes(node).get("axes")
    if axes is None and len(node.input) > 1:
        axes = index.constant(node.input[1])
    return None if axes is None else tuple(sorted(int(axis) for axis in axes))


# Normalisation ----------------------------------------------------------------------------


def _steady_normalizations(model: onnx.ModelProto, image: Tensor) -> None:
    """Take the mean off the planes of large and of blank images before they are normalised.

    Small images keep the one node, so that they cost what they did.
    """
    found = [node for node in model.graph.node if node.op_type == "InstanceNormalization"]
    if not found:
        return
    nodes, constants = _size_nodes(image, _opset(model))
    for node in found:
        steady, more = _steady_nodes(node, _opset(model))
        constants += more
        plain = onnx.NodeProto()
        plain.CopyFrom(node)
        plain.output[0] = f"{node.output[0]}/small"
        branches = {
            "then_branch": _branch(steady, f"{node.output[0]}/large"),
            "else_branch": _branch([plain], plain.output[0]),
        }
        choice = helper.make_node(
            "If", [_IS_LARGE], [node.output[0]], f"{node.name}/If", **branches
        )
        node.CopyFrom(choice)
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])
    model.graph.initializer.extend(constants)


def _size_nodes(image: Tensor, opset: int) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
    blank, more = _blank_nodes(image.name, opset)
    nodes = [
        helper.make_node("Shape", [image.name], ["large/shape"], "large/shape"),
        helper.make_node("Slice", ["large/shape", "large/from", "large/to"], ["large/size"]),
        helper.make_node("ReduceProd", ["large/size"], ["large/pixels"], keepdims=0),
        helper.make_node("Greater", ["large/pixels", "large/limit"], ["large/is_so"]),
        *blank,
        helper.make_node("Or", ["large/is_so", "blank/is_one"], [_IS_LARGE]),
    ]
    values = {"from": [1], "to": [3]}
    constants = [
        numpy_helper.from_array(_integers(value), f"large/{name}") for name, value in values.items()
    ]
    constants.append(numpy_helper.from_array(_integers(LARGE), "large/limit"))
    return nodes, [*constants, *more]


def _blank_nodes(image: str, opset: int) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
    """Return what tells whether an image of a batch has the same pixel everywhere."""
    nodes, constants = [], [numpy_helper.from_array(np.int32(1), "blank/one")]

    def reduce(kind, source, target, axes):
        inputs, options = [source], {"axes": axes}
        if opset >= 18:
            constants.append(numpy_helper.from_array(_integers(axes), f"{target}/axes"))
            inputs, options = [source, f"{target}/axes"], {}
        nodes.append(helper.make_node(kind, inputs, [target], keepdims=0, **options))

    for kind, name in (("ReduceMax", "blank/largest"), ("ReduceMin", "blank/least")):
        reduce(kind, image, name, [1, 2])
        nodes.append(helper.make_node("Cast", [name], [f"{name}_number"], to=TensorProto.INT32))
    numbers = ["blank/largest_number", "blank/least_number"]
    nodes.append(helper.make_node("Sub", numbers, ["blank/ranges"]))
    reduce("ReduceMax", "blank/ranges", "blank/range_of_each", [1])
    reduce("ReduceMin", "blank/range_of_each", "blank/range", [0])
    nodes.append(helper.make_node("Less", ["blank/range", "blank/one"], ["blank/is_one"]))
    return nodes, constants


_PARTS = ("all", "top", "negative", "low", "range", "size", "even", "rounding", "uneven", "kept")
_PARTS += ("centred",)


def _steady_nodes(
    node: onnx.NodeProto, opset: int
) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
    """Return what one normalisation of a large plane is."""
    name = node.output[0]
    nodes, constants = mean_nodes(node.input[0], f"{name}/mean", _TOGETHER, opset)
    x, parts = node.input[0], {key: f"{name}/{key}" for key in _PARTS}
    # Of a plane that is even but for rounding nothing is left, as in `InstanceNormalization`.
    constants.append(numpy_helper.from_array(np.array(EVEN, np.float32), parts["even"]))
    for kind, inputs, output in (
        ("Sub", [x, f"{name}/mean"], "all"),
        ("GlobalMaxPool", [x], "top"),
        ("Neg", [x], "negative"),
        ("GlobalMaxPool", [parts["negative"]], "low"),
        ("Add", [parts["top"], parts["low"]], "range"),
        ("Abs", [f"{name}/mean"], "size"),
        ("Mul", [parts["size"], parts["even"]], "rounding"),
        ("Greater", [parts["range"], parts["rounding"]], "uneven"),
        ("Cast", [parts["uneven"]], "kept"),
        ("Mul", [parts["all"], parts["kept"]], "centred"),
    ):
        options = {"to": TensorProto.FLOAT} if kind == "Cast" else {}
        nodes.append(helper.make_node(kind, inputs, [parts[output]], **options))
    nodes.append(
        helper.make_node(
            "InstanceNormalization",
            [parts["centred"], *node.input[1:]],
            [f"{name}/large"],
            f"{node.name}/large",
            **attributes(node),
        )
    )
    return nodes, constants


def _branch(nodes: list[onnx.NodeProto], output: str) -> onnx.GraphProto:
    value = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    return helper.make_graph(nodes, output, [], [value])


# Sizes ------------------------------------------------------------------------------------


def _take_any_size(model: onnx.ModelProto, image: Tensor, manifest: Manifest) -> None:
    """Enlarge images to a multiple by mirroring, and cut the outputs back, as clients did."""
    graph, mirrored = model.graph, f"{image.name}/mirrored"
    for node in graph.node:
        taken = [mirrored if name == image.name else name for name in node.input]
        if node.output[0] not in ("large/shape",):
            node.input[:] = taken
    nodes, constants = _mirroring(image.name, mirrored, manifest.preprocessing)
    cut = [item.name for item in manifest.outputs if item.shape[1:3] == (None, None)]
    for node in graph.node:
        node.output[:] = [f"{name}/whole" if name in cut else name for name in node.output]
        node.input[:] = [f"{name}/whole" if name in cut else name for name in node.input]
    slices = [
        helper.make_node(
            "Slice", [f"{name}/whole", "any/zeros", "any/size", "any/axes"], [name], f"{name}/cut"
        )
        for name in cut
    ]
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest, *slices])
    graph.initializer.extend(constants)


def _mirroring(
    source: str, target: str, preprocessing: Preprocessing
) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
    """Return the nodes that repeat an image, mirrored, below and at the right."""
    multiple, least = preprocessing.size_multiple, preprocessing.least_size
    values = {"zero": 0, "one": 1, "two": 2, "multiple": multiple, "rest": multiple - 1}
    values["least"] = least
    values |= {"zeros": [0, 0], "axes": [1, 2], "from": [1], "to": [3], "row": 0, "column": 1}
    constants = [
        numpy_helper.from_array(_integers(value), f"any/{name}") for name, value in values.items()
    ]
    nodes = [
        helper.make_node("Shape", [source], ["any/shape"]),
        helper.make_node("Slice", ["any/shape", "any/from", "any/to"], ["any/size"]),
    ]

    def make(kind, inputs, output, **options):
        name = f"any/{output}"
        names = [f"any/{each}" for each in inputs]
        nodes.append(helper.make_node(kind, names, [name], name, **options))

    for axis, place in enumerate(("row", "column"), 1):
        own = f"{place}s/"
        make("Gather", ["size", place], f"{own}size")
        make("Add", [f"{own}size", "rest"], f"{own}more")
        make("Div", [f"{own}more", "multiple"], f"{own}count")
        make("Mul", [f"{own}count", "multiple"], f"{own}next")
        make("Max", [f"{own}next", "least"], f"{own}wanted")
        make("Range", ["zero", f"{own}wanted", "one"], f"{own}places")
        make("Sub", [f"{own}size", "one"], f"{own}last")
        make("Mul", [f"{own}last", "two"], f"{own}there_and_back")
        make("Max", [f"{own}there_and_back", "one"], f"{own}period")
        make("Mod", [f"{own}places", f"{own}period"], f"{own}there")
        make("Sub", [f"{own}period", f"{own}there"], f"{own}back")
        make("Min", [f"{own}there", f"{own}back"], f"{own}taken")
        taken = source if axis == 1 else f"{target}/rows"
        given = f"{target}/rows" if axis == 1 else target
        nodes.append(
            helper.make_node("Gather", [taken, f"any/{own}taken"], [given], given, axis=axis)
        )
    return nodes, constants
