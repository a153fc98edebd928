"""What every method of domain adaptation promises, whatever its formula."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.callbacks import StopWhenDiverged, TrainingDiverged
from keras_dtl.layers import CosineLogits
from keras_dtl.methods import (
    ADDA,
    CCSA,
    CDAN,
    DAN,
    DANN,
    MCC,
    MME,
    AdaMatch,
    DeepCORAL,
    SourceOnly,
)
from tests.methods.adaptation.test_domain_adaptation import batch, images, labels
from tests.networks import CLASSES, compiled, dense, encoder


def cosine_head():
    x = keras.Input((6,))
    return keras.Model(x, CosineLogits(CLASSES, 0.5)(x))


MAKERS = {
    "source_only": lambda: SourceOnly(encoder(), dense(CLASSES)),
    "dan": lambda: DAN(encoder(), dense(CLASSES)),
    "dan_learnt": lambda: DAN(
        encoder(), dense(CLASSES), estimator="linear", learn_kernel_weights=True
    ),
    "deep_coral": lambda: DeepCORAL(encoder(), dense(CLASSES), adaptation_weight="auto"),
    "dann": lambda: DANN(encoder(), dense(CLASSES), dense(1)),
    "dann_shares": lambda: DANN(encoder(), dense(CLASSES), dense(1), label_shift=True),
    "mcc": lambda: MCC(encoder(), dense(CLASSES)),
    "adamatch": lambda: AdaMatch(encoder(), dense(CLASSES), threshold=0.5),
    "cdan": lambda: CDAN(encoder(), dense(CLASSES), dense(1, 6 * CLASSES)),
    "mme": lambda: MME(encoder(), cosine_head(), 0.5),
    "ccsa": lambda: CCSA(encoder(), dense(CLASSES), 0.5),
    "adda": lambda: ADDA(encoder(), dense(CLASSES), dense(1, CLASSES)),
}
EVERY = pytest.mark.parametrize("name", MAKERS)


STRONG = {"source_strong": images(6, seed=2), "target_strong": images(4, seed=3)}


def make(name, optimizer=None):
    model = MAKERS[name]()
    players = {player: keras.optimizers.SGD(0.05) for player in model.player_optimizers}
    return compiled(model, optimizer, **players)


@functools.cache
def state(name):
    """Return a method that tests share, and what it starts from."""
    model = make(name)
    return model, [(v, v.numpy()) for v in (*model.variables, *model.optimizer.variables)]


def unmoved(name):
    """Return the shared method of a name as it was made."""
    model, start = state(name)
    for variable, value in start:
        variable.assign(value)
    model.reset_metrics()
    return model


def full_batch():
    return batch(target_labelled=(images(5, seed=7), labels(5, seed=7)), **STRONG)


def moved(model, data):
    before = [w.numpy() for w in model.encoder.trainable_weights]
    model.train_step(data)
    return [w.numpy() - b for w, b in zip(model.encoder.trainable_weights, before, strict=True)]


@EVERY
def test_step_takes_known_target_labels_and_learns_from_them(name):
    data = full_batch()
    x, y = data["target_labelled"]
    ours = moved(unmoved(name), data)
    others = moved(unmoved(name), {**data, "target_labelled": (x, (y + 1) % CLASSES)})
    assert all(np.isfinite(step).all() for step in ours)
    assert sum(np.abs(a - b).max() for a, b in zip(ours, others, strict=True)) > 1e-6


@EVERY
def test_logs_name_every_term(name):
    model = unmoved(name)
    logs = model.train_step(full_batch())
    assert {"loss", "accuracy", *model.tracked} <= set(logs)
    assert all(np.isfinite(float(value)) for value in logs.values())


@pytest.mark.parametrize(
    "name", ["dan", "dan_learnt", "deep_coral", "dann", "cdan", "mcc", "adamatch", "mme", "ccsa"]
)
def test_encoder_learns_the_task_and_the_adaptation(name, monkeypatch):
    """What ADAPT's DeepCORAL lost: the encoder must receive both gradients, each by itself."""
    total = moved(unmoved(name), full_batch())
    task_only = unmoved(name)
    monkeypatch.setattr(task_only, "adaptation_weight", 0.0)
    monkeypatch.setattr(task_only, "balance", None, raising=False)
    task = moved(task_only, full_batch())
    assert sum(np.abs(step).sum() for step in task) > 5e-5
    assert sum(np.abs(a - b).sum() for a, b in zip(total, task, strict=True)) > 5e-5


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in ("adda", "mme") else pytest.mark.slow) for n in MAKERS],
)
def test_saved_model_keeps_everything(name, tmp_path):
    model = make(name)
    model.train_step(full_batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config().keys() == model.get_config().keys()
    for a, b in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for ours in (model, loaded):
        ours.train_step(full_batch())
    np.testing.assert_array_equal(model.get_weights()[0], loaded.get_weights()[0])


@EVERY
def test_missing_part_of_a_batch_is_named(name):
    model = unmoved(name)
    for key in model.needs:
        data = full_batch()
        del data[key]
        with pytest.raises(ValueError, match=key):
            model.train_step(data)


@EVERY
def test_deployable_is_encoder_and_classifier_alone(name):
    model = unmoved(name)
    deployed = model.deployable()
    assert len(deployed.weights) == len(model.encoder.weights) + len(model.classifier.weights)
    expected = keras.ops.softmax(model(images(3)))
    np.testing.assert_allclose(deployed(images(3)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "argument", "named"),
    [
        (DAN, {"bandwidth": "max"}, "bandwidth"),
        (DAN, {"kernel_factors": ()}, "factors"),
        (CCSA, {"margin": 0.0}, "margin"),
        (MCC, {"adaptation_weight": None}, "adaptation_weight"),
    ],
)
def test_unusable_arguments_are_refused_before_the_training(method, argument, named):
    with pytest.raises(ValueError, match=named):
        method(encoder(), dense(CLASSES), **argument)


def test_maps_are_no_vectors_to_compare():
    maps = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1)])
    head = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Flatten(), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="CCSA compares vectors"):
        CCSA(maps, head)


@pytest.mark.parametrize("name", ["dan", "deep_coral"])
def test_one_domain_of_one_image_is_refused(name):
    with pytest.raises(ValueError, match="at least 2"):
        unmoved(name).train_step(batch(source=6, target=1))


@pytest.mark.parametrize("name", ["source_only", "dann", "cdan", "mcc", "mme", "ccsa", "adda"])
def test_one_image_of_each_domain_is_enough_where_nothing_is_compared(name):
    data = {**batch(source=1, target=1), "target_labelled": (images(1, 7), labels(1, 7))}
    assert all(np.isfinite(step).all() for step in moved(unmoved(name), data))


def test_features_that_are_no_numbers_end_the_training_with_their_name():
    """Images are uint8 and cannot be NaN; arrays of features can."""
    x = keras.Input((4,))
    features = keras.Model(x, keras.layers.Dense(6)(x))
    model = compiled(DAN(features, dense(CLASSES)), run_eagerly=True)
    broken = np.full((4, 4), np.nan, "float32")
    data = {"source": (np.ones((4, 4), "float32"), labels(4)), "target": broken}
    with pytest.raises(TrainingDiverged, match="discrepancy|loss"):
        model.fit(
            tf.data.Dataset.from_tensors(data).repeat(),
            steps_per_epoch=2,
            verbose=0,
            callbacks=[StopWhenDiverged()],
        )


@pytest.mark.slow
@EVERY
def test_one_domain_far_larger_than_the_other_gives_finite_steps(name):
    data = {**batch(source=64, target=2), "target_labelled": (images(2, 7), labels(2, 7))}
    data |= {"source_strong": images(64, 2), "target_strong": images(2, 3)}
    assert all(np.isfinite(step).all() for step in moved(make(name), data))


@pytest.mark.slow
@EVERY
def test_black_images_give_finite_steps(name):
    """Constant input: features without variance, distances of 0."""
    data = full_batch()
    black = {
        key: tf.nest.map_structure(lambda x: x * 0 if x.ndim == 4 else x, value)
        for key, value in data.items()
    }
    assert all(np.isfinite(step).all() for step in moved(make(name), black))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@EVERY
def test_fit_in_a_graph_lowers_the_loss(name, policy):
    keras.config.set_dtype_policy(policy)
    model = make(name)
    data = tf.data.Dataset.from_tensors(full_batch()).repeat()
    history = model.fit(data, epochs=8, steps_per_epoch=5, verbose=0).history
    term = "domain_loss" if name == "adda" else "label_loss"
    assert history[term][-1] < history[term][0]


@pytest.mark.slow
@EVERY
def test_every_method_exports_with_one_call(name, tmp_path):
    from keras_dtl.convert import load_artifact
    from keras_dtl.export import export_model

    model = make(name)
    export_model(model, tmp_path / name, classes=[str(k) for k in range(CLASSES)])
    for count in (1, 3):
        expected = model.deployable().predict(images(count), verbose=0)
        np.testing.assert_allclose(
            load_artifact(tmp_path / name)(images(count)), expected, atol=1e-5
        )
