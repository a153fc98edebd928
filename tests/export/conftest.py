"""Small models of every kind, and what was exported of them, once for all tests."""

import contextlib

import keras
import numpy as np
import pytest

from keras_dtl.export import FORMATS, export_model

CLASSES = ("cat", "dög", "other\nline")


def make_classifier(names=("image", "probabilities")):
    """uint8 images of 12 by 10 to three probabilities, with layers that training treats apart."""
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 10, 3), dtype="uint8", name=names[0])
    encoder = keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ],
        name="encoder",
    )
    scaled = keras.layers.Rescaling(1 / 127.5, -1)(image)
    softmax = keras.layers.Activation("softmax", dtype="float32", name=names[1])
    return keras.Model(image, softmax(encoder(scaled)))


def make_generator():
    """uint8 images of any even size to uint8 images of that size."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.UpSampling2D(2)(x)
    x = keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x)
    x = keras.ops.round(keras.ops.clip((x + 1) * 127.5, 0, 255))
    return keras.Model(image, {"image_out": keras.ops.cast(x, "uint8")})


def make_two_inputs():
    """Float sequences of any length and codes to two outputs; no input has a name of its own."""
    keras.utils.set_random_seed(0)
    motion, code = keras.Input((None, 6)), keras.Input((4,))
    summary = keras.layers.GlobalAveragePooling1D()(motion)
    mixed = keras.layers.Concatenate()([summary, code])
    return keras.Model([motion, code], {"a/b": keras.layers.Dense(2)(mixed), "doubled": motion * 2})


def make_scorer():
    """Four numbers to three probabilities, which is exported in half a second."""
    keras.utils.set_random_seed(0)
    code = keras.Input((4,), name="code")
    x = keras.layers.Dense(5, activation="tanh")(code)
    return keras.Model(code, keras.layers.Dense(3, "softmax", name="probabilities")(x))


@contextlib.contextmanager
def without_saved_model():
    """Exports without the SavedModel, which takes most of the time: for tests of other files."""
    rows = {name: row for name, row in FORMATS.items() if name not in ("saved_model", "warm_up")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_dtl.export.formats.table.FORMATS", rows)
        yield


@pytest.fixture
def no_saved_model():
    with without_saved_model():
        yield


@pytest.fixture
def no_files(monkeypatch):
    """Exports that write no model: for tests of what is checked and said beside."""
    monkeypatch.setattr("keras_dtl.export.artifact.write_formats", lambda draft, asked: None)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exported")


@pytest.fixture(scope="session")
def classifier():
    return make_classifier()


@pytest.fixture(scope="session")
def classifier_artifact(folder, classifier):
    report = folder / "report.html"
    report.write_text("<p>report</p>")
    export_model(
        classifier,
        folder / "classifier",
        task="classification",
        classes=CLASSES,
        settings={"seed": 0, "rate": np.float32(0.5), "sizes": (1, 2)},
        metrics={"accuracy": 0.75, "loss": float("nan")},
        extra_files={"report.html": report},
    )
    return folder / "classifier"


@pytest.fixture(scope="session")
def generator_artifact(folder):
    export_model(make_generator(), folder / "generator", task="image_to_image", size_multiple=2)
    return folder / "generator"


@pytest.fixture(scope="session")
def two_inputs_artifact(folder):
    export_model(make_two_inputs(), folder / "two", task="motion")
    return folder / "two"
