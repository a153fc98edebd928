import tensorflow as tf


def class_confusion(logits, temperature=2.5, weights=None):
    """How much a batch of answers confuses one class with another.

        C = sum over examples of w p p^T, each row divided by its sum;
        loss = share of C off its diagonal, mean over rows

    with `p = softmax(logits / temperature)`. Certain examples count more: `w` is proportional to
    `1 + exp(-entropy of p)` and has the mean 1; no gradient flows through it. As each row is
    divided by its sum, a rare class weighs as much as a frequent one.

    Reference: Jin et al., "Minimum Class Confusion for Versatile Domain Adaptation", ECCV 2020.

    Args:
        logits: Tensor `(examples, classes)` of any floating type.
        temperature: Above 0; the larger, the softer the answers that are compared.
        weights: Weight of each example, `(examples,)` of 0 or more, or None for ones.

    Returns:
        Scalar float32 tensor: 0 when every answer is certain, at most 1 - 1 / classes.
    """
    logits = tf.cast(logits, "float32") / temperature
    log_probability = tf.nn.log_softmax(logits)
    probability = tf.exp(log_probability)
    entropy = -tf.reduce_sum(probability * log_probability, 1)
    certainty = tf.stop_gradient(1 + tf.exp(-entropy))
    if weights is not None:
        certainty *= tf.cast(weights, "float32")
    certainty /= tf.maximum(tf.reduce_mean(certainty), 1e-12)
    confusion = tf.matmul(probability * certainty[:, None], probability, transpose_a=True)
    confusion /= tf.maximum(tf.reduce_sum(confusion, 1, keepdims=True), 1e-12)
    classes = tf.cast(tf.shape(logits)[1], "float32")
    return 1 - tf.linalg.trace(confusion) / classes
