"""The ONNX graph, named and described so that it can be used without knowing where it is from."""

import json
from collections.abc import Iterator
from pathlib import Path

import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

from keras_dtl.export import transposed_convolution
from keras_dtl.export.deployable import Deployable
from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError
from keras_dtl.export.onnx_fusion import fuse_instance_normalizations
from keras_dtl.export.parity import Reading, axis_names
from keras_dtl.manifest import Manifest
from keras_dtl.version import __version__

OPSETS = range(13, 19)  # what tf2onnx writes


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
    for value in [*graph.graph.input, *graph.graph.output]:
        _name_axes(value, axes[value.name])
    # Sizes of values in between would carry invented names such as unk__12.
    del graph.graph.value_info[:]
    graph.graph.name = metadata["name"]
    graph.producer_name, graph.producer_version = "keras_dtl", __version__
    onnx.helper.set_model_props(graph, metadata)
    _check(graph)
    onnx.save_model(graph, path)


def read_onnx(draft: Draft, path: Path) -> Iterator[Reading]:
    """Yield the one `Reading` of an ONNX graph, on the CPU.

    Args:
        draft: The `Draft`.
        path: The file.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    yield Reading(lambda inputs: dict(zip(names, session.run(names, inputs), strict=True)))


def _metadata(manifest: Manifest) -> dict[str, str]:
    metadata = {"name": manifest.name, "task": manifest.task} | manifest.versions
    if manifest.classes is not None:
        metadata["classes"] = json.dumps(manifest.classes, ensure_ascii=False)
    return metadata


def _check(graph: onnx.ModelProto) -> None:
    try:
        onnx.checker.check_model(graph, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        # tf2onnx leaves what it does not know as it is, and goes on.
        raise ExportError(
            f"The model cannot be written as ONNX: {error}. Replace the operation that is named "
            "here, or try another opset."
        ) from error


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

    graph, _ = tf2onnx.convert.from_function(
        run,
        run.input_signature,
        opset=opset,
        custom_op_handlers={transposed_convolution.OPERATION: (transposed_convolution.convert, [])},
    )
    return graph


def _name_axes(value: onnx.ValueInfoProto, names: list[str | None]) -> None:
    for axis, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
        if name is not None:
            axis.dim_param = name
