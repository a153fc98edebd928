"""What losses over two sets of examples share."""

import math

import tensorflow as tf


def as_two_sets(source, target, name):
    """Return two batches of features as float32 matrices, `(examples, features)`.

    Further axes are flattened. Float32 because sums of products overflow or drown in 16 bits.

    Args:
        source, target: Tensors `(examples, ...)` whose features agree.
        name: Of the loss, for the error.

    Raises:
        ValueError: When the features differ, are not known to be equally many, or a batch holds
            one example.
    """
    sets = [_as_matrix(x) for x in (source, target)]
    if sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(
            f"{name} compares source and target examples of the same features. Received: shapes "
            f"{tuple(source.shape)} and {tuple(target.shape)}."
        )
    for examples in sets:
        require_two(examples, name)
    return sets


def require_two(examples, name):
    """Refuse a batch of one example: two are the fewest between which anything varies.

    Args:
        examples: Tensor `(examples, ...)`.
        name: Of the loss, for the error.

    Raises:
        ValueError: When it holds fewer; `tf.errors.InvalidArgumentError` where that is not known
            before the batch comes.
    """
    message = (
        f"{name} compares examples with each other, at least 2 of each domain or class. Received: "
        "a batch with fewer. Take a larger one, and drop a last one that is smaller, such as by "
        "batch(..., drop_remainder=True)."
    )
    if examples.shape[0] is None:
        tf.debugging.assert_greater_equal(tf.shape(examples)[0], 2, message)
    elif examples.shape[0] < 2:
        raise ValueError(message)


def squared_distances(first, second):
    """Return the squared Euclidean distance of every row of one matrix to every row of another.

    Args:
        first: Float32 tensor `(n, features)`.
        second: Float32 tensor `(m, features)`.

    Returns:
        Float32 tensor `(n, m)`, 0 or more.
    """
    # The distances stay and lose less to rounding when the sets lie around the origin.
    centre = tf.stop_gradient(tf.reduce_mean(tf.concat([first, second], 0), 0))
    first, second = first - centre, second - centre
    norms = [tf.reduce_sum(x * x, 1) for x in (first, second)]
    products = tf.matmul(first, second, transpose_b=True)
    # Rounding may take the distance of near twins below 0.
    return tf.nn.relu(norms[0][:, None] + norms[1][None, :] - 2 * products)


def _as_matrix(x):
    x = tf.cast(tf.convert_to_tensor(x), "float32")
    if x.shape.rank == 2:
        return x
    if None in x.shape[1:]:
        raise ValueError(
            f"Examples are compared number by number. Received: the shape {x.shape}, of which only "
            "the first size may be open. Give all images of a training one height and width, or "
            "compare behind a layer that pools them."
        )
    return tf.reshape(x, [-1, math.prod(x.shape[1:])])
