"""Models of one's own making: two outputs, floats for pixels, names."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_dtl.convert import ConversionError, convert_folder, load_artifact
from keras_dtl.export import ExportError, export_model
from keras_dtl.images import write_image

SIZE = (6, 5, 3)


def network(outputs):
    """A network of float pixels, with as many numbers as `outputs` says by name."""
    keras.utils.set_random_seed(0)
    image = keras.Input(SIZE)
    x = layers.Flatten()(layers.Rescaling(1 / 255)(image))
    heads = {name: layers.Dense(width, name=name)(x) for name, width in outputs.items()}
    return image, heads


def pixels(count=3):
    return np.random.default_rng(0).integers(0, 256, (count, *SIZE), dtype=np.uint8)


@pytest.mark.parametrize("structure", [dict, list, tuple])
def test_pixels_go_into_networks_of_several_outputs(structure, no_saved_model, tmp_path):
    """It was refused with words about a postprocessing that nobody had asked for."""
    image, heads = network({"kind": 2, "age": 1})
    model = keras.Model(image, heads if structure is dict else structure(heads.values()))
    manifest = export_model(model, tmp_path / "two", task="faces", examples=pixels())
    assert [item.dtype for item in manifest.inputs] == ["uint8"]
    received = load_artifact(tmp_path / "two", "cpu")(pixels())
    expected = model.predict(pixels(), verbose=0)
    expected = expected if structure is dict else dict(zip(heads, expected, strict=True))
    assert received.keys() == expected.keys()
    for name, numbers in expected.items():
        np.testing.assert_allclose(received[name], numbers, atol=1e-5)


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_an_output_keeps_its_name_where_pixels_are_taken(kind, no_saved_model, tmp_path):
    """It was called after the model, such as functional_1, another time functional_4."""
    image, heads = network({"scores": 2})
    model = keras.Model(image, heads["scores"])
    if kind == "sequential":
        model = keras.Sequential(
            [keras.Input(SIZE), layers.Flatten(), layers.Dense(2, name="scores")]
        )
    manifest = export_model(model, tmp_path / "a", task="regression", examples=pixels())
    assert [item.name for item in manifest.outputs] == ["scores"]
    received = load_artifact(tmp_path / "a", "cpu")(pixels())
    np.testing.assert_allclose(received, model.predict(pixels(), verbose=0), rtol=1e-5, atol=1e-5)


def test_a_network_of_floats_says_how_it_takes_files(no_saved_model, tmp_path):
    image, heads = network({"scores": 2})
    model = keras.Model(image, heads["scores"])
    write_image(tmp_path / "photos/a.png", pixels()[0])
    export_model(model, tmp_path / "a", task="regression")
    with pytest.raises(ConversionError, match=r"export it again .* examples=images"):
        convert_folder(load_artifact(tmp_path / "a", "cpu"), tmp_path / "photos", tmp_path / "out")


@pytest.mark.parametrize(
    ("classes", "message"),
    [(("a", "a"), "'a' more than once"), ("ab", "a list of names"), ((1, "1"), "'1' more than")],
)
def test_names_of_classes_differ(classes, message, tmp_path):
    """Of two columns of one name the last one stayed in JSON; the text was cut into letters."""
    image, heads = network({"scores": 2})
    with pytest.raises(ValueError, match=message):
        export_model(
            keras.Model(image, heads["scores"]), tmp_path / "a", task="regression", classes=classes
        )
    assert list(tmp_path.iterdir()) == []


class Nameless(keras.Model):
    """A network of one's own that stores no name, so that it has another one when it is loaded."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(layers.Flatten()(keras.ops.cast(x, "float32") / 255))


keras.saving.register_keras_serializable("keras_dtl_tests")(Nameless)


def test_a_network_of_ones_own_is_exported_in_the_way_that_is_advised(no_saved_model, tmp_path):
    """`keras.Model(inputs, model(inputs))` was refused: "there is no output 'nameless'"."""
    image = keras.Input(SIZE, dtype="uint8")
    model = keras.Model(image, Nameless()(image))
    export_model(model, tmp_path / "a", task="numbers")
    received = load_artifact(tmp_path / "a", "cpu")(pixels())
    np.testing.assert_allclose(received, model.predict(pixels(), verbose=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: keras.ops.fori_loop(0, 2, lambda i, v: v * 0.5, x), "cannot be saved.*ForiLoop"),
        (lambda x: layers.Conv2D(2, 3, dtype="float64")(x), "onnxruntime.*build it in float32"),
    ],
)
def test_what_fails_is_told_in_words(make, message, no_saved_model, tmp_path):
    image = keras.Input((8, 8, 3), name="image")
    with pytest.raises(ExportError, match=message):
        export_model(keras.Model(image, make(image)), tmp_path / "a", task="numbers")


def test_answers_that_depend_on_other_images_of_a_batch_are_refused(no_files, tmp_path):
    """A conversion gave a file another answer beside other files than alone."""
    image = keras.Input(SIZE, dtype="uint8", name="image")
    x = keras.ops.cast(image, "float32")
    x = layers.Flatten()((x - keras.ops.mean(x)) / keras.ops.std(x))
    model = keras.Model(image, layers.Dense(2, name="scores")(x))
    with pytest.raises(ExportError, match="'scores' of an example depends on the others"):
        export_model(model, tmp_path / "a", task="numbers")


def test_an_output_that_is_called_as_an_input_gets_a_name_of_its_own(no_saved_model, tmp_path):
    """One graph cannot hold both, which ended in "graph input 'a' not exist"."""
    given = keras.Input((4,), name="a")
    model = keras.Model(given, {"a": layers.Dense(2)(given), "same": given})
    export_model(model, tmp_path / "a", task="numbers")
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    received, expected = load_artifact(tmp_path / "a", "cpu")(x), model(x)
    np.testing.assert_allclose(received["a_out"], expected["a"], atol=1e-6)
    np.testing.assert_array_equal(received["same"], x)
