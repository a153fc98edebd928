"""Mistakes of users that would train silently wrong."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.data import domain_batches
from keras_dtl.data.labelled import LabelledImages
from keras_dtl.distribution import share_batches
from keras_dtl.methods import (
    ADDA,
    CDAN,
    DAN,
    DANN,
    MCC,
    MME,
    SHOT,
    AdaMatch,
    FineTuning,
    SourceOnly,
)
from keras_dtl.methods.inputs import logits_loss, require_domains
from tests.networks import CLASSES, SHAPE, compiled, dense, encoder

METHODS = {
    "source": lambda: SourceOnly(encoder(), dense(CLASSES)),
    "dann": lambda: DANN(encoder(), dense(CLASSES), dense(1)),
    "fine": lambda: FineTuning(encoder(), dense(CLASSES)),
}


def examples(seed=0, count=24):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, *SHAPE)).astype("uint8")
    labels = (np.arange(count) % CLASSES).astype("int32")
    return LabelledImages(images, labels, ("a", "b", "c"))


def batches(scale=1.0, shift=0.0):
    """Batches of float images, endless."""
    data = domain_batches(examples(0), examples(1), 6)
    change = lambda x: tf.cast(x, "float32") / scale - shift  # noqa: E731

    def scaled(batch):
        x, y = batch["source"]
        return {"source": (change(x), y), "target": change(batch["target"])}

    return data.map(scaled)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
        keras.losses.sparse_categorical_crossentropy,
        keras.losses.SparseCategoricalCrossentropy(),
    ],
)
def test_loss_of_probabilities_is_taken_as_one_of_logits(name, loss, caplog):
    model = METHODS[name]()
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        model.compile("sgd", loss)
    assert "from_logits=True" in caplog.text
    logits, labels = tf.constant([[2.0, -1.0, 0.0]]), tf.constant([0])
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)[0]
    assert float(model.loss(labels, logits)) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        ("binary_crossentropy", keras.losses.BinaryCrossentropy),
        ("bce", keras.losses.BinaryCrossentropy),
        (keras.losses.BinaryCrossentropy(label_smoothing=0.1), keras.losses.BinaryCrossentropy),
        (keras.losses.binary_focal_crossentropy, keras.losses.BinaryFocalCrossentropy),
        ("CategoricalFocalCrossentropy", keras.losses.CategoricalFocalCrossentropy),
        (keras.losses.CategoricalCrossentropy(), keras.losses.CategoricalCrossentropy),
    ],
)
def test_every_cross_entropy_is_taken_as_one_of_logits(loss, kind, caplog):
    model = FineTuning(encoder(), dense(2))
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        model.compile("sgd", loss)
    assert f"{kind.__name__}(from_logits=True)" in caplog.text
    config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
    expected = kind(**{**config, "from_logits": True})
    logits, labels = tf.constant([[2.0, -1.0]]), tf.constant([[1.0, 0.0]])
    assert float(model.loss(labels, logits)) == pytest.approx(float(expected(labels, logits)))


def test_one_logit_learns_what_a_cross_entropy_by_name_asks_for():
    images, labels = examples().images, (examples().labels > 0).astype("float32")[:, None]
    model = FineTuning(encoder(), dense(1))
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
    loss = model.fit(images, labels, batch_size=24, verbose=0).history["loss"][0]
    logits = model(images).numpy()
    assert loss == pytest.approx(np.mean(np.logaddexp(0, logits) - labels * logits), rel=1e-4)


@pytest.mark.parametrize("width", [1, 3])
def test_accuracy_of_yes_and_no_is_that_of_logits(width, tmp_path):
    images, metrics = examples().images, ["accuracy", "acc", "BinaryAccuracy"]
    model = FineTuning(encoder(), dense(width))
    model.classifier.layers[-1].bias.assign(-np.median(model(images), 0))
    model.compile("sgd", "binary_crossentropy", metrics=metrics, weighted_metrics=metrics)
    labels = (model(images).numpy() > 0).astype("float32")
    labels[:6] = 1 - labels[:6]
    model.save(tmp_path / "model.keras")
    for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
        scores = each.evaluate(images, labels, verbose=0, return_dict=True)
        values = [value for name, value in scores.items() if name != "loss"]
        assert values == pytest.approx([18 / 24] * 6)


@pytest.mark.parametrize("width", [1, 3])
def test_metrics_of_probabilities_are_those_of_logits(width, tmp_path):
    labels = examples().labels if width == 3 else (examples().labels > 0).astype("float32")[:, None]
    loss, name = ("sparse_categorical", "SparseCategorical") if width == 3 else ("binary", "Binary")
    kind = getattr(keras.metrics, f"{name}Crossentropy")
    metrics = ["crossentropy", f"{loss}_crossentropy", kind(name="own"), kind(from_logits=True)]
    more = {1: ["AUC", keras.metrics.Precision(name="precise"), keras.metrics.Recall(0.0)], 3: []}
    model = FineTuning(encoder(), dense(width))
    model.compile("sgd", f"{loss}_crossentropy", metrics=[*metrics, *more[width], "accuracy"])
    logits = model(examples().images)
    probabilities = keras.ops.sigmoid(logits) if width == 1 else keras.ops.softmax(logits)
    model.evaluate(examples().images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
        found = each.evaluate(examples().images, labels, verbose=0, return_dict=True)
        names = ["crossentropy", f"{loss}_crossentropy", "own"]
        assert [found[name] for name in names] == pytest.approx([found["loss"]] * 3, rel=1e-4)
        if width == 1:
            expected = keras.metrics.AUC(), keras.metrics.Precision(), keras.metrics.Recall(0.5)
            for metric, name in zip(expected, ("AUC", "precise", "recall"), strict=True):
                metric.update_state(labels, probabilities)
                assert found[name] == pytest.approx(float(metric.result()), abs=1e-6)


def test_accuracy_of_classes_stays_that_of_classes():
    model = compiled(METHODS["fine"]())
    images, labels = examples().images, examples().labels
    right = (model(images).numpy().argmax(1) == labels).mean()
    found = model.evaluate(images, labels, verbose=0, return_dict=True)["accuracy"]
    assert found == pytest.approx(right)


def test_other_losses_stay(caplog):
    mine = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    assert logits_loss(mine) is mine
    assert logits_loss("mse") == "mse"
    assert not caplog.records
    kept = logits_loss(keras.losses.SparseCategoricalCrossentropy(ignore_class=7))
    assert kept.get_config()["ignore_class"] == 7


@pytest.mark.parametrize(("scale", "shift"), [(255.0, 0.0), (127.5, 1.0)])
def test_images_that_were_scaled_before_are_refused_at_the_first_batch(scale, shift):
    with pytest.raises(ValueError, match="division by 255"):
        compiled(METHODS["dann"]()).fit(batches(scale, shift), steps_per_epoch=1)
    images = examples().images / scale - shift
    with pytest.raises(ValueError, match="division by 255"):
        compiled(METHODS["fine"]()).fit(images.astype("float32"), examples().labels)


@pytest.mark.parametrize("name", ["source", "fine"])
def test_scaled_images_are_refused_where_they_are_asked_about_too(name):
    model, (images, labels) = compiled(METHODS[name]()), examples().arrays()
    scaled = images.astype("float32") / 255
    data = tf.data.Dataset.from_tensor_slices((scaled, labels)).batch(8)
    for ask in (
        lambda: model.predict(scaled),
        lambda: model.evaluate(scaled, labels),
        lambda: model.evaluate(data),
        lambda: model.predict(data.map(lambda x, _: x)),
    ):
        with pytest.raises(ValueError, match=r"expected in 0..255"):
            ask()
    black = np.zeros_like(scaled[:2])
    np.testing.assert_array_equal(model.predict(black, verbose=0)[0], model(black)[0])


def test_floats_in_0_to_255_train():
    compiled(METHODS["dann"](), run_eagerly=True).fit(batches(), steps_per_epoch=1, verbose=0)
    floats = examples().images.astype("float32")
    compiled(METHODS["fine"](), run_eagerly=True).fit(floats, examples().labels, verbose=0)


def test_arrays_of_domains_of_unequal_length_are_refused():
    images = examples().images
    batch = {"source": (images[:4], examples().labels[:4]), "target": images[:3]}
    with pytest.raises(ValueError, match=r"arrays of 3 and 4 examples.*domain_batches"):
        compiled(METHODS["dann"]()).fit(batch, verbose=0)


@pytest.mark.parametrize("name", ["source", "dann"])
def test_data_that_are_no_batches_of_domains_are_named(name):
    data, model = examples(), compiled(METHODS[name]())
    pairs = tf.data.Dataset.from_tensor_slices(data.arrays()).batch(6)
    for given in ((data.images, data.labels), (pairs,), ((data.images, data.labels),)):
        with pytest.raises(ValueError, match="source.*images, labels.*domain_batches"):
            model.fit(*given, verbose=0)


def test_class_weights_move_the_label_loss_alone():
    def moved(weights, model):
        compiled(model, keras.optimizers.SGD(0.1), run_eagerly=True)
        before = [w.numpy() for w in model.trainable_weights]
        data = domain_batches(examples(0), examples(1), 24)
        model.fit(data, epochs=1, steps_per_epoch=1, verbose=0, class_weight=weights)
        return [w.numpy() - b for w, b in zip(model.trainable_weights, before, strict=True)]

    def model():
        keras.utils.set_random_seed(1)
        return METHODS["dann"]()

    plain, doubled = moved(None, model()), moved({0: 2.0, 1: 2.0, 2: 2.0}, model())
    # The discriminator's weights come last and learn alike; the classifier's twice as fast.
    np.testing.assert_allclose(doubled[-2], plain[-2], atol=1e-7)
    np.testing.assert_allclose(doubled[-4], 2 * plain[-4], atol=1e-6)


def test_a_class_that_alone_weighs_is_all_that_is_learnt():
    keras.utils.set_random_seed(0)
    model, data = compiled(METHODS["dann"]()), domain_batches(examples(0), examples(1), 24)
    weights = {0: 0.0, 1: 5.0, 2: 0.0}
    model.fit(data, epochs=1, steps_per_epoch=30, verbose=0, class_weight=weights)
    answers = model(examples(0).images).numpy().argmax(1)
    assert (answers == 1).mean() > 0.9


def test_class_weights_take_labels_with_a_number_for_each_class():
    images, labels = examples().images, examples().labels
    logs = []
    for kind, given in (
        (keras.losses.SparseCategoricalCrossentropy, labels),
        (keras.losses.CategoricalCrossentropy, np.eye(CLASSES, dtype="float32")[labels]),
    ):
        keras.utils.set_random_seed(0)
        model = METHODS["dann"]()
        model.compile(keras.optimizers.SGD(0.0), kind(from_logits=True), run_eagerly=True)
        data = tf.data.Dataset.from_tensors({"source": (images, given), "target": images})
        logs.append(model.fit(data, class_weight={1: 5.0, 2: 0.0}, verbose=0).history)
    assert logs[0]["label_loss"] == pytest.approx(logs[1]["label_loss"], rel=1e-5)


def test_evaluate_and_validation_score_the_source_of_batches_of_domains():
    model, data = compiled(METHODS["dann"]()), domain_batches(examples(0), examples(1), 24)
    scores = model.evaluate(data, steps=1, verbose=0, return_dict=True)
    logits = model(examples(0).images).numpy()
    expected = (logits.argmax(1) == examples(0).labels).mean()
    assert scores["accuracy"] == pytest.approx(expected, abs=1e-6)
    history = model.fit(
        data, steps_per_epoch=1, validation_data=data, validation_steps=1, verbose=0
    ).history
    assert {"val_accuracy", "val_loss"} <= set(history)


def test_adda_refuses_tuples_too():
    model = ADDA(encoder(), dense(CLASSES), dense(1, CLASSES))
    compiled(model, discriminator_optimizer="sgd")
    with pytest.raises(ValueError, match="domain_batches"):
        model.fit(examples().images, examples().labels)


def test_batches_divided_among_replicas_are_looked_into(two_replicas):
    images = np.zeros((4, *SHAPE), "uint8")
    domains = {"source": (images, np.zeros(4, "int32")), "target": images}
    for batch, known in ((domains, True), ((images, images), False)):
        shared = share_batches(tf.data.Dataset.from_tensors(batch).repeat(), two_replicas)
        if known:
            require_domains(DANN, shared)
        else:
            with pytest.raises(ValueError, match="takes batches of domains"):
                require_domains(DANN, shared)


def heads(width):
    """Methods that read a softmax of the answers, with a head of so many numbers."""
    head, judge = (lambda: dense(width)), (lambda inputs: dense(1, inputs))
    return {
        "MCC": lambda: MCC(encoder(), head()),
        "MME": lambda: MME(encoder(), head()),
        "AdaMatch": lambda: AdaMatch(encoder(), head()),
        "SHOT": lambda: SHOT(encoder(), head()),
        "CDAN": lambda: CDAN(encoder(), head(), judge(6 * width)),
        "DANN": lambda: DANN(encoder(), head(), judge(width), discriminated="probabilities"),
        "DAN": lambda: DAN(encoder(), head(), label_shift=True),
    }


@pytest.mark.parametrize("name", heads(1))
def test_heads_that_are_no_classes_are_refused_where_answers_are_read_as_such(name):
    yes = keras.losses.BinaryCrossentropy(from_logits=True)
    for model in (heads(1)[name](), two := heads(2)[name]()):
        for loss in (yes, "mse"):
            with pytest.raises(ValueError, match=f"{name} reads the answers as one of several"):
                model.compile("sgd", loss)
    two.compile("sgd", "categorical_crossentropy")
    two.compile("sgd", lambda y, z: keras.ops.mean(z))  # nobody knows what it is


def test_methods_that_align_features_take_every_head():
    yes = keras.losses.BinaryCrossentropy(from_logits=True)
    for model in (DANN(encoder(), dense(1), dense(1)), DAN(encoder(), dense(2))):
        model.compile("sgd", yes)
