"""Pixels that become squares."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.layers import RepeatPixels


@pytest.mark.parametrize("factor", [2, 3])
def test_each_pixel_becomes_a_square(factor):
    images = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    found = RepeatPixels(factor)(images)
    np.testing.assert_array_equal(found, images.repeat(factor, 1).repeat(factor, 2))


def test_gradients_of_a_square_add_up():
    images = tf.Variable(tf.zeros((1, 2, 2, 1)))
    weights = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(RepeatPixels()(images) * weights)
    wanted = weights.reshape(2, 2, 2, 2).sum((1, 3)).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(tape.gradient(loss, images), wanted)


def test_sizes_may_be_unknown_and_the_layer_is_saved(tmp_path):
    image = keras.Input((None, 4, 3))
    model = keras.Model(image, RepeatPixels(3)(image))
    assert model.output_shape == (None, None, 12, 3)
    model.save(tmp_path / "model.keras")
    x = np.ones((1, 2, 4, 3), "float32")
    assert keras.saving.load_model(tmp_path / "model.keras")(x).shape == (1, 6, 12, 3)


@pytest.mark.parametrize("factor", [1, 2.0, "2"])
def test_factor_is_checked(factor):
    with pytest.raises(ValueError, match="factor"):
        RepeatPixels(factor)
