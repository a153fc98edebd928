"""Graphs for LiteRT: the same numbers where it can compute them, else a refusal by name."""

import keras
import numpy as np
import pytest

from keras_dtl.export import ExportError, export_model
from keras_dtl.export.formats.litert import _reason, _runner
from keras_dtl.images import write_image
from keras_dtl.layers import InstanceNormalization, ToPixels
from keras_dtl.manifest import read_manifest

pytest.importorskip("ai_edge_litert")


def classifier():
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 10, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.Conv2D(8, 3, activation="relu")(x)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D()(x))
    return keras.Model(image, keras.layers.Dense(3, "softmax", name="probabilities")(x))


def run(artifact, name, **inputs):
    """Return what a client of LiteRT gets."""
    return _runner(artifact / read_manifest(artifact).litert[name]["file"])(inputs)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    for index, image in enumerate(images(8)):
        write_image(folder / f"{index}.png", image)
    return folder


def images(count, size=(12, 10), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *size, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def artifact(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifacts") / "classifier"
    options = {"precisions": ("int8",), "calibration": photos, "least_quality": 0.5}
    export_model(classifier(), folder, task="classification", formats=("litert",), **options)
    return folder


def test_float32_is_gated_as_every_other_file(artifact):
    manifest = read_manifest(artifact)
    [record] = [record for record in manifest.parity if record["file"] == "1/model.tflite"]
    assert record["difference"] <= record["tolerance"] <= 1e-5
    assert len({shape[0] for shape in record["inputs"]}) == 2  # two batch sizes
    assert manifest.litert["float32"] == {"file": "1/model.tflite"}
    assert {"1/model.tflite", "1/model_int8.tflite"} < set(manifest.files)


def test_clients_get_what_keras_computes(artifact):
    x = images(4, seed=1)
    expected = classifier()(x).numpy()
    received = run(artifact, "float32", image=x)
    np.testing.assert_allclose(received["probabilities"], expected, atol=1e-5)


def test_int8_is_smaller_and_its_loss_is_that_of_the_manifest(artifact):
    quality = read_manifest(artifact).litert["int8"]["quality"]
    assert (quality["calibration_images"], quality["images"]) == (4, 4)
    sizes = [
        (artifact / "1" / name).stat().st_size for name in ("model.tflite", "model_int8.tflite")
    ]
    assert sizes[1] < sizes[0]
    x = images(8)[1::2]
    exact, lossy = (run(artifact, name, image=x)["probabilities"] for name in ("float32", "int8"))
    assert quality["largest_difference"] == pytest.approx(np.abs(exact - lossy).max(), abs=1e-6)
    assert 0 < quality["largest_difference"] < 0.1


@pytest.mark.slow
def test_int8_that_loses_too_much_is_not_published(photos, tmp_path):
    options = {"precisions": ("int8",), "calibration": photos, "least_quality": 1.1}
    with pytest.raises(ExportError, match=r"int8.* reaches agreement .*; 1.1 is wanted"):
        export_model(
            classifier(), tmp_path / "a", task="classification", formats=("litert",), **options
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_generators_take_every_size(tmp_path):
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.Conv2D(4, 3, 2, padding="same")(x)
    x = keras.layers.Activation("relu")(InstanceNormalization()(x))
    x = keras.layers.Conv2DTranspose(4, 3, 2, padding="same", activation="relu")(x)
    x = keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x)
    model = keras.Model(image, ToPixels(name="pixels")(x))
    options = {"task": "image_to_image", "size_multiple": 2}
    export_model(model, tmp_path / "a", formats=("litert",), **options)
    for size in ((30, 22), (31, 23), (1, 2)):
        x = images(2, size, seed=1)
        whole = np.pad(x, [(0, 0), *((0, -n % 2) for n in size), (0, 0)], mode="symmetric")
        received = run(tmp_path / "a", "float32", image=x)["pixels"]
        assert received.shape == x.shape
        if whole.shape == x.shape:
            expected = model(x).numpy()
            assert np.abs(received.astype(int) - expected).max() <= 1


def test_what_litert_lacks_is_refused_by_name():
    assert _reason("TF Select ops: Erfinv, FlexQr\nDetails") == "it has no Erfinv, FlexQr."
    place = 'fused["TensorListReserve:", "model_1/gru_2/TensorArrayV2_1@__inference_function_7"]'
    assert _reason(f"error: loc({place}): 'tf.TensorListReserve' op requires") == (
        "the recurrent layer 'model_1/gru_2' takes sizes that are free, which LiteRT lacks; of a "
        "fixed length it can be built with unroll=True."
    )
    assert _reason("'tf.Lgamma' op is neither a custom op nor a flex op") == "it has no tf.Lgamma."


@pytest.mark.parametrize(
    ("formats", "message"),
    [("litert", "must be a tuple of litert, browser"), (("coreml",), "received .'coreml',")],
)
def test_formats_are_checked_before_anything_is_computed(formats, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export_model(None, tmp_path / "a", task="image_to_image", formats=formats)
