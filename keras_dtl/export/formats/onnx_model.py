"""The ONNX graph, named and described so that it can be used without knowing where it is from."""

import contextlib
import functools
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
from onnx import numpy_helper

from keras_dtl.export.checks.parity import Reading, axis_names
from keras_dtl.export.deployable import Deployable
from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError
from keras_dtl.export.graphs import operations, transposed_convolution
from keras_dtl.export.graphs.folded_time import moments_as_a_batch
from keras_dtl.export.graphs.grouped_convolution import as_one_operation
from keras_dtl.export.graphs.narrow_convolution import split_narrow_convolutions
from keras_dtl.export.graphs.onnx_fusion import fuse_instance_normalizations
from keras_dtl.export.graphs.served_graph import served_graph
from keras_dtl.layers.instance_normalization import bare_standardization
from keras_dtl.manifest import Manifest
from keras_dtl.version import __version__

OPSETS = range(13, 19)  # what tf2onnx writes
_HANDLERS = {
    transposed_convolution.OPERATION: transposed_convolution.convert,
    **operations.HANDLERS,
}


def write_onnx(draft: Draft, path: Path) -> None:
    """Convert a model to ONNX, name what a user sees of it, and check it.

    Args:
        draft: The `Draft`, whose manifest says which of `OPSETS` to write.
        path: The file to write.

    Raises:
        ExportError: The model holds an operation that ONNX lacks.
    """
    metadata = _metadata(draft.manifest)
    graph = onnx_graph(draft.deployable, int(draft.manifest.versions["opset"]))
    axes = axis_names(draft.deployable, draft.probes)
    fuse_instance_normalizations(graph)
    split_narrow_convolutions(graph)
    for value in [*graph.graph.input, *graph.graph.output]:
        _name_axes(value, axes[value.name])
    # Sizes of values in between would carry invented names such as unk__12.
    del graph.graph.value_info[:]
    graph.graph.name = metadata["name"]
    graph.producer_name, graph.producer_version = "keras_dtl", __version__
    onnx.helper.set_model_props(graph, metadata)
    check_graph(graph)
    draft.core = graph
    served = served_graph(graph, draft.manifest)
    onnx.checker.check_model(served, full_check=True)
    onnx.save_model(served, path)


def read_onnx(draft: Draft, path: Path) -> Iterator[Reading]:
    """Yield the one `Reading` of an ONNX graph, on the CPU.

    Args:
        draft: The `Draft`.
        path: The file.
    """
    with _in_words(path.name):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(inputs):
        with _in_words(path.name):
            return dict(zip(names, session.run(names, inputs), strict=True))

    yield Reading(run, probes=[*draft.probes, *draft.odd_probes])


@contextlib.contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Turn what onnxruntime raises, which has no base class but Exception, into an `ExportError`.

    Args:
        name: Of the graph's file.
    """
    try:
        yield
    except Exception as error:
        raise ExportError(
            f"{name} cannot be run by onnxruntime: {error}. Nothing was published. Replace the "
            "layer that is named here; where its numbers are float64, build it in float32."
        ) from error


def _metadata(manifest: Manifest) -> dict[str, str]:
    metadata = {"name": manifest.name, "task": manifest.task} | manifest.versions
    if manifest.classes is not None:
        metadata["classes"] = json.dumps(manifest.classes, ensure_ascii=False)
    return metadata


def check_graph(graph: onnx.ModelProto) -> None:
    """Refuse a graph that is not ONNX.

    Args:
        graph: As `onnx_graph` made it.

    Raises:
        ExportError: It holds an operation that ONNX lacks.
    """
    # tf2onnx leaves what it does not know as it is, and goes on.
    unknown = {node.op_type: node.name for node in graph.graph.node if not _is_known(node)}
    if unknown:
        named = ", ".join(f"{kind} ({place})" for kind, place in unknown.items())
        raise ExportError(
            f"The model cannot be written as ONNX, which has no operator for {named}. Replace the "
            "layer or the operation that is named here, or do that part before the model."
        )
    try:
        onnx.checker.check_model(graph, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(
            f"The model cannot be written as ONNX: {error}. Replace the operation that is named "
            "here, or try another opset."
        ) from error


def _is_known(node: onnx.NodeProto) -> bool:
    return bool(node.domain) or onnx.defs.has(node.op_type)


def onnx_graph(deployable: Deployable, opset: int) -> onnx.ModelProto:
    """Convert a model to an ONNX graph whose inputs and outputs bear its names.

    Args:
        deployable: A `Deployable`.
        opset: One of `OPSETS`.
    """

    @tf.function(input_signature=deployable.specs, autograph=False)
    def run(*tensors):
        outputs = deployable(
            dict(zip([spec.name for spec in deployable.specs], tensors, strict=True))
        )
        # An output that is an input, or another output, needs a node that can bear its name.
        return {name: tf.identity(tensor) for name, tensor in outputs.items()}

    convert = functools.partial(
        tf2onnx.convert.from_function,
        run,
        run.input_signature,
        opset=opset,
        custom_op_handlers={name: (handler, []) for name, handler in _HANDLERS.items()},
    )
    model = deployable.model
    with bare_standardization(), as_one_operation(model), moments_as_a_batch(model):
        try:
            with _optimised_in_place():
                graph, _ = convert()
        except Exception:  # noqa: BLE001 (of any kind: an optimisation that fails is left out then)
            graph = _converted_with_care(convert)
    _keep_constants(graph.graph, run.get_concrete_function(), len(deployable.specs))
    return graph


def _converted_with_care(convert: Callable) -> onnx.ModelProto:
    """Convert again, where an optimisation failed: it is left out, which is logged in a line."""
    log = logging.getLogger(tf2onnx.optimizer.__name__)
    log.addFilter(_without_trace)
    try:
        return convert()[0]
    except Exception as error:  # of any kind
        raise ExportError(f"The model cannot be written as ONNX: {error}.") from error
    finally:
        log.removeFilter(_without_trace)


def _without_trace(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True


@contextlib.contextmanager
def _optimised_in_place() -> Iterator[None]:
    """Keep tf2onnx from copying the graph, weights and all, before each of 24 optimisations.

    It does so to go on with the copy where one fails.
    """
    name = tf2onnx.constants.ENV_TF2ONNX_CATCH_ERRORS
    given = os.environ.get(name)
    os.environ[name] = "FALSE"
    try:
        yield
    finally:
        os.environ.pop(name)
        if given is not None:
            os.environ[name] = given


def _keep_constants(graph: onnx.GraphProto, traced: Any, num_inputs: int) -> None:
    """Make constants of what a layer computed once, such as the mean of a Normalization.

    They are tensors and no variables, which tf2onnx takes for further inputs.
    """
    extra = list(graph.input)[num_inputs:]
    values = [
        value for value, _ in traced.graph.captures if value.dtype not in (tf.resource, tf.variant)
    ]
    if len(extra) != len(values):
        names = ", ".join(item.name for item in extra)
        raise ExportError(
            f"The model cannot be written as ONNX: it takes {names} from outside, such as a table "
            "that words or numbers are looked up in. Do that part before the model."
        )
    for item, value in zip(extra, values, strict=True):
        graph.initializer.append(numpy_helper.from_array(value.numpy(), item.name))
        graph.input.remove(item)


def _name_axes(value: onnx.ValueInfoProto, names: list[str | None]) -> None:
    for axis, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
        if name is not None:
            axis.dim_param = name
