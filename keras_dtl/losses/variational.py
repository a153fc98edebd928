import tensorflow as tf


def gaussian_divergence(mean, log_variance):
    """Divergence of diagonal Gaussians from the standard one, in nats: the KL term of a VAE.

    Summed over the numbers of a code and averaged over examples.

    Reference: Kingma & Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.

    Args:
        mean, log_variance: Tensors `(examples, numbers)` of any floating type.

    Returns:
        Scalar float32 tensor of 0 or more.
    """
    mean, log_variance = tf.cast(mean, "float32"), tf.cast(log_variance, "float32")
    numbers = tf.square(mean) + tf.exp(log_variance) - 1.0 - log_variance
    return 0.5 * tf.reduce_mean(tf.reduce_sum(numbers, 1))
