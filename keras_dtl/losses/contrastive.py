import tensorflow as tf

from keras_dtl.losses.pairs import squared_distances


def contrastive_alignment(source, source_labels, target, target_labels, margin=1.0):
    """Contrastive loss over all pairs of a source and a target example.

    Pairs of one class are drawn together by `distance^2 / 2`, pairs of different classes are
    pushed apart by `max(0, margin - distance)^2 / 2`. Each of the two terms is a mean over its own
    pairs, 0 where there are none, so their balance does not depend on the number of classes.

    Reference: Motiian et al., "Unified Deep Supervised Domain Adaptation and Generalization",
    ICCV 2017.

    Args:
        source: Features `(n, features)` of any floating type.
        source_labels: Integers `(n,)`.
        target: Features `(m, features)`.
        target_labels: Integers `(m,)`.
        margin: From which distance on different classes are far enough apart.

    Returns:
        Two scalar float32 tensors: the alignment and the separation loss.
    """
    squares = squared_distances(tf.cast(source, "float32"), tf.cast(target, "float32"))  # (n, m)
    same = source_labels[:, None] == tf.cast(target_labels, source_labels.dtype)[None, :]
    # The root has no gradient at 0.
    distances = tf.sqrt(tf.maximum(squares, 1e-12))
    apart = tf.nn.relu(margin - distances) ** 2
    return _mean_where(same, 0.5 * squares), _mean_where(~same, 0.5 * apart)


def paired_contrast(first, second, labels, temperature=0.1):
    """Cross-entropy of finding each example's partner among those of a batch, by their cosine.

        -log( sum over j of one label with i of exp(cos(first_i, second_j) / temperature)
              / sum over all j of the same )

    Reference: van den Oord, Li & Vinyals, "Representation Learning with Contrastive Predictive
    Coding", 2018; here others of the same label are no wrong answers.

    Args:
        first, second: Codes `(examples, numbers)` of any floating type, row i of both of one label.
        labels: Integers `(examples,)`.
        temperature: Above 0; the smaller, the more the nearest wrong answers count.

    Returns:
        Scalar float32 tensor of 0 or more.
    """
    first, second = (tf.math.l2_normalize(tf.cast(x, "float32"), 1) for x in (first, second))
    logits = tf.matmul(first, second, transpose_b=True) / temperature
    wrong = tf.cast(labels[:, None] != labels[None, :], "float32")
    right = tf.reduce_logsumexp(logits - 1e9 * wrong, 1)
    return tf.reduce_mean(tf.reduce_logsumexp(logits, 1) - right)


def _mean_where(mask, values):
    mask = tf.cast(mask, "float32")
    return tf.math.divide_no_nan(tf.reduce_sum(mask * values), tf.reduce_sum(mask))
