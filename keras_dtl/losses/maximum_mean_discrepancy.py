"""Maximum mean discrepancy: the distance between two sets of examples that DAN minimises."""

import itertools
import math

import tensorflow as tf

from keras_dtl.losses.pairs import as_two_sets, squared_distances

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
ESTIMATORS = ("quadratic", "linear")
BANDWIDTHS = ("mean", "median")
# Features that are all alike have no scale of their own.
SMALLEST_BANDWIDTH = 1e-12


def maximum_mean_discrepancy(
    source,
    target,
    factors=FACTORS,
    bandwidth="mean",
    estimator="quadratic",
    kernel_weights=None,
):
    """Squared maximum mean discrepancy (MMD) under an average of Gaussian kernels.

    0 when both sets come from one distribution, more the less they do. Kernel i is
    `exp(-distance^2 / (factors[i] * scale))`, where the scale is the mean or the median squared
    distance between two different examples of this batch, through which no gradient flows. The
    kernels are averaged, so the result lies below 2 and a weight tuned for one number of kernels
    serves another. Both estimators are unbiased: around equality they are negative half of the
    time, which is no defect.

    Reference: Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, and, for a linear time,
    "Optimal kernel choice for large-scale two-sample tests", 2012.

    Args:
        source: Tensor `(examples, ...)` of any floating type; further axes are flattened.
        target: Tensor `(examples, ...)`; not necessarily as many.
        factors: Multiples of the scale, one for each kernel.
        bandwidth: `"mean"` or `"median"`, which squared distance is the scale.
        estimator: `"quadratic"` compares all pairs; `"linear"` each example with one other, which
            is cheaper and noisier: pairs run on within a domain, and examples that the shorter
            domain or an odd number leaves over are not used.
        kernel_weights: Weights of the kernels, 0 or more with sum 1; all alike by default.

    Returns:
        Scalar float32 tensor.

    Raises:
        ValueError: When a domain has fewer than 2 examples, the features differ, or an argument
            is unknown.
    """
    values = kernel_discrepancies(source, target, factors, bandwidth, estimator)
    if estimator == "linear":
        values = tf.reduce_mean(values, 0)  # (kernels,)
    if kernel_weights is None:
        return tf.reduce_mean(values)
    return tf.reduce_sum(tf.cast(kernel_weights, "float32") * values)


def kernel_discrepancies(source, target, factors=FACTORS, bandwidth="mean", estimator="quadratic"):
    """Return the squared MMD of each kernel by itself.

    Args:
        source, target, factors, bandwidth, estimator: As for `maximum_mean_discrepancy`.

    Returns:
        Float32 tensor: `(kernels,)` from the quadratic estimator; from the linear one
        `(pairs, kernels)`, whose mean over the pairs is the estimate.
    """
    _check(factors, bandwidth, estimator)
    source, target = as_two_sets(source, target, "maximum_mean_discrepancy")
    estimate = _quadratic if estimator == "quadratic" else _linear
    return estimate(source, target, factors, bandwidth)


def optimal_kernel_weights(pair_values, regularization=1e-5):
    """Weights of the kernels that tell the two sets apart most reliably.

    They maximise the MMD in units of its own standard deviation, `d.w / sqrt(w.Q.w)` with the
    mean d and the covariance Q of the kernels' values, over all weights of 0 or more. The
    quadratic program is solved exactly: by the best of the solutions on each choice of kernels.

    Reference: Gretton et al., "Optimal kernel choice for large-scale two-sample tests", 2012,
    as used by Long et al., 2015.

    Args:
        pair_values: What `kernel_discrepancies` returns for the linear estimator, `(pairs,
            kernels)`, with at most 10 kernels.
        regularization: Share of the mean variance that is added to each variance.

    Returns:
        Float32 tensor `(kernels,)` with sum 1, without gradient. All are alike where no kernel
        sees a difference.
    """
    pair_values = tf.stop_gradient(pair_values)
    kernels = pair_values.shape[1]
    mean = tf.reduce_mean(pair_values, 0)
    centred = pair_values - mean
    covariance = tf.matmul(centred, centred, transpose_a=True)
    covariance /= tf.cast(tf.shape(pair_values)[0], "float32")
    ridge = regularization * tf.linalg.trace(covariance) / kernels + SMALLEST_BANDWIDTH
    covariance += ridge * tf.eye(kernels)
    chosen = tf.constant(list(itertools.product([0.0, 1.0], repeat=kernels))[1:])  # (choices, k)
    both = chosen[:, :, None] * chosen[:, None, :]
    systems = both * covariance + tf.linalg.diag(1 - chosen)
    weights = tf.linalg.solve(systems, (chosen * mean)[:, :, None])[:, :, 0]
    allowed = tf.reduce_all(weights >= 0, 1) & (tf.reduce_sum(weights, 1) > 0)
    spread = tf.einsum("ck,kl,cl->c", weights, covariance, weights)
    power = tf.where(allowed, tf.linalg.matvec(weights, mean) * tf.math.rsqrt(spread), -1.0)
    best = weights[tf.argmax(power)]
    found = tf.reduce_any(allowed)
    return tf.where(found, tf.math.divide_no_nan(best, tf.reduce_sum(best)), 1 / kernels)


def _check(factors, bandwidth, estimator):
    if bandwidth not in BANDWIDTHS or estimator not in ESTIMATORS:
        raise ValueError(
            f"`bandwidth` must be one of {BANDWIDTHS} and `estimator` one of {ESTIMATORS}. "
            f"Received: {bandwidth!r} and {estimator!r}"
        )
    if not len(factors) or not all(0 < factor < math.inf for factor in factors):
        raise ValueError(f"`factors` must be numbers above 0. Received: {factors!r}")


def _quadratic(source, target, factors, bandwidth):
    pairs = [(source, source), (target, target), (source, target)]
    within_source, within_target, between = (squared_distances(*pair) for pair in pairs)
    twins = [_off_diagonal(within_source), _off_diagonal(within_target)]
    # All pairs in either order, as they lie in the square of both sets' distances.
    scale = _scale([*twins, *[tf.reshape(between, [-1])] * 2], bandwidth)

    def discrepancy(factor):
        of_source, of_target, across = (
            tf.reduce_mean(tf.exp(-distances / (factor * scale))) for distances in (*twins, between)
        )
        return of_source + of_target - 2 * across

    return tf.stack([discrepancy(factor) for factor in factors])


def _off_diagonal(distances):
    """Return what a square matrix holds beside its diagonal, as a vector."""
    count = tf.shape(distances)[0]
    return tf.boolean_mask(distances, tf.logical_not(tf.eye(count, dtype="bool")))


def _linear(source, target, factors, bandwidth):
    half = tf.minimum(tf.shape(source)[0], tf.shape(target)[0]) // 2
    first, second, third, fourth = (x for d in (source, target) for x in _halves(d, half))
    pairs = [(first, second), (third, fourth), (first, fourth), (third, second)]
    distances = [tf.reduce_sum((a - b) ** 2, 1) for a, b in pairs]
    scale = _scale(distances, bandwidth)

    def values(factor):
        source_pair, target_pair, *across = (tf.exp(-d / (factor * scale)) for d in distances)
        return source_pair + target_pair - across[0] - across[1]

    return tf.stack([values(factor) for factor in factors], 1)


def _halves(examples, half):
    pairs = tf.reshape(examples[: 2 * half], [half, 2, examples.shape[1]])
    return pairs[:, 0], pairs[:, 1]


def _scale(distances, bandwidth):
    """The mean or median of all distances, a constant for the gradient."""
    distances = tf.stop_gradient(tf.concat(distances, 0))
    if bandwidth == "mean":
        scale = tf.reduce_mean(distances)
    else:
        ordered = tf.sort(distances)
        count = tf.shape(ordered)[0]
        scale = 0.5 * (ordered[(count - 1) // 2] + ordered[count // 2])
    return tf.maximum(scale, SMALLEST_BANDWIDTH)
