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
from onnx import TensorProto, helper

from keras_dtl.export.draft import Draft
from keras_dtl.export.graphs.given_normalization import (
    GIVEN,
    INNER,
    MEASURED,
    STATISTICS,
    USED,
    GivenNormalization,
    shared_nodes,
)
from keras_dtl.export.graphs.graph import GraphIndex, remove_unused
from keras_dtl.export.graphs.reach import NotLocal, measure_reach
from keras_dtl.import_path import command_of, environment


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
            command_of("keras_dtl.convert.runtimes.footprint"),
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
        same, statistics, _ = _run_tiled(graph, image, nothing, False)
        if _differ(same, whole[0]):
            return False
        tile = _run_tiled(graph, part, statistics, True)
    else:
        tile = _run(graph, part)
    return not _differ(tile[0][:, :, :half], whole[0][:, :, :half])


def _run_tiled(
    graph: onnx.ModelProto, image: np.ndarray, statistics: np.ndarray, given: bool
) -> list[np.ndarray]:
    inner = np.array((0, 0, *image.shape[1:3]), np.int64)
    return _run(graph, image, statistics=statistics, given=np.array(given), inner=inner)


def _run(model: onnx.ModelProto, image: np.ndarray, **more: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {model.graph.input[0].name: image, **more})


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return np.abs(one.astype(np.int16) - other).max() > 1


def tiled_graph(model: onnx.ModelProto) -> tuple[onnx.ModelProto, int]:
    """Make a copy of a graph whose statistics can be given from outside.

    It takes three inputs more. `statistics` is a vector of all means and then all variances: what
    all normalisations use where `given` is true; where it is not, they use those of the batch
    itself with `statistics` added. `inner` is the part of the images, `(top, left, bottom, right)`
    in pixels, whose own statistics are an output, `measured`, in either case; its variances are
    about the means in use. Those in use are another, `used`.

    Args:
        model: `onnx.ModelProto`, left as it is.

    Returns:
        The copy, and the length of the vector: 0 without instance normalisation, where there is
        nothing to give.
    """
    original, model = model, onnx.ModelProto()
    model.CopyFrom(original)
    opset = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    index, made = GraphIndex(model.graph), []
    normalizations = [node for node in model.graph.node if node.op_type == "InstanceNormalization"]
    half = sum(index.constant_shape(node.input[1])[0] for node in normalizations)
    if not half:
        return model, 0
    nodes, constants = shared_nodes(model.graph.input[0].name)
    place = 0
    for node in model.graph.node:
        if node.op_type != "InstanceNormalization":
            nodes.append(node)
            continue
        made.append(GivenNormalization(index, node, opset))
        replacement, added = made[-1].build(place, place + half)
        nodes, constants = nodes + replacement, constants + added
        place += index.constant_shape(node.input[1])[0]
    nodes += [_together(made, output) for output in (MEASURED, USED)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(constants)
    _add_interface(model, 2 * half)
    remove_unused(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return model, 2 * half


def _together(normalizations: list[GivenNormalization], output: str) -> onnx.NodeProto:
    """Return the node that joins all means, then all variances, to one output."""
    pairs = [normalization.statistics(output) for normalization in normalizations]
    means, variances = zip(*pairs, strict=True)
    return helper.make_node("Concat", [*means, *variances], [output], axis=0)


def _add_interface(model: onnx.ModelProto, length: int) -> None:
    """Add the inputs and the outputs of `tiled_graph`."""
    inputs = {
        STATISTICS: (TensorProto.FLOAT, [length]),
        GIVEN: (TensorProto.BOOL, []),
        INNER: (TensorProto.INT64, [4]),
    }
    model.graph.input.extend(
        helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()
    )
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [length])
        for name in (MEASURED, USED)
    )
