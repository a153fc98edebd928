import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.layers import GradientReversal


def gradient_through(layer, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x) * tf.cast([1.0, 2.0, 3.0], x.dtype))
    return tape.gradient(y, x)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("strength", [0.0, 0.25, 0.3, 1.0, 7.0])
def test_gradient_is_exactly_minus_strength_times_upstream(dtype, strength):
    x = tf.constant([0.1, -0.2, 0.3], dtype)
    layer = GradientReversal(strength, dtype=dtype)
    expected = -tf.cast(strength, dtype) * tf.constant([1.0, 2.0, 3.0], dtype)
    gradient = gradient_through(layer, x)
    assert gradient.dtype == x.dtype
    np.testing.assert_array_equal(gradient.numpy(), expected.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_output_equals_input_bit_for_bit(dtype):
    x = tf.random.stateless_normal((5, 7), seed=(0, 1), dtype=dtype)
    np.testing.assert_array_equal(GradientReversal(0.3, dtype=dtype)(x).numpy(), x.numpy())


def test_strength_set_from_outside_takes_effect_in_a_compiled_function():
    layer = GradientReversal(1.0)
    compiled = tf.function(lambda x: gradient_through(layer, x))
    x = tf.ones(3)
    assert compiled(x).numpy()[0] == -1.0
    layer.strength.assign(0.5)
    assert compiled(x).numpy()[0] == -0.5


def test_strength_is_saved_and_never_trained(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, GradientReversal(1.0, name="reversal")(inputs))
    model.get_layer("reversal").strength.assign(0.375)
    assert model.trainable_variables == []
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("reversal").strength.numpy() == 0.375


def test_config_round_trip():
    layer = GradientReversal(0.5, name="reversal")
    copy = GradientReversal.from_config(layer.get_config())
    assert (copy.name, float(copy.strength.numpy())) == ("reversal", 0.5)


def test_negative_strength_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        GradientReversal(-1.0)
