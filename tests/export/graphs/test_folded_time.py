"""Layers that are applied to each moment, of series of one length and of any."""

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl.export.deployable import deployable_of
from keras_dtl.export.formats.onnx_model import onnx_graph
from keras_dtl.export.graphs.folded_time import moments_as_a_batch


def tagger(length):
    """A sum of each moment of films of 3x3 pixels, which a mask goes around, and its double."""
    keras.utils.set_random_seed(0)
    film = keras.Input((length, 3, 3, 1), name="film")
    each = keras.Sequential([layers.Conv2D(2, 2), layers.GlobalAveragePooling2D()])
    moments = layers.Masking()(layers.TimeDistributed(each)(film))
    return keras.Model(film, layers.TimeDistributed(layers.Dense(2))(moments))


@pytest.mark.parametrize("length", [None, 5])
def test_a_graph_makes_as_many_moments_as_it_is_given(length):
    """One of Keras' own, of a free length, makes as many as there are examples."""
    model, x = tagger(length), np.random.default_rng(0).normal(size=(2, 5, 3, 3, 1)).astype("f4")
    expected = model(x)
    spec = tf.TensorSpec((None, length, 3, 3, 1), name="film")
    with moments_as_a_batch(model):
        run = tf.function(lambda film: model(film), [spec], autograph=False)
        served = run(x)
    assert run.get_concrete_function().output_shapes == (None, length, 2)
    np.testing.assert_allclose(served, expected, atol=1e-6)
    np.testing.assert_allclose(model(x), expected, atol=1e-6)  # the model is as it was


def test_converters_follow_it():
    model, x = tagger(None), np.random.default_rng(0).normal(size=(2, 5, 3, 3, 1)).astype("f4")
    graph = onnx_graph(deployable_of(model), 18).SerializeToString()
    (received,) = onnxruntime.InferenceSession(graph).run(None, {"film": x})
    np.testing.assert_allclose(received, model(x), atol=1e-6)
