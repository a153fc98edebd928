import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import class_confusion
from keras_dtl.methods import MCC
from tests.methods.adaptation.test_domain_adaptation import batch
from tests.networks import CLASSES, compiled, dense, encoder


def test_loss_is_the_confusion_of_the_target_by_weight_and_strength():
    model, data = compiled(MCC(encoder(), dense(CLASSES), 0.5, temperature=1.5)), batch()
    model.adaptation_strength.assign(0.4)
    confusion = float(class_confusion(model(data["target"]), 1.5))
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    assert logs["class_confusion"] == pytest.approx(confusion, rel=1e-5)
    assert logs["loss"] == pytest.approx(logs["label_loss"] + 0.2 * confusion, rel=1e-5)


def test_target_weights_count():
    model, data = compiled(MCC(encoder(), dense(CLASSES))), batch()
    weights = np.array([0.0, 2.0, 1.0, 0.5], "float32")
    confusion = float(class_confusion(model(data["target"]), weights=weights))
    logs = model.train_step({**data, "target_weight": weights})
    assert float(logs["class_confusion"]) == pytest.approx(confusion, rel=1e-5)


def test_strength_is_saved_and_temperature_configured(tmp_path):
    model = compiled(MCC(encoder(), dense(CLASSES), temperature=3.0))
    model.adaptation_strength.assign(0.375)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.adaptation_strength.numpy()) == 0.375
    assert loaded.temperature == 3.0


@pytest.mark.parametrize(("name", "value"), [("temperature", 0.0), ("label_shift", True)])
def test_what_it_cannot_do_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        MCC(encoder(), dense(CLASSES), **{name: value})


def points(count, seed, moved):
    """Two blobs; in the target both are moved so that the source's boundary cuts through one."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    points = rng.normal(0, 0.2, (count, 2)) + np.stack([4.0 * labels - 2, 0 * labels], 1)
    points[:, 0] += moved
    return points.astype("float32"), labels.astype("int32")


def toy_accuracy(weight):
    keras.utils.set_random_seed(0)
    x = keras.Input((2,))
    features = keras.Model(x, keras.layers.Dense(16, activation="relu")(x))
    model = compiled(MCC(features, dense(2, 16), weight), keras.optimizers.Adam(0.02))
    domains = {"source": points(256, 0, 0.0), "target": points(256, 1, 1.8)[0]}
    data = tf.data.Dataset.from_tensors(domains).repeat()
    model.fit(data, steps_per_epoch=150, verbose=0)
    images, truth = points(512, 2, 1.8)
    return (model(images).numpy().argmax(1) == truth).mean()


def test_toy_is_won_by_adaptation_and_lost_without_its_weight():
    assert toy_accuracy(1.0) > 0.97
    assert toy_accuracy(0.0) < 0.95
