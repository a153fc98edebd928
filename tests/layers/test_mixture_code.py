import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.layers import MixtureCode


def test_codes_lie_about_the_mean_whose_direction_they_point_to():
    layer = MixtureCode(6, deviation=0.1, sharpness=1e4)
    code = np.random.default_rng(0).normal(size=(600, 8)).astype("float32")
    found = layer(code).numpy()
    directions = layer.directions.numpy() / np.linalg.norm(layer.directions, axis=0)
    chosen = (code @ directions).argmax(1)
    expected = layer.means.numpy()[chosen] + 0.1 * code
    assert np.mean(np.abs(found - expected).max(1) < 1e-3) > 0.99
    assert np.bincount(chosen, minlength=6).min() > 30  # each is drawn


def test_means_learn_and_directions_do_not():
    layer = MixtureCode(3)
    code = tf.random.stateless_normal((64, 5), (0, 1))
    with tf.GradientTape() as tape:
        tape.watch(code)
        loss = tf.reduce_sum(tf.square(layer(code)))
    of_means, of_code = tape.gradient(loss, [layer.means, code])
    assert np.abs(of_means).max(1).min() > 0 and np.isfinite(of_code).all()
    assert [weight.name for weight in layer.trainable_weights] == ["means"]


def test_saved_and_loaded_layer_is_the_same_under_any_policy(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    code = keras.Input((4,))
    model = keras.Model(code, MixtureCode(3, 0.2, 10.0)(code))
    assert model.output.dtype == "float32"
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    draws = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_array_equal(loaded(draws), model(draws))


@pytest.mark.parametrize(
    "arguments", [{"modes": 1}, {"modes": 4, "deviation": 0}, {"modes": 4, "sharpness": -1}]
)
def test_unusable_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="`modes` must be 2 or more"):
        MixtureCode(**arguments)
