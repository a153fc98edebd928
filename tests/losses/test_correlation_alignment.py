import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import correlation_alignment


def expected(x, y):
    difference = np.cov(x, rowvar=False) - np.cov(y, rowvar=False)
    return (difference**2).sum() / (4 * x.shape[1] ** 2)


def sets(n=9, m=6, features=4):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, features)), 2 * rng.normal(size=(m, features)) + 1


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-5), ("float32", 1e-5), ("float16", 5e-3)]
)
def test_loss_equals_the_covariances_of_numpy(dtype, tolerance):
    """Also with unequal batches, and as features by features, not examples by examples."""
    x, y = (s.astype(dtype) for s in sets())
    loss = correlation_alignment(x, y)
    assert loss.dtype == "float32"
    assert float(loss) == pytest.approx(expected(*sets()), rel=tolerance)


def test_large_bfloat16_features_are_summed_in_float32():
    x, y = (tf.cast(100 * s, "bfloat16") for s in sets(64, 64))
    assert float(correlation_alignment(x, y)) == pytest.approx(
        expected(*(np.asarray(tf.cast(s, "float64")) for s in (x, y))), rel=1e-3
    )


def test_gradient_equals_differences_and_is_zero_at_equality():
    x, y = (tf.constant(s, "float32") for s in sets())
    variable = tf.Variable(x)
    with tf.GradientTape() as tape:
        loss = correlation_alignment(variable, y)
    gradient = tape.gradient(loss, variable).numpy()
    step = np.zeros(x.shape)
    step[2, 1] = 1e-4
    numeric = (expected(x + step, y) - expected(x - step, y)) / 2e-4
    assert gradient[2, 1] == pytest.approx(numeric, rel=1e-3)
    with tf.GradientTape() as tape:
        loss = correlation_alignment(variable, x)
    np.testing.assert_array_equal(tape.gradient(loss, variable), np.zeros(x.shape))


def test_mean_does_not_count():
    x, y = sets()
    assert float(correlation_alignment(x, y + 7)) == pytest.approx(expected(x, y), rel=1e-4)


def test_maps_are_flattened():
    x, y = (s.reshape(-1, 2, 2) for s in sets())
    assert float(correlation_alignment(x, y)) == pytest.approx(expected(*sets()), rel=1e-5)


@pytest.mark.parametrize(("n", "m"), [(1, 5), (5, 1)])
def test_batch_of_one_is_refused(n, m):
    with pytest.raises(ValueError, match="at least 2"):
        correlation_alignment(*sets(n, m))


def test_different_features_are_refused():
    with pytest.raises(ValueError, match="same features"):
        correlation_alignment(np.ones((3, 4)), np.ones((3, 5)))


def test_features_of_unknown_number_are_refused():
    loss = tf.function(correlation_alignment, [tf.TensorSpec((None, None, 3))] * 2)
    with pytest.raises(ValueError, match="one height and width"):
        loss.get_concrete_function()
