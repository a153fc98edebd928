import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.distribution import add_up, draw, gather, mean, roll, share_batches
from tests.distribution.trainings import TRAININGS, train


def rows_of(strategy, function):
    """Return what a function gives in all replicas, one after the other."""
    values = tf.function(lambda: strategy.run(function))()
    return np.concatenate([value.numpy() for value in strategy.experimental_local_results(values)])


def own_rows():
    start = 2.0 * tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, "float32")
    return tf.stack([start, start + 1])[:, None]


def test_rows_are_gathered_rolled_and_averaged_over_the_whole_batch(two_replicas):
    gathered = rows_of(two_replicas, lambda: gather(own_rows()))
    np.testing.assert_array_equal(gathered[:, 0], [0, 1, 2, 3, 0, 1, 2, 3])
    rolled = rows_of(two_replicas, lambda: roll(own_rows(), 1))
    np.testing.assert_array_equal(rolled[:, 0], [3, 0, 1, 2])
    averaged = rows_of(two_replicas, lambda: mean(own_rows()))
    np.testing.assert_array_equal(averaged[:, 0], [1, 2, 1, 2])


def test_one_replica_keeps_what_it_has():
    tensor = tf.constant([1.0, 2.0])
    assert gather(tensor) is tensor and mean(tensor) is tensor
    np.testing.assert_array_equal(roll(tensor, 1), [2.0, 1.0])


@pytest.mark.parametrize("groups", [1, 2])
def test_each_replica_draws_the_rows_that_one_would_give_it(two_replicas, groups):
    with two_replicas.scope():
        seed = keras.random.SeedGenerator(3)
    drawn = rows_of(
        two_replicas, lambda: draw(keras.random.normal, 2 * groups, (3,), seed, groups)
    ).reshape(2, groups, 2, 3)
    whole = keras.random.normal((groups * 4, 3), seed=keras.random.SeedGenerator(3))
    expected = np.reshape(whole, (groups, 2, 2, 3)).swapaxes(0, 1)
    np.testing.assert_array_equal(drawn, expected)


def test_gradients_of_every_form_are_added_up_over_replicas(two_replicas):
    def summed():
        own = own_rows()  # [[0], [1]] and [[2], [3]]
        sparse = tf.IndexedSlices(own[:1], tf.constant([1]), tf.constant([3, 1]))
        gradients = [own, None, tf.cast(own[0, 0], "float16"), sparse, tf.reshape(own, [2])]
        whole, none, scalar, rows, flat = add_up(gradients)
        assert none is None and scalar.dtype == tf.float16 and isinstance(rows, tf.IndexedSlices)
        dense = tf.convert_to_tensor(rows)
        values = [whole[:, 0], [tf.cast(scalar, "float32")], dense[:, 0], flat]
        return tf.concat(values, 0)[None]

    expected = [2, 4, 2, 0, 2, 0, 2, 4]
    np.testing.assert_array_equal(rows_of(two_replicas, summed), [expected, expected])


def test_gradient_of_a_loss_over_gathered_rows_is_that_of_one_replica(two_replicas):
    """The loss is no mean over examples: the cube of a sum."""
    with two_replicas.scope():
        weight = keras.Variable(2.0)

    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(gather(own_rows() * weight)) ** 3
        start = tf.ones_like(loss) / 2
        return tape.gradient(loss, weight.value, output_gradients=start)[None]

    assert rows_of(two_replicas, gradient).sum() == pytest.approx(3 * 2.0**2 * 6.0**3)


def test_dropout_differs_between_replicas_and_the_first_keeps_its_stream(two_replicas):
    from keras_dtl.distribution.streams import separate_streams

    def model():
        keras.utils.set_random_seed(0)
        return keras.Sequential([keras.Input((50,)), keras.layers.Dropout(0.5)])

    with two_replicas.scope():
        ours = model()
    separate_streams(ours)
    drawn = rows_of(two_replicas, lambda: ours(tf.ones((1, 50)), training=True))
    assert (drawn[0] != drawn[1]).any()
    np.testing.assert_array_equal(drawn[0], model()(tf.ones((1, 50)), training=True)[0])


def test_batches_that_cannot_be_divided_are_refused(two_replicas):
    batches = tf.data.Dataset.from_tensors(np.zeros((3, 1))).repeat()
    with pytest.raises(ValueError, match=r"3 examples .* 2 replicas"):
        share_batches(batches, two_replicas)


def test_a_smaller_last_batch_loses_no_example_in_silence(two_replicas):
    batches = tf.data.Dataset.from_tensor_slices(np.arange(7)).batch(4)
    shared = iter(share_batches(batches, two_replicas))
    next(shared)
    with pytest.raises(tf.errors.InvalidArgumentError, match="divided evenly among 2 replicas"):
        next(shared)


@pytest.mark.parametrize("length", [2, None], ids=["two", "unknown"])
def test_shared_batches_are_as_many_as_there_are(two_replicas, length):
    batches = tf.data.Dataset.from_tensors(np.zeros((4, 1))).repeat(2)
    if length is None:
        batches = batches.filter(lambda rows: True)
    shared = share_batches(batches, two_replicas)
    assert shared.cardinality == (length or tf.data.UNKNOWN_CARDINALITY)
    assert len(list(shared)) == 2
    assert share_batches(batches.repeat(), two_replicas).cardinality < 0


def test_replicas_see_consecutive_rows_and_every_row_once(two_replicas):
    batches = tf.data.Dataset.from_tensors({"a": np.arange(8), "b": (np.arange(4), np.ones(4))})
    shared = iter(share_batches(batches.repeat(), two_replicas))
    for _ in range(2):
        batch = next(shared)
        rows = [value.numpy() for value in two_replicas.experimental_local_results(batch["a"])]
        np.testing.assert_array_equal(rows, [[0, 1, 2, 3], [4, 5, 6, 7]])
        rows = [value.numpy() for value in two_replicas.experimental_local_results(batch["b"][0])]
        np.testing.assert_array_equal(rows, [[0, 1], [2, 3]])


QUICK = ("dann", "clipped")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TRAININGS],
)
def test_two_replicas_learn_what_one_does(two_replicas, name):
    alone, logs = train(name)
    shared, shared_logs = train(name, two_replicas)
    keras.utils.set_random_seed(0)
    start = TRAININGS[name][0]().get_weights()
    assert max(abs(a - b).max() for a, b in zip(alone.get_weights(), start, strict=True)) > 1e-3
    for ours, theirs in zip(shared.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for term, values in logs.items():
        np.testing.assert_allclose(shared_logs[term], values, rtol=1e-3, atol=1e-4)


def test_logs_of_every_step_and_epoch_are_of_all_replicas(two_replicas):
    class Notes(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.batches, self.epochs = [], []

        def on_train_batch_end(self, batch, logs=None):
            self.batches.append(float(logs["loss"]))

        def on_epoch_end(self, epoch, logs=None):
            self.epochs.append(float(logs["loss"]))

    make, batches = TRAININGS["fine_tuning"]
    notes = {}
    for name, strategy in {"one": tf.distribute.get_strategy(), "two": two_replicas}.items():
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = make()
        shared, notes[name] = share_batches(batches(), strategy), Notes()
        fit = {"steps_per_epoch": 10, "epochs": 2, "verbose": 0, "callbacks": [notes[name]]}
        model.fit(shared, **fit)
    np.testing.assert_allclose(notes["two"].batches, notes["one"].batches, rtol=1e-4)
    np.testing.assert_allclose(notes["two"].epochs, notes["one"].epochs, rtol=1e-4)


def test_a_batch_alone_is_answered_with_its_own_logs(two_replicas):
    """Each replica learns from all of it: Keras divides no array."""
    make, batches = TRAININGS["fine_tuning"]
    answers = {}
    for name, strategy in {"one": tf.distribute.get_strategy(), "two": two_replicas}.items():
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = make()
        found = []
        for images, labels in batches().take(3):
            model.reset_metrics()
            found.append(model.train_on_batch(images, labels, return_dict=True)["loss"])
        answers[name] = found
    assert len(set(answers["one"])) == 3
    np.testing.assert_allclose(answers["two"], answers["one"], rtol=1e-4)
