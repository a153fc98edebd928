import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import mean_entropy


def test_entropy_equals_numpy():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert float(mean_entropy(logits)) == pytest.approx(-(p * np.log(p)).sum(1).mean(), rel=1e-5)
    assert float(mean_entropy(tf.zeros((4, 6)))) == pytest.approx(np.log(6))


def test_certain_answers_have_no_entropy_and_a_finite_gradient():
    logits = tf.Variable([[200.0, 0.0, -200.0]])
    with tf.GradientTape() as tape:
        loss = mean_entropy(logits)
    assert float(loss) == 0
    assert np.isfinite(tape.gradient(loss, logits)).all()
