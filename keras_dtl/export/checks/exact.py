"""What a model computes in full float32, and in float64 where that loses some of a large mean."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_dtl.export.deployable import Deployable, float32_policy
from keras_dtl.layers.nesting import copy_weights


@contextlib.contextmanager
def full_float32() -> Iterator[None]:
    """Let TensorFlow compute float32 as such: on recent GPUs it rounds factors to 10 bits.

    That serves training. As the truth beside which files are measured it would not do.
    """
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def exact_outputs(
    deployable: Deployable, inputs: dict[str, np.ndarray]
) -> dict[str, np.ndarray] | None:
    """Return what the same layers make of inputs in float64.

    Args:
        deployable: The `Deployable`.
        inputs: Arrays by name of the input.

    Returns:
        Arrays by name of the output, of the dtypes that the model has; `None` where its layers
        cannot be built or run in float64.
    """
    with contextlib.suppress(TypeError, ValueError, NotImplementedError, tf.errors.OpError):
        config = _in_float64(keras.saving.serialize_keras_object(deployable.model))
        with float32_policy():
            model = keras.saving.deserialize_keras_object(config)
        copy_weights(deployable.model, model)
        wide = Deployable(model)
        names = [item.name for item in deployable.inputs]
        given = zip((item.name for item in wide.inputs), names, strict=True)
        outputs = wide({own: inputs[name] for own, name in given}).values()
        return {
            item.name: np.asarray(value).astype(item.dtype)
            for item, value in zip(deployable.outputs, outputs, strict=True)
        }
    return None


def _in_float64(value: Any) -> Any:
    """Replace every float32 in a serialized model, however deep."""
    if isinstance(value, dict):
        return {key: _in_float64(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_in_float64(item) for item in value)
    return "float64" if isinstance(value, str) and value == "float32" else value
