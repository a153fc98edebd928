import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl import methods
from keras_dtl.data import endless_batches
from keras_dtl.methods import base
from keras_dtl.methods.batch_norm import fused_batch_norm
from tests.distribution.trainings import examples
from tests.networks import CLASSES, SHAPE, compiled, dense

FUSED = {"FusedBatchNormV3"}
IMAGES = np.random.default_rng(0).normal(2.0, 3.0, (4, 6, 5, 3)).astype("float32")


def network(**settings):
    keras.utils.set_random_seed(0)
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, name="low")(layers.Rescaling(1 / 64, offset=-2)(image))
    norm = layers.BatchNormalization(momentum=0.9, **settings)
    x = layers.ReLU()(norm(x))
    inner = keras.Sequential([keras.Input(x.shape[1:]), layers.BatchNormalization()])
    x = layers.Conv2D(4, 3, name="high")(layers.ReLU()(inner(x)))
    return keras.Model(image, layers.Flatten()(layers.BatchNormalization(trainable=False)(x)))


def operations(layer, images, training):
    call = tf.function(lambda x: layer(x, training=training))
    graph = call.get_concrete_function(tf.constant(images)).graph
    return {operation.type for operation in graph.get_operations()}


def trained(monkeypatch, fused, **settings):
    if not fused:
        monkeypatch.setattr(base, "fused_batch_norm", lambda *_: contextlib.nullcontext())
    keras.utils.set_random_seed(0)
    encoder = network(**settings)
    model = compiled(methods.FineTuning(encoder, dense(CLASSES, 64)), keras.optimizers.Adam(1e-3))
    history = model.fit(endless_batches(examples(0), 8), steps_per_epoch=10, epochs=2, verbose=0)
    assert not any("call" in vars(layer) for layer in encoder.layers)
    return model, history.history


SETTINGS = [{"scale": False}, {"center": False, "epsilon": 1e-2}]
SLOW = [pytest.param(settings, marks=pytest.mark.slow) for settings in SETTINGS]


@pytest.mark.parametrize("settings", [{}, *SLOW])
def test_a_method_learns_what_it_learns_with_keras_own_passes(settings, monkeypatch):
    ours, logs = trained(monkeypatch, True, **settings)
    theirs, expected = trained(monkeypatch, False, **settings)
    for variable, other in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(variable, other, rtol=1e-3, atol=2e-5, err_msg=variable.path)
    np.testing.assert_allclose(logs["loss"], expected["loss"], rtol=1e-4)
    x = examples(1).images
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-3)


def test_moving_statistics_are_of_the_batch_itself():
    layer = layers.BatchNormalization(momentum=0.0)
    layer.build(IMAGES.shape)
    with fused_batch_norm(keras.Sequential([layer])):
        layer(IMAGES, training=True)
    np.testing.assert_allclose(layer.moving_mean, IMAGES.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, IMAGES.var((0, 1, 2)), rtol=1e-5)


def test_one_operation_learns_and_layers_are_as_they_were_afterwards():
    layer = layers.BatchNormalization()
    model = keras.Sequential([keras.Input(IMAGES.shape[1:]), layer])
    with fused_batch_norm(model):
        assert operations(layer, IMAGES, True) >= FUSED
        assert not operations(layer, IMAGES, False) & FUSED
    with pytest.raises(TypeError), fused_batch_norm(model):
        raise TypeError
    assert "call" not in vars(layer)
    assert not operations(layer, IMAGES, True) & FUSED


class Doubled(layers.BatchNormalization):
    def call(self, inputs, training=None, mask=None):
        return 2 * super().call(inputs, training, mask)


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(trainable=False),
        layers.BatchNormalization(axis=1),
        layers.BatchNormalization(renorm=True),
        layers.BatchNormalization(epsilon=1e-6),
        layers.BatchNormalization(dtype="float64"),
        Doubled(),
    ],
    ids=["frozen", "axis", "renorm", "epsilon", "float64", "subclass"],
)
def test_what_the_operation_cannot_computes_as_keras_does(layer):
    layer.build(IMAGES.shape)
    start = layer.get_weights()
    expected = layer(IMAGES, training=True)
    statistics = layer.get_weights()
    layer.set_weights(start)
    with fused_batch_norm(keras.Sequential([layer])):
        assert not operations(layer, IMAGES, True) & FUSED
        layer.set_weights(start)
        np.testing.assert_array_equal(layer(IMAGES, training=True), expected)
    for ours, theirs in zip(layer.get_weights(), statistics, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape", [(4, 3), (4, 6, 3), (2, 2, 6, 5, 3)])
def test_vectors_sequences_and_volumes_compute_as_keras_does(shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer = layers.BatchNormalization()
    expected = layer(x, training=True)
    with fused_batch_norm(keras.Sequential([layer])):
        assert not operations(layer, x, True) & FUSED
        np.testing.assert_array_equal(layer(x, training=True), expected)


def test_half_precision_is_normalised_in_float32_and_given_back():
    layer = layers.BatchNormalization(dtype="mixed_bfloat16")
    layer.build(IMAGES.shape)
    images = tf.cast(IMAGES, "bfloat16")
    expected = layer(images, training=True)
    with fused_batch_norm(keras.Sequential([layer])):
        assert operations(layer, images, True) >= FUSED
        found = layer(images, training=True)
    assert found.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(found, "float32"), tf.cast(expected, "float32"), atol=0.02)


def test_gradients_of_gradients_are_those_of_keras_passes():
    """As a gradient penalty takes them of a critic."""
    layer = layers.BatchNormalization()
    model = keras.Sequential([keras.Input(IMAGES.shape[1:]), layer, layers.Activation("tanh")])

    def second():
        images = tf.constant(IMAGES)
        with tf.GradientTape() as outer:
            outer.watch(images)
            with tf.GradientTape() as inner:
                inner.watch(images)
                answer = tf.reduce_sum(model(images, training=True) ** 3)
            penalty = tf.reduce_sum(inner.gradient(answer, images) ** 2)
        return outer.gradient(penalty, [images, layer.gamma.value])

    expected = second()
    with fused_batch_norm(model):
        found = second()
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
