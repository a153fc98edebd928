import tensorflow as tf


def mean_entropy(logits):
    """Mean entropy of the class distributions that logits stand for, in nats.

    From logits and in float32: the gradient stays finite when a class is certain.

    Args:
        logits: Tensor `(examples, classes)` of any floating type.

    Returns:
        Scalar float32 tensor from 0, when every answer is certain, to log(classes).
    """
    log_probability = tf.nn.log_softmax(tf.cast(logits, "float32"))
    return -tf.reduce_mean(tf.reduce_sum(tf.exp(log_probability) * log_probability, 1))


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
