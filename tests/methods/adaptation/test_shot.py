import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.callbacks import Refresh
from keras_dtl.layers import CosineLogits
from keras_dtl.methods import SHOT
from keras_dtl.methods.adaptation.shot import class_centroids
from tests.methods.adaptation.test_domain_adaptation import images
from tests.networks import CLASSES, dense, encoder


def classifier():
    x = keras.Input((6,))
    hidden = keras.layers.Dense(5, activation="relu")(x)
    return keras.Model(x, keras.layers.Dense(CLASSES)(hidden))


def make(**kwargs):
    model = SHOT(encoder(), classifier(), **kwargs)
    model.compile(keras.optimizers.SGD(0.1))
    return model


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_losses_equal_numpy():
    model, x = make(pseudo_label_weight=0.4), images(7)
    model.refresh(x)
    features = model.represent(x, training=False).numpy()
    p = softmax(model(x).numpy())
    directions = np.concatenate([features, np.ones((7, 1))], 1)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    labels = (directions @ model.centroids.numpy().T).argmax(1)
    entropy = -(p * np.log(p)).sum(1).mean()
    diversity = (p.mean(0) * np.log(p.mean(0))).sum()
    pseudo = -np.log(p[np.arange(7), labels]).mean()
    logs = {name: float(value) for name, value in model.train_step({"target": x}).items()}
    assert logs["entropy"] == pytest.approx(entropy, rel=1e-4)
    assert logs["negative_diversity"] == pytest.approx(diversity, rel=1e-4)
    assert logs["pseudo_label_loss"] == pytest.approx(pseudo, rel=1e-4)
    assert logs["loss"] == pytest.approx(entropy + diversity + 0.4 * pseudo, rel=1e-4)
    assert int(model.trackers["entropy"].count) == 7  # by which batches weigh in an epoch


def test_centroids_are_means_of_directions_and_absent_classes_have_none():
    features = np.array([[9.0, 0], [11, 1], [0, 8], [1, 12]])
    answers = np.array([[0.9, 0.1, 0], [0.8, 0.2, 0], [0.3, 0.7, 0], [0.2, 0.8, 0]])
    found = class_centroids(features, answers)
    directions = np.concatenate([features, np.ones((4, 1))], 1)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for label, members in ((0, [0, 1]), (1, [2, 3])):
        mean = directions[members].mean(0)
        np.testing.assert_allclose(found[label], mean / np.linalg.norm(mean), atol=1e-6)
    np.testing.assert_array_equal(found[2], 0)


def test_class_without_images_is_no_pseudo_label():
    model, x = make(), images(7)
    model.refresh(x)
    centroids = model.centroids.numpy()
    centroids[0] = 0
    model.centroids.assign(centroids)
    with tf.GradientTape() as tape:
        features, logits, _ = model.outputs(x, training=True)
        tape.watch(logits)
        loss = model._pseudo_label_loss(features, logits)
    assert (tape.gradient(loss, logits).numpy()[:, 0] > 0).all()  # never raised


def test_last_layer_stays_and_all_below_learns():
    model, x = make(), images(7)
    model.refresh(x)
    before = [w.numpy() for w in model.weights]
    model.train_step({"target": x})
    last = {id(w) for w in model.classifier.layers[-1].weights}
    learnt = {id(w) for w in model.trainable_weights}
    assert not last & learnt
    for weight, old in zip(model.weights, before, strict=True):
        if id(weight) in learnt:
            assert np.abs(weight.numpy() - old).max() > 0, weight.path
        if id(weight) in last:
            np.testing.assert_array_equal(weight, old)


def test_classifier_of_one_layer_and_cosine_classifier_stay_whole():
    x = keras.Input((6,))
    cosine = keras.Model(x, CosineLogits(CLASSES)(x))
    for whole in (dense(CLASSES), cosine):
        model = SHOT(encoder(), whole)
        model.compile(keras.optimizers.SGD(0.1))
        assert not whole.trainable_weights
        model.refresh(images(7))
        assert np.isfinite(float(model.train_step({"target": images(7)})["loss"]))


def test_saved_model_keeps_its_centroids_and_trains_on_alike(tmp_path):
    model, x = make(), images(7)
    model.refresh(x)
    model.train_step({"target": x})
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.centroids, loaded.centroids)
    for ours in (model, loaded):
        ours.train_step({"target": x})
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_bad_input_is_named():
    model = make()
    with pytest.raises(ValueError, match="needs batches with target"):
        model.train_step({"source": (images(2), np.zeros(2))})
    with pytest.raises(ValueError, match="at least as many target images. Received: 2"):
        model.refresh(images(2))
    with pytest.raises(ValueError, match="finite number of 0 or more"):
        SHOT(encoder(), dense(CLASSES), pseudo_label_weight=-1)


def test_one_image_of_each_class_is_enough():
    model = make()
    model.refresh(images(CLASSES))
    assert np.isfinite(float(model.train_step({"target": images(CLASSES)})["loss"]))


def points(count, seed, moved):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    points = rng.normal(0, 0.2, (count, 2)) + np.stack([4.0 * labels - 2, 0 * labels], 1)
    points[:, 0] += moved
    return points.astype("float32"), labels.astype("int32")


def test_toy_is_won_without_the_source():
    keras.utils.set_random_seed(0)
    x = keras.Input((2,))
    features = keras.Model(x, keras.layers.Dense(16, activation="relu")(x))
    head = dense(2, 16)
    source = keras.Model(x, head(features(x)))
    source.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    source.optimizer.learning_rate = 0.1
    source.fit(*points(256, 0, 0.0), batch_size=256, epochs=25, verbose=0)
    images, truth = points(512, 2, 1.8)
    before = (source(images).numpy().argmax(1) == truth).mean()
    model = SHOT(features, head)
    model.compile(keras.optimizers.Adam(0.02))
    target = points(256, 1, 1.8)[0]
    data = tf.data.Dataset.from_tensors({"target": target}).repeat()
    model.fit(data, epochs=5, steps_per_epoch=20, verbose=0, callbacks=[Refresh(target)])
    assert before < 0.95
    assert (model(images).numpy().argmax(1) == truth).mean() > 0.97


def test_metrics_are_of_labels_and_left_to_evaluate():
    model = SHOT(encoder(), dense(CLASSES))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    expected = {"entropy", "negative_diversity", "pseudo_label_loss", "loss"}
    for _ in range(2):
        data = tf.data.Dataset.from_tensors({"target": images(4)})
        assert set(model.fit(data, verbose=0).history) == expected
        assert float(model.test_step((images(4), np.ones(4)))["accuracy"]) >= 0
