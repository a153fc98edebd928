import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.layers import InstanceNormalization


def images(shape=(3, 6, 5, 4), seed=0):
    return np.random.default_rng(seed).normal(2.0, 3.0, size=shape).astype("float32")


def test_each_channel_of_each_image_is_normalised_over_its_positions():
    x = images()
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(InstanceNormalization()(x).numpy(), expected, atol=1e-5)


def test_equals_group_normalization_with_a_group_a_channel():
    x = images()
    group = keras.layers.GroupNormalization(groups=-1, epsilon=1e-5)
    np.testing.assert_allclose(InstanceNormalization()(x), group(x), atol=1e-5)


def test_one_image_is_normalised_alike_alone_and_in_a_batch():
    x, layer = images(), InstanceNormalization()
    alone = np.concatenate([layer(x[i : i + 1]).numpy() for i in range(len(x))])
    np.testing.assert_allclose(layer(x).numpy(), alone, atol=1e-6)  # sums in another order


def derivatives(x, upstream, training):
    """Return outputs, their gradient in the inputs, and the gradient of that gradient's square."""
    layer = InstanceNormalization(center=False, scale=False)
    x = tf.constant(x)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(y * upstream)
        first = inner.gradient(loss, x)
        penalty = tf.reduce_sum(tf.square(first))
    return y, first, outer.gradient(penalty, x)


@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 3), (2, 6, 3)])
def test_gradients_in_training_are_those_of_the_plain_formula(shape, run):
    """Also the second, which the gradient penalty takes."""
    x, upstream = images(shape), images(shape, 1)
    plain = run(lambda: derivatives(x, upstream, False))()
    fast = run(lambda: derivatives(x, upstream, True))()
    for a, b in zip(fast, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_learnt_factor_and_offset_are_applied():
    layer = InstanceNormalization(gamma_initializer="zeros", beta_initializer="ones")
    np.testing.assert_array_equal(layer(images()).numpy(), np.ones((3, 6, 5, 4), "float32"))
    bare = InstanceNormalization(center=False, scale=False)
    bare(images())
    assert bare.weights == []


def test_float16_statistics_do_not_overflow():
    x = images() * 100
    layer = InstanceNormalization(dtype="mixed_float16")
    y = layer(x.astype("float16"))
    assert y.dtype == "float16"
    reference = InstanceNormalization()(x.astype("float16").astype("float32"))
    np.testing.assert_allclose(y, reference, atol=2e-3)


def test_sequences_are_normalised_over_time():
    y = InstanceNormalization()(images((2, 50, 3))).numpy()
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-5)


def test_config_round_trip_and_vectors_refused():
    layer = InstanceNormalization(epsilon=1e-3, center=False)
    copy = InstanceNormalization.from_config(layer.get_config())
    assert (copy.epsilon, copy.center, copy.scale) == (1e-3, False, True)
    with pytest.raises(ValueError, match="positions"):
        InstanceNormalization()(np.zeros((2, 3), "float32"))


@pytest.mark.parametrize("size", [(8, 8), (64, 72), (256, 256), (600, 500)])
def test_even_planes_become_the_offset(size):
    """Not the rounding of their means, divided by hardly anything."""
    x = np.broadcast_to(np.float32([-0.3, 0.1, 57.3, 1e-6]), (2, *size, 4))
    last_digit = np.random.default_rng(0).choice([0, 2**-23], x.shape)  # as convolutions leave
    layer = InstanceNormalization(beta_initializer="ones")
    np.testing.assert_array_equal(layer((x * (1 + last_digit)).astype("float32")), 1.0)


def test_planes_of_little_contrast_keep_it():
    x = 100 + np.random.default_rng(0).normal(0, 0.01, (1, 32, 32, 2)).astype("float32")
    found = np.asarray(InstanceNormalization()(x))
    exact = x.astype("float64")
    exact = (exact - exact.mean((1, 2))) / np.sqrt(exact.var((1, 2)) + 1e-5)
    np.testing.assert_allclose(found, exact, atol=1e-3)
