"""Names by which clients call a model."""

import keras
import numpy as np

from keras_dtl.export.deployable import Deployable


def output_names(model):
    return [item.name for item in Deployable(model).outputs]


def test_outputs_are_named_after_the_layers_that_make_them():
    code = keras.Input((4,), name="code")
    score = keras.layers.Dense(2, name="score")(code)
    bounded = keras.layers.Activation("tanh", name="bounded")(score)
    assert output_names(keras.Model(code, [score, bounded])) == ["score", "bounded"]
    inner = keras.Model(code, score, name="inner")
    assert output_names(keras.Model(code, inner(code))) == ["inner"]


def test_sequential_models_name_their_output_too():
    layers = [keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2, name="a-b")]
    model = keras.Sequential(layers)
    assert output_names(model) == ["a_b"]
    assert Deployable(model)({"input": np.ones((3, 4), "float32")})["a_b"].shape == (3, 2)


def test_outputs_of_one_name_are_told_apart():
    code = keras.Input((4,), name="code")
    score = keras.layers.Dense(2, name="score")(code)
    assert output_names(keras.Model(code, [score, score])) == ["score", "score_2"]
