"""Heads of functional models that give probabilities already, or only seem to."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_dtl.convert import load_artifact
from keras_dtl.export import ExportError, export_model
from keras_dtl.export.heads import squashing

BINARY = keras.losses.BinaryCrossentropy
CATEGORIES = keras.losses.SparseCategoricalCrossentropy
LABELS = "multi_label_classification"


def network(width, activation, loss=None, dense=False):
    """Six numbers, or of a dense head images of 6 by 5, to a head that is not near 0."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6, 5, 3) if dense else (6,))
    large = keras.initializers.RandomNormal(stddev=0.7, seed=1)
    head = layers.Dense(width, activation, kernel_initializer=large, name="dense")
    model = keras.Model(x, head(x))
    if loss is not None:
        model.compile("sgd", loss)
    return model


def yes_and_no(numbers):
    return np.concatenate([1 - numbers, numbers], -1)


@pytest.mark.parametrize(
    ("made", "options", "task", "expected"),
    [
        ((1, "sigmoid", "binary_crossentropy"), {}, "classification", yes_and_no),
        ((1, "sigmoid", BINARY()), {}, "classification", yes_and_no),
        ((1, "sigmoid"), {"task": "classification"}, "classification", yes_and_no),
        ((1, "sigmoid"), {"postprocessing": "probabilities"}, "classification", yes_and_no),
        ((1, "sigmoid", "mse"), {}, "regression", None),
        ((4, "sigmoid", "binary_crossentropy"), {}, LABELS, None),
        ((3, "softmax", CATEGORIES()), {}, "classification", None),
        ((3, None, [CATEGORIES(from_logits=True)]), {}, "classification", keras.ops.softmax),
        ((2, None, {"dense": BINARY(from_logits=True)}), {}, LABELS, keras.ops.sigmoid),
        ((5, "softmax", CATEGORIES(), True), {}, "segmentation", lambda z: z.argmax(-1)),
        ((5, None, None, True), {"task": "segmentation"}, "segmentation", lambda z: z.argmax(-1)),
        ((4, "sigmoid", BINARY(), True), {}, "multi_label_segmentation", None),
        ((1, "sigmoid", BINARY(), True), {}, "segmentation", lambda z: z[..., 0] > 0.5),
    ],
)
def test_probabilities_are_taken_as_they_are(
    made, options, task, expected, no_saved_model, tmp_path
):
    model = network(*made)
    manifest = export_model(model, tmp_path / "a", **options)
    assert manifest.task == task
    x = np.random.default_rng(1).normal(size=(9, *model.input_shape[1:])).astype("float32")
    numbers = model(x).numpy()
    received = load_artifact(tmp_path / "a", "cpu")(x)
    expected = numbers if expected is None else expected(numbers)
    assert received.shape == expected.shape
    np.testing.assert_allclose(received, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("made", "options", "message"),
    [
        ((1, "softmax"), {"task": "classification"}, "softmax over one number"),
        ((1, None), {"task": "classification"}, "must end in a sigmoid"),
        ((1, "sigmoid"), {"postprocessing": "sigmoid"}, "ends in a sigmoid already"),
        ((3, "softmax", CATEGORIES(from_logits=True)), {}, "ends in a softmax already"),
        ((1, "sigmoid", BINARY(from_logits=True)), {}, "ends in a sigmoid already"),
        ((256, None, CATEGORIES(from_logits=True), True), {}, "Received: 256 classes"),
    ],
)
def test_heads_that_contradict_are_refused_in_words(made, options, message, tmp_path):
    with pytest.raises(ExportError, match=message):
        export_model(network(*made), tmp_path / "a", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("loss", ["binary_crossentropy", BINARY(from_logits=True)])
def test_one_head_above_several_inputs_answers_no_and_yes(loss, no_saved_model, tmp_path):
    """It was refused for a postprocessing that nobody had asked for."""
    keras.utils.set_random_seed(0)
    age, marks = keras.Input((1,), name="age"), keras.Input((4,), name="marks")
    head = layers.Dense(1, "sigmoid" if isinstance(loss, str) else None)
    model = keras.Model({"marks": marks, "age": age}, head(layers.Concatenate()([marks, age])))
    model.compile("sgd", loss)
    manifest = export_model(model, tmp_path / "a")
    assert (manifest.task, manifest.classes) == ("classification", ("0", "1"))
    random = np.random.default_rng(1)
    x = {item.name: random.normal(size=(5, item.shape[1])) for item in manifest.inputs}
    x = {name: array.astype("float32") for name, array in x.items()}
    numbers = model(x)
    if not isinstance(loss, str):
        numbers = keras.ops.sigmoid(numbers)
    received = load_artifact(tmp_path / "a", "cpu")(x)
    np.testing.assert_allclose(received, yes_and_no(numbers), atol=1e-6)


@pytest.mark.parametrize("size", [(None, None), (8, 12)])
def test_maps_of_classes_have_the_size_of_the_image(size, no_saved_model, tmp_path):
    """Masks had a quarter of it, under overlays of the corner; one fixed size was refused."""
    keras.utils.set_random_seed(0)
    image = keras.Input((*size, 3), dtype="uint8", name="image")
    maps = layers.Conv2D(5, 3, 4, padding="same")(layers.Rescaling(1 / 255)(image))
    model = keras.Model(image, maps)
    model.compile("sgd", CATEGORIES(from_logits=True))
    export_model(model, tmp_path / "a")
    x = np.random.default_rng(1).integers(0, 256, (2, 8, 12, 3), dtype=np.uint8)
    expected = keras.ops.image.resize(model(x), (8, 12)).numpy().argmax(-1)
    np.testing.assert_array_equal(load_artifact(tmp_path / "a", "cpu")(x), expected)


def test_the_last_activation_is_found_within():
    x = keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(1), layers.Activation("sigmoid")])
    assert squashing(keras.Model(x, layers.Activation("linear")(inner(x)))) == "sigmoid"
    assert squashing(inner) == "sigmoid"
    assert squashing(keras.Model(x, keras.ops.softmax(layers.Dense(2)(x)))) == "softmax"
    assert squashing(keras.Model(x, layers.Reshape((2, 2))(layers.Softmax()(x)))) == "softmax"
    assert squashing(keras.Model(x, layers.Dense(2, "tanh")(x))) is None
    squashed = keras.Model(x, layers.Dense(2)(layers.Dense(2, "sigmoid")(x)))
    assert squashing(squashed) is None


def test_sequential_models_are_exported_before_they_were_called(no_saved_model, tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3, "softmax")])
    export_model(model, tmp_path / "a", task="classification")
    x = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")
    received = load_artifact(tmp_path / "a", "cpu")(x)
    np.testing.assert_allclose(received, model(x).numpy(), atol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16"])
def test_whole_numbers_of_every_width_are_exported(dtype, no_saved_model, tmp_path):
    x = keras.Input((5,), dtype=dtype)
    large = keras.initializers.RandomNormal(stddev=0.5, seed=1)
    numbers = layers.Dense(2, kernel_initializer=large)(keras.ops.cast(x, "float32") / 100)
    model = keras.Model(x, numbers)
    export_model(model, tmp_path / "a", task="regression")
    limits = np.iinfo(dtype)
    values = np.random.default_rng(1).integers(limits.min, limits.max, (6, 5)).astype(dtype)
    expected = model(values).numpy()
    received = load_artifact(tmp_path / "a", "cpu")(values)
    assert np.abs(received - expected).max() <= 1e-5 * np.abs(expected).max()


def test_texts_are_refused_in_words(tmp_path):
    x = keras.Input((1,), dtype="string")
    model = keras.Model(x, layers.StringLookup(vocabulary=["a", "b"])(x))
    with pytest.raises(ExportError, match="dtype string, which cannot be exported"):
        export_model(model, tmp_path / "a", task="features")


class Halved(layers.Layer):
    """A layer that nobody registered."""

    def call(self, x):
        return x / 2


def test_a_layer_that_cannot_be_read_again_is_named(no_saved_model, tmp_path):
    x = keras.Input((4,))
    with pytest.raises(ExportError, match="cannot be loaded again, because of its Halved"):
        export_model(keras.Model(x, Halved()(x)), tmp_path / "a", task="any")
