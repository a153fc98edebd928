"""Batch normalisation in one operation while a method learns."""

import contextlib
import functools
import logging

import keras
import tensorflow as tf

from keras_dtl.methods.networks import batch_norm_layers

logger = logging.getLogger("keras_dtl")

_LEAST_EPSILON = 1.001e-5
"""The least that cuDNN takes."""


@contextlib.contextmanager
def fused_batch_norm(*networks):
    """Have the batch normalisation of networks learn by TensorFlow's operation for it.

    Keras writes it as a dozen passes over every image, which on a CPU is half of the step of a
    network such as MobileNetV2. The operation computes the same: outputs, gradients and moving
    statistics agree to rounding. Layers that do not learn, that renormalise, synchronise, mask or
    normalise another axis than the last of images compute as Keras does, and so do all of them
    outside of this context.

    Args:
        *networks: Keras models; their layers are as they were when the context ends.
    """
    with calling(filter(_is_plain, batch_norm_layers(*networks)), _call):
        yield


@contextlib.contextmanager
def calling(layers, call):
    """Let layers compute by another function, and then by what they computed by before.

    Args:
        layers: Keras layers.
        call: Function of a layer and of what its `call` takes.
    """
    before = [(layer, vars(layer).get("call")) for layer in layers]
    for layer, _ in before:
        layer.call = functools.partial(call, layer)
    try:
        yield
    finally:
        for layer, own in before:
            vars(layer).pop("call", None)
            if own is not None:
                layer.call = own


def freeze_or_tell(layers, policy):
    """Freeze batch normalisation by the policy `"frozen"`; by another, tell what is frozen.

    Args:
        layers: Those of batch normalisation.
        policy: `batch_norm` of a method.
    """
    frozen = [layer.name for layer in layers if not layer.trainable]
    for layer in layers if policy == "frozen" else ():
        layer.trainable = False
    if frozen and policy != "frozen":
        logger.warning(
            "Under batch_norm=%r %d of %d layers of batch normalisation do not learn, such as %s: "
            "they were frozen before (`trainable`), perhaps by another model of these networks. "
            'Set their `trainable` to True, or pass batch_norm="frozen" to say so.',
            *(policy, len(frozen), len(layers), frozen[0]),
        )


def _is_plain(layer):
    return (
        type(layer).call is keras.layers.BatchNormalization.call
        and layer.axis in (-1, 3)
        and not layer.renorm
        and not layer.synchronized
        and layer.epsilon >= _LEAST_EPSILON
        and "call" not in vars(layer)
    )


def _call(layer, inputs, training=None, mask=None):
    dtype = keras.backend.result_type(inputs.dtype, "float32")
    learns = training and layer.trainable
    if not learns or mask is not None or len(inputs.shape) != 4 or dtype != "float32":
        return type(layer).call(layer, inputs, training=training, mask=mask)
    channels = (inputs.shape[-1],)
    gamma = tf.cast(layer.gamma, dtype) if layer.scale else tf.ones(channels, dtype)
    beta = tf.cast(layer.beta, dtype) if layer.center else tf.zeros(channels, dtype)
    result = tf.raw_ops.FusedBatchNormV3(
        x=tf.cast(inputs, dtype),
        scale=gamma,
        offset=beta,
        mean=tf.zeros(0, dtype),
        variance=tf.zeros(0, dtype),
        epsilon=layer.epsilon,
        is_training=True,
    )
    count = tf.cast(tf.size(inputs) // channels[0], dtype)
    # of the whole population, as Keras keeps it, not of a sample
    found = {
        "moving_mean": result.batch_mean,
        "moving_variance": result.batch_variance * (count - 1) / count,
    }
    for name, value in found.items():
        moving = getattr(layer, name)
        kept = tf.cast(moving, dtype) * layer.momentum
        moving.assign(kept + tf.stop_gradient(value) * (1.0 - layer.momentum))
    return tf.cast(result.y, layer.compute_dtype)
