"""MMD against double loops in NumPy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import (
    kernel_discrepancies,
    maximum_mean_discrepancy,
    optimal_kernel_weights,
)

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


def sets(n=7, m=5, features=3, shift=0.5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)), rng.normal(size=(m, features)) + shift


def square(a, b):
    return ((a - b) ** 2).sum()


def scale_of(distances, bandwidth):
    return np.mean(distances) if bandwidth == "mean" else np.median(distances)


def quadratic(x, y, bandwidth):
    """The unbiased estimate, pair by pair: no example is compared with itself."""
    inside_x = [square(x[i], x[j]) for i, j in itertools.permutations(range(len(x)), 2)]
    inside_y = [square(y[i], y[j]) for i, j in itertools.permutations(range(len(y)), 2)]
    across = [square(a, b) for a in x for b in y]
    both = [*x, *y]
    scale = scale_of([square(a, b) for a, b in itertools.combinations(both, 2)], bandwidth)
    kernel = lambda d: np.mean([np.exp(-np.array(d) / (f * scale)).mean() for f in FACTORS])  # noqa: E731
    return kernel(inside_x) + kernel(inside_y) - 2 * kernel(across)


def linear(x, y, bandwidth):
    """g(z) of Long et al. 2015, quadruple by quadruple."""
    quadruples = [(x[i], x[i + 1], y[i], y[i + 1]) for i in range(0, min(len(x), len(y)) - 1, 2)]
    distances = [
        (square(x1, x2), square(y1, y2), square(x1, y2), square(x2, y1))
        for x1, x2, y1, y2 in quadruples
    ]
    scale = scale_of(distances, bandwidth)
    kernel = lambda d: np.mean([np.exp(-d / (f * scale)) for f in FACTORS])  # noqa: E731
    return np.mean([kernel(a) + kernel(b) - kernel(c) - kernel(d) for a, b, c, d in distances])


@pytest.mark.parametrize("bandwidth", ["mean", "median"])
@pytest.mark.parametrize(("estimator", "loop"), [("quadratic", quadratic), ("linear", linear)])
def test_estimators_equal_loops_over_pairs(estimator, loop, bandwidth):
    x, y = sets()
    value = maximum_mean_discrepancy(x, y, bandwidth=bandwidth, estimator=estimator)
    assert float(value) == pytest.approx(loop(x, y, bandwidth), abs=1e-5)


def test_both_estimators_are_unbiased():
    """The mean over many draws from one distribution is 0; with the diagonal it would not be."""
    rng = np.random.default_rng(0)
    for estimator in ("quadratic", "linear"):
        values = [
            float(maximum_mean_discrepancy(*rng.normal(size=(2, 8, 2)), estimator=estimator))
            for _ in range(40)
        ]
        error = np.std(values) / np.sqrt(len(values))
        assert abs(np.mean(values)) < 3.5 * error
        assert min(values) < 0 < max(values)


def test_no_gradient_flows_through_the_bandwidth():
    """Scaling all features alike changes nothing, so only a detached scale has this gradient."""
    x, y = (tf.constant(s, "float32") for s in sets())
    factor = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        loss = maximum_mean_discrepancy(factor * x, factor * y)
    gradient = float(tape.gradient(loss, factor))

    scale = np.mean([square(a, b) for a, b in itertools.permutations(np.concatenate([x, y]), 2)])

    def fixed(f):
        losses = [_fixed_scale(f * x.numpy(), f * y.numpy(), k * scale) for k in FACTORS]
        return np.mean(losses)

    assert gradient == pytest.approx((fixed(1.001) - fixed(0.999)) / 0.002, rel=3e-3)
    assert abs(gradient) > 0.01


def _fixed_scale(x, y, scale):
    kernel = lambda a, b: np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / scale)  # noqa: E731
    off = lambda k: (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))  # noqa: E731
    return off(kernel(x, x)) + off(kernel(y, y)) - 2 * kernel(x, y).mean()


def test_weight_is_portable_between_numbers_of_kernels():
    x, y = sets(shift=50.0)
    one, many = (
        float(maximum_mean_discrepancy(x, y, factors=factors))
        for factors in ((0.5,), tuple(2.0**k for k in range(-8, 9)))
    )
    assert 0 < one < 2
    assert 0 < many < 2


def test_kernel_weights_weigh_the_kernels():
    x, y = sets()
    values = kernel_discrepancies(x, y).numpy()
    weights = np.array([0.5, 0.0, 0.25, 0.25, 0.0])
    value = maximum_mean_discrepancy(x, y, kernel_weights=weights)
    assert float(value) == pytest.approx(values @ weights, rel=1e-5)


def test_constant_features_are_no_difference_and_have_no_gradient():
    x = tf.Variable(tf.ones((4, 3)))
    for estimator in ("quadratic", "linear"):
        with tf.GradientTape() as tape:
            loss = maximum_mean_discrepancy(x, tf.ones((4, 3)), estimator=estimator)
        assert float(loss) == 0
        np.testing.assert_array_equal(tape.gradient(loss, x), np.zeros((4, 3)))


def test_features_far_from_the_origin_keep_their_precision():
    x, y = sets()
    expected = quadratic(x, y, "mean")
    assert float(maximum_mean_discrepancy(x + 300, y + 300)) == pytest.approx(expected, abs=1e-3)


def test_half_precision_maps_give_a_float32_loss():
    x = tf.random.normal((4, 2, 2, 3), dtype="float32")
    half = maximum_mean_discrepancy(tf.cast(x, "bfloat16"), tf.cast(x + 1, "bfloat16"))
    assert half.dtype == "float32"
    assert float(half) == pytest.approx(float(maximum_mean_discrepancy(x, x + 1)), abs=2e-2)


@pytest.mark.parametrize("sizes", [(1, 4), (4, 1)])
def test_batch_of_one_is_refused(sizes):
    with pytest.raises(ValueError, match="at least 2"):
        maximum_mean_discrepancy(*sets(*sizes))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bandwidth": "max"}, "bandwidth"),
        ({"estimator": "cubic"}, "estimator"),
        ({"factors": (1.0, 0.0)}, "factors"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        maximum_mean_discrepancy(*sets(), **arguments)


def power(weights, values):
    return weights @ values.mean(0) / np.sqrt(weights @ np.cov(values.T, ddof=0) @ weights)


def test_optimal_weights_have_more_power_than_any_others():
    rng = np.random.default_rng(0)
    values = rng.normal([0.1, 0.5, 0.4, -0.2], [0.5, 1.0, 0.7, 1.0], (200, 4)).astype("float32")
    values[:, 2] += 0.5 * values[:, 1]  # kernels are correlated
    weights = optimal_kernel_weights(tf.constant(values)).numpy()
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    others = rng.dirichlet(np.full(4, 0.5), 3000)
    assert power(weights, values) >= max(power(other, values) for other in others) - 1e-3
    assert power(weights, values) > power(np.full(4, 0.25), values) + 0.05


def test_weights_are_alike_where_no_kernel_sees_a_difference():
    values = -tf.abs(tf.random.normal((20, 3)))
    np.testing.assert_allclose(optimal_kernel_weights(values), np.full(3, 1 / 3), rtol=1e-6)
