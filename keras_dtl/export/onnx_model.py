"""The ONNX graph, named and described so that it can be used without knowing where it is from."""

import onnx
import tensorflow as tf
import tf2onnx

from keras_dtl.export.errors import ExportError
from keras_dtl.export.normalization import fuse_instance_normalization
from keras_dtl.version import __version__

OPSETS = range(13, 19)  # what tf2onnx writes


def write_onnx(deployable, path, *, opset, axes, metadata):
    """Convert a model to ONNX, name what a user sees of it, and check it.

    Args:
        deployable: A `Deployable`.
        path: The file to write.
        opset: One of `OPSETS`.
        axes: Names of the axes of each input and output, by its name; `None` for a fixed axis.
        metadata: Texts by name, kept in the file.

    Raises:
        ExportError: The model holds an operation that ONNX lacks.
    """
    graph = onnx_graph(deployable, opset)
    fuse_instance_normalization(graph)
    for value in [*graph.graph.input, *graph.graph.output]:
        _name_axes(value, axes[value.name])
    # Sizes of values in between would carry invented names such as unk__12.
    del graph.graph.value_info[:]
    graph.graph.name = metadata["name"]
    graph.producer_name, graph.producer_version = "keras_dtl", __version__
    onnx.helper.set_model_props(graph, metadata)
    _check(graph)
    onnx.save_model(graph, path)


def _check(graph):
    try:
        onnx.checker.check_model(graph, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        # tf2onnx leaves what it does not know as it is, and goes on.
        raise ExportError(
            f"The model cannot be written as ONNX: {error}. Replace the operation that is named "
            "here, or try another opset."
        ) from error


def onnx_graph(deployable, opset):
    """Convert a `Deployable` to an `onnx.ModelProto` whose inputs and outputs bear its names."""

    @tf.function(input_signature=deployable.specs, autograph=False)
    def run(*tensors):
        outputs = deployable(
            dict(zip([spec.name for spec in deployable.specs], tensors, strict=True))
        )
        # An output that is an input, or another output, needs a node that can bear its name.
        return {name: tf.identity(tensor) for name, tensor in outputs.items()}

    graph, _ = tf2onnx.convert.from_function(run, run.input_signature, opset=opset)
    return graph


def _name_axes(value, names):
    for axis, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
        if name is not None:
            axis.dim_param = name
