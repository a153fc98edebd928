"""Batches as Keras users bring them: from every source of data, with labels in every form."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods.adaptation.examples import unpack
from keras_dtl.methods.inputs import first_batch, require_domains, with_label_weights
from tests.methods.adaptation.test_domain_adaptation import batch, images, labels, make
from tests.methods.adaptation.test_every_adaptation import MAKERS
from tests.networks import compiled


@pytest.mark.parametrize("name", ["dan", "source_only"])
@pytest.mark.parametrize("form", [lambda b: (b,), lambda b: (b, None, None)])
def test_batches_come_in_the_tuples_of_keras_too(form, name):
    """Those of generators and PyDatasets, and of `train_on_batch`."""
    first, second = (compiled(MAKERS[name]()) for _ in range(2))
    second.set_weights(first.get_weights())
    expected, found = first.train_step(batch()), second.train_step(form(batch()))
    assert float(found["loss"]) == float(expected["loss"])
    scored = [model.test_step(data) for model, data in ((first, batch()), (second, form(batch())))]
    assert float(scored[0]["loss"]) == float(scored[1]["loss"])


def test_a_pydataset_may_hold_batches_of_domains():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return (batch(),)

    require_domains(make(), Batches())
    assert first_batch(Batches()).keys() == batch().keys()
    scaled = {**batch(), "target": images(6).astype("float32") / 255}
    with pytest.raises(ValueError, match=r"expected in 0..255"):
        make().fit(scaled)


def test_batches_of_domains_are_no_images_to_answer():
    with pytest.raises(ValueError, match=r"Images alone .* \['source', 'target'\]"):
        make()(batch())


def test_epochs_without_end_are_refused():
    endless = tf.data.Dataset.from_tensors(batch()).repeat()
    with pytest.raises(ValueError, match="no end.*`steps_per_epoch`"):
        make().fit(endless)
    with pytest.raises(ValueError, match="no end.*`validation_steps`"):
        make().fit(endless, steps_per_epoch=1, validation_data=endless)


@pytest.mark.parametrize(
    ("data", "weights", "named"),
    [
        ({}, {"cat": 2.0}, "index of a class.*cat"),
        ({}, {-1: 2.0}, "index of a class.*-1"),
        ({}, {0: -2.0}, "finite number of 0 or more"),
        ({}, {0: float("nan")}, "finite number of 0 or more"),
        (iter([batch()]), {0: 2.0}, "tf.data.Dataset.*Received: list_iterator"),
    ],
)
def test_weights_of_classes_that_cannot_count_are_refused(data, weights, named):
    data = tf.data.Dataset.from_tensors(batch()) if data == {} else data
    with pytest.raises(ValueError, match=named):
        make().fit(data, class_weight=weights)


def test_weights_of_classes_and_of_examples_count_for_labels_in_a_column():
    (x, y), weight = batch()["source"], np.arange(6.0)
    found = []
    for known in (y, y[:, None]):
        data = tf.data.Dataset.from_tensors({"source": (x, known, weight)})
        weighted = next(iter(with_label_weights(data, {0: 3.0, 1: 0.5})))
        found.append(unpack(weighted).sample_weight)
    np.testing.assert_array_equal(found[0], np.take([3.0, 0.5, 1.0], y) * weight)
    np.testing.assert_array_equal(found[1], found[0])


def test_labels_that_are_void_take_no_weight_of_a_class():
    data = tf.data.Dataset.from_tensors({"source": (tf.zeros(3), tf.constant([[-1, 0, 255]]))})
    weighted = next(iter(with_label_weights(data, {0: 3.0})))
    np.testing.assert_array_equal(weighted["label_weight"], [[1, 3, 1]])


@pytest.mark.parametrize("name", ["ccsa", "dann_shares"])
def test_classes_are_known_from_columns_and_from_a_number_for_each(name):
    losses = {
        "sparse": lambda y: y,
        "column": lambda y: y[:, None],
        "one hot": np.eye(3).__getitem__,
    }
    found, model = [], MAKERS[name]()
    start = model.get_weights()
    for kind, change in losses.items():
        model.set_weights(start)
        hot = kind == "one hot"
        model.compile("sgd", f"{'' if hot else 'sparse_'}categorical_crossentropy")
        known = (images(4, 2), change(labels(4, 2)))
        data = {"source": (images(6), change(labels(6))), "target_labelled": known}
        found.append(float(model.train_step({**data, "target": images(4, 1)})["loss"]))
    assert found[1:] == pytest.approx(found[:1] * 2, rel=1e-5)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"source": images(6)}, r"need \(images, labels\) as 'source'"),
        ({"target_labelled": images(6)}, "as 'target_labelled'"),
        ({"target": (images(4), labels(4))}, "images alone as 'target'.*'target_labelled'"),
        (
            {"target": np.zeros((4, 8, 8, 1), "uint8")},
            r"same channels.*\(8, 8, 3\) and \(8, 8, 1\)",
        ),
        ({"target": np.zeros((4, 9, 8, 3), "uint8")}, r"one size.*\(8, 8, 3\) and \(9, 8, 3\)"),
    ],
)
def test_parts_of_a_batch_that_do_not_fit_are_named(more, named):
    with pytest.raises(ValueError, match=named):
        make().train_step({**batch(), **more})


def test_parts_of_a_batch_that_nobody_looks_at_are_told(caplog):
    make().train_step({**batch(), "target_labeled": (images(2), labels(2))})
    assert "target_labelled, target_weight" in caplog.text
    assert "and not at target_labeled." in caplog.text


def test_images_with_numbers_that_are_not_finite_are_named():
    x = images(6).astype("float32")
    x[1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="float32 with 3 numbers that are not finite"):
        make().fit({"source": (x, labels(6)), "target": images(6)})


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"source": (images(6), labels(5))}, "'source'.*: 6, 5"),
        ({"source": (images(6), labels(6), np.ones(1, "float32"))}, "'source'.*: 6, 6, 1"),
        ({"target_labelled": (images(3), labels(4))}, "'target_labelled'.*: 3, 4"),
        ({"target_weight": np.ones(3, "float32")}, "'target'.*: 4, 3"),
        ({"source_strong": images(2)}, "'source'.*: 6, 6, 2"),
    ],
)
def test_parts_that_are_not_equally_many_are_refused(parts, named):
    """Labels would have been taken for those of other images."""
    with pytest.raises(ValueError, match=f"as many labels and weights as images.*{named}"):
        make().train_step({**batch(), **parts})


def test_domains_of_different_types_are_refused():
    with pytest.raises(ValueError, match="one type. Received: uint8 and float32"):
        make().train_step({**batch(), "target": images(4).astype("float32")})


@pytest.mark.parametrize("name", ["dann_shares", "ccsa"])
def test_labels_may_be_of_any_type(name):
    known = tf.constant(labels(6)), tf.constant(labels(5, 7))
    steps, model = {}, compiled(MAKERS[name]())
    start = model.get_weights()
    for kind in ("int32", "float32", "uint8", "uint16", "int8", "int64"):
        model.set_weights(start)
        source, target = (tf.cast(each, kind) for each in known)
        parts = {"source": (images(6), source), "target_labelled": (images(5, 7), target)}
        model.train_step({**batch(), **parts})
        steps[kind] = model.get_weights()
    for kind, weights in steps.items():
        for a, b in zip(weights, steps["int32"], strict=True):
            np.testing.assert_array_equal(a, b, err_msg=kind)
