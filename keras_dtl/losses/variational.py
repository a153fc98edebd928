import tensorflow as tf

from keras_dtl.losses.correlation_alignment import covariance
from keras_dtl.losses.pairs import require_two, squared_distances

FACTORS = (0.5, 1.0, 2.0)


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


def moment_discrepancy(codes):
    """How far mean and covariance of codes are from those of the standard Gaussian.

        (|mean|^2 + || C - I ||_F^2) / d

    with the unbiased covariance C of d numbers. 0 where codes are spread as draws of the Gaussian
    are, so that draws of it are codes that a decoder has learnt.

    Args:
        codes: Tensor `(examples, numbers)` of any floating type, 2 examples or more.

    Returns:
        Scalar float32 tensor of 0 or more.

    Raises:
        ValueError: When there is one example.
    """
    codes = tf.cast(codes, "float32")
    require_two(codes, "moment_discrepancy")
    mean, difference = tf.reduce_mean(codes, 0), covariance(codes) - tf.eye(codes.shape[-1])
    squares = tf.reduce_sum(tf.square(mean)) + tf.reduce_sum(tf.square(difference))
    return squares / codes.shape[-1]


def class_discrepancy(codes, labels, factors=FACTORS):
    """Squared maximum mean discrepancy (MMD) between the codes of each class and the prior.

    0 when the codes of every class are drawn from the standard Gaussian, so that they tell nothing
    of the class; unlike the divergence of single codes it leaves them free to tell all else. Kernel
    i is `exp(-distance^2 / (2 h))` with `h = factors[i] * numbers`, whose mean over the Gaussian is
    known: nothing is drawn from it. The kernels are averaged, and so are the examples, each beside
    the others of its class. Unbiased: around equality it is negative half of the time.

    Reference: Zhao, Song & Ermon, "InfoVAE", AAAI 2019, for the MMD to the prior; not by class.

    Args:
        codes: Tensor `(examples, numbers)`.
        labels: Integer tensor `(examples,)`; an example that is alone in its class does not count.
        factors: Widths of the kernels, as multiples of the numbers of a code.

    Returns:
        Scalar float32 tensor.
    """
    codes = tf.cast(codes, "float32")
    numbers = codes.shape[-1]
    same = tf.cast(labels[:, None] == labels[None, :], "float32")
    same = tf.linalg.set_diag(same, tf.zeros_like(same[0]))
    others = tf.reduce_sum(same, 1)
    distances, norms = squared_distances(codes, codes), tf.reduce_sum(tf.square(codes), 1)
    total = 0.0
    for width in (factor * numbers for factor in factors):
        among = tf.math.divide_no_nan(
            tf.reduce_sum(same * tf.exp(-distances / (2 * width)), 1), others
        )
        across = (width / (width + 1)) ** (numbers / 2) * tf.exp(-norms / (2 * (width + 1)))
        total += among - 2 * across + (width / (width + 2)) ** (numbers / 2)
    counted = tf.cast(others > 0, "float32")
    return tf.math.divide_no_nan(
        tf.reduce_sum(counted * total), len(factors) * tf.reduce_sum(counted)
    )
