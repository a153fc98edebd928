import tensorflow as tf


def domain_crossentropy(source_logits, target_logits, source_weights=None, target_weights=None):
    """Binary cross-entropy of a discriminator that answers 0 for source and 1 for target.

    Each domain counts half, however many examples it has. From logits and in float32, since
    the logarithm of a squashed probability loses the gradient when the discriminator is sure.

    Reference: Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 2016.

    Args:
        source_logits: Tensor of any shape, one number a decision.
        target_logits: Tensor of any shape.
        source_weights: Weight of each example, `(examples,)`; 1 by default, which is what they
            should be on average.
        target_weights: Weight of each example.

    Returns:
        Scalar float32 tensor of 0 or more; log 2 when the discriminator does not know.
    """
    source, target = tf.cast(source_logits, "float32"), tf.cast(target_logits, "float32")
    of_source = _weighted_mean(tf.nn.softplus(source), source_weights)
    return 0.5 * (of_source + _weighted_mean(tf.nn.softplus(-target), target_weights))


def _weighted_mean(losses, weights):
    if weights is not None:
        weights = tf.cast(weights, "float32")
        losses *= tf.reshape(weights, [-1] + [1] * (losses.shape.rank - 1))
    return tf.reduce_mean(losses)


def domain_accuracy(source_logits, target_logits):
    """Return the share of right decisions of that discriminator, each domain counting half.

    0.5 is chance. A logit of exactly 0 is half right, so a dead discriminator reads 0.5.

    Args:
        source_logits, target_logits: Tensors of any shape, one number a decision: below 0 says
            source, above 0 target.

    Returns:
        Scalar float32 tensor in 0..1.
    """
    source, target = tf.cast(source_logits, "float32"), tf.cast(target_logits, "float32")
    return 0.5 + 0.25 * (tf.reduce_mean(tf.sign(target)) - tf.reduce_mean(tf.sign(source)))
