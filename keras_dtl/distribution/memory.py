"""State that each replica keeps for itself: moving statistics, and pools of images."""

import numpy as np
import tensorflow as tf

from keras_dtl.layers.nesting import nested_layers


def replica_states(model):
    """Return what the replicas of a model do not have in common; all workers must call it.

    Args:
        model: Keras model made in the scope of a strategy, or without one.

    Returns:
        `{place in model.non_trainable_weights: values}` of the variables in which replicas
        differ, with an array `(replicas, ...)` each.
    """
    strategy = model.distribute_strategy
    weights = model.non_trainable_weights
    if strategy.num_replicas_in_sync == 1 or not weights:
        return {}
    digests = _gathered(strategy, lambda: tf.stack([_digest(weight) for weight in weights]))
    differing = np.flatnonzero((digests != digests[0]).any(0))
    return {
        int(place): _gathered(strategy, lambda weight=weights[place]: tf.convert_to_tensor(weight))
        for place in differing
    }


def restore_states(model, states):
    """Give the replicas back what `replica_states` found, after the weights were restored.

    Another number of replicas takes the mean of moving statistics, and from pools of images
    that of the first replica.
    """
    strategy, weights = model.distribute_strategy, model.non_trainable_weights
    own = [w for x in nested_layers(model) if getattr(x, "per_replica", False) for w in x.weights]
    memories = {id(weight) for weight in own}
    for place, values in states.items():
        if len(values) == strategy.num_replicas_in_sync:
            _assign_each(strategy, weights[place], tf.constant(values))
        elif id(weights[place]) not in memories:
            weights[place].assign(np.mean(values, axis=0).astype(values.dtype))


def _digest(weight):
    values = tf.reshape(tf.cast(weight, "float64"), [-1])
    shares = tf.linspace(tf.constant(1.0, "float64"), tf.constant(2.0, "float64"), tf.size(values))
    return tf.reduce_sum(values * shares)


def _gathered(strategy, function):
    """Return what a function gives in every replica, `(replicas, ...)`."""

    def of_replica():
        return tf.distribute.get_replica_context().all_gather(function()[None], 0)

    values = tf.function(lambda: strategy.run(of_replica))()
    return strategy.experimental_local_results(values)[0].numpy()


def _assign_each(strategy, weight, values):
    def of_replica(values):
        weight.assign(values[tf.distribute.get_replica_context().replica_id_in_sync_group])

    tf.function(lambda values: strategy.run(of_replica, args=(values,)))(values)
