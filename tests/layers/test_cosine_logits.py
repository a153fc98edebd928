import keras
import numpy as np
import tensorflow as tf

from keras_dtl.layers import CosineLogits


def test_logits_are_cosines_over_the_temperature():
    layer = CosineLogits(3, temperature=0.1)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    found = layer(x).numpy()
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(found, unit @ layer.prototypes.numpy() / 0.1, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer(7 * x), found, rtol=1e-4, atol=1e-4)


def test_features_of_zero_have_a_finite_gradient():
    x = tf.Variable(tf.zeros((2, 4)))
    layer = CosineLogits(3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    assert np.isfinite(tape.gradient(loss, x)).all()


def test_symbolic_shape_and_config():
    keras.config.set_dtype_policy("mixed_bfloat16")
    inputs = keras.Input((4,))
    outputs = CosineLogits(3)(inputs)
    assert (tuple(outputs.shape), outputs.dtype) == ((None, 3), "float32")
    layer = CosineLogits(3, 0.2)
    assert CosineLogits.from_config(layer.get_config()).temperature == 0.2
