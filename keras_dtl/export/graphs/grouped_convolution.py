"""Convolutions of groups as ordinary operations, where Keras compiles them by XLA.

Keras runs them in a function that must be compiled, which ONNX and LiteRT have no operator for, and
which servers without XLA refuse.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_dtl.layers.nesting import nested_layers


@contextlib.contextmanager
def as_one_operation(model: keras.Model) -> Iterator[None]:
    """Trace each convolution of groups as one operation, which becomes one of ONNX.

    TensorFlow itself does not run it on every CPU. Those of volumes become one for every group, as
    tf2onnx takes all channels for one.

    Args:
        model: The model, whose layers compute so within.
    """
    with _computed_by(model, _one_of_planes):
        yield


@contextlib.contextmanager
def as_one_a_group(model: keras.Model) -> Iterator[None]:
    """Trace each convolution of groups as ordinary ones, which run anywhere.

    They are one for every group, or a depthwise one where each channel is a group.

    Args:
        model: The model, whose layers compute so within.
    """
    with _computed_by(model, _split):
        yield


@contextlib.contextmanager
def _computed_by(model: keras.Model, compute: Callable) -> Iterator[None]:
    grouped = [layer for layer in nested_layers(model) if _is_grouped(layer)]
    for layer in grouped:
        name, function = _replaced(layer)
        vars(layer)[name] = functools.partial(function, layer, compute)
    try:
        yield
    finally:
        for layer in grouped:
            del vars(layer)[_replaced(layer)[0]]


def _is_grouped(layer: keras.layers.Layer) -> bool:
    if getattr(layer, "groups", 1) == 1 or not hasattr(layer, "convolution_op"):
        return False
    return getattr(layer, "data_format", None) == "channels_last"


def _replaced(layer: Any) -> tuple[str, Callable]:
    """Return the method of a layer that convolves, and what takes its place."""
    if isinstance(layer, keras.layers.Conv1D):  # which has no method for the operation alone
        return "call", _call_of_sequences
    return "convolution_op", _convolve


def _convolve(layer: Any, compute: Callable, inputs: tf.Tensor, kernel: Any) -> tf.Tensor:
    return compute(layer, inputs, tf.convert_to_tensor(kernel))


def _call_of_sequences(layer: Any, compute: Callable, inputs: tf.Tensor) -> tf.Tensor:
    if layer.padding == "causal":
        before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
        inputs = tf.pad(inputs, [[0, 0], [before, 0], [0, 0]])
    outputs = compute(layer, inputs, tf.convert_to_tensor(layer.kernel))
    outputs = outputs + layer.bias if layer.use_bias else outputs
    return outputs if layer.activation is None else layer.activation(outputs)


def _one(layer: Any, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return tf.nn.convolution(
        inputs,
        kernel,
        strides=list(layer.strides),
        padding="SAME" if layer.padding == "same" else "VALID",
        dilations=list(layer.dilation_rate),
    )


def _one_of_planes(layer: Any, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return (_split if inputs.shape.rank > 4 else _one)(layer, inputs, kernel)


def _split(layer: Any, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    if _is_depthwise(layer, inputs):
        size = [*kernel.shape[:2], layer.groups, kernel.shape[-1] // layer.groups]
        return tf.nn.depthwise_conv2d(
            inputs,
            tf.reshape(kernel, size),
            strides=[1, *layer.strides, 1],
            padding="SAME" if layer.padding == "same" else "VALID",
            dilations=list(layer.dilation_rate),
        )
    kernels = tf.split(kernel, layer.groups, axis=-1)
    parts = tf.split(inputs, layer.groups, axis=-1)
    made = [_one(layer, part, each) for part, each in zip(parts, kernels, strict=True)]
    return tf.concat(made, -1)


def _is_depthwise(layer: Any, inputs: tf.Tensor) -> bool:
    """Whether every channel of images is a group, of which TensorFlow has an operation."""
    strides, dilations = set(layer.strides), set(layer.dilation_rate)
    is_plain = len(strides) == 1 and {1} in (strides, dilations)
    return is_plain and inputs.shape.rank == 4 and inputs.shape[-1] == layer.groups
