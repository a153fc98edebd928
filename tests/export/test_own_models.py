"""Models of one's own making: two outputs, floats for pixels, names."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_dtl.convert import ConversionError, convert_folder, load_artifact
from keras_dtl.export import export_model
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
