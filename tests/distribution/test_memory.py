"""What replicas do not share survives a stop."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.callbacks import Checkpoint
from keras_dtl.distribution import share_batches
from keras_dtl.distribution.memory import ReplicaStates, restore_states
from keras_dtl.methods import CycleGAN
from tests.distribution.trainings import judge, pairs, to_image, two_players


def normalized():
    return keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization(momentum=0.0)])


def test_moving_statistics_of_replicas_are_kept_and_averaged_for_one(two_replicas):
    with two_replicas.scope():
        model = normalized()

    @tf.function
    def see():
        def of_replica():
            rank = tf.distribute.get_replica_context().replica_id_in_sync_group
            model(tf.fill((3, 2), tf.cast(4 * rank, "float32")), training=True)

        two_replicas.run(of_replica)

    see()
    states = ReplicaStates(model).find()
    (values,) = states.values()  # the variances agree
    np.testing.assert_array_equal(values, [[0, 0], [4, 4]])
    alone = normalized()
    restore_states(alone, states)
    np.testing.assert_array_equal(alone.layers[-1].moving_mean, [2, 2])
    with two_replicas.scope():
        again = normalized()
    restore_states(again, states)
    np.testing.assert_array_equal(next(iter(ReplicaStates(again).find().values())), values)


def test_one_replica_has_nothing_of_its_own():
    assert ReplicaStates(normalized()).find() == {}


def train(folder, strategy, epochs):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        networks = [to_image(name) for name in ("there", "back")] + [judge(), judge()]
        model = two_players(CycleGAN(*networks, pool_size=6))
    checkpoint = Checkpoint(folder)
    done = checkpoint.restore(model)
    batches = share_batches(pairs(4 * done), strategy)
    arguments = {"epochs": epochs, "initial_epoch": done, "steps_per_epoch": 4, "verbose": 0}
    model.fit(batches, callbacks=[checkpoint], **arguments)
    return model, checkpoint


@pytest.mark.slow
def test_replicas_that_go_on_with_their_pools_end_as_if_never_stopped(two_replicas, tmp_path):
    whole, _ = train(tmp_path / "whole", two_replicas, 4)
    train(tmp_path / "parts", two_replicas, 2)
    parts, checkpoint = train(tmp_path / "parts", two_replicas, 4)
    assert checkpoint.replicas == 2
    for ours, theirs in zip(parts.variables, whole.variables, strict=True):
        copies = [two_replicas.experimental_local_results(v.value) for v in (ours, theirs)]
        for a, b in zip(*copies, strict=True):
            np.testing.assert_array_equal(a, b)
    states = ReplicaStates(whole).find()
    assert states.keys() == ReplicaStates(parts).find().keys() and states
    for place, values in ReplicaStates(parts).find().items():
        np.testing.assert_array_equal(values, states[place])


@pytest.mark.slow
def test_another_number_of_replicas_goes_on(two_replicas, tmp_path):
    train(tmp_path, two_replicas, 2)
    alone, checkpoint = train(tmp_path, tf.distribute.get_strategy(), 3)
    assert len(checkpoint.history) == 3
    pool = alone.pool_a.images.numpy()
    assert np.isfinite(pool).all() and pool.any()
