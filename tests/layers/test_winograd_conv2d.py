import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl.layers import WinogradConv2D, suits_winograd, with_winograd
from keras_dtl.layers.winograd_conv2d import WIDE


def convolution_and_copy(channels=5, filters=7, activation="relu"):
    convolution = layers.Conv2D(filters, 3, padding="same", activation=activation)
    convolution.build((None, None, None, channels))
    copy = WinogradConv2D(filters, activation)
    copy.build((None, None, None, channels))
    kernel, bias = (np.random.default_rng(0).normal(size=w.shape) for w in convolution.weights)
    convolution.set_weights([kernel, bias])
    copy.take(kernel, bias)
    return convolution, copy


@pytest.mark.parametrize("size", [(8, 8), (1, 1), (3, 6), (9, 14)])
def test_output_and_gradient_are_those_of_a_convolution(size):
    images = tf.constant(np.random.default_rng(1).normal(size=(2, *size, 5)).astype("float32"))
    found = []
    for layer in convolution_and_copy():
        with tf.GradientTape() as tape:
            tape.watch(images)
            maps = layer(images)
            loss = tf.reduce_sum(maps**2)
        found.append((maps, tape.gradient(loss, images)))
    for expected, received in zip(*found, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(received, expected, atol=1e-5 * scale)


def test_image_size_may_be_unknown_and_config_round_trips():
    _, copy = convolution_and_copy()
    image = keras.Input((None, None, 5))
    assert keras.Model(image, copy(image)).output_shape == (None, None, None, 7)
    again = WinogradConv2D.from_config(copy.get_config())
    assert (again.filters, again.activation, again.trainable) == (7, copy.activation, False)


def network(filters, **options):
    image = keras.Input((None, None, 3))
    narrow = layers.Conv2D(WIDE, 3, padding="same", activation="relu", name="narrow")(image)
    x = layers.AveragePooling2D(2)(narrow)
    wide = layers.Conv2D(filters, 3, **{"padding": "same", "name": "wide", **options})(x)
    return keras.Model(image, {"narrow": narrow, "wide": wide})


def test_network_keeps_its_outputs_with_wide_convolutions_exchanged():
    given = network(WIDE)
    copy = with_winograd(given)
    kinds = {
        layer.name: type(layer)
        for layer in copy.layers
        if "narrow" in layer.name or "wide" in layer.name
    }
    assert kinds == {"narrow": layers.Conv2D, "wide": WinogradConv2D}
    images = np.random.default_rng(2).uniform(0, 1, (1, 12, 10, 3))
    expected, received = given(images), copy(images)
    assert set(received) == {"narrow", "wide"}
    for name, maps in received.items():
        np.testing.assert_allclose(maps, expected[name], atol=1e-5)


@pytest.mark.parametrize(
    ("filters", "options"),
    [
        (WIDE // 2, {}),
        (WIDE, {"strides": 2}),
        (WIDE, {"padding": "valid"}),
        (WIDE, {"dilation_rate": 2}),
        (WIDE, {"use_bias": False}),
        (WIDE, {"groups": 2}),
        (WIDE, {"dtype": "mixed_float16"}),
    ],
)
def test_other_convolutions_stay(filters, options):
    assert suits_winograd(network(WIDE))
    assert not suits_winograd(network(filters, **options))
