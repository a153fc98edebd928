"""Predictions over arrays: those of Keras, bit for bit, from a pipeline that prints nothing."""

import keras
import numpy as np
import pytest

from keras_dtl.prediction import batches_of, predict


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    image = keras.Input((4, 4, 1), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))
    return keras.Model(image, keras.layers.Dense(3)(x))


@pytest.mark.parametrize("count", [1, 4, 10])
def test_answers_are_those_of_keras(network, count):
    images = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 1)).astype("uint8")
    expected = network.predict(images, batch_size=4, verbose=0)
    np.testing.assert_array_equal(predict(network, images, batch_size=4), expected)


def test_several_outputs_keep_their_structure(network):
    both = keras.Model(network.inputs[0], {"a": network.output, "b": network.layers[1].output})
    found = predict(both, np.zeros((5, 4, 4, 1), "uint8"), batch_size=2)
    assert {name: value.shape for name, value in found.items()} == {"a": (5, 3), "b": (5, 4, 4, 1)}


def test_batches_are_in_order_and_the_last_one_short():
    batches = [*batches_of(np.arange(5, dtype="uint8"), 2).as_numpy_iterator()]
    assert [batch.tolist() for batch in batches] == [[0, 1], [2, 3], [4]]


def test_more_images_are_no_more_graphs(network):
    fresh, traces = keras.Model(network.inputs[0], network.output), []
    fresh.call = lambda images, training=False, **kwargs: traces.append(1) or network(images)
    predict(fresh, np.zeros((5, 4, 4, 1), "uint8"), batch_size=4)
    count = len(traces)  # of a full batch, and of any
    for examples in (8, 3, 11):
        predict(fresh, np.zeros((examples, 4, 4, 1), "uint8"), batch_size=4)
    assert len(traces) == count <= 2
