import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import contrastive_alignment, paired_contrast


def loop(x, x_labels, y, y_labels, margin):
    same, apart = [], []
    for a, i in zip(x, x_labels):
        for b, j in zip(y, y_labels):
            distance = np.linalg.norm(a - b)
            if i == j:
                same.append(distance**2 / 2)
            else:
                apart.append(max(0, margin - distance) ** 2 / 2)
    return np.mean(same), np.mean(apart)


def test_losses_equal_a_loop_over_pairs():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(4, 2))
    x_labels, y_labels = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1, 0, 2])
    found = contrastive_alignment(x, x_labels, y, y_labels, margin=2.0)
    np.testing.assert_allclose(found, loop(x, x_labels, y, y_labels, 2.0), rtol=1e-5)


def test_pairs_far_from_the_origin_keep_their_distances():
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(4, 3)).astype("float32") + np.float32(1e5) for _ in range(2))
    labels = np.array([0, 1, 0, 1])
    found = contrastive_alignment(x, labels, y, labels, margin=2.0)
    np.testing.assert_allclose(found, loop(x, labels, y, labels, 2.0), rtol=1e-5)


def test_domain_without_examples_leaves_finite_gradients():
    x = tf.Variable(tf.ones((2, 3)))
    with tf.GradientTape() as tape:
        loss = sum(contrastive_alignment(x, np.arange(2), tf.zeros((0, 3)), np.arange(0)))
    assert float(loss) == 0 and not np.any(tape.gradient(loss, x))


def test_class_missing_in_one_domain_leaves_a_term_of_zero():
    same, apart = contrastive_alignment(
        np.zeros((2, 2)), np.array([0, 0]), np.zeros((2, 2)), np.array([1, 1])
    )
    assert float(same) == 0
    assert float(apart) == pytest.approx(0.5, abs=1e-5)


def test_equal_features_of_different_classes_have_a_finite_gradient():
    x = tf.Variable(tf.ones((1, 2)))
    with tf.GradientTape() as tape:
        loss = sum(contrastive_alignment(x, tf.constant([0]), tf.ones((1, 2)), tf.constant([1])))
    assert np.isfinite(tape.gradient(loss, x)).all()


def test_paired_contrast_equals_a_loop_and_forgives_others_of_the_label():
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(5, 3)) for _ in range(2))
    labels = np.array([0, 1, 0, 2, 1])
    terms = []
    for a, i in zip(x, labels, strict=True):
        cosines = np.array([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in y])
        likely = np.exp(cosines / 0.5)
        terms.append(-np.log(likely[labels == i].sum() / likely.sum()))
    found = paired_contrast(x, y, labels, temperature=0.5)
    np.testing.assert_allclose(found, np.mean(terms), rtol=1e-5)
    assert float(paired_contrast(x, y, np.zeros(5, int))) == pytest.approx(0, abs=1e-6)
    assert float(paired_contrast(np.eye(4), 9 * np.eye(4), np.arange(4))) < 1e-3
