"""Layers that are applied to each moment of a series: to all moments as one batch.

Keras repeats the layer for each moment of a series of known length. Of a free one a graph of Keras
3.15 goes through as many moments as there are examples.
"""

import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_dtl.layers.nesting import nested_layers


@contextlib.contextmanager
def moments_as_a_batch(model: keras.Model) -> Iterator[None]:
    """Trace each `TimeDistributed` as one call of its layer.

    Args:
        model: The model, whose layers compute so within.
    """
    repeated = keras.layers.TimeDistributed.call
    layers = [each for each in nested_layers(model) if type(each).call is repeated]
    for layer in layers:
        vars(layer)["call"] = functools.partial(_call, layer)
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["call"]


def _call(layer: Any, inputs: tf.Tensor, mask: Any = None, **options: Any) -> tf.Tensor:
    taken = inspect.signature(layer.layer.call).parameters
    options = {name: value for name, value in options.items() if name in taken}
    if mask is not None and "mask" in taken:
        options["mask"] = _folded(mask)
    made = layer.layer.call(_folded(inputs), **options)
    shape = tf.concat([tf.shape(inputs)[:2], tf.shape(made)[1:]], 0)
    return _shaped(tf.reshape(made, shape), (*inputs.shape[:2], *made.shape[1:]))


def _folded(moments: tf.Tensor) -> tf.Tensor:
    """Return `(batch x moments, ...)` of `(batch, moments, ...)`."""
    shape = tf.concat([[-1], tf.shape(moments)[2:]], 0)
    return _shaped(tf.reshape(moments, shape), (None, *moments.shape[2:]))


def _shaped(tensor: tf.Tensor, shape: tuple) -> tf.Tensor:
    tensor.set_shape(shape)
    return tensor
