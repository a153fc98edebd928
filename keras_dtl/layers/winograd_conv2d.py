import keras
import numpy as np
from keras import ops

# Winograd's F(4x4, 3x3): four outputs of a row come from six inputs by six products, not twelve.
_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_KERNEL = np.array(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], "float64"
) / [[24]]
_OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
_STEP, _SPAN = 4, 6

WIDE = 128
"""Channels from which on the products that are spared outweigh the sums that are added."""


@keras.saving.register_keras_serializable("keras_dtl")
class WinogradConv2D(keras.layers.Layer):
    """A frozen 3x3 convolution that needs a quarter of the products.

    The image is cut into tiles of 4x4 pixels. Small sums take each of them, and the kernel once
    and for all, to a space where convolving is 36 products for each pair of channels instead of
    144. Results are those of `Conv2D` with `padding="same"` but for rounding, some 1e-6 of their
    size. It pays on a CPU, for many channels, and compiled by XLA, which fuses the sums.

    Reference: Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.

    Args:
        filters: Channels of the output.
        activation: As of `keras.layers.Conv2D`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, channels)`.

    Output shape: `(batch, height, width, filters)`.
    """

    def __init__(self, filters, activation=None, **kwargs):
        super().__init__(**{"trainable": False, **kwargs})
        self.filters = filters
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        shape = (_SPAN**2, input_shape[-1], self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, trainable=False)
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer="zeros", trainable=False
        )

    def take(self, kernel, bias):
        """Take the weights of a convolution, `(3, 3, channels, filters)` and `(filters,)`."""
        kernel = np.einsum("ij,jkcf,lk->licf", _KERNEL, kernel.astype("float64"), _KERNEL)
        self.set_weights([kernel.reshape(self.kernel.shape), bias])

    def call(self, images):
        batch, height, width, channels = ops.shape(images)
        rows, columns = -(-height // _STEP), -(-width // _STEP)
        below, right = rows * _STEP + 1 - height, columns * _STEP + 1 - width
        x = ops.pad(images, ((0, 0), (1, below), (1, right), (0, 0)))
        x = _sums(_INPUT, _spans(x, rows, axis=1))  # (6, batch, rows, width, channels)
        x = _sums(_INPUT, _spans(x, columns, axis=3))  # (6, 6, batch, rows, columns, channels)
        x = ops.matmul(ops.reshape(x, (_SPAN**2, -1, channels)), self.kernel)
        x = ops.reshape(x, (_SPAN, _SPAN, batch, rows, columns, self.filters))
        x = _sums(_OUTPUT, ops.unstack(x, _SPAN))  # (4 of width, 6 of height, batch, ...)
        x = _sums(_OUTPUT, ops.unstack(x, _SPAN, axis=1))  # (4 of height, 4 of width, batch, ...)
        x = ops.transpose(x, (2, 3, 0, 4, 1, 5))
        x = ops.reshape(x, (batch, rows * _STEP, columns * _STEP, self.filters))
        return self.activation(x[:, :height, :width] + self.bias)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "filters": self.filters, "activation": activation}


def with_winograd(network):
    """Return a network whose wide 3x3 convolutions are of Winograd's kind; all else is shared.

    Args:
        network: A functional model. It is left as it is, and later changes of its weights do not
            reach the convolutions of the copy.
    """

    def exchange(layer):
        if not _suits(layer):
            return layer
        copy = WinogradConv2D(layer.filters, layer.activation, name=layer.name)
        copy.build(layer.input.shape)
        copy.take(*layer.get_weights())
        return copy

    return keras.models.clone_model(network, clone_function=exchange)


def suits_winograd(network):
    """Say whether any convolution of a network is worth an exchange.

    Args:
        network: A functional or sequential Keras model.
    """
    return any(_suits(layer) for layer in network.layers)


def _suits(layer):
    return (
        isinstance(layer, keras.layers.Conv2D)
        and (layer.kernel_size, layer.strides, layer.dilation_rate) == ((3, 3), (1, 1), (1, 1))
        and (layer.padding, layer.groups, layer.data_format) == ("same", 1, "channels_last")
        and layer.use_bias
        and layer.compute_dtype == "float32"  # sums of large factors need its digits
        and min(layer.kernel.shape[2:]) >= WIDE
    )


def _spans(x, count, axis):
    """Return for k in 0..5 the k-th row (or column) of each of `count` overlapping tiles."""
    before = (slice(None),) * axis
    return [x[(*before, slice(k, k + _STEP * (count - 1) + 1, _STEP))] for k in range(_SPAN)]


def _sums(matrix, parts):
    """Return the stacked sums of parts that a matrix of small whole numbers asks for."""
    terms = ([(f, part) for f, part in zip(row, parts, strict=True) if f] for row in matrix)
    return ops.stack([sum(part if f == 1 else f * part for f, part in row) for row in terms])
