"""Graphs of lower precision, and what they lose, measured before anything is published."""

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from keras_dtl.export.checks.quality import Sample
from keras_dtl.export.draft import Draft
from keras_dtl.export.formats.reduction import (
    Measure,
    Reduction,
    best_reduction,
    least_quality_of,
    require_quality,
    run_onnx,
)
from keras_dtl.export.graphs.graph import GraphIndex, sort_nodes
from keras_dtl.export.graphs.narrow_convolution import OF_COLUMNS
from keras_dtl.export.graphs.served_graph import served_graph
from keras_dtl.export.graphs.subpixel import replace_transposed_convolutions

_QUANTIZED = ("Conv", "MatMul", "Gemm")
# Below that onnxruntime convolves faster in float32 than in int8, by about two.
_FEWEST_CHANNELS = 16


def write_float16(draft: Draft, path: Path) -> dict[str, Any]:
    """Write the graph in half precision, all but the statistics of normalisations.

    Args:
        draft: The `Draft`, whose float32 graph is written.
        path: The file to write.

    Returns:
        The manifest's `precisions`, with this one.

    Raises:
        ExportError: The quality cannot be reached.
    """
    return _write_precision(draft, path, "float16", _Float16)


def write_int8(draft: Draft, path: Path) -> dict[str, Any]:
    """Write the graph in int8: static, per channel and in QDQ form.

    It is calibrated on every second image; the others measure what it loses. While that is too
    much, the layers that hurt most are left in float.

    Args:
        draft: The `Draft`, whose float32 graph is written.
        path: The file to write.

    Returns:
        The manifest's `precisions`, with this one.

    Raises:
        ExportError: The quality cannot be reached.
    """
    return _write_precision(draft, path, "int8", _Int8)


class _OnnxMeasure(Measure):
    def run(self, graph: onnx.ModelProto, samples: list[Sample]) -> list[np.ndarray]:
        return run_onnx(graph.SerializeToString(), self.manifest, samples)


def _write_precision(
    draft: Draft, path: Path, precision: str, reduction: Callable[[Path, list[Sample]], Reduction]
) -> dict[str, Any]:
    manifest = draft.manifest
    least = least_quality_of(draft)
    calibrating, measured = draft.samples[::2], draft.samples[1::2]
    measure = _OnnxMeasure(draft.folder / manifest.onnx_file, manifest, measured)
    with tempfile.TemporaryDirectory() as folder:
        core = Path(folder) / "core.onnx"
        onnx.save_model(draft.core, core)
        quality, in_float = best_reduction(reduction(core, calibrating), measure, least)
    require_quality(measure, quality, least, precision, in_float)
    served = served_graph(measure.graph, manifest)
    onnx.checker.check_model(served, full_check=True)
    onnx.save_model(served, path)
    numbers = {"calibration_images": len(calibrating), "images": len(measured)}
    record = {
        "file": path.relative_to(draft.folder).as_posix(),
        "quality": quality | numbers | {"layers_in_float": in_float},
    }
    return {"precisions": manifest.precisions | {precision: record}}


class _Float16:
    """All in half precision but the statistics of normalisations, whose sums would overflow."""

    layers = ()

    def __init__(self, source: Path, samples: list[Sample]):
        self.source = source

    def graph(self, in_float: Sequence[str]) -> onnx.ModelProto:
        from onnxruntime.transformers import float16

        model = onnx.load(self.source)
        for node in model.graph.node:
            if node.op_type == "Resize" and len(node.input) == 4:  # to a size, and by no scales,
                node.input[1:3] = ["", ""]  # of whose empty constant a Cast would be made
        half = float16.convert_float_to_float16(
            model,
            keep_io_types=True,
            op_block_list=[*float16.DEFAULT_OP_BLOCK_LIST, "InstanceNormalization"],
            node_block_list=_statistics(model.graph),
        )
        return _in_order(half)


def _statistics(graph: onnx.GraphProto) -> list[str]:
    """Return the names of the nodes by which means and variances are taken."""
    index = GraphIndex(graph)
    found = {node.name for node in graph.node if node.op_type in ("Sqrt", "Reciprocal")}
    for node in graph.node:
        if node.op_type == "ReduceMean":
            found.add(node.name)
            source = index.maker(node.input[0])
            if source is not None and source.op_type in ("Mul", "Pow"):
                found.add(source.name)
        elif node.op_type == "Sqrt" and (total := index.maker(node.input[0])) is not None:
            found.add(total.name)
    return sorted(found)


class _Int8:
    """Convolutions and matrix products between int8 weights and uint8 activations.

    Transposed convolutions, which onnxruntime has in float only, become ordinary ones.
    """

    def __init__(self, source: Path, samples: list[Sample]):
        from onnxruntime import quantization
        from onnxruntime.quantization.quant_utils import load_model_with_shape_infer

        self.quantization = quantization
        with tempfile.TemporaryDirectory() as folder:
            prepared = Path(folder) / "prepared.onnx"
            _call_quietly(
                quantization.quant_pre_process, source, prepared, skip_symbolic_shape=True
            )
            model = onnx.load(prepared)
            if replace_transposed_convolutions(model):
                onnx.save_model(onnx.shape_inference.infer_shapes(model), prepared)
            self.model = load_model_with_shape_infer(prepared)
            calibrator = quantization.create_calibrator(
                prepared, list(_QUANTIZED), f"{folder}/augmented.onnx"
            )
            calibrator.collect_data(_Reader(self.model.graph.input[0].name, samples))
            self.ranges = calibrator.compute_data()
        layers = [node for node in self.model.graph.node if node.op_type in _QUANTIZED]
        index = GraphIndex(self.model.graph)
        slower = {node.name for node in layers if _is_slower(node, index)}
        self.layers = [node.name for node in layers if node.name not in slower]
        self.slower = sorted(slower) if self.layers else []
        self.layers = self.layers or sorted(slower)

    def graph(self, in_float: Sequence[str]) -> onnx.ModelProto:
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        quantizer = self.quantization.QDQQuantizer(
            model,
            True,  # per channel
            False,  # all eight bits
            self.quantization.QuantType.QInt8,
            self.quantization.QuantType.QUInt8,
            self.ranges,
            [],
            [*self.slower, *in_float],
            list(_QUANTIZED),
            {},
        )
        _call_quietly(quantizer.quantize_model)
        return _in_order(quantizer.model.model)


def _is_slower(node: onnx.NodeProto, index: GraphIndex) -> bool:
    """Whether a convolution has so few channels that int8 would not make it faster.

    One of columns is the greater part of such a one, and what it makes is nearly the image.
    """
    shape = index.constant_shape(node.input[1])
    if node.op_type != "Conv" or shape is None:
        return False
    return min(shape[:2]) < _FEWEST_CHANNELS or node.name.endswith(OF_COLUMNS)


def _in_order(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model after its nodes were put into order, without what it says of sizes."""
    sort_nodes(model.graph)
    del model.graph.value_info[:]
    return model


class _Reader:
    """Gives a calibrator one image after the other."""

    def __init__(self, name: str, samples: list[Sample]):
        self.feeds = iter([{name: sample.image[None]} for sample in samples])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.feeds, None)


def _call_quietly(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a function of onnxruntime that gives advice for its own scripts to the root logger."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        return function(*arguments, **keywords)
    finally:
        logging.disable(disabled)
