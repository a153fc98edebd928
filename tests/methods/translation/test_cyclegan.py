import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import CycleGAN
from keras_dtl.methods.signed_images import to_signed
from tests.methods.translation.test_translation import (
    compiled,
    cyclegan,
    discriminator,
    generator,
    images,
    values,
)

RATE = 0.01


def mean_square(x):
    return tf.reduce_mean(tf.square(x))


def distance(x, y):
    return tf.reduce_mean(tf.abs(x - y))


def descend(tape, loss, networks):
    weights = [v for network in networks for v in network.trainable_weights]
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        weight.assign_sub(RATE * gradient)


def by_hand(model, a, b):
    """One step of the paper's objective: both generators first, then both discriminators."""
    there, back = model.generator_a_to_b, model.generator_b_to_a
    judge_a, judge_b = model.discriminator_a, model.discriminator_b
    a, b = to_signed(a), to_signed(b)
    with tf.GradientTape() as tape:
        fake_b, fake_a = there(a), back(b)
        loss = mean_square(judge_b(fake_b) - 1) + mean_square(judge_a(fake_a) - 1)
        loss += 10 * (distance(back(fake_b), a) + distance(there(fake_a), b))
        loss += 10 * 0.5 * (distance(back(a), a) + distance(there(b), b))
    descend(tape, loss, (there, back))
    with tf.GradientTape() as tape:
        loss = 0.5 * (mean_square(judge_a(a) - 1) + mean_square(judge_a(fake_a)))
        loss += 0.5 * (mean_square(judge_b(b) - 1) + mean_square(judge_b(fake_b)))
    descend(tape, loss, (judge_a, judge_b))
    return values(model.weights)


def test_step_is_the_algorithm_by_hand():
    model = compiled(cyclegan(pool_size=0), rate=RATE)
    start = model.get_weights()
    expected = by_hand(model, images(2), images(2, 1))
    model.set_weights(start)
    model.train_step((images(2), images(2, 1)))
    for a, b in zip(values(model.weights), expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_discriminators_learn_from_the_pool_and_generators_do_not():
    """A pool full of other images changes the discriminators' step and no generator's."""
    weights = []
    for fill in (-1.0, 1.0):
        keras.utils.set_random_seed(0)
        model = compiled(cyclegan(pool_size=2), rate=0.1)
        for pool in (model.pool_a, model.pool_b):
            pool.images.assign(fill * tf.ones(pool.images.shape))
            pool.count.assign(2)
        keras.utils.set_random_seed(0)
        for _ in range(4):
            model.train_step((images(2), images(2, 1)))
        weights.append([values(n.weights) for n in (model.generator_a_to_b, model.discriminator_b)])
    (first, judge), (second, other) = weights
    # After the first step the discriminators differ, and the generators follow them.
    assert all(np.abs(a - b).max() < 0.1 for a, b in zip(first, second, strict=True))
    assert any((a != b).any() for a, b in zip(judge, other, strict=True))


def test_pool_holds_what_was_generated():
    model = compiled(cyclegan(pool_size=2), rate=0.0)
    a, b = images(2), images(2, 1)
    model.train_step((a, b))
    fake_b = model.generator_a_to_b(to_signed(a)).numpy()
    np.testing.assert_allclose(model.pool_b.images, fake_b, atol=1e-6)


def test_identity_and_cycle_reach_both_generators():
    moved = {}
    for cycle_weight, identity_weight in ((0.0, 0.0), (10.0, 0.0), (10.0, 0.5)):
        keras.utils.set_random_seed(0)
        model = compiled(cyclegan(cycle_weight=cycle_weight, identity_weight=identity_weight))
        model.train_step((images(2), images(2, 1)))
        moved[cycle_weight, identity_weight] = values(
            model.generator_a_to_b.trainable_weights + model.generator_b_to_a.trainable_weights
        )
    plain, cycle, identity = moved.values()
    for a, b, c in zip(plain, cycle, identity, strict=True):
        assert (a != b).any() and (b != c).any()


@pytest.mark.slow
def test_two_replicas_report_and_move_like_one(two_replicas):
    """Gradients of two halves of a batch add up to that of the whole; without a pool."""
    a, b = images(4), images(4, 1)
    data = tf.data.Dataset.from_tensors((a, b)).repeat()
    alone = compiled(cyclegan(pool_size=0), rate=RATE)
    start = alone.get_weights()
    alone.fit(data, steps_per_epoch=2, verbose=0)
    with two_replicas.scope():
        mirrored = compiled(cyclegan(pool_size=0), rate=RATE)
        mirrored.set_weights(start)
    mirrored.fit(data, steps_per_epoch=2, verbose=0)
    for ours, theirs in zip(alone.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_direction_chooses_what_is_deployed():
    there, back = generator((1, 3)), generator((3, 1))
    judges = discriminator(1), discriminator(3)
    for direction, channels in (("a_to_b", (1, 3)), ("b_to_a", (3, 1))):
        model = CycleGAN(there, back, *judges, identity_weight=0.0, direction=direction)
        deployed = model.deployable()
        assert (deployed.input_shape[-1], deployed.output_shape[-1]) == channels
    logs = compiled(model).train_step((images(2, channels=1), images(3, 1)))
    assert "identity_loss" not in logs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"direction": "ab"}, "direction"),
        ({"cycle_weight": -1}, "cycle_weight"),
        ({"identity_weight": -1}, "identity_weight"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        cyclegan(**arguments)


def test_networks_that_do_not_lead_back_are_refused():
    with pytest.raises(ValueError, match="lead back"):
        CycleGAN(generator((1, 3)), generator((3, 3)), discriminator(1), discriminator(3))
    with pytest.raises(ValueError, match="identity_weight"):
        CycleGAN(generator((1, 3)), generator((3, 1)), discriminator(1), discriminator(3))
    free = generator(size=(None, None))
    with pytest.raises(ValueError, match="image_shape"):
        CycleGAN(free, free, discriminator(), discriminator())
