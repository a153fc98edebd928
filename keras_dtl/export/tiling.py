"""What a generator needs so that images beyond memory can go through it in tiles.

Two things: how far around a pixel it looks, which is how far tiles must overlap, and, where it
normalises over the whole image, a second graph that takes these statistics from outside.
"""

import json
import math
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from keras_dtl.export.draft import Draft
from keras_dtl.export.graph import GraphIndex, attributes, remove_unused
from keras_dtl.export.reach import NotLocal, measure_reach
from keras_dtl.import_path import command_of, environment
from keras_dtl.layers.instance_normalization import EVEN

STATISTICS, GIVEN, MEASURED = "statistics", "given", "measured"


def write_tiling(draft: Draft, path: Path) -> dict[str, Any]:
    """Write what tiles need beside the ONNX graph, and check that it holds.

    Args:
        draft: The `Draft`, whose ONNX graph is written.
        path: The second graph to write; it is only there where statistics are taken.

    Returns:
        The manifest's `tiling`: `overlap`, `multiple`, `bytes_per_pixel` and the `file` of the
        second graph; `None` where the model needs whole images.
    """
    return {"tiling": _tiling(draft, path)}


def _tiling(draft: Draft, path: Path) -> dict[str, Any] | None:
    manifest = draft.manifest
    image, output = manifest.inputs[0], manifest.outputs[0]
    single = len(manifest.inputs) == len(manifest.outputs) == 1
    if not (single and image.is_image and output.is_image) or manifest.preprocessing.resize:
        return None
    model = draft.core
    try:
        radius, stride, numbers = measure_reach(model, image.shape[3])
    except NotLocal:
        return None
    multiple = math.lcm(stride, manifest.preprocessing.size_multiple)
    tiling = {
        "overlap": math.ceil(radius / multiple) * multiple,
        "multiple": multiple,
        "bytes_per_pixel": _footprint(model, image.shape[3], multiple) or 8 * numbers + 16,
        "file": None,
    }
    graph, length = tiled_graph(model)
    if length:
        tiling["file"] = path.relative_to(draft.folder).as_posix()
        tiling["statistics"] = length
    if not _is_seamless(model, graph, length, tiling, image.shape[3]):
        return None
    if length:
        onnx.save_model(graph, path)
    return tiling


def _footprint(model: onnx.ModelProto, channels: int, multiple: int) -> int | None:
    """Return the bytes that a run takes for each pixel, or `None` where they cannot be measured."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save_model(model, path)
        question = {"file": str(path), "channels": channels, "multiple": multiple}
        answer = subprocess.run(
            command_of("keras_dtl.convert.footprint"),
            input=json.dumps(question),
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    found = answer.stdout.strip()
    return int(found) if found.isdigit() and int(found) > 0 else None


def _is_seamless(
    model: onnx.ModelProto,
    graph: onnx.ModelProto,
    length: int,
    tiling: dict[str, Any],
    channels: int,
) -> bool:
    """Whether a part of an image becomes the same alone as within the whole image."""
    overlap, multiple = tiling["overlap"], tiling["multiple"]
    half = math.ceil(64 / multiple) * multiple
    shape = (1, half + overlap, half + overlap + multiple, channels)
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    part = image[:, :, : half + overlap]
    whole = _run(model, image)
    if length:
        nothing = np.zeros(length, np.float32)
        same, statistics = _run(graph, image, statistics=nothing, given=np.array(False))
        if _differ(same, whole[0]):
            return False
        tile = _run(graph, part, statistics=statistics, given=np.array(True))
    else:
        tile = _run(graph, part)
    return not _differ(tile[0][:, :, :half], whole[0][:, :, :half])


def _run(model: onnx.ModelProto, image: np.ndarray, **more: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {model.graph.input[0].name: image, **more})


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return np.abs(one.astype(np.int16) - other).max() > 1


def tiled_graph(model: onnx.ModelProto) -> tuple[onnx.ModelProto, int]:
    """Make a copy of a graph whose statistics can be given from outside.

    It takes two inputs more: `statistics`, a vector of all means and then all variances, and
    `given`, whether to use it. Where it is not given they are taken of the whole batch together,
    so that a batch of parts stands for the image that they were cut from. What was used is an
    output, `measured`.

    Args:
        model: `onnx.ModelProto`, left as it is.

    Returns:
        The copy, and the length of the vector: 0 without instance normalisation, where there is
        nothing to give.
    """
    original, model = model, onnx.ModelProto()
    model.CopyFrom(original)
    opset = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    index, nodes, names = GraphIndex(model.graph), [], []
    normalizations = [node for node in model.graph.node if node.op_type == "InstanceNormalization"]
    half = sum(index.constant_shape(node.input[1])[0] for node in normalizations)
    if not half:
        return model, 0
    place = 0
    for node in model.graph.node:
        if node.op_type != "InstanceNormalization":
            nodes.append(node)
            continue
        replacement, added = _given_normalization(index, node, place, place + half, opset)
        nodes += replacement
        names.append(node.output[0])
        model.graph.initializer.extend(added)
        place += index.constant_shape(node.input[1])[0]
    statistics = [f"{name}/{kind}_flat" for kind in ("mean", "variance") for name in names]
    nodes.append(helper.make_node("Concat", statistics, [MEASURED], axis=0))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _add_interface(model, half, opset)
    remove_unused(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return model, 2 * half


def _add_interface(model: onnx.ModelProto, half: int, opset: int) -> None:
    """Add the inputs and the output of `tiled_graph`, and the constants that all nodes share."""
    constants = {"flat": [-1]}
    if opset >= 18:
        constants |= {"pooled_axes": [0, 2], "row_axes": [3]}
    for name, values in constants.items():
        tensor = numpy_helper.from_array(np.array(values, np.int64), name)
        model.graph.initializer.append(tensor)
    model.graph.input.extend(
        [
            helper.make_tensor_value_info(STATISTICS, TensorProto.FLOAT, [2 * half]),
            helper.make_tensor_value_info(GIVEN, TensorProto.BOOL, []),
        ]
    )
    model.graph.output.append(
        helper.make_tensor_value_info(MEASURED, TensorProto.FLOAT, [2 * half])
    )


def _given_normalization(
    index: GraphIndex, node: onnx.NodeProto, mean_place: int, variance_place: int, opset: int
) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
    """Return the nodes and the constants of one normalisation."""
    name = node.output[0]
    nodes: list[onnx.NodeProto] = []

    def make(kind, inputs, output, **values):
        own = [key if key in _SHARED else f"{name}/{key}" for key in inputs]
        target = name if output is None else f"{name}/{output}"
        own = [node.input[0] if key == f"{name}/x" else key for key in own]
        nodes.append(helper.make_node(kind, own, [target], **values))

    def pool(source, output):
        # The width first: a whole plane is too many numbers for one sum in float32.
        make(
            "ReduceMean", [source, *_axes("row_axes", opset)], f"{output}_rows", **_over([3], opset)
        )
        inputs = [f"{output}_rows", *_axes("pooled_axes", opset)]
        make("ReduceMean", inputs, output, **_over([0, 2], opset))

    def choose(key):
        make("Slice", [STATISTICS, f"{key}_from", f"{key}_to"], f"{key}_vector")
        make("Reshape", [f"{key}_vector", "shape"], f"{key}_given")
        make("Where", [GIVEN, f"{key}_given", f"{key}_measured"], key)
        make("Reshape", [key, "flat"], f"{key}_flat")

    pool("x", "mean_measured")
    choose("mean")
    make("Sub", ["x", "mean"], "centred")
    make("Mul", ["centred", "centred"], "squares")
    pool("squares", "variance_measured")
    choose("variance")
    make("Add", ["variance", "epsilon"], "total")
    make("Sqrt", ["total"], "deviation")
    make("Div", ["scale4", "deviation"], "some_factor")
    make("Mul", ["mean", "even"], "rounding")
    make("Mul", ["rounding", "rounding"], "least_variance")
    make("Greater", ["variance", "least_variance"], "is_uneven")
    make("Where", ["is_uneven", "some_factor", "nothing"], "factor")
    make("Mul", ["centred", "factor"], "scaled")
    make("Add", ["scaled", "offset4"], None)
    added = _normalization_constants(index, node, mean_place, variance_place)
    return nodes, [numpy_helper.from_array(value, f"{name}/{key}") for key, value in added.items()]


def _axes(name: str, opset: int) -> list[str]:
    """Return the input that names the axes of a mean, which is one from opset 18 on."""
    return [name] if opset >= 18 else []


def _over(axes: list[int], opset: int) -> dict[str, Any]:
    return {"keepdims": 1} | ({} if opset >= 18 else {"axes": axes})


def _normalization_constants(
    index: GraphIndex, node: onnx.NodeProto, mean_place: int, variance_place: int
) -> dict[str, np.ndarray]:
    scale, offset = (index.constant(name) for name in node.input[1:])
    shape = np.array([1, len(scale), 1, 1], np.int64)
    places = {"mean": mean_place, "variance": variance_place}
    return {
        "shape": shape,
        "epsilon": np.array(attributes(node).get("epsilon", 1e-5), np.float32),
        "even": np.array(EVEN, np.float32),
        "nothing": np.array(0, np.float32),
        "scale4": scale.reshape(shape),
        "offset4": offset.reshape(shape),
        **{f"{key}_from": np.array([place], np.int64) for key, place in places.items()},
        **{f"{key}_to": np.array([place + len(scale)], np.int64) for key, place in places.items()},
    }


_SHARED = (STATISTICS, GIVEN, "flat", "pooled_axes", "row_axes")
