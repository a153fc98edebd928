"""Batches divided among replicas: each learns from its own rows, no two from the same."""

import tensorflow as tf


def share_batches(batches, strategy):
    """Divide every batch among the replicas of a strategy, wherever they are.

    Each worker makes the whole batch, so that its content, order and augmentation are those of
    one replica, and keeps its rows; the rows of all are the batch.

    Args:
        batches: `tf.data.Dataset` of batches in any structure.
        strategy: `tf.distribute.Strategy`; one of a single replica changes nothing.

    Returns:
        What `fit` takes: the data set itself, or a `tf.distribute.DistributedDataset` of as many
        batches.

    Raises:
        ValueError: When the rows of a batch cannot be divided evenly. Where its size is not known
            before it is drawn, such as that of a last, smaller one, `fit` fails by that name.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches
    for tensor in tf.nest.flatten(batches.element_spec):
        _check_divisible(tensor.shape[0], replicas)

    def of_worker(context):
        here = replicas // context.num_input_pipelines
        parts = batches.map(lambda *batch: _parts(batch, replicas, here, context.input_pipeline_id))
        parts = parts.unbatch() if here > 1 else parts.map(_only_part)
        if batches.cardinality() == tf.data.INFINITE_CARDINALITY:
            parts = parts.apply(tf.data.experimental.assert_cardinality(batches.cardinality()))
        return parts.with_options(batches.options()).prefetch(tf.data.AUTOTUNE)

    shared = strategy.distribute_datasets_from_function(of_worker)
    # TensorFlow counts the part of each replica as one, by which `fit` would go on for too long.
    shared._cardinality = batches.cardinality().numpy()
    return shared


def _parts(batch, replicas, here, worker):
    """Return the rows of a worker's replicas, `(replicas here, rows, ...)`."""

    def part(tensor):
        rows = _even_rows(tensor, replicas)
        own = tensor[worker * here * rows : (worker + 1) * here * rows]
        static = None if tensor.shape[0] is None else tensor.shape[0] // replicas
        own = tf.reshape(own, tf.concat([[here, rows], tf.shape(tensor)[1:]], 0))
        return tf.ensure_shape(own, [here, static, *tensor.shape[1:]])

    batch = batch[0] if len(batch) == 1 else batch
    return tf.nest.map_structure(part, batch)


def _only_part(*batch):
    batch = batch[0] if len(batch) == 1 else batch
    return tf.nest.map_structure(lambda tensor: tensor[0], batch)


_UNEVEN = (
    "A batch of %s examples cannot be divided evenly among %s replicas. Give a batch size that is "
    "a multiple of %s (--batch-size), or fewer devices or workers%s."
)


def _check_divisible(rows, replicas):
    if rows is not None and rows % replicas:
        raise ValueError(_UNEVEN % (rows, replicas, replicas, ""))


def _even_rows(tensor, replicas):
    """Return how many rows of a batch a replica has, where nobody knew before it was drawn."""
    rows = tf.shape(tensor)[0]
    last = "; leave a smaller last batch out by batch(..., drop_remainder=True)"
    words = _UNEVEN % ("another number of", replicas, replicas, last)
    with tf.control_dependencies([tf.debugging.assert_equal(rows % replicas, 0, words)]):
        return rows // replicas
