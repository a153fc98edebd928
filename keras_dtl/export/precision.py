"""Graphs of lower precision, and what they lose, measured before anything is published."""

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
import onnxruntime

from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError
from keras_dtl.export.graph import GraphIndex, sort_nodes
from keras_dtl.export.quality import QUALITIES, Sample, measure_quality
from keras_dtl.export.served_graph import served_graph
from keras_dtl.export.subpixel import replace_transposed_convolutions
from keras_dtl.manifest import Manifest

_QUANTIZED = ("Conv", "MatMul", "Gemm")
# Below that onnxruntime convolves faster in float32 than in int8, by about two.
_FEWEST_CHANNELS = 16
_SENSITIVITY_IMAGES = 2


def write_float16(draft: Draft, path: Path) -> dict[str, Any]:
    """Write the graph in half precision, all but the statistics of normalisations.

    Args:
        draft: The `Draft`, whose float32 graph is written.
        path: The file to write.

    Returns:
        The manifest's `precisions`, with this one.

    Raises:
        ExportError: The quality cannot be reached, or the model takes no images.
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
        ExportError: The quality cannot be reached, or the model takes no images.
    """
    return _write_precision(draft, path, "int8", _Int8)


class _Reduction(Protocol):
    """A way to lower the precision of a graph; made of its path and the images to calibrate on."""

    @property
    def layers(self) -> Sequence[str]:
        """Names of the layers that can be left in float, one by one."""
        ...

    def graph(self, in_float: Sequence[str]) -> onnx.ModelProto:
        """Return the graph in lower precision.

        Args:
            in_float: Names of `layers` that stay as they are.
        """
        ...


def _write_precision(
    draft: Draft, path: Path, precision: str, reduction: Callable[[Path, list[Sample]], _Reduction]
) -> dict[str, Any]:
    manifest = draft.manifest
    if draft.deployable.image is None:
        raise ExportError(
            f"{precision} is for models whose one input is images. Export it in float32."
        )
    least = QUALITIES[manifest.task].least
    least = least if draft.least_quality is None else draft.least_quality
    calibrating, measured = draft.samples[::2], draft.samples[1::2]
    source = draft.folder / manifest.onnx_file
    measure = _Measure(source, manifest, measured)
    with tempfile.TemporaryDirectory() as folder:
        core = Path(folder) / "core.onnx"
        onnx.save_model(draft.core, core)
        quality, in_float = _best(reduction(core, calibrating), measure, least)
    if measure.score(quality) < least:
        raise ExportError(
            f"{precision} reaches {measure.words(quality)}, with {len(in_float)} layers left in "
            f"float; {least} is wanted. Nothing was published. Ask for less by "
            "least_quality, or give more images to calibrate on."
        )
    served = served_graph(measure.graph, manifest)
    onnx.checker.check_model(served, full_check=True)
    onnx.save_model(served, path)
    numbers = {"calibration_images": len(calibrating), "images": len(measured)}
    record = {
        "file": path.relative_to(draft.folder).as_posix(),
        "quality": quality | numbers | {"layers_in_float": in_float},
    }
    return {"precisions": manifest.precisions | {precision: record}}


def _best(
    reduced: _Reduction, measure: "_Measure", least_quality: float
) -> tuple[dict[str, Any], list[str]]:
    """Leave ever more layers in float until the quality is reached, at most half of them."""
    quality = measure(reduced.graph(()))
    in_float = []
    if measure.score(quality) >= least_quality or not reduced.layers:
        return quality, in_float
    ranked = _most_harmful_first(reduced, measure)
    step = max(1, len(ranked) // 16)
    while measure.score(quality) < least_quality and len(in_float) < len(ranked) // 2:
        in_float = ranked[: len(in_float) + step]
        quality = measure(reduced.graph(in_float))
    return quality, in_float


def _most_harmful_first(reduced: _Reduction, measure: "_Measure") -> list[str]:
    def harm(layer):
        others = [name for name in reduced.layers if name != layer]
        return measure.error(reduced.graph(others))

    return sorted(reduced.layers, key=harm, reverse=True)


class _Measure:
    """Runs graphs over images that none was calibrated on, beside the float32 one."""

    def __init__(self, source: Path, manifest: Manifest, samples: list[Sample]):
        self.task = QUALITIES[manifest.task]
        self.manifest = manifest
        self.samples = samples
        self.expected = self._run(str(source), samples)
        self.graph = None

    def __call__(self, graph: onnx.ModelProto) -> dict[str, Any]:
        self.graph = graph
        received = self._run(graph.SerializeToString(), self.samples)
        return measure_quality(self.manifest, self.samples, self.expected, received)

    def error(self, graph: onnx.ModelProto) -> float:
        received = self._run(graph.SerializeToString(), self.samples[:_SENSITIVITY_IMAGES])
        pairs = zip(self.expected, received, strict=False)
        return float(np.mean([np.mean((a.astype("f8") - b) ** 2) for a, b in pairs]))

    def score(self, quality: dict[str, Any]) -> float:
        return quality[self.task.name]

    def words(self, quality: dict[str, Any]) -> str:
        return f"{self.task.name} {self.score(quality):.4g}"

    def _run(self, model: str | bytes, samples: list[Sample]) -> list[np.ndarray]:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.enable_mem_pattern = False
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        name, output = self.manifest.inputs[0].name, self.manifest.outputs[0].name
        return [session.run([output], {name: sample.image[None]})[0][0] for sample in samples]


class _Float16:
    """All in half precision but the statistics of normalisations, whose sums would overflow."""

    layers = ()

    def __init__(self, source: Path, samples: list[Sample]):
        self.source = source

    def graph(self, in_float: Sequence[str]) -> onnx.ModelProto:
        from onnxruntime.transformers import float16

        model = onnx.load(self.source)
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
    """Whether a convolution has so few channels that int8 would not make it faster."""
    shape = index.constant_shape(node.input[1])
    return node.op_type == "Conv" and shape is not None and min(shape[:2]) < _FEWEST_CHANNELS


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
