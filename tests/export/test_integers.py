"""Inputs of integers: probed over what they may hold, not with 0 and 1 alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.convert import load_artifact
from keras_dtl.export import ExportError, export_model
from keras_dtl.export.checks.parity import make_probes
from keras_dtl.export.deployable import Deployable


def embedded(ids, rows=50):
    return keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(rows, 4)(ids))


def tokens():
    ids = keras.Input((7,), dtype="int32", name="ids")
    return keras.Model(ids, keras.layers.Dense(2)(embedded(ids)))


def nested():
    ids = keras.Input((None,), dtype="int64", name="ids")
    return keras.Model(ids, keras.layers.Dense(2)(tokens_encoder()(ids)))


def tokens_encoder():
    ids = keras.Input((None,), dtype="int64")
    return keras.Model(ids, embedded(keras.ops.cast(ids, "int32")))


def columns():
    """Two columns for two tables, of which the smaller one counts."""
    ids = keras.Input((2,), dtype="int32", name="ids")
    parts = [embedded(ids[:, :1], 300), embedded(ids[:, 1:], 50)]
    return keras.Model(ids, keras.layers.Concatenate()(parts))


def categories():
    ids = keras.Input((3,), dtype="int64", name="ids")
    return keras.Model(ids, keras.layers.Flatten()(keras.ops.one_hot(ids, 50)))


def narrow(dtype="uint16"):
    ids = keras.Input((7,), dtype=dtype, name="ids")
    return keras.Model(ids, keras.layers.Dense(2)(embedded(ids)))


def computed():
    """An index that is computed with: what fits the table cannot be told."""
    ids = keras.Input((7,), dtype="int16", name="ids")
    return keras.Model(ids, keras.layers.Dense(2)(embedded(ids * 20)))


def deep_image(dtype="uint16"):
    image = keras.Input((6, 5, 1), dtype=dtype, name="ids")
    x = keras.layers.Rescaling(1 / 65535)(image)
    return keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(x)))


def counts(function=keras.ops.abs, dtype="int32"):
    ids = keras.Input((4,), dtype=dtype, name="ids")
    return keras.Model(ids, keras.layers.Dense(2)(function(keras.ops.cast(ids, "float32"))))


def lengths():
    """Not defined for large numbers."""
    ids = keras.Input((4,), dtype="int32", name="ids")
    return keras.Model(ids, keras.ops.exp(keras.ops.cast(ids, "float32")))


@pytest.mark.parametrize(
    ("make", "low", "high"),
    [
        *((tokens, 0, 49), (nested, 0, 49), (columns, 0, 49), (categories, 0, 49)),
        *((narrow, 0, 49), (computed, 0, 1), (deep_image, 0, 65535)),
        *((counts, -1000, 1000), (lengths, 0, 1)),
        pytest.param(lambda: counts(keras.ops.sqrt), 0, 1000, id="roots"),
        pytest.param(lambda: counts(keras.ops.sqrt, "int16"), 0, 32767, id="narrow_roots"),
        pytest.param(lambda: counts(dtype="uint32"), 0, 1000, id="unsigned"),
        pytest.param(lambda: narrow("uint8"), 0, 49, id="bytes"),
        pytest.param(lambda: narrow("float32"), 0, 49, id="floats"),
        pytest.param(lambda: deep_image("int16"), -32768, 32767, id="signed_image"),
        pytest.param(lambda: deep_image("int32"), 0, 255, id="wide_image"),
    ],
)
def test_probes_hold_what_the_input_may(make, low, high):
    for probe in make_probes(Deployable(make())):
        ids = probe.inputs["ids"]
        assert (ids.min(), ids.max()) == (low, high)


def test_floats_that_are_no_indices_stay_floats():
    first, second = keras.Input((7,), name="first"), keras.Input((7,), name="second")
    joined = keras.layers.Concatenate()([embedded(first, 9), second])
    deployable = Deployable(keras.Model([first, second], joined))
    assert deployable.integer_limits == {"first": (0, 8)}
    values = make_probes(deployable)[0].inputs["second"]
    assert (values != values.round()).any()


def test_each_of_several_inputs_has_its_own_limits():
    first, second = (keras.Input((7,), dtype="int32", name=name) for name in ("first", "second"))
    joined = keras.layers.Concatenate()([embedded(first, 9), embedded(second, 300)])
    deployable = Deployable(keras.Model([first, second], joined))
    assert deployable.integer_limits == {"first": (0, 8), "second": (0, 299)}


def test_an_input_is_tried_by_itself():
    first, second = (keras.Input((4,), dtype="int32", name=name) for name in ("first", "second"))
    parts = [keras.ops.cast(each, "float32") for each in (first, second)]
    joined = keras.layers.Concatenate()([parts[0], keras.ops.sqrt(parts[1])])
    deployable = Deployable(keras.Model([first, second], joined))
    assert deployable.integer_limits == {"first": (-1000, 1000), "second": (0, 1000)}


@keras.saving.register_keras_serializable("tests")
class Saturating(keras.layers.Layer):
    """Other numbers in a graph than in Python, but the same for 0 and 1."""

    def call(self, ids):
        return ids if tf.executing_eagerly() else tf.minimum(ids, 1)


def test_what_differs_for_large_indices_alone_is_not_published(no_saved_model, tmp_path):
    ids = keras.Input((7,), dtype="int32", name="ids")
    told = keras.ops.cast(Saturating()(ids), "float32")
    model = keras.Model(ids, keras.layers.Concatenate()([embedded(ids), told]))
    with pytest.raises(ExportError, match="differs from Keras"):
        export_model(model, tmp_path / "a", task="any")


@pytest.mark.parametrize("make", [tokens, deep_image])
def test_artifacts_answer_as_predict_over_the_range(make, no_saved_model, tmp_path):
    model = make()
    export_model(model, tmp_path / "a", task="any")
    item, random = Deployable(model).inputs[0], np.random.default_rng(3)
    high = 50 if make is tokens else 65536
    values = random.integers(0, high, (4, *item.shape[1:])).astype(item.dtype)
    expected = model(values).numpy()
    received = load_artifact(tmp_path / "a", "cpu")(values)
    np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)
