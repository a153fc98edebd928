import tensorflow as tf

from keras_dtl.losses.pairs import as_two_sets


def correlation_alignment(source, target):
    """The CORAL loss: how far the covariances of two domains' features are apart.

        || C_source - C_target ||_F^2 / (4 d^2)

    with unbiased covariances of d features. It compares how features vary together, not where
    their mean lies. Squares, not a root, so the gradient at equality is 0 and not infinite.

    Reference: Sun & Saenko, "Deep CORAL: Correlation Alignment for Deep Domain Adaptation", 2016.

    Args:
        source: Tensor `(examples, ...)` of any floating type; further axes are flattened.
        target: Tensor `(examples, ...)`, not necessarily as many.

    Returns:
        Scalar float32 tensor of 0 or more.

    Raises:
        ValueError: When a domain has fewer than 2 examples, or the features differ.
    """
    source, target = as_two_sets(source, target, "correlation_alignment")
    features = tf.cast(tf.shape(source)[1], "float32")
    difference = covariance(source) - covariance(target)
    return tf.reduce_sum(difference**2) / (4 * features**2)


def covariance(features):
    """Return the unbiased covariance, `(d, d)`, of a float32 tensor `(examples, d)`."""
    centred = features - tf.reduce_mean(features, 0)
    count = tf.cast(tf.shape(features)[0], "float32")
    return tf.matmul(centred, centred, transpose_a=True) / (count - 1)
