import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import mean_entropy, mutual_information


def test_entropy_equals_numpy():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert float(mean_entropy(logits)) == pytest.approx(-(p * np.log(p)).sum(1).mean(), rel=1e-5)
    assert float(mean_entropy(tf.zeros((4, 6)))) == pytest.approx(np.log(6))


def test_entropy_of_maps_is_that_of_their_positions():
    maps = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype("float32")
    assert float(mean_entropy(maps)) == pytest.approx(float(mean_entropy(maps.reshape(-1, 3))))
    assert float(mean_entropy(tf.zeros((2, 4, 6, 3)))) == pytest.approx(np.log(3))


def test_certain_answers_have_no_entropy_and_a_finite_gradient():
    logits = tf.Variable([[200.0, 0.0, -200.0]])
    with tf.GradientTape() as tape:
        loss = mean_entropy(logits)
    assert float(loss) == 0
    assert np.isfinite(tape.gradient(loss, logits)).all()


def test_mutual_information_equals_numpy():
    first, second = np.random.default_rng(0).normal(size=(2, 7, 3))
    p, q = (np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (first, second))
    joint = (p.T @ q + q.T @ p) / 14
    expected = (joint * np.log(joint / joint.sum(0) / joint.sum(1)[:, None])).sum()
    assert float(mutual_information(first, second)) == pytest.approx(expected, rel=1e-4)


def test_mutual_information_is_largest_for_certain_answers_of_all_classes():
    certain = 100.0 * tf.eye(4)
    assert float(mutual_information(certain, certain)) == pytest.approx(np.log(4), rel=1e-5)
    alike = tf.tile(certain[:1], (4, 1))  # all are of one class
    assert float(mutual_information(alike, alike)) == pytest.approx(0, abs=1e-5)
    everything = tf.repeat(certain, 4, 0), tf.tile(certain, (4, 1))  # independent
    assert float(mutual_information(*everything)) == pytest.approx(0, abs=1e-5)


def test_mutual_information_of_certain_answers_has_a_finite_gradient():
    logits = tf.Variable(300.0 * tf.eye(3))
    with tf.GradientTape() as tape:
        loss = mutual_information(logits, logits)
    assert np.isfinite(tape.gradient(loss, logits)).all()
