"""Names by which clients call a model."""

import keras
import numpy as np
import pytest

from keras_dtl.export import ExportError
from keras_dtl.export.deployable import Deployable, deployable_of


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


def test_names_tell_where_in_a_structure_an_output_is():
    """Those of dictionaries within dictionaries ended in an error of zip."""
    code = keras.Input((4,), name="code")
    made = {"b": {"a": keras.layers.Dense(2)(code), "c": code * 2}, "a": code * 3}
    assert output_names(keras.Model(code, made)) == ["a", "b_a", "b_c"]


@pytest.mark.parametrize(("name", "served"), [("größe", "gr__e"), ("_x", "x"), ("图像", "tensor")])
def test_names_are_such_as_every_format_takes(name, served):
    """A SavedModel takes none that begins with an underscore; its own error told nothing."""
    [given] = Deployable(keras.Model(x := keras.Input((4,), name=name), x * 2)).inputs
    assert given.name == served


def test_a_size_that_a_network_does_not_take_is_told_in_words():
    image = keras.Input((None, None, 3), name="image")
    half = keras.layers.AveragePooling2D(2, padding="same")(image)
    both = keras.layers.Concatenate()([image, keras.layers.UpSampling2D()(half)])
    with pytest.raises(ExportError, match=r"image \(1, 5, 4, 3\): .*Concat.*`size_multiple`"):
        Deployable(keras.Model(image, both)).arrays({"image": np.ones((1, 5, 4, 3), "float32")})


def test_what_a_layer_computed_of_its_weights_goes_to_float32_too():
    """A network of half precision was refused, as its Normalization forgot the data."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    code, scale = keras.Input((4,), name="code"), keras.layers.Normalization()
    x = np.random.default_rng(0).normal(30, 4, (50, 4)).astype("float32")
    scale.adapt(x)
    [received] = deployable_of(keras.Model(code, scale(code)))({"code": x}).values()
    np.testing.assert_allclose(received, (x - x.mean(0)) / x.std(0), atol=1e-4)
