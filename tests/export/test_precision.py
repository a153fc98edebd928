"""float16 and int8 beside float32, with what they lose."""

import keras
import numpy as np
import onnx
import pytest

from keras_dtl.convert import load_artifact
from keras_dtl.export import ExportError, export_model
from keras_dtl.export.precision import psnr
from keras_dtl.images import write_image
from keras_dtl.layers import ToPixels


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    noise = np.random.default_rng(0)
    for index in range(16):
        image = np.kron(noise.random((4, 4, 3)), np.ones((8, 8, 1)))
        write_image(folder / f"{index}.png", (255 * image).astype(np.uint8))
    return folder


def classifier():
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    x = keras.layers.Conv2D(8, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(
        image, keras.layers.Dense(3, activation="softmax", name="probabilities")(4 * x)
    )


@pytest.fixture(scope="module")
def exported(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "classifier"
    export_model(
        *(classifier(), folder),
        task="classification",
        precisions=("float16", "int8"),
        calibration=photos,
        least_quality=0.75,
    )
    return folder


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_other_precisions_run_and_are_measured(exported, precision):
    whole = load_artifact(exported, device="cpu")
    artifact = load_artifact(exported, device="cpu", precision=precision)
    images = np.random.default_rng(1).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_allclose(artifact(images), whole(images), atol=0.1)
    assert artifact.checksum != whole.checksum
    quality = artifact.manifest.precisions[precision]["quality"]
    assert quality["images"] == 4  # a quarter of the folder
    assert quality["agreement"] >= quality["least"] == 0.75
    assert quality["largest_difference"] > 0


def test_int8_is_static_and_per_channel(exported):
    graph = onnx.load(exported / "1" / "model.int8.onnx").graph
    scales = [i for i in graph.initializer if i.data_type == onnx.TensorProto.FLOAT and i.dims]
    assert any(list(item.dims) == [8] for item in scales)
    assert any(node.op_type == "QuantizeLinear" for node in graph.node)


@pytest.mark.slow
def test_layers_that_hurt_stay_in_float(photos, tmp_path):
    """Of two layers in a row the one whose channels range from 1 to 10,000 hurts."""
    image = keras.Input((32, 32, 3), dtype="uint8", name="image")
    x = keras.ops.cast(image, "float32") / 255
    spread = keras.layers.Conv2D(2, 1, use_bias=False)
    merged = keras.layers.Conv2D(3, 1, use_bias=False)
    x = merged(spread(x))
    spread.set_weights([np.array([[[[1, 0], [1, 1e4], [1, 0]]]], np.float32)])
    merged.set_weights([np.array([[[[1 / 3] * 3, [0] * 3]]], np.float32)])
    model = keras.Model(image, ToPixels(name="pixels")(2 * x - 1))
    words = {"task": "image_to_image", "precisions": ("int8",), "calibration": photos}
    manifest = export_model(model, tmp_path / "a", **words)
    record = manifest.precisions["int8"]
    assert len(record["in_float"]) in (1, 2)
    assert record["quality"]["psnr"] >= 32


def test_precisions_need_images(photos, tmp_path):
    with pytest.raises(ValueError, match="calibration"):
        export_model(classifier(), tmp_path / "a", task="classification", precisions=("int8",))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExportError, match="holds 0 images"):
        export_model(
            *(classifier(), tmp_path / "a"),
            task="classification",
            precisions=("int8",),
            calibration=tmp_path / "empty",
        )
    assert not (tmp_path / "a").exists()


@pytest.mark.slow
def test_what_falls_short_is_not_published(photos, tmp_path):
    with pytest.raises(ExportError, match="was asked for. Nothing was published"):
        export_model(
            *(classifier(), tmp_path / "a"),
            task="classification",
            precisions=("float16",),
            calibration=photos,
            least_quality=1.1,
        )
    assert not (tmp_path / "a").exists()


def test_psnr_of_known_errors():
    zeros = np.zeros((1, 4, 4, 3), np.uint8)
    assert psnr(zeros, zeros) == 99
    assert psnr(zeros, zeros + 255) == 0
    assert psnr(zeros, zeros + 1) == pytest.approx(48.13, abs=0.01)
