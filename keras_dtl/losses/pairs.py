"""What losses over two sets of examples share."""

import tensorflow as tf


def as_two_sets(source, target, name):
    """Return two batches of features as float32 matrices, `(examples, features)`.

    Further axes are flattened. Float32 because sums of products overflow or drown in 16 bits.

    Args:
        source, target: Tensors `(examples, ...)` whose features agree.
        name: Of the loss, for the error.

    Raises:
        ValueError: When the features differ, or a batch holds one example: two are the fewest
            between which anything varies.
    """
    sets = [_as_matrix(x) for x in (source, target)]
    shapes = [x.shape for x in sets]
    if shapes[0][1] != shapes[1][1] or any(s[0] is not None and s[0] < 2 for s in shapes):
        raise ValueError(
            f"{name} compares at least 2 source with at least 2 target examples of the same "
            f"features. Received: shapes {tuple(source.shape)} and {tuple(target.shape)}. "
            "Take a larger batch, and drop a last one that is smaller."
        )
    return sets


def squared_distances(first, second):
    """Return the squared Euclidean distance of every row of one matrix to every row of another.

    Args:
        first: Float32 tensor `(n, features)`.
        second: Float32 tensor `(m, features)`.

    Returns:
        Float32 tensor `(n, m)`, 0 or more.
    """
    norms = [tf.reduce_sum(x * x, 1) for x in (first, second)]
    products = tf.matmul(first, second, transpose_b=True)
    # Rounding may take the distance of near twins below 0.
    return tf.nn.relu(norms[0][:, None] + norms[1][None, :] - 2 * products)


def _as_matrix(x):
    x = tf.cast(tf.convert_to_tensor(x), "float32")
    if x.shape.rank == 2:
        return x
    size = 1
    for length in x.shape[1:]:
        size *= length
    return tf.reshape(x, [-1, size])
