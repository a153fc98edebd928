"""What OpenVINO makes of a model: measured in it, and refused where it loses too much."""

import keras
import numpy as np
import openvino
import pytest

from keras_dtl.convert import ArtifactError, load_artifact
from keras_dtl.export import ExportError, export_model
from keras_dtl.export.checks.quality import Sample
from keras_dtl.export.formats import openvino_graphs
from keras_dtl.export.formats.reduction import run_onnx
from keras_dtl.images import write_image

PHOTOS = 8


def make_generator():
    """Three convolutions, one strided, one transposed, that keep the size of an image."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.Conv2D(16, 3, padding="same", strides=2, activation="relu")(x)
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    x = keras.layers.Conv2DTranspose(3, 3, 2, padding="same", activation="tanh")(x)
    x = keras.ops.round(keras.ops.clip((x + 1) * 127.5, 0, 255))
    return keras.Model(image, keras.ops.cast(x, "uint8"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    random = np.random.default_rng(0)
    for index in range(PHOTOS):
        write_image(folder / f"{index}.png", random.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    return folder


OPTIONS = {"task": "image_to_image", "runtimes": ("openvino",), "size_multiple": 2}


@pytest.mark.slow
def test_float_precisions_are_measured_in_openvino(photos, tmp_path):
    offered = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    precisions = ("bfloat16",) if "BF16" in offered else ()
    manifest = export_model(
        make_generator(), tmp_path / "a", precisions=precisions, calibration=photos, **OPTIONS
    )
    assert set(manifest.runtimes["openvino"]) == {"float32", *precisions}
    quality = manifest.runtimes["openvino"]["float32"]["quality"]
    assert quality["psnr"] > 60
    assert quality["images"] == PHOTOS // 2
    assert quality["version"] == openvino_graphs._version("openvino")
    assert manifest.precisions == {}
    for precision in ("float32", *precisions):
        assert load_artifact(tmp_path / "a", "openvino", precision=precision).quality is not None


@pytest.mark.slow
def test_int8_is_quantised_for_openvino_and_measured_in_it(photos, tmp_path):
    pytest.importorskip("nncf")
    manifest = export_model(
        make_generator(), tmp_path / "a", precisions=("int8",), calibration=photos, **OPTIONS
    )
    record = manifest.runtimes["openvino"]["int8"]
    artifact = load_artifact(tmp_path / "a", "openvino", precision="int8")
    image = np.random.default_rng(1).integers(0, 256, (2, 24, 20, 3), dtype=np.uint8)
    exact = load_artifact(tmp_path / "a", "cpu")(image).astype(float)
    psnr = 10 * np.log10(255**2 / np.mean((artifact(image) - exact) ** 2))
    assert abs(psnr - record["quality"]["psnr"]) < 5
    assert (tmp_path / "a" / record["file"]).with_suffix(".bin").exists()
    with pytest.raises(ArtifactError, match="holds float32"):
        load_artifact(tmp_path / "a", "cpu", precision="int8")
    weights = (tmp_path / "a" / record["file"]).with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(ValueError, match="changed or damaged"):
        load_artifact(tmp_path / "a", "openvino", precision="int8")


@pytest.mark.slow
def test_layers_put_back_in_float_compute_as_before(photos, tmp_path):
    pytest.importorskip("nncf")
    manifest = export_model(make_generator(), tmp_path / "a", task="image_to_image")
    import onnx

    core = onnx.load(tmp_path / "a" / manifest.onnx_file)
    images = [
        Sample(np.random.default_rng(i).integers(0, 256, (24, 20, 3), "uint8")) for i in (0, 1)
    ]
    reduced = openvino_graphs._Int8(core, "image", images)
    assert len(reduced.layers) == 3
    exact = run_onnx(core.SerializeToString(), manifest, images)
    measure = openvino_graphs._OpenVINOMeasure(
        tmp_path / "a" / manifest.onnx_file, manifest, images
    )
    errors = [
        np.mean([np.mean((a.astype(float) - b) ** 2) for a, b in zip(found, exact, strict=True)])
        for in_float in ((), reduced.layers[:1], reduced.layers)
        for found in [measure.run(reduced.graph(in_float), images)]
    ]
    assert errors[0] > errors[2]
    assert errors[2] < 0.01


def test_runtimes_that_are_not_known_or_not_installed_are_refused(monkeypatch):
    for wrong in ("openvino", (), ("tvm",)):
        with pytest.raises(ValueError, match="must be a tuple of onnxruntime, openvino; received"):
            openvino_graphs.check_runtimes(wrong, ())
    monkeypatch.setattr(openvino_graphs, "_version", lambda package: None)
    with pytest.raises(ExportError, match=r"keras_dtl\[openvino\]"):
        openvino_graphs.check_runtimes(("openvino",), ())
    openvino_graphs.check_runtimes(("onnxruntime",), ("int8",))


def test_what_is_measured_needs_images(tmp_path):
    with pytest.raises(ValueError, match="name a folder of images"):
        export_model(make_generator(), tmp_path / "a", **OPTIONS)
    with pytest.raises(ValueError, match="must be a tuple of float16, int8; received"):
        export_model(
            *(make_generator(), tmp_path / "a"), task="image_to_image", precisions=("bfloat16",)
        )
