"""The pieces of which the image networks of Isola et al. and Zhu et al. are made."""

import keras
from keras import layers

from keras_dtl.layers import InstanceNormalization

NORMALIZATIONS = ("batch", "instance", None)
EPSILON = 1e-5
LEAK = 0.2


def kernel_initializer():
    """Return the papers' start of every kernel: normal with deviation 0.02."""
    return keras.initializers.RandomNormal(0.0, 0.02)


def convolution(filters, size, strides=1, normalization=None, transposed=False, padding="valid"):
    """Return a convolution whose bias is left out where a normalisation would subtract it."""
    layer = layers.Conv2DTranspose if transposed else layers.Conv2D
    return layer(
        filters,
        size,
        strides=strides,
        padding=padding,
        use_bias=normalization is None,
        kernel_initializer=kernel_initializer(),
    )


def normalize(x, normalization):
    """Apply the named normalisation as the published PyTorch networks have it.

    Batch normalisation learns a factor, which starts near 1, and an offset; instance
    normalisation learns nothing.
    """
    if normalization == "batch":
        factor = keras.initializers.RandomNormal(1.0, 0.02)
        return layers.BatchNormalization(momentum=0.9, epsilon=EPSILON, gamma_initializer=factor)(x)
    if normalization == "instance":
        return InstanceNormalization(epsilon=EPSILON, center=False, scale=False)(x)
    return x


def leaky(x):
    return layers.LeakyReLU(negative_slope=LEAK)(x)


def tanh_output(x):
    """Bring images into -1..1, in float32 whatever the policy."""
    return layers.Activation("tanh", dtype="float32", name="generated")(x)


def check_normalization(normalization):
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"`normalization` must be one of {NORMALIZATIONS}. Received: {normalization!r}"
        )
