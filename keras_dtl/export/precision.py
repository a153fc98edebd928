"""Graphs of lower precision, and what they lose, measured before anything is published."""

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from keras_dtl.export.errors import ExportError
from keras_dtl.export.quality import QUALITIES, measure_quality, read_samples
from keras_dtl.export.subpixel import replace_transposed_convolutions

PRECISIONS = ("float16", "int8")
_QUANTIZED = ("Conv", "MatMul", "Gemm")
# Below that onnxruntime convolves faster in float32 than in int8, by about two.
_FEWEST_CHANNELS = 16
_SENSITIVITY_IMAGES = 2


def check_precisions(precisions, calibration):
    """Refuse, before anything is computed, what cannot be written.

    Raises:
        ValueError: A precision is not known, or there is nothing to calibrate and measure on.
    """
    unknown = [precision for precision in precisions if precision not in PRECISIONS]
    if isinstance(precisions, str) or unknown:
        raise ValueError(
            f"precisions must be a tuple of {', '.join(PRECISIONS)}; received {precisions!r}."
        )
    if precisions and calibration is None:
        raise ValueError(
            f"{precisions[0]} loses quality, which must be measured: name a folder of images like "
            "those that the model will meet as calibration."
        )


def write_precisions(folder, manifest, precisions, calibration, least_quality=None):
    """Write all graphs of lower precision and return the manifest's `precisions`."""
    if not precisions:
        return {}
    if len(manifest.inputs) != 1 or not manifest.inputs[0].is_image:
        raise ExportError(
            f"{precisions[0]} is for models whose one input is images. Export it in float32."
        )
    samples = read_samples(calibration, manifest)
    return {
        precision: write_precision(folder, manifest, precision, samples, least_quality)
        for precision in dict.fromkeys(precisions)
    }


def write_precision(folder, manifest, precision, samples, least_quality=None):
    """Write a graph of lower precision beside the float32 one.

    Int8 is static, per channel and in QDQ form, calibrated on every second image; the others
    measure what it loses. While that is too much, the layers that hurt most are left in float.

    Args:
        folder: The artifact, whose float32 graph is written.
        manifest: Its `Manifest`.
        precision: One of `PRECISIONS`.
        samples: A list of `keras_dtl.export.quality.Sample`, two or more.
        least_quality: Decibels of PSNR for images, share of equal answers for classes, mean
            intersection over union for maps of classes; by default that of `QUALITIES`.

    Returns:
        A dictionary: the `file` of the graph and its measured `quality`.

    Raises:
        ExportError: The quality cannot be reached.
    """
    if manifest.task not in QUALITIES:
        raise ExportError(
            f"The quality of {precision} can be measured for {', '.join(QUALITIES)}; this model is "
            f"for {manifest.task!r}. Export it in float32."
        )
    if least_quality is None:
        least_quality = QUALITIES[manifest.task].least
    source = folder / manifest.onnx_file
    file = f"{manifest.version}/model_{precision}.onnx"
    reduced = {"float16": _Float16, "int8": _Int8}[precision](source, samples[::2])
    measure = _Measure(source, manifest, samples[1::2])
    quality, in_float = _best(reduced, measure, least_quality)
    if measure.score(quality) < least_quality:
        raise ExportError(
            f"{precision} reaches {measure.words(quality)}, with {len(in_float)} layers left in "
            f"float; {least_quality} is wanted. Nothing was published. Ask for less by "
            "least_quality, or give more images to calibrate on."
        )
    onnx.checker.check_model(measure.graph, full_check=True)
    onnx.save_model(measure.graph, folder / file)
    numbers = {"calibration_images": len(samples[::2]), "images": len(samples[1::2])}
    return {"file": file, "quality": quality | numbers | {"layers_in_float": in_float}}


def _best(reduced, measure, least_quality):
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


def _most_harmful_first(reduced, measure):
    def harm(layer):
        others = [name for name in reduced.layers if name != layer]
        return measure.error(reduced.graph(others))

    return sorted(reduced.layers, key=harm, reverse=True)


class _Measure:
    """Runs graphs over images that none was calibrated on, beside the float32 one."""

    def __init__(self, source, manifest, samples):
        self.task = QUALITIES[manifest.task]
        self.manifest = manifest
        self.samples = samples
        self.expected = self._run(str(source), samples)
        self.graph = None

    def __call__(self, graph):
        self.graph = graph
        received = self._run(graph.SerializeToString(), self.samples)
        return measure_quality(self.manifest, self.samples, self.expected, received)

    def error(self, graph):
        received = self._run(graph.SerializeToString(), self.samples[:_SENSITIVITY_IMAGES])
        pairs = zip(self.expected, received, strict=False)
        return float(np.mean([np.mean((a.astype("f8") - b) ** 2) for a, b in pairs]))

    def score(self, quality):
        return quality[self.task.name]

    def words(self, quality):
        return f"{self.task.name} {self.score(quality):.4g}"

    def _run(self, model, samples):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.enable_mem_pattern = False
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        name, output = self.manifest.inputs[0].name, self.manifest.outputs[0].name
        return [session.run([output], {name: sample.image[None]})[0][0] for sample in samples]


class _Float16:
    """All in half precision but the statistics of normalisations, whose sums would overflow."""

    layers = ()

    def __init__(self, source, samples):
        self.source = source

    def graph(self, in_float):
        from onnxruntime.transformers import float16

        model = onnx.load(self.source)
        half = float16.convert_float_to_float16(
            model,
            keep_io_types=True,
            op_block_list=[*float16.DEFAULT_OP_BLOCK_LIST, "InstanceNormalization"],
            node_block_list=_statistics(model.graph),
        )
        return _sorted(half)


def _statistics(graph):
    """Return the names of the nodes by which means and variances are taken."""
    producers = {name: node for node in graph.node for name in node.output}
    found = {node.name for node in graph.node if node.op_type in ("Sqrt", "Reciprocal")}
    for node in graph.node:
        if node.op_type == "ReduceMean":
            found.add(node.name)
            source = producers.get(node.input[0])
            if source is not None and source.op_type in ("Mul", "Pow"):
                found.add(source.name)
        elif node.op_type == "Sqrt" and node.input[0] in producers:
            found.add(producers[node.input[0]].name)
    return sorted(found)


class _Int8:
    """Convolutions and matrix products between int8 weights and uint8 activations.

    Transposed convolutions, which onnxruntime has in float only, become ordinary ones.
    """

    def __init__(self, source, samples):
        from onnxruntime import quantization
        from onnxruntime.quantization.quant_utils import load_model_with_shape_infer

        self.quantization = quantization
        with tempfile.TemporaryDirectory() as folder:
            prepared = Path(folder) / "prepared.onnx"
            _quietly(quantization.quant_pre_process, source, prepared, skip_symbolic_shape=True)
            model = onnx.load(prepared)
            if replace_transposed_convolutions(model):
                onnx.save_model(onnx.shape_inference.infer_shapes(model), prepared)
            self.model = load_model_with_shape_infer(prepared)
            calibrator = quantization.calibrate.create_calibrator(
                prepared, list(_QUANTIZED), f"{folder}/augmented.onnx"
            )
            calibrator.collect_data(_Reader(self.model.graph.input[0].name, samples))
            self.ranges = calibrator.compute_data()
        layers = [node for node in self.model.graph.node if node.op_type in _QUANTIZED]
        slower = {node.name for node in layers if _is_slower(node, self.model.graph)}
        self.layers = [node.name for node in layers if node.name not in slower]
        self.slower = sorted(slower) if self.layers else []
        self.layers = self.layers or sorted(slower)

    def graph(self, in_float):
        from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        quantizer = QDQQuantizer(
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
        _quietly(quantizer.quantize_model)
        return _sorted(quantizer.model.model)


def _is_slower(node, graph):
    """Whether a convolution has so few channels that int8 would not make it faster."""
    shapes = {item.name: item.dims for item in graph.initializer}
    shape = shapes.get(node.input[1])
    return node.op_type == "Conv" and shape is not None and min(shape[:2]) < _FEWEST_CHANNELS


def _sorted(model):
    """Return a model whose nodes come after what they take, as onnx wants it."""
    from onnxruntime.quantization.onnx_model import ONNXModel

    wrapped = ONNXModel(model)
    wrapped.topological_sort()
    del wrapped.model.graph.value_info[:]
    return wrapped.model


class _Reader:
    """Gives a calibrator one image after the other."""

    def __init__(self, name, samples):
        self.feeds = iter([{name: sample.image[None]} for sample in samples])

    def get_next(self):
        return next(self.feeds, None)


def _quietly(function, *arguments, **keywords):
    """Call a function of onnxruntime that gives advice for its own scripts to the root logger."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        return function(*arguments, **keywords)
    finally:
        logging.disable(disabled)
