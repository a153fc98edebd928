import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import class_confusion


def by_hand(logits, temperature, weights=None):
    """The formula of the paper, one example and one pair of classes at a time."""
    examples, classes = logits.shape
    p = np.exp(logits / temperature)
    p /= p.sum(1, keepdims=True)
    w = 1 + np.exp((p * np.log(p)).sum(1))
    w = w if weights is None else w * weights
    w = examples * w / w.sum()
    confusion = np.zeros((classes, classes))
    for i in range(examples):
        for j in range(classes):
            for k in range(classes):
                confusion[j, k] += w[i] * p[i, j] * p[i, k]
    confusion /= confusion.sum(1, keepdims=True)
    return (confusion.sum() - np.trace(confusion)) / classes


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_formula(temperature, weighted):
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (9, 4))
    weights = random.uniform(0, 2, 9) if weighted else None
    loss = class_confusion(logits, temperature, weights)
    assert float(loss) == pytest.approx(by_hand(logits, temperature, weights), abs=1e-6)


def test_ends_of_the_range():
    certain = 100.0 * np.eye(4)[[0, 1, 2, 3, 3]]
    assert float(class_confusion(certain)) == pytest.approx(0, abs=1e-6)
    assert float(class_confusion(np.zeros((5, 4)))) == pytest.approx(0.75, abs=1e-6)


def test_class_without_examples_and_one_image_are_finite():
    for logits in (100.0 * np.eye(4)[[0, 0, 1]], np.array([[3.0, 1.0, -2.0]])):
        variable = tf.Variable(logits, dtype="float32")
        with tf.GradientTape() as tape:
            loss = class_confusion(variable)
        assert np.isfinite(loss) and np.isfinite(tape.gradient(loss, variable)).all()


def test_descending_makes_answers_certain_and_certainty_gets_no_gradient():
    logits = tf.Variable(np.random.default_rng(1).normal(0, 1, (6, 3)), dtype="float32")
    with tf.GradientTape() as tape:
        loss = class_confusion(logits)
    step = tape.gradient(loss, logits).numpy()
    assert float(class_confusion(logits - step)) < float(loss)
    # With the certainties held: the difference quotient of the formula by hand, weights fixed.
    p = tf.nn.softmax(logits / 2.5).numpy()
    w = 1 + np.exp((p * np.log(p)).sum(1))
    w = w / w.mean()

    def held(x):
        q = np.exp(x / 2.5)
        q /= q.sum(1, keepdims=True)
        c = (q * w[:, None]).T @ q
        c /= c.sum(1, keepdims=True)
        return 1 - np.trace(c) / 3

    nudge = np.zeros((6, 3))
    nudge[2, 1] = 1e-4
    x = logits.numpy().astype("float64")
    quotient = (held(x + nudge) - held(x - nudge)) / 2e-4
    assert step[2, 1] == pytest.approx(quotient, abs=1e-5)
