import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import adversarial_loss
from keras_dtl.methods import Pix2Pix
from keras_dtl.methods.signed_images import to_signed
from tests.methods.translation.test_translation import (
    assert_same,
    compiled,
    discriminator,
    generator,
    images,
    pix2pix,
    values,
)

RATE = 0.01


def by_hand(model, source, target, game):
    """Return both players' weights after one plain gradient step each, the discriminator first."""
    source, target = to_signed(source), to_signed(target)
    judge = lambda image: model.discriminator(tf.concat([source, image], -1))  # noqa: E731
    generated = model.generator(source)
    with tf.GradientTape() as tape:
        loss = game.discriminator(judge(target), judge(generated))
    weights = model.discriminator.trainable_weights
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        weight.assign_sub(RATE * gradient)
    with tf.GradientTape() as tape:
        generated = model.generator(source)
        loss = 2.0 * game.generator(judge(generated))
        loss += 3.0 * tf.reduce_mean(tf.square(target - generated))
    weights = model.generator.trainable_weights
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        weight.assign_sub(RATE * gradient)
    return values(model.discriminator.weights), values(model.generator.weights)


@pytest.mark.parametrize("adversarial", ["vanilla", "least_squares", "hinge"])
def test_step_is_the_algorithm_by_hand(adversarial):
    model = compiled(
        pix2pix(
            adversarial=adversarial,
            adversarial_weight=2.0,
            reconstruction="l2",
            reconstruction_weight=3.0,
        ),
        rate=RATE,
    )
    start = model.get_weights()
    expected = by_hand(model, images(3), images(3, 1), adversarial_loss(adversarial))
    model.set_weights(start)
    model.train_step((images(3), images(3, 1)))
    received = values(model.discriminator.weights), values(model.generator.weights)
    for ours, theirs in zip(received, expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_generator_gets_both_gradients():
    """With either weight at 0 it still moves, and elsewhere."""
    moved = []
    for adversarial_weight, reconstruction in ((1.0, None), (0.0, "l1"), (1.0, "l1")):
        keras.utils.set_random_seed(0)
        model = compiled(
            pix2pix(adversarial_weight=adversarial_weight, reconstruction=reconstruction)
        )
        before = values(model.generator.trainable_weights)
        model.train_step((images(2), images(2, 1)))
        after = values(model.generator.trainable_weights)
        moved.append([b - a for a, b in zip(before, after, strict=True)])
    for adversarial, reconstruction, both in zip(*moved, strict=True):
        assert np.abs(adversarial).max() > 0
        assert np.abs(reconstruction).max() > 0
        np.testing.assert_allclose(adversarial + reconstruction, both, atol=1e-5)


def test_without_adversarial_weight_the_discriminator_rests():
    model = compiled(pix2pix(adversarial_weight=0.0))
    before = values(model.discriminator.weights)
    logs = model.train_step((images(2), images(2, 1)))
    assert_same(before, values(model.discriminator.weights))
    assert set(logs) == {"loss", "reconstruction_loss"} == {m.name for m in model.metrics}


def test_a_game_alone_logs_no_reconstruction():
    model = compiled(pix2pix(reconstruction=None))
    logs = model.train_step((images(2), images(2, 1)))
    assert set(logs) == {"loss", "adversarial_loss", "discriminator_loss"}


@pytest.mark.parametrize("off", [{"reconstruction": None}, {"reconstruction_weight": 0}])
def test_nothing_to_learn_from_is_refused(off):
    with pytest.raises(ValueError, match="Nothing is left to learn from"):
        pix2pix(adversarial_weight=0, **off)


@pytest.mark.parametrize(("conditional", "sees"), [(True, True), (False, False)])
def test_only_a_conditional_discriminator_sees_the_source(conditional, sees):
    keras.utils.set_random_seed(0)
    model = compiled(pix2pix(conditional=conditional))
    start = model.get_weights()
    fixed = model.generator.output_shape[-1]
    assert model.discriminator.input_shape[-1] == (3 + fixed if conditional else fixed)
    generated = to_signed(images(2, 5))
    losses = []
    for seed in (0, 1):
        model.set_weights(start)
        source = to_signed(images(2, seed))
        losses.append(float(model.discriminator_step(source, to_signed(images(2, 2)), generated)))
    assert (losses[0] != losses[1]) == sees


def test_channels_of_both_domains_may_differ():
    model = compiled(Pix2Pix(generator((1, 4)), discriminator(5)))
    logs = model.train_step((images(2, channels=1), images(2, 1, channels=4)))
    assert np.isfinite(float(logs["loss"]))
    assert model.deployable()(images(1, channels=1)).shape == (1, 8, 8, 4)


def test_discriminator_of_other_channels_is_refused():
    with pytest.raises(ValueError, match="6 channels of A and B"):
        Pix2Pix(generator(), discriminator(3))
    with pytest.raises(ValueError, match="3 channels of B"):
        Pix2Pix(generator(), discriminator(6), conditional=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reconstruction": "L1"}, "reconstruction"),
        ({"reconstruction_weight": -1}, "reconstruction_weight"),
        ({"adversarial_weight": -1}, "adversarial_weight"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        pix2pix(**arguments)


def toy_error(**arguments):
    """Return how far the learnt image is from the inverted one, on new images, in levels."""
    keras.utils.set_random_seed(0)
    model = compiled(pix2pix(**arguments), keras.optimizers.Adam, 0.01)
    x = images(64)
    dataset = tf.data.Dataset.from_tensor_slices((x, 255 - x)).batch(16).repeat()
    model.fit(dataset, steps_per_epoch=150, verbose=0)
    new = images(8, 7)
    return np.abs(model.deployable()(new).numpy().astype(int) - (255 - new)).mean()


@pytest.mark.slow
def test_toy_is_won_by_reconstruction_and_lost_without_its_weight():
    assert toy_error() < 25
    assert toy_error(reconstruction_weight=0.0, conditional=False) > 50


def test_one_optimizer_for_both_players_becomes_two():
    optimizer, model = keras.optimizers.SGD(0.1), pix2pix()
    model.compile(optimizer, discriminator_optimizer=optimizer)
    model.train_step((images(2), images(2, 1)))
    assert model.optimizer is not model.discriminator_optimizer
    assert int(model.discriminator_optimizer.iterations) == int(model.optimizer.iterations) == 1


def test_backup_of_keras_brings_both_optimizers_back(tmp_path):
    class Interrupted(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    def fit(*more):
        model = pix2pix()
        model.compile("adam", discriminator_optimizer="adam", run_eagerly=True)
        callbacks = [keras.callbacks.BackupAndRestore(tmp_path / "backup"), *more]
        model.fit(images(2), images(2, 1), epochs=2, callbacks=callbacks, verbose=0)
        return model

    with pytest.raises(KeyboardInterrupt):
        fit(Interrupted())
    model = fit()
    assert int(model.optimizer.iterations) == int(model.discriminator_optimizer.iterations) == 2
