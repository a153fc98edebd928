"""State that each replica keeps for itself: moving statistics, and pools of images."""

import numpy as np
import tensorflow as tf

from keras_dtl.layers.nesting import nested_layers


class ReplicaStates:
    """Finds what the replicas of a model do not have in common.

    Args:
        model: Keras model made in the scope of a strategy, or without one.
    """

    def __init__(self, model):
        self.model = model
        self.strategy = model.distribute_strategy
        self._digests = self._step(lambda: tf.stack([_digest(w) for w in model.weights]))

    def find(self):
        """Return `{place in model.weights: values}`; all workers must call it.

        Of the variables in which replicas differ, with an array `(replicas, ...)` each.
        """
        if self.strategy.num_replicas_in_sync == 1:
            return {}
        digests = self._first(self._digests())
        differing = np.flatnonzero((digests != digests[0]).any(0))
        weights = {int(place): self.model.weights[place] for place in differing}
        return {
            place: self._first(self._step(lambda weight=weight: tf.identity(weight))())
            for place, weight in weights.items()
        }

    def _step(self, function):
        """Return the step that gathers what a function gives in every replica."""

        def of_replica():
            return tf.distribute.get_replica_context().all_gather(function()[None], 0)

        return tf.function(lambda: self.strategy.run(of_replica))

    def _first(self, values):
        return self.strategy.experimental_local_results(values)[0].numpy()


def restore_states(model, states):
    """Give the replicas back what `ReplicaStates` found, after the weights were restored.

    Another number of replicas takes the mean of moving statistics, and from pools of images
    that of the first replica.

    Args:
        model: Of the same layers.
        states: What `find` returned.
    """
    strategy, weights = model.distribute_strategy, model.weights
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


def _assign_each(strategy, weight, values):
    def of_replica(values):
        weight.assign(values[tf.distribute.get_replica_context().replica_id_in_sync_group])

    tf.function(lambda values: strategy.run(of_replica, args=(values,)))(values)
