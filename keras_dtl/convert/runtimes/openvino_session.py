"""OpenVINO beside onnxruntime: a compiled graph that answers like a session of onnxruntime."""

import contextlib
import io
import itertools
import threading
import typing
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from keras_dtl.convert.runtimes import remembered
from keras_dtl.convert.runtimes.cores import core_count
from keras_dtl.files import FilePath, sha256

PROVIDER = "OpenVINO"
"""What such a session calls itself where onnxruntime would name its provider."""
_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_IS_LARGE = "is_large"  # what an export calls the condition
_CAPABILITIES = {"bfloat16": "BF16", "float16": "FP16"}  # as OpenVINO names what a CPU has
_INSTRUCTIONS = {"bfloat16": "AVX512_BF16 or AMX", "float16": "AVX512_FP16 or AMX_FP16"}


class UnfitDevice(RuntimeError):
    """OpenVINO is not there, or this processor cannot do what was asked for."""


class Value(typing.NamedTuple):
    """An input or output: its name, and its sizes, of which free ones are names."""

    name: str
    shape: list


class OpenVINOSession:
    """A compiled graph.

    It is compiled once for all sizes, and once more where batches can be divided: images that do
    not depend on each other are computed side by side, each by one thread, which do not wait for
    each other. One image, or a tile, is computed by all threads together.

    Args:
        compile_for: Function from a number of streams to an `openvino.CompiledModel`.
        threads: That compute.
        names: What inputs and outputs are called, where one goes by several names.
    """

    def __init__(
        self, compile_for: Callable[[int], typing.Any], threads: int, names: Collection[str] = ()
    ):
        self.compile_for = compile_for
        self.threads = threads
        compiled = compile_for(1)
        self.requests = {1: [compiled.create_infer_request()]}  # by number of streams
        self.inputs = [_value(port, names) for port in compiled.inputs]
        self.outputs = [_value(port, names) for port in compiled.outputs]
        self.divides = all(_is_batch(value) for value in (*self.inputs, *self.outputs))
        self.running = threading.Lock()

    def get_inputs(self) -> list[Value]:
        """Return what goes in."""
        return self.inputs

    def get_outputs(self) -> list[Value]:
        """Return what comes out."""
        return self.outputs

    def get_providers(self) -> list[str]:
        """Return what computes, as sessions of onnxruntime do."""
        return [PROVIDER]

    def run(self, names: list[str] | None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Return arrays of the outputs that are named, or of all.

        Args:
            names: Of outputs, or `None`.
            feeds: Arrays by name of the input.
        """
        wanted = [value.name for value in self.outputs] if names is None else list(names)
        with self.running:
            parts = self._divided(feeds)
            used = self._requests(self.threads if parts[1:] else 1)[: len(parts)]
            for request, part in zip(used, parts, strict=True):
                request.start_async(part, share_inputs=True)
            # All are waited for, even where one fails: the arrays that they read go on living.
            errors = [error for request in used if (error := _failure(request))]
            if errors:
                raise errors[0]
            found = [[request.get_tensor(name).data for request in used] for name in wanted]
            return [np.concatenate(arrays) if arrays[1:] else arrays[0].copy() for arrays in found]

    def _requests(self, streams):
        if streams not in self.requests:
            compiled = self.compile_for(streams)
            made = [compiled.create_infer_request() for _ in range(streams)]
            self.requests[streams] = made
        return self.requests[streams]

    def _divided(self, feeds):
        """Return the inputs of each request: a part of the batch each, where it can be divided."""
        counts = {len(array) for array in feeds.values()} if self.divides else {1}
        count = counts.pop()
        if counts or not 2 <= self.threads <= count:
            return [feeds]
        places = np.linspace(0, count, self.threads + 1).round().astype(int)
        return [
            {name: array[first:last] for name, array in feeds.items()}
            for first, last in itertools.pairwise(places)
        ]


def open_openvino(
    file: FilePath, floats: str, threads: int | None, names: Collection[str] = ()
) -> OpenVINOSession:
    """Compile a graph for the CPU, or take what was compiled before.

    Args:
        file: Path of an ONNX graph, or of OpenVINO's own, `.xml` with a `.bin` beside it.
        floats: What it computes in where it does not in int8: `"float32"`, `"bfloat16"` or
            `"float16"`.
        threads: That compute; all by default.
        names: What inputs and outputs are called.

    Raises:
        UnfitDevice: OpenVINO is not installed, or the processor lacks the instructions.
        Exception: Whatever OpenVINO raises where it cannot read the graph.
    """
    openvino = _import_openvino()
    core = openvino.Core()
    _require_instructions(core, floats)
    cores = threads or core_count()
    digest = _digest(file)

    def compile_for(streams):
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[floats],
            "INFERENCE_NUM_THREADS": cores,
            "NUM_STREAMS": streams,
            # Images are read and written by other threads, on whichever core is free.
            "ENABLE_CPU_PINNING": False,
        }
        about = [digest, version(), settings, remembered.processor()]
        return _compiled(core, file, settings, about)

    return OpenVINOSession(compile_for, cores, names)


def version(package: str = "openvino") -> str | None:
    """Return the version of a package that is installed, or `None`.

    Args:
        package: Its name.
    """
    import importlib.metadata  # takes longer than most of what is imported at the start

    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None


def computes(precision: str) -> bool:
    """Whether OpenVINO is installed and this processor has the instructions for a precision.

    Args:
        precision: Such as `"bfloat16"`.
    """
    if version() is None:
        return False
    try:
        _require_instructions(_import_openvino().Core(), precision)
    except UnfitDevice:
        return False
    return True


def _compiled(core, file, settings, about):
    blob = remembered.recall_blob("openvino", about)
    if blob is not None:
        # What cannot be taken is compiled again.
        with contextlib.suppress(RuntimeError):
            return core.import_model(blob, "CPU", settings)
    model = core.read_model(file)
    take_plain_normalizations(model)
    compiled = core.compile_model(model, "CPU", settings)
    stream = io.BytesIO()
    compiled.export_model(stream)
    remembered.remember_blob("openvino", about, stream.getvalue())
    return compiled


def take_plain_normalizations(model: typing.Any) -> None:
    """Replace each choice between normalisations for small and for large images by the first.

    Graphs hold the second one for runtimes that sum large planes number by number, as OpenVINO does
    not. With the choices OpenVINO 2026.4.1 made a grey plane of some photos, and without them it is
    faster by a twentieth and compiles in half the time.

    Args:
        model: An `openvino.Model`, which is changed.
    """
    for op in model.get_ops():
        if op.get_type_name() == "If" and _IS_LARGE in op.input_value(0).get_names():
            _take_else(op)
    model.validate_nodes_and_infer_types()


def _take_else(op):
    body = op.get_else_body()
    for each in op.get_input_descriptions(1):
        parameter = body.get_parameters()[each.body_parameter_index]
        parameter.output(0).replace(op.input_value(each.input_index))
    for each in op.get_output_descriptions(1):
        result = body.get_results()[each.body_value_index]
        op.output(each.output_index).replace(result.input_value(0))


def _import_openvino():
    try:
        import openvino
    except ImportError as error:
        raise UnfitDevice(
            'openvino was asked for, but is not installed. `pip install "keras_dtl[openvino]"`; or '
            "choose the device cpu."
        ) from error
    return openvino


def _require_instructions(core, precision):
    wanted = _CAPABILITIES.get(precision)
    offered = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if wanted is not None and wanted not in offered:
        raise UnfitDevice(
            f"{precision} was asked for, but this processor has no instructions for it "
            f"({_INSTRUCTIONS[precision]}); it would only be slower. Choose float32, or int8."
        )


def _digest(file):
    paths = [Path(file), Path(file).with_suffix(".bin")]
    return [sha256(path) for path in paths if path.suffix != ".bin" or path.exists()]


def _failure(request):
    """Wait for a request, and return why it failed, if it did."""
    try:
        request.wait()
    except RuntimeError as error:
        return error
    return None


def _value(port, names):
    shape = [
        size.get_length() if size.is_static else f"any{place}"
        for place, size in enumerate(port.partial_shape)
    ]
    known = sorted(port.names.intersection(names))
    return Value(known[0] if known else port.any_name, shape)


def _is_batch(value):
    return bool(value.shape) and isinstance(value.shape[0], str)
