"""The graph for phones and small boards, which LiteRT runs; it was called TensorFlow Lite."""

import contextlib
import importlib.util
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_dtl.export.checks.parity import Arrays, Reading
from keras_dtl.export.checks.quality import QUALITIES, Sample, measure_quality
from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError

_SIGNATURE = "serving_default"
# How the converter lists what LiteRT has no operation for.
_LACKING = re.compile(r"(?:TF Select|Custom|Flex) ops?: ([\w, ]+)|'(tf\.\w+)' op is neither")

# Where a recurrent layer fills a list whose elements have no shape that is known before.
_LISTS = re.compile(r'"TensorListReserve:", "([^"@]+)/TensorArray')


def check_litert() -> None:
    """Refuse, before anything is computed, where nothing can read a `.tflite` file back.

    Raises:
        ExportError: The package ai-edge-litert is not installed.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise ExportError(
            "A graph for LiteRT is read back by the package ai-edge-litert, which is not "
            "installed: pip install 'keras_dtl[litert]'."
        )


def write_litert(draft: Draft, path: Path) -> dict[str, Any]:
    """Write what `serving_default` of the SavedModel computes, in float32.

    Args:
        draft: The `Draft`, whose SavedModel was written.
        path: The file to write.

    Returns:
        The manifest's `litert`, with this graph.

    Raises:
        ExportError: LiteRT lacks an operation of the model, which is named.
    """
    path.write_bytes(_convert(_converter(draft)))
    return _record(draft, path, "float32", {})


def write_litert_int8(draft: Draft, path: Path) -> dict[str, Any]:
    """Write it with int8 weights and activations, calibrated, and measure what it loses.

    It is calibrated on every second image; the others measure it beside the float32 graph. What
    LiteRT has no int8 operation for stays in float32.

    Args:
        draft: The `Draft`, whose float32 graph for LiteRT was written.
        path: The file to write.

    Returns:
        The manifest's `litert`, with this graph and its `quality`.

    Raises:
        ExportError: The quality cannot be reached.
    """
    manifest, task = draft.manifest, QUALITIES[draft.manifest.task]
    calibrating, measured = draft.samples[::2], draft.samples[1::2]
    converter = _converter(draft)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample.image[None]] for sample in calibrating)
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
        tf.lite.OpsSet.TFLITE_BUILTINS,
    ]
    path.write_bytes(_convert(converter))
    exact = draft.folder / manifest.litert["float32"]["file"]
    expected, received = (_outputs(draft, file, measured) for file in (exact, path))
    quality = measure_quality(manifest, measured, expected, received)
    least = task.least if draft.least_quality is None else draft.least_quality
    if quality[task.name] < least:
        raise ExportError(
            f"int8 for LiteRT reaches {task.name} {quality[task.name]:.4g}; {least} is wanted. "
            "Nothing was published. Ask for less by `least_quality`, or give more images to "
            "calibrate on."
        )
    numbers = {"calibration_images": len(calibrating), "images": len(measured)}
    return _record(draft, path, "int8", {"quality": quality | numbers})


def read_litert(draft: Draft, path: Path) -> Iterator[Reading]:
    """Yield the one `Reading` of a `.tflite` file.

    Args:
        draft: The `Draft`.
        path: The file.
    """
    yield Reading(_runner(path), probes=[*draft.probes, *draft.odd_probes])


def _record(draft: Draft, path: Path, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    file = path.relative_to(draft.folder).as_posix()
    return {"litert": draft.manifest.litert | {name: {"file": file} | fields}}


def _converter(draft: Draft) -> Any:
    folder = draft.folder / str(draft.manifest.version)
    return tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=[_SIGNATURE])


def _convert(converter: Any) -> bytes:
    """Return the bytes of a graph for LiteRT, without the converter's talk."""
    try:
        with _silence(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of ranges of inputs, which are uint8
            return converter.convert()
    except Exception as error:  # whatever fails within, in types of its own
        raise ExportError(
            f"The model cannot be written for LiteRT: {_reason(str(error))} Export it without, or "
            "replace the operation."
        ) from error


def _reason(message: str) -> str:
    layers = sorted(set(_LISTS.findall(message)))
    if layers:
        return (
            f"the recurrent layer {layers[0]!r} takes sizes that are free, which LiteRT lacks; of "
            "a fixed length it can be built with unroll=True."
        )
    found = [one or other for one, other in _LACKING.findall(message)]
    names = sorted({name.strip() for names in found for name in names.split(",")} - {""})
    if names:
        return f"it has no {', '.join(names)}."
    return f"{message.strip().splitlines()[0] if message.strip() else 'the converter failed'}."


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what C++ writes to the standard error away, whatever it may be open as."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _runner(path: Path) -> Callable[[Arrays], Arrays]:
    """Return what runs a `.tflite` file as a client does, with arrays by name."""
    from ai_edge_litert.interpreter import Interpreter

    with _silence():
        interpreter = Interpreter(model_path=str(path))
    runner = interpreter.get_signature_runner(_SIGNATURE)

    def run(inputs):
        try:
            return runner(**inputs)
        except (RuntimeError, ValueError) as error:
            shapes = [array.shape for array in inputs.values()]
            raise ExportError(
                f"{path.name}: LiteRT cannot run it on inputs of {shapes}: {error}. Nothing was "
                "published. Export it without."
            ) from error

    return run


def _outputs(draft: Draft, path: Path, samples: list[Sample]) -> list[np.ndarray]:
    run = _runner(path)
    name, output = draft.manifest.inputs[0].name, draft.manifest.outputs[0].name
    return [run({name: sample.image[None]})[output][0] for sample in samples]
