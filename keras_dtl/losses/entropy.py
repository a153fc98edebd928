import tensorflow as tf


def mean_entropy(logits):
    """Mean entropy of the class distributions that logits stand for, in nats.

    From logits and in float32: the gradient stays finite when a class is certain.

    Args:
        logits: Tensor `(examples, classes)` of any floating type, or maps of them
            `(examples, height, width, classes)`, of which each position counts.

    Returns:
        Scalar float32 tensor from 0, when every answer is certain, to log(classes).
    """
    log_probability = tf.nn.log_softmax(tf.cast(logits, "float32"))
    return -tf.reduce_mean(tf.reduce_sum(tf.exp(log_probability) * log_probability, -1))


def confusion_loss(logits):
    """Mean divergence of uniform distributions from those that logits stand for, in nats.

    As `mean_entropy` is largest, this is least where all classes are equally likely; but its
    gradient grows, where that of the entropy vanishes, the surer the wrong answer is.

    Reference: Tzeng et al., "Simultaneous Deep Transfer Across Domains and Tasks", ICCV 2015,
    whose domain confusion it is, less the constant log(classes).

    Args:
        logits: Tensor `(examples, classes)` of any floating type.

    Returns:
        Scalar float32 tensor of 0 or more.
    """
    log_probability = tf.nn.log_softmax(tf.cast(logits, "float32"))
    return -tf.reduce_mean(log_probability) - tf.math.log(float(logits.shape[-1]))


def mutual_information(first, second):
    """Mutual information of the answers to two views of each example, in nats.

        sum over k, l of P_kl log(P_kl / (P_k P_l)),   P = mean of p(first) p(second)^T, symmetric

    Largest, at log(classes), where both answers are certain and one, and all classes are equally
    frequent in the batch; 0 where one answer tells nothing of the other.

    Reference: Ji, Henriques & Vedaldi, "Invariant Information Clustering for Unsupervised Image
    Classification and Segmentation", ICCV 2019.

    Args:
        first, second: Logits `(examples, classes)` of any floating type, row i of both of one
            example.

    Returns:
        Scalar float32 tensor from 0 to log(classes).
    """
    first, second = (tf.nn.softmax(tf.cast(logits, "float32")) for logits in (first, second))
    joint = tf.matmul(first, second, transpose_a=True) / tf.cast(tf.shape(first)[0], "float32")
    joint = 0.5 * (joint + tf.transpose(joint))
    alone = tf.reduce_sum(joint, 1)
    surprise = _log(joint) - _log(alone)[:, None] - _log(alone)[None, :]
    return tf.reduce_sum(joint * surprise)


def _log(probability):
    return tf.math.log(tf.maximum(probability, 1e-12))  # finite, as its gradient is, at 0
