"""Steps of a Keras model that its replicas take together, on one machine or on several."""

import tensorflow as tf

from keras_dtl.distribution.faults import worker_faults
from keras_dtl.distribution.replicas import mean
from keras_dtl.distribution.streams import separate_streams

_ITERATORS = tf.data.Iterator, tf.distribute.DistributedIterator


class ReplicatedSteps:
    """Lets a Keras model fit, evaluate and predict under any `tf.distribute` strategy.

    A mixin for models with a `train_step` of their own, made in the scope of a strategy:

    ```python
    import keras
    import tensorflow as tf
    from keras_dtl.distribution import ReplicatedSteps, replica_count

    class Regression(ReplicatedSteps, keras.Model):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self.network(x, training=True) - y) ** 2)
                share = loss / replica_count()
            variables = self.network.trainable_variables
            self.optimizer.apply(tape.gradient(share, variables), variables)
            return {"loss": loss}

    with tf.distribute.get_strategy().scope():  # or MultiWorkerMirroredStrategy()
        network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model = Regression(network)
        model.compile("sgd")
    model.fit(tf.ones((4, 2)), tf.ones((4, 1)), verbose=0)
    ```

    Keras 3 itself fails under `MultiWorkerMirroredStrategy` (keras#20585): it wants to build the
    model symbolically from a batch, which need not be what `call` takes, and to average scalars
    over an axis that they do not have. Here a step is run by every replica on its part of the
    batch, and its logs are averaged in one exchange. Layers must be built before `fit`.

    Gradients are summed over replicas: a `train_step` must divide its loss by their number. Keras'
    optimizers clip before they sum; those of `keras_dtl.methods` after.

    Weights equal those that one replica learns from the whole batch wherever the loss is a mean
    over examples. They cannot where a layer looks at its whole batch (batch normalisation sees
    the replica's part), keeps a memory of its own (`keras_dtl.layers.ImagePool`), draws random
    numbers (dropout hides other units), or where a loss is not a mean over examples, see
    `keras_dtl.distribution.gather`.

    Raises:
        WorkerLost: In `fit`, `evaluate` and `predict`, when another worker does not answer.
    """

    def make_train_function(self, force=False):
        if not self._has_replicas():
            return super().make_train_function(force)
        if self.train_function is None or force:
            separate_streams(self)
            self.train_function = self._on_batches(self._averaged_step(self.train_step))
        return self.train_function

    def make_test_function(self, force=False):
        if not self._has_replicas():
            return super().make_test_function(force)
        if self.test_function is None or force:
            self.test_function = self._on_batches(self._exact_step(self.test_step))
        return self.test_function

    def fit(self, *args, **kwargs):
        with worker_faults():
            return super().fit(*args, **kwargs)

    def evaluate(self, *args, **kwargs):
        with worker_faults():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args, **kwargs):
        with worker_faults():
            return super().predict(*args, **kwargs)

    def _has_replicas(self):
        return self.distribute_strategy.num_replicas_in_sync > 1

    def build_optimizers(self):
        """Create the state of every optimizer; a model with several overrides it."""
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def labelled_part(self, batch):
        """Return what the loss and the metrics of `compile` see of a batch: `(x, y, ...)`."""
        return batch

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Build metrics, which replicas cannot, and no more: the layers are built."""
        if not self._has_replicas():
            super()._maybe_symbolic_build(iterator, data_batch)
            return
        if iterator is not None:
            _, _, batches = next(iter(iterator))
            data_batch = next(batches)
        local = self.distribute_strategy.experimental_local_results
        data_batch = tf.nest.map_structure(lambda value: local(value)[0], data_batch)
        with self.distribute_strategy.scope():
            self.build_optimizers()
            self._symbolic_build(data_batch=self.labelled_part(data_batch))

    def _averaged_step(self, step):
        """Return a step whose logs, of equally large parts, are averaged over the replicas."""

        def averaged_step(data):
            logs = step(data)
            means = mean(tf.stack([tf.cast(value, "float32") for value in logs.values()]))
            return dict(zip(logs, tf.unstack(means), strict=True))

        def whole(data):
            return self._first(self.distribute_strategy.run(averaged_step, args=(data,)))

        return whole

    def _exact_step(self, step):
        """Return a step whose logs count every example once, however the parts differ in size."""

        def whole(data):
            names = self._first(self.distribute_strategy.run(step, args=(data,)))
            results = self.get_metrics_result()
            return {name: results.get(name, value) for name, value in names.items()}

        return whole

    def _first(self, logs):
        local = self.distribute_strategy.experimental_local_results
        return {name: local(value)[0] for name, value in logs.items()}

    def _on_batches(self, step):
        """Return what Keras calls with an iterator over batches."""
        step = tf.autograph.experimental.do_not_convert(step)  # as Keras does
        if not self.run_eagerly:
            step = tf.function(step, reduce_retracing=True, jit_compile=self.jit_compile)

        @tf.autograph.experimental.do_not_convert
        def next_step(iterator):
            return step(next(iterator))

        if not self.run_eagerly:
            # a batch drawn outside the graph passes through Python
            next_step = tf.function(next_step, reduce_retracing=True)

        def function(iterator):
            logs = {}
            for _ in range(self.steps_per_execution):
                is_of_data = isinstance(iterator, _ITERATORS)  # or Python's, of one batch
                logs = next_step(iterator) if is_of_data else step(next(iterator))
            return logs

        return function
