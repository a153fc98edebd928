"""Labels that no classifier gives, and labels in another form than the loss reads."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import DAN, FineTuning, SourceOnly
from keras_dtl.methods.given_labels import check_labels, faults_in_words
from tests.networks import CLASSES, SHAPE, compiled, dense, encoder

NUMBERS = np.arange(6) % CLASSES
IMAGES = np.random.default_rng(0).integers(0, 256, (6, *SHAPE)).astype("uint8")
SPARSE, ONE_HOT, YES_NO = (
    kind(from_logits=True)
    for kind in (
        keras.losses.SparseCategoricalCrossentropy,
        keras.losses.CategoricalCrossentropy,
        keras.losses.BinaryCrossentropy,
    )
)
NO_CLASS = "from 0 to 2. Received: (the label 3|a label outside)"
"""The second where an earlier test made operations deterministic."""
VOID = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)


@pytest.mark.parametrize(
    ("labels", "loss", "named"),
    [
        (NUMBERS + 1, SPARSE, "from 0 to 2. Received: the label 3, 2 of 6 labels"),
        (NUMBERS - 1, SPARSE, "Received: the label -1"),
        (np.where(NUMBERS, 254, 255), VOID, "Received: the label 254, 4 of 6"),
        (NUMBERS + 0.5, SPARSE, "are none"),
        (np.array(["a", "b"] * 3), SPARSE, "Labels must be numbers"),
        (np.eye(CLASSES)[NUMBERS], SPARSE, "argmax"),
        (np.zeros((2, 4, 4, CLASSES)), SPARSE, "argmax"),
        (NUMBERS, ONE_HOT, "to_categorical"),
        (NUMBERS[:, None], ONE_HOT, "to_categorical"),
        (np.where(np.eye(CLASSES), 1, -1), YES_NO, "0 for no and 1 for yes.*-1..1"),
        (NUMBERS[:, None] > 0, YES_NO, "labels of 3 numbers"),
    ],
)
def test_labels_that_the_loss_does_not_read_are_refused(labels, loss, named):
    with pytest.raises(ValueError, match=named):
        check_labels(IMAGES, labels, loss, CLASSES)
    if "Received: the label" not in named:
        batches = tf.data.Dataset.from_tensors((IMAGES, labels))
        with pytest.raises(ValueError, match=named):
            check_labels(batches, None, loss, CLASSES)
        domains = batches.map(lambda x, y: {"source": (x, y), "target": x})
        with pytest.raises(ValueError, match=named):
            check_labels(domains, None, loss, CLASSES)


@pytest.mark.parametrize(
    ("labels", "loss"),
    [
        *((NUMBERS.astype(dtype), SPARSE) for dtype in ("int8", "uint64", "float16", "bool")),
        (NUMBERS[:, None], SPARSE),
        (np.where(NUMBERS, 2, 255), VOID),
        (np.eye(CLASSES)[NUMBERS], ONE_HOT),
        (np.full((6, CLASSES), 1 / CLASSES), ONE_HOT),
        (np.eye(CLASSES), YES_NO),
        (NUMBERS - 7.5, keras.losses.MeanSquaredError()),
        (NUMBERS + 9, lambda y, logits: 0.0),
    ],
)
def test_labels_that_the_loss_reads_are_taken(labels, loss):
    check_labels(IMAGES, labels, loss, CLASSES)
    check_labels(tf.data.Dataset.from_tensors((IMAGES, labels)), None, loss, CLASSES)


def test_labels_of_several_are_none_of_one():
    """They would be broadcast against the one logit."""
    check_labels(IMAGES, NUMBERS > 0, YES_NO, 1)
    check_labels(IMAGES, NUMBERS[:, None] > 0, YES_NO, 1)
    with pytest.raises(ValueError, match="labels of 1 numbers"):
        check_labels(IMAGES, np.eye(CLASSES)[NUMBERS], YES_NO, 1)


def wrong_batches():
    return tf.data.Dataset.from_tensor_slices((IMAGES, NUMBERS + 1)).batch(4)


def test_label_that_no_class_has_is_named_where_it_is_met():
    model = compiled(FineTuning(encoder(), dense(CLASSES)))
    for act in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=NO_CLASS):
            act(wrong_batches(), verbose=0)
    model = compiled(SourceOnly(encoder(), dense(CLASSES)))
    with pytest.raises(ValueError, match=NO_CLASS):
        model.fit(wrong_batches().map(lambda *known: {"source": known}), verbose=0)
    with pytest.raises(ValueError, match="Received: the label 3, 2 of 6"):
        model.evaluate(IMAGES, NUMBERS + 1, verbose=0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("indices[3] = 3 is not in [0, 3)", "the label 3"),
        ("segment_ids[3] = 12 is out of range [0, 12)", "a label outside of them"),
    ],
)
def test_labels_are_told_where_operations_are_deterministic(fault, words):
    """As `keras-dtl train` makes them: TensorFlow looks rows up, forward and back."""
    place = "\n\t [[{{node loss/SparseSoftmaxCrossEntropyWithLogits/GatherV2}}]]"
    error = tf.errors.InvalidArgumentError(None, None, fault + place)
    with pytest.raises(ValueError, match=f"from 0 to 2. Received: {words}"), faults_in_words(3):
        raise error
    other = tf.errors.InvalidArgumentError(None, None, fault + place.replace("Sparse", ""))
    with pytest.raises(tf.errors.InvalidArgumentError), faults_in_words(3):
        raise other


def test_last_batch_of_one_example_is_told_where_examples_are_compared():
    batches = tf.data.Dataset.from_tensor_slices((IMAGES[:5], NUMBERS[:5])).batch(4)
    domains = batches.map(lambda x, y: {"source": (x, y), "target": x})
    model = compiled(DAN(encoder(), dense(CLASSES), kernel_factors=(1.0,)))
    with pytest.raises(ValueError, match="^maximum_mean_discrepancy compares.*drop_remainder"):
        model.fit(domains, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
