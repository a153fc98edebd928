import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import domain_accuracy, domain_crossentropy


def test_crossentropy_equals_numpy_with_each_domain_half():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(7, 1)), rng.normal(size=(3, 1))
    probability = lambda logits: 1 / (1 + np.exp(-logits))  # noqa: E731
    expected = -0.5 * (np.log(1 - probability(source)).mean() + np.log(probability(target)).mean())
    assert float(domain_crossentropy(source, target)) == pytest.approx(expected, rel=1e-5)


def test_crossentropy_of_a_lost_discriminator_is_log_2():
    assert float(domain_crossentropy(tf.zeros((4, 1)), tf.zeros((4, 1)))) == pytest.approx(
        np.log(2)
    )


def test_sure_and_wrong_discriminator_still_has_a_gradient():
    logits = tf.Variable([[80.0]])
    with tf.GradientTape() as tape:
        loss = domain_crossentropy(logits, tf.zeros((1, 1)))
    assert float(tape.gradient(loss, logits)[0, 0]) == pytest.approx(0.5)


def test_float16_logits_give_a_float32_loss():
    loss = domain_crossentropy(tf.ones((2, 1), "float16"), tf.ones((2, 1), "float16"))
    assert loss.dtype == "float32"


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ([-1.0, -2.0], [1.0, 3.0], 1.0),
        ([1.0, 2.0], [-1.0, -3.0], 0.0),
        ([-1.0, 1.0], [2.0, 2.0], 0.75),
        ([0.0, 0.0], [0.0, 0.0], 0.5),
        ([-1.0] * 9, [-1.0], 0.5),
    ],
)
def test_accuracy_counts_each_domain_half(source, target, expected):
    assert float(domain_accuracy(source, target)) == expected
