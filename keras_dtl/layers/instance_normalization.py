import contextlib
import contextvars
import math

import keras
import tensorflow as tf
from keras import ops

EVEN = 1e-5
"""Share of its mean up to which a plane's deviation is rounding: it is taken for even."""
_MOST_POSITIONS = 256 * 256  # of which one sum in float32 holds the mean


_BARE = contextvars.ContextVar("bare", default=False)


@contextlib.contextmanager
def bare_standardization():
    """Trace the mere formula, for who sees to even planes otherwise.

    `keras_dtl.export.graphs.served_graph` does: ONNX has one operator for the formula.
    """
    token = _BARE.set(True)
    try:
        yield
    finally:
        _BARE.reset(token)


def mean_over_positions(x, at_once=False):
    """Return the mean over all axes but first and last, which stay with length 1.

    One axis after the other: summed number by number, the float32 mean of an even plane of 12
    megapixels is wrong by a sixth.

    Args:
        x: Tensor `(batch, ..., channels)`.
        at_once: Whether few positions are summed number by number, which is faster.
    """
    sizes = x.shape[1:-1]
    positions = list(range(1, len(x.shape) - 1))
    if at_once and None not in sizes and math.prod(sizes) <= _MOST_POSITIONS:
        return tf.reduce_mean(x, positions, keepdims=True)
    for axis in reversed(positions):
        x = tf.reduce_mean(x, axis, keepdims=True)
    return x


def standardize(x, epsilon, at_once=False):
    """Return `(x - mean) / deviation` and `1 / deviation`, over all axes but first and last.

    Both are 0 where nothing but rounding is left of a plane, which would come out as noise.
    """
    mean = mean_over_positions(x, at_once)
    centred = x - mean
    variance = mean_over_positions(tf.square(centred), at_once)
    inverse = tf.math.rsqrt(variance + epsilon)
    if not _BARE.get():
        inverse = tf.where(variance > tf.square(EVEN * mean), inverse, 0.0)
    return centred * inverse, inverse


@tf.custom_gradient
def standardize_in_training(x, epsilon):
    """Return the first of `standardize`, with a gradient of half as many passes over memory."""
    positions = list(range(1, len(x.shape) - 1))
    y, inverse = standardize(x, epsilon, at_once=True)

    def gradient(upstream):
        mean = tf.reduce_mean(upstream, positions, keepdims=True)
        along = tf.reduce_mean(upstream * y, positions, keepdims=True)
        return (upstream - mean - y * along) * inverse, None

    return y, gradient


@keras.saving.register_keras_serializable("keras_dtl")
class InstanceNormalization(keras.layers.Layer):
    """Normalises each channel of each example over its own positions.

    Nothing is shared between the examples of a batch and nothing is remembered between
    batches, so one image is normalised the same way alone, in a batch, in training and in
    production. It equals `GroupNormalization(groups=-1)`, whose exported graph has nearly
    twice the nodes.

    Reference: Ulyanov, Vedaldi & Lempitsky, "Instance Normalization: The Missing Ingredient
    for Fast Stylization", 2016.

    Args:
        epsilon: Added to the variance. The default is the 1e-5 of the published generators;
            Keras' normalisation layers take 1e-3.
        center: Whether a learnt offset is added, one number a channel.
        scale: Whether a learnt factor is applied, one number a channel.
        beta_initializer: How the offset starts.
        gamma_initializer: How the factor starts.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., channels)` with one or more axes of positions.
        training: Whether a gradient is wanted soon; the numbers are the same.

    An even plane, such as a blank image makes, becomes the learnt offset: its deviation is no more
    than the rounding of its mean, by which noise would be divided.

    Output shape: that of the input. Statistics are taken in float32 under any policy.
    """

    def __init__(
        self,
        epsilon=1e-5,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(
                "InstanceNormalization needs an input of shape (batch, positions, channels) or "
                f"(batch, height, width, channels). Received: input_shape={tuple(input_shape)}"
            )
        channels = (input_shape[-1],)
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=channels, initializer=self.gamma_initializer
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta", shape=channels, initializer=self.beta_initializer
            )

    def call(self, inputs, training=False):
        inputs = ops.convert_to_tensor(inputs)
        x = ops.cast(inputs, "float32")
        # A SavedModel cannot keep a gradient of its own: what is exported holds none.
        if training:
            x = standardize_in_training(x, self.epsilon)
        else:
            x, _ = standardize(x, self.epsilon)
        if self.scale:
            x = x * ops.cast(self.gamma, "float32")
        if self.center:
            x = x + ops.cast(self.beta, "float32")
        return ops.cast(x, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
        }
