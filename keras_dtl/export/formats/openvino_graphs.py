"""What OpenVINO makes of a model in each precision, measured in OpenVINO before it is published.

The same graph may differ by tens of decibels between runtimes, so that int8 is quantised for
OpenVINO, by its own library NNCF, and nothing is said of one runtime that was measured in another.
"""

import importlib
import importlib.metadata
import io
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from keras_dtl.export.checks.quality import Sample
from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError
from keras_dtl.export.formats.reduction import (
    Measure,
    best_reduction,
    least_quality_of,
    require_quality,
)

RUNTIMES = ("onnxruntime", "openvino")
_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CAPABILITIES = {"bfloat16": "BF16", "float16": "FP16"}
_BETWEEN = ("Pad", "Reshape", "Transpose", "StridedSlice", "Slice")
_QUANTIZED = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MatMul")


def check_runtimes(runtimes: tuple[str, ...], precisions: Sequence[str]) -> None:
    """Refuse runtimes that are not known or not installed.

    Args:
        runtimes: Their names.
        precisions: What is to be written for them.

    Raises:
        ValueError: One is not known, or there is none.
        ExportError: OpenVINO, or what quantises for it, is not installed.
    """
    if isinstance(runtimes, str) or not runtimes or set(runtimes) - set(RUNTIMES):
        raise ValueError(
            f"`runtimes` must be a tuple of {', '.join(RUNTIMES)}; received {runtimes!r}."
        )
    if "openvino" not in runtimes:
        return
    needed = ["openvino", *(["nncf"] if "int8" in precisions else [])]
    for package in needed:
        if _version(package) is None:
            raise ExportError(
                f"The runtime openvino needs the package {package}: "
                f'`pip install "keras_dtl[{package}]"`. Or choose the runtime onnxruntime alone.'
            )


def write_openvino(draft: Draft, path: Path) -> dict[str, Any]:
    """Measure a model in OpenVINO in each precision, and write the graph that is quantised for it.

    Args:
        draft: The `Draft`, whose float32 graph is written.
        path: The int8 graph to write, where that was asked for; its weights go beside it.

    Returns:
        The manifest's `runtimes`.

    Raises:
        ExportError: The quality cannot be reached, or this processor cannot show it.
    """
    manifest = draft.manifest
    measured = draft.samples[1::2]
    precisions = ("float32", *draft.precisions)
    for precision in precisions:
        _require_instructions(precision)
    measure = _OpenVINOMeasure(draft.folder / manifest.onnx_file, manifest, measured)
    records = {}
    for precision in precisions:
        measure.hint = _HINTS[_floats_of(precision)]
        if precision == "int8":
            records[precision] = _write_int8(draft, measure, path)
            continue
        quality = measure(_read(draft.core))
        require_quality(measure, quality, least_quality_of(draft), f"{precision} in openvino", [])
        records[precision] = _record(manifest.onnx_file, precision, quality, 0, len(measured), [])
    return {"runtimes": manifest.runtimes | {"openvino": records}}


def _write_int8(draft: Draft, measure: "_OpenVINOMeasure", path: Path) -> dict[str, Any]:
    calibrating, least = draft.samples[::2], least_quality_of(draft)
    reduction = _Int8(draft.core, draft.manifest.inputs[0].name, calibrating)
    quality, in_float = best_reduction(reduction, measure, least)
    require_quality(measure, quality, least, "int8 in openvino", in_float)
    _openvino().save_model(measure.graph, path, compress_to_fp16=False)
    file = path.relative_to(draft.folder).as_posix()
    return _record(file, "int8", quality, len(calibrating), len(measure.samples), in_float)


def _record(
    file: str,
    precision: str,
    quality: dict[str, Any],
    calibrated: int,
    measured: int,
    in_float: list[str],
) -> dict[str, Any]:
    more = {"calibration_images": calibrated, "images": measured, "layers_in_float": in_float}
    more |= {"floats": _floats_of(precision), "version": _version("openvino")}
    return {"file": file, "quality": quality | more}


def _floats_of(precision: str) -> str:
    """Return what OpenVINO computes in where it computes in float.

    Beside int8 that is bfloat16 where the processor has it: it loses less than int8 does.

    Args:
        precision: Of the graph.
    """
    if precision != "int8":
        return precision
    return "bfloat16" if _CAPABILITIES["bfloat16"] in _offered() else "float32"


class _OpenVINOMeasure(Measure):
    hint = "f32"

    def run(self, graph: Any, samples: list[Sample]) -> list[np.ndarray]:
        compiled = (
            _openvino().Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": self.hint})
        )
        name, output = self.manifest.inputs[0].name, self.manifest.outputs[0].name
        request = compiled.create_infer_request()
        found = []
        for sample in samples:
            request.infer({name: sample.image[None]})
            found.append(request.get_tensor(output).data[0].copy())
        return found


class _Int8:
    """Convolutions and matrix products quantised by NNCF, of which some can be put back in float.

    It is calibrated once; a layer in float gets its own weights and unquantised inputs again.
    """

    def __init__(self, core: onnx.ModelProto, name: str, samples: list[Sample]):
        self.source = _read(core)
        self.quantized = _quantize(self.source, name, samples)
        self.originals = {op.get_friendly_name(): op for op in self.source.get_ops()}
        self.layers = [
            op.get_friendly_name()
            for op in self.quantized.get_ops()
            if op.get_type_name() in _QUANTIZED
            and _is_quantized(op, self.originals[op.get_friendly_name()])
        ]

    def graph(self, in_float: Sequence[str]) -> Any:
        model = self.quantized.clone()
        for op in model.get_ops():
            if op.get_friendly_name() in in_float:
                self._restore(op)
        model.validate_nodes_and_infer_types()
        return model

    def _restore(self, op: Any) -> None:
        weights = _constant(self.originals[op.get_friendly_name()])
        op.input(1).replace_source_output(weights.output(0))
        taken = _quantized_input(op)
        if taken is not None:
            taken.replace_source_output(taken.get_source_output().get_node().input_value(0))


def _is_quantized(op: Any, original: Any) -> bool:
    weights = (each.input_value(1).get_node().get_type_name() for each in (original, op))
    return next(weights) == "Constant" != next(weights)


def _constant(op: Any) -> Any:
    """Return a new constant of the weights of an operation in float."""
    return _openvino().op.Constant(np.array(op.input_value(1).get_node().data))


def _quantized_input(op: Any) -> Any:
    """Return the input that takes quantised numbers, of the operation or of padding before it."""
    taken = op.input(0)
    while True:
        maker = taken.get_source_output().get_node()
        if maker.get_type_name() == "FakeQuantize":
            return taken
        if maker.get_type_name() not in _BETWEEN or len(maker.output(0).get_target_inputs()) > 1:
            return None
        taken = maker.input(0)


def _quantize(model: Any, name: str, samples: list[Sample]) -> Any:
    # NNCF reports its use to its authors unless it is told not to.
    os.environ.setdefault("NNCF_CI", "1")
    # Not by a statement: type checkers need not find what few installations have.
    nncf = importlib.import_module("nncf")
    logging.getLogger("nncf").setLevel(logging.ERROR)
    data = nncf.Dataset([{name: sample.image[None]} for sample in samples])
    return nncf.quantize(
        model.clone(),
        data,
        target_device=nncf.TargetDevice.CPU,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(samples),
    )


def _require_instructions(precision: str) -> None:
    wanted = _CAPABILITIES.get(precision)
    if wanted is not None and wanted not in _offered():
        raise ExportError(
            f"This processor has no instructions for {precision}, so that OpenVINO cannot show "
            "what it loses. Export on one that has, or leave it out."
        )


def _offered() -> list[str]:
    return _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _read(core: onnx.ModelProto) -> Any:
    return _openvino().Core().read_model(io.BytesIO(core.SerializeToString()))


def _openvino() -> Any:
    import openvino

    return openvino


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
