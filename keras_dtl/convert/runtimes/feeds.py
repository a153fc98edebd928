"""What a model takes and gives, compared with what its manifest says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_dtl.convert.runtimes.graphs import ArtifactError
from keras_dtl.manifest import Tensor


def check_inputs(inputs: Mapping[str, Any], tensors: Sequence[Tensor]) -> dict[str, np.ndarray]:
    """Return what a model is given as arrays of the types and shapes that it takes.

    Args:
        inputs: Array by name of input.
        tensors: What the manifest says of the inputs.

    Raises:
        ValueError: They are others.
    """
    expected = [tensor.name for tensor in tensors]
    if sorted(inputs) != sorted(expected):
        raise ValueError(f"The model takes the inputs {expected}; received {sorted(inputs)}.")
    arrays = {name: np.asarray(array) for name, array in inputs.items()}
    for tensor in tensors:
        array = arrays[tensor.name]
        if array.dtype != tensor.dtype or not _fits(array.shape, tensor.shape):
            shape = tuple("any" if size is None else size for size in tensor.shape)
            raise ValueError(
                f"Input {tensor.name!r} must be {tensor.dtype} of shape {shape}; received "
                f"{array.dtype} of shape {array.shape}."
            )
    return arrays


def _fits(shape, expected):
    return len(shape) == len(expected) and all(
        wanted in (None, size) and size > 0 for size, wanted in zip(shape, expected, strict=True)
    )


def check_names(kind: str, tensors: Sequence[Tensor], values: Sequence[Any]) -> None:
    """Refuse a graph whose inputs or outputs the manifest does not name.

    Args:
        kind: `"inputs"` or `"outputs"`, for the message.
        tensors: What the manifest says of them.
        values: What the runtime says.

    Raises:
        ArtifactError: The names differ.
    """
    expected, received = {item.name for item in tensors}, {value.name for value in values}
    if expected != received:
        raise ArtifactError(
            f"The ONNX graph has the {kind} {sorted(received)}, the manifest says "
            f"{sorted(expected)}. Export the model again."
        )
