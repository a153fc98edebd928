import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import DANN
from keras_dtl.methods.adaptation.restraint import Restraint
from tests.methods.adaptation.test_domain_adaptation import batch
from tests.networks import CLASSES, compiled, dense, encoder


def test_share_is_none_at_guessing_and_all_at_no_loss():
    restraint = Restraint(4, momentum=0.0)
    assert float(restraint.share) == 0.0
    for loss, share in ((math.log(4), 0.0), (9.0, 0.0), (math.log(4) / 2, 0.5), (0.0, 1.0)):
        assert float(restraint(tf.constant(loss))) == pytest.approx(share, abs=1e-6)


def test_mean_runs_over_steps():
    restraint = Restraint(2, momentum=0.5)
    assert float(restraint(tf.constant(0.0))) == pytest.approx(0.5)
    assert float(restraint(tf.constant(0.0))) == pytest.approx(0.75)
    same = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(restraint))
    assert (same.classes, same.momentum) == (2, 0.5)


@pytest.mark.parametrize(
    ("target", "diversity"),
    [
        ([[9.0, -9.0, -9.0, -9.0]] * 8, 0.0),  # all images alike
        ([[9.0, -9.0, -9.0, -9.0], [-9.0, 9.0, -9.0, -9.0]] * 4, 0.0),  # two of four classes
        (np.eye(4) * 18, 1.0),  # each image its own class
        (np.zeros((8, 4)), 1.0),  # not certain of any
        (np.log([[0.49, 0.49, 0.01, 0.01], [0.01, 0.01, 0.49, 0.49]]), 1.0),
        # A class at 0.7: the entropy is 0.940 of log 4 = 1.386.
        (np.log([[0.7, 0.1, 0.1, 0.1]]), 2 * 0.9404 / 1.3863 - 1),
    ],
)
def test_adversary_rests_while_the_target_has_one_answer(target, diversity):
    restraint = Restraint(4, momentum=0.0)
    assert float(restraint.diversity) == 1.0
    restraint.watch(tf.constant(np.eye(4) * 18), tf.constant(target))
    assert float(restraint.diversity) == pytest.approx(diversity, abs=1e-3)
    assert float(restraint(tf.constant(0.0))) == pytest.approx(diversity, abs=1e-3)


def test_source_of_one_answer_leaves_the_adversary_out():
    restraint = Restraint(2, momentum=0.0)
    one = tf.constant([[200.0, -200.0]])
    restraint.watch(one, one)
    assert float(restraint.diversity) == 0.0


def test_every_step_tells_the_adversary_of_the_answers():
    model = compiled(
        DANN(encoder(), dense(CLASSES), dense(1), restrained=True), keras.optimizers.SGD(0.0)
    )
    before = model.restraint.mean_answers.numpy()
    model.train_step(batch())
    after = model.restraint.mean_answers.numpy()
    assert (before == 1 / CLASSES).all()
    assert np.abs(after - before).max() > 1e-4
    np.testing.assert_allclose(after.sum(1), 1.0, atol=1e-5)


def encoder_step(restrained, mean_loss=None):
    """Return how far one step of the domain loss alone moves the encoder."""
    keras.utils.set_random_seed(1)
    model = DANN(encoder(), dense(CLASSES), dense(1), restrained=restrained)
    compiled(model, keras.optimizers.SGD(1.0))
    if restrained:
        model.restraint.momentum = 1.0  # the answers' means stay even: labels alone count
    if mean_loss is not None:
        model.restraint.mean_loss.assign(mean_loss)
    before = [w.numpy() for w in model.encoder.trainable_weights]
    tf.function(model.train_step)(batch())
    return [w.numpy() - b for w, b in zip(model.encoder.trainable_weights, before, strict=True)]


@pytest.mark.slow
def test_adversary_waits_for_the_labels():
    without, full = encoder_step(False), encoder_step(True, mean_loss=0.0)
    for a, b in zip(without, full, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    waiting = encoder_step(True)
    half = encoder_step(True, mean_loss=math.log(CLASSES) / 2)
    for a, b, c in zip(full, half, waiting, strict=True):
        np.testing.assert_allclose(b, (a + c) / 2, atol=1e-6)
    assert max(np.abs(a - c).max() for a, c in zip(full, waiting, strict=True)) > 1e-4


def test_every_step_tells_the_adversary_what_has_been_learnt():
    model = compiled(
        DANN(encoder(), dense(CLASSES), dense(1), restrained=True), keras.optimizers.SGD(0.0)
    )
    guessing = float(model.restraint.mean_loss)
    label_loss = float(model.train_step(batch())["label_loss"])
    assert label_loss != pytest.approx(guessing)
    momentum = model.restraint.momentum
    mean = momentum * guessing + (1 - momentum) * min(label_loss, 2 * guessing)
    assert float(model.restraint.mean_loss) == pytest.approx(mean, rel=1e-6)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="2 or more"):
        Restraint(1)


@pytest.mark.parametrize("outputs", [2, 3])
def test_discriminator_of_several_outputs_is_refused(outputs):
    with pytest.raises(ValueError, match="one logit a decision"):
        DANN(encoder(), dense(CLASSES), dense(outputs))
