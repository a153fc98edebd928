"""What the replicas of a model do together, within a step that each runs on its part of a batch.

Everywhere else, and where there is one replica, each of these is the plain operation.
"""

import tensorflow as tf


def replica_count():
    """Return how many replicas of the model share a step."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def gather(tensor):
    """Return the rows of all replicas, in the order of the whole batch.

    A loss over the gathered rows is that of one replica, and so is its gradient, where each
    replica minimises it divided by their number, as `Method.minimize` does: what all replicas say
    of a row is added up in the replica that the row came from.

    Args:
        tensor: `(rows, ...)`, equally many in every replica.

    Returns:
        `(rows of all replicas, ...)`.
    """
    replica = _this_replica()
    if replica is None:
        return tensor
    # What comes from the data set has no device yet, without which nothing is gathered.
    whole = replica.all_gather(tf.identity(tensor), 0)
    rows = None if tensor.shape[0] is None else tensor.shape[0] * replica_count()
    return tf.ensure_shape(whole, [rows, *tensor.shape[1:]])


def roll(tensor, shift):
    """Return the rows moved on by `shift` within the whole batch, as `tf.roll` does.

    Args:
        tensor: `(rows, ...)`, equally many in every replica.
        shift: How far; the last rows become the first.
    """
    replica = _this_replica()
    if replica is None:
        return tf.roll(tensor, shift, 0)
    rows = tf.shape(tensor)[0]
    start = replica.replica_id_in_sync_group * rows
    return tf.roll(gather(tensor), shift, 0)[start : start + rows]


def mean(value):
    """Return the mean of a tensor over the replicas."""
    replica = _this_replica()
    if replica is None:
        return value
    # What comes from without has no device yet, without which nothing is averaged.
    return replica.all_reduce(tf.distribute.ReduceOp.MEAN, tf.identity(value))


def add_up(gradients):
    """Return gradients summed over the replicas, all dense ones in one exchange.

    An exchange between machines costs its latency, however few numbers it holds.

    Args:
        gradients: List of tensors, `tf.IndexedSlices` or None, alike in every replica.

    Returns:
        List of the same forms.
    """
    replica = _this_replica()
    if replica is None:
        return gradients
    total, by_dtype = list(gradients), {}
    for place, gradient in enumerate(gradients):
        if isinstance(gradient, tf.IndexedSlices):
            total[place] = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradient)
        elif gradient is not None:
            by_dtype.setdefault(gradient.dtype, []).append(place)
    for places in by_dtype.values():
        sizes = [tf.size(gradients[place]) for place in places]
        row = tf.concat([tf.reshape(gradients[place], [-1]) for place in places], 0)
        row = replica.all_reduce(tf.distribute.ReduceOp.SUM, row)
        for place, part in zip(places, tf.split(row, sizes, num=len(places)), strict=True):
            whole = tf.reshape(part, tf.shape(gradients[place]))
            total[place] = tf.ensure_shape(whole, gradients[place].shape)
    return total


def draw(random, count, shape, seed, groups=1):
    """Return random numbers for the rows of this replica: those that one replica would give them.

    Each draws for the whole batch and keeps its rows, which costs little for codes and shares.

    Args:
        random: Function such as `keras.random.normal`, of a shape and a keyword `seed`.
        count: How many rows there are here.
        shape: Of a row.
        seed: `keras.random.SeedGenerator`, whose state is the same in all replicas.
        groups: Of how many batches, one after the other, the rows are.

    Returns:
        Tensor `(count, *shape)`, float32 where it is floating.
    """
    replica = _this_replica()
    if replica is None:
        return _single(random((count, *shape), seed=seed))
    rows = count // groups
    whole = _single(random((groups, rows * replica_count(), *shape), seed=seed))
    start = replica.replica_id_in_sync_group * rows
    return tf.reshape(whole[:, start : start + rows], (count, *shape))


def _single(numbers):
    return tf.cast(numbers, "float32") if numbers.dtype.is_floating else numbers


def _this_replica():
    """Return the context of the replica that runs, or None where it has no others beside it."""
    replica = tf.distribute.get_replica_context()
    return replica if replica is not None and replica.num_replicas_in_sync > 1 else None
