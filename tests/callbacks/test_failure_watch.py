"""Ten trainings that fail, each of which is named in words within one epoch."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.backbones import mlp
from keras_dtl.callbacks import FailureWatch
from keras_dtl.callbacks.failures import Known, beyond_chance, find_known_by_heart
from keras_dtl.data import domain_batches
from keras_dtl.data.labelled import LabelledImages
from keras_dtl.methods import DANN, SHOT, SourceOnly
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.shot import Target
from tests.networks import CLASSES, SHAPE, dense, encoder

STEPS = 40


def domain(seed, brightness=0):
    """Images whose class is a bright column, and `brightness` a domain."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(48) % CLASSES).astype("int32")
    images = random.integers(0, 30, (48, *SHAPE)) + brightness
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * label : 2 * label + 2] += 150
    return LabelledImages(images.astype("uint8"), labels, ("a", "b", "c"))


def network(kind):
    parts = encoder(), dense(CLASSES)
    return SourceOnly(*parts) if kind == "source" else DANN(*parts, dense(1, name="discriminator"))


def failures_of(model, source=None, rate=0.05, held_out=None, target=None, steps=STEPS, **kwargs):
    """Return the names of what one epoch's watch found."""
    source, target = source or domain(0), target or domain(1, brightness=60)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), loss, metrics=["accuracy"], **kwargs)
    watch = FailureWatch(source.arrays(), held_out and held_out.arrays(), target.images)
    batches = domain_batches(source, target, 12)
    model.fit(batches, epochs=1, steps_per_epoch=steps, callbacks=[watch], verbose=0)
    return watch.failures


@pytest.mark.parametrize("kind", ["source", "dann"])
def test_training_that_works_is_not_blamed(kind, caplog):
    model = network(kind)
    if kind == "dann":
        model.reversal_strength.assign(0.1)
    assert failures_of(model, held_out=domain(2), steps=80) == {}
    # TensorFlow counts traces over a whole process, and warns of them.
    assert not [record for record in caplog.records if record.name == "keras_dtl"]


def test_rate_of_0_leaves_the_loss_at_guessing(caplog):
    model = network("source")
    model.classifier.trainable_weights[0].assign(np.zeros((6, CLASSES)))
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        assert "no better than guessing" in failures_of(model, rate=1e-9)
    assert "guessing 1.1" in caplog.text


@pytest.mark.parametrize(
    ("loss", "guessing"),
    [
        (keras.losses.MeanSquaredError(), None),  # 5 is no worse than guessing at house prices
        (keras.losses.BinaryCrossentropy(from_logits=True), 0.69),
        (keras.losses.CategoricalCrossentropy(from_logits=True), 1.1),
    ],
    ids=["numbers", "several labels", "classes"],
)
def test_only_a_cross_entropy_is_compared_with_guessing(loss, guessing, caplog):
    model, source = network("source"), domain(0)
    model.compile(keras.optimizers.SGD(1e-9), loss)
    targets = 5.0 * np.eye(CLASSES)[source.labels].astype("float32")
    targets = targets if guessing is None else targets / 5
    batches = tf.data.Dataset.from_tensors({"source": (source.images, targets)}).repeat()
    watch = FailureWatch()
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        model.fit(batches, steps_per_epoch=STEPS, callbacks=[watch], verbose=0)
    assert ("no better than guessing" in watch.failures) == (guessing is not None)
    assert guessing is None or f"that of guessing {guessing}" in caplog.text


def test_rate_that_is_1000_times_too_large_explodes():
    assert "losses explode" in failures_of(network("source"), rate=50.0, steps=3)


def test_losses_that_are_no_numbers_are_told_as_such_alone(caplog):
    watch = FailureWatch()
    watch.set_model(network("source"))
    watch.model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    watch.set_params({"steps": 30, "epochs": 1})
    watch.on_train_begin()
    watch.on_epoch_begin(0)
    for batch in range(30):
        watch.on_train_batch_end(batch, {"label_loss": 1.0 if batch < 9 else float("nan")})
    watch.on_epoch_end(0, {"label_loss": float("nan")})
    assert list(watch.failures) == ["losses explode"] and len(caplog.records) == 1
    assert "`label_loss` is nan in step 10" in caplog.text


def test_large_rate_kills_the_network():
    found = failures_of(network("source"), rate=5.0)
    assert {"one class for all", "dead features"} <= set(found) or "losses explode" in found


def test_dead_activations():
    model = network("source")
    model.encoder.layers[-1].bias.assign(np.full(6, -1e6))
    assert {"dead features", "one class for all"} <= set(failures_of(model))


def test_one_class_for_all():
    model = network("source")
    model.classifier.trainable_weights[1].assign([0.0, 50.0, 0.0])
    model.classifier.trainable = False
    found = failures_of(model, rate=1e-6)
    assert "class 1" in found["one class for all"].words


def test_one_class_for_the_target_is_told_without_its_labels(caplog):
    alike = domain(1).subset(np.flatnonzero(domain(1).labels == 1))
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        found = failures_of(network("source"), target=alike, steps=80)
    assert set(found) == {"one class for the target"}
    assert "100% of the target's images are taken for class 1" in caplog.text


def test_adaptation_without_the_source_is_watched_on_its_target(caplog):
    target = domain(1).without_labels()
    model = SHOT(encoder(), dense(CLASSES))
    model.classifier.layers[-1].bias.assign([0.0, 50.0, 0.0])  # collapsed
    model.compile(keras.optimizers.SGD(1e-6))
    watch = RECIPES["shot"]().failure_watch(Target(target, None, ("a", "b", "c")))
    batches = tf.data.Dataset.from_tensors({"target": target.images[:4]}).repeat()
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        model.fit(batches, epochs=1, steps_per_epoch=STEPS, callbacks=[watch], verbose=0)
    assert "one class for the target" in watch.failures
    assert "taken for 'b'" in caplog.text


@pytest.mark.parametrize(
    ("classes", "known", "others", "count", "told"),
    [
        (3, 0.89, 0.23, 60, True),  # shuffled labels after an epoch, not yet all by heart
        (3, 0.89, 0.70, 60, False),  # labels that belong to their images
        (7, 0.41, 0.11, 63, True),
        (7, 0.25, 0.22, 63, False),  # slow, and learning
        (3, 1.00, 0.47, 15, False),  # too few others to tell
        (3, 1.00, 0.13, 15, True),
        (3, 0.35, 0.30, 60, False),  # nothing is known yet
    ],
)
def test_known_by_heart_is_told_from_learning_by_how_often_others_are_right(
    classes, known, others, count, told
):
    def answered(count, share):
        labels = np.arange(count) % classes
        right = np.arange(count) // classes < share * (count // classes)
        return np.where(right, labels, (labels + 1) % classes), labels

    found = find_known_by_heart(*answered(60 // classes * classes, known), *answered(count, others))
    assert (found is not None) == told


def test_weighted_labels_that_are_learnt_are_not_blamed_for_their_loss(caplog):
    source, target = domain(0), domain(1)
    watches = [FailureWatch(), FailureWatch(source.arrays())]
    model = network("source")
    model.compile(
        keras.optimizers.SGD(0.002, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    weights = dict.fromkeys(range(CLASSES), 20.0)
    batches = domain_batches(source, target, 12)
    more = {"steps_per_epoch": 60, "callbacks": watches, "verbose": 0, "class_weight": weights}
    logs = model.fit(batches, **more).history
    assert logs["label_loss"][0] > np.log(CLASSES)
    assert [watch.failures for watch in watches] == [{}, {}]


def test_weighted_labels_that_are_guessed_are_told_by_the_probe():
    watch = FailureWatch((np.zeros((30, 1)), np.arange(30) % 3))
    watch.set_model(network("source"))
    watch.model.compile("sgd", "sparse_categorical_crossentropy")
    watch.model.weighs_labels = True
    watch._steps = 100
    for right, told in ((10, True), (25, False)):
        answers = np.where(np.arange(30) < right, np.arange(30), np.arange(30) + 1) % 3
        found = watch._guesses({"label_loss": 9.0}, Known.of(answers, watch.probe.known))
        assert (found is not None) == told
    assert watch._guesses({"label_loss": 9.0}, None) is None


@pytest.mark.parametrize(("outputs", "loss"), [(1, "binary"), (2, "categorical")])
def test_yes_and_no_and_one_hot_labels_are_answers_too(outputs, loss):
    labels = np.arange(12) % 2
    known = labels[:, None] if outputs == 1 else np.eye(2)[labels]
    watch = FailureWatch((np.zeros((12, *SHAPE), "uint8"), known))
    model = SourceOnly(encoder(), dense(outputs))
    model.compile("sgd", f"{loss}_crossentropy")
    logits = np.where(labels == 1, 2.0, -2.0)[:, None]
    logits = logits if outputs == 1 else np.concatenate([-logits, logits], 1)
    features = np.random.default_rng(0).normal(size=(12, 6))
    watch.set_model(model)
    watch._steps, watch._outputs = 100, lambda images: [features, logits]
    answered, found = watch._of_answers()
    assert answered.share == 1.0 and not any(found)


def test_several_labels_and_numbers_are_no_classes():
    model = SourceOnly(encoder(), dense(CLASSES))
    watch = FailureWatch((domain(0).images[:4], np.ones((4, CLASSES))), target=domain(1).images)
    watch.set_model(model)
    for loss in ("binary_crossentropy", "mse"):
        model.compile("sgd", loss)
        watch._steps = 100
        assert not any(watch._of_answers()[1])


def test_images_need_a_model_that_can_be_asked():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 2))
    with pytest.raises(ValueError, match="encoder.*Sequential has not.*reads the logs"):
        model.fit(x, x[:, :1], verbose=0, callbacks=[FailureWatch(target=x)])


def test_labels_that_belong_to_other_images_are_known_by_heart():
    random = np.random.default_rng(0)
    noise = LabelledImages(
        random.integers(0, 256, (9, *SHAPE)).astype("uint8"),
        (np.arange(9) % CLASSES).astype("int32"),
        ("a", "b", "c"),
    )
    others = LabelledImages(
        random.integers(0, 256, (48, *SHAPE)).astype("uint8"),
        (np.arange(48) % CLASSES).astype("int32"),
        ("a", "b", "c"),
    )
    keras.utils.set_random_seed(3)
    image = keras.Input(SHAPE, dtype="uint8")
    wide = keras.layers.Dense(6)(
        keras.layers.Dense(64, "relu")(
            keras.layers.Flatten()(keras.layers.Rescaling(1 / 127.5, -1.0)(image))
        )
    )
    model = SourceOnly(keras.Model(image, wide), dense(CLASSES))
    found = failures_of(model, noise, held_out=others, rate=0.01, steps=150)
    assert "known by heart" in found


def test_labels_that_are_shuffled_are_no_better_than_guessing():
    keras.utils.set_random_seed(1)
    images, labels = domain(0).arrays()
    shuffled = np.random.default_rng(1).permutation(labels)
    data = LabelledImages(images, shuffled, ("a", "b", "c"))
    assert "no better than guessing" in failures_of(network("source"), data)


def test_discriminator_that_wins():
    wide = mlp((6,), (16,), 1)
    model = DANN(encoder(), dense(CLASSES), wide)
    model.encoder.trainable = False
    found = failures_of(model, target=domain(1, brightness=100), steps=150)
    assert "the discriminator has won" in found


def test_discriminator_that_never_learns():
    model = network("dann")
    model.discriminator.trainable_weights[0].assign(np.zeros((6, 1)))
    model.discriminator.trainable = False
    assert "the discriminator never learnt" in failures_of(model)


def test_generator_that_is_beaten():
    watch = FailureWatch()
    watch.set_model(keras.Sequential())
    watch.set_params({"steps": 30, "epochs": 1})
    watch.on_train_begin()
    watch.on_epoch_begin(0)
    for batch in range(30):
        watch.on_train_batch_end(batch, {"discriminator_loss": 1e-4})
    watch.on_epoch_end(0, {"discriminator_loss": 1e-4})
    assert "the discriminator has won" in watch.failures


def test_loss_of_a_step_is_told_from_the_mean_of_the_epoch():
    watch = FailureWatch()
    watch.set_model(keras.Sequential())
    watch.on_train_begin()
    watch.on_epoch_begin(0)
    values = [watch._values(i, {"loss": mean}) for i, mean in enumerate((1.0, 2.0, 2.0))]
    assert [one["loss"] for one in values] == [1.0, 3.0, 2.0]


def test_steps_that_run_at_once_are_told_as_their_mean_and_count_as_many():
    watch = FailureWatch()
    watch.set_model(keras.Sequential())
    watch.set_params({"steps": 30, "epochs": 1})
    watch.on_train_begin()
    watch.on_epoch_begin(0)
    for batch, mean in ((9, 9.0), (19, 5.0), (29, 3.5)):  # 9, 1 and 0.5, ten times each
        watch.on_train_batch_end(batch, {"loss": mean})
    assert watch._tail["loss"] == [1.0, 0.5]
    assert watch._first["loss"] == [9.0, 1.0, 0.5]
    assert watch._steps == 30


def test_a_failure_is_told_once_while_it_lasts_and_again_when_it_returns(caplog):
    watch = FailureWatch()
    watch.set_model(keras.Sequential())
    watch.set_params({"steps": 30, "epochs": 4})
    watch.on_train_begin()
    for epoch, loss in enumerate((1e-4, 1e-4, 1.0, 1e-4)):
        watch.on_epoch_begin(epoch)
        for batch in range(30):
            watch.on_train_batch_end(batch, {"discriminator_loss": loss})
        watch.on_epoch_end(epoch, {"discriminator_loss": loss})
        assert bool(watch.failures) == (loss < 1)
    assert len(caplog.records) == 2


def test_share_that_guessing_reaches_in_one_of_20_cases():
    hits = np.random.default_rng(0).binomial(100, 0.25, 100_000) / 100
    assert np.mean(hits > beyond_chance(4, 100)) == pytest.approx(0.05, abs=0.015)
