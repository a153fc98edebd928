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
