"""Graphs of lower precision: what they lose, and that nothing worse is published."""

import types

import keras
import numpy as np
import onnx
import pytest

from keras_dtl.convert import load_artifact
from keras_dtl.export import ExportError, export_model
from keras_dtl.export.checks.quality import measure_quality
from keras_dtl.export.formats.reduction import best_reduction
from keras_dtl.images import write_image
from keras_dtl.layers import ClassMap, ResizeLike
from keras_dtl.manifest import read_manifest
from tests.export.conftest import make_generator as small_generator
from tests.export.conftest import without_saved_model


def make_generator(outlier=1.0):
    """Five convolutions, one transposed; a channel that exceeds the others spoils the range of
    one's input."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.Conv2D(16, 3, padding="same", strides=2, activation="relu")(x)
    x = keras.layers.Conv2DTranspose(16, 3, 2, padding="same", activation="relu")(x)
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    x = keras.layers.Conv2D(16, 1, name="spoilt")(x * np.array([outlier] + [1.0] * 15, "float32"))
    x = keras.layers.Conv2D(3, 7, padding="same", activation="tanh")(x)
    x = keras.ops.round(keras.ops.clip((x + 1) * 127.5, 0, 255))
    return keras.Model(image, keras.ops.cast(x, "uint8"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve images of two classes, dark and bright."""
    folder = tmp_path_factory.mktemp("calibration")
    random = np.random.default_rng(0)
    for index in range(12):
        name, start = ("dark", 0) if index % 2 else ("bright", 128)
        image = random.integers(start, start + 128, (24, 20, 3), dtype=np.uint8)
        write_image(folder / name / f"{index}.png", image)
    (folder / "dark" / "damaged.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def published(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifacts") / "generator"
    options = {"precisions": ("float16", "int8"), "calibration": photos}
    with without_saved_model():
        export_model(make_generator(), folder, task="image_to_image", **options)
    return folder


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_quality_in_the_manifest_is_that_of_the_graph(published, precision):
    quality = read_manifest(published).precisions[precision]["quality"]
    image = np.random.default_rng(1).integers(0, 256, (2, 24, 20, 3), dtype=np.uint8)
    exact, lossy = (
        load_artifact(published, "cpu", precision=name)(image).astype(int)
        for name in ("float32", precision)
    )
    psnr = 10 * np.log10(255**2 / max(np.mean((exact - lossy) ** 2), 1e-4))
    assert quality["psnr"] >= 32
    assert abs(psnr - quality["psnr"]) < 5
    assert 0.8 < quality["ssim"] <= 1
    assert quality["images"] == 6


def test_int8_quantises_per_channel_every_convolution_that_gets_faster(published):
    record = read_manifest(published).precisions["int8"]
    assert record["quality"]["layers_in_float"] == []
    graph = onnx.load(published / record["file"]).graph
    assert "ConvTranspose" not in {node.op_type for node in graph.node}
    constants = {item.name: item for item in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    kernels = [makers.get(node.input[1]) for node in graph.node if node.op_type == "Conv"]
    assert len(kernels) == 6
    # The first and the last have three channels on one side; the last is of columns and of rows.
    assert kernels[0] is None
    assert kernels[-2:] == [None, None]
    for kernel in kernels[1:-2]:
        assert kernel.op_type == "DequantizeLinear"
        weights, scales = (constants[name] for name in kernel.input[:2])
        assert weights.data_type == onnx.TensorProto.INT8
        assert list(scales.dims) == [weights.dims[0]]


def test_float16_takes_and_gives_what_float32_does(published):
    record = read_manifest(published).precisions["float16"]
    graph = onnx.load(published / record["file"]).graph
    halves = [item for item in graph.initializer if item.data_type == onnx.TensorProto.FLOAT16]
    assert len(halves) >= 4
    for value in [*graph.input, *graph.output]:
        assert value.type.tensor_type.elem_type == onnx.TensorProto.UINT8


class Reduced:
    """Layers that each do harm, in decibels, until they are left in float."""

    layers = ("a", "b", "c", "d")

    def graph(self, in_float):
        harms = zip(self.layers, (1, 9, 3, 2), strict=True)
        return sum(harm for layer, harm in harms if layer not in in_float)


class Measured:
    score = staticmethod(lambda quality: quality["psnr"])
    error = staticmethod(lambda graph: graph)

    def __call__(self, graph):
        return {"psnr": 40 - graph}


@pytest.mark.parametrize(
    ("wanted", "left"), [(20, []), (34, ["b"]), (36, ["b", "c"]), (39, ["b", "c"])]
)
def test_the_most_harmful_layers_are_left_first_and_at_most_half(wanted, left):
    quality, in_float = best_reduction(Reduced(), Measured(), wanted)
    assert in_float == left
    assert quality["psnr"] == 40 - Reduced().graph(left)


@pytest.mark.slow
def test_layers_that_hurt_are_left_in_float(photos, no_saved_model, tmp_path):
    spoilt = make_generator(outlier=300.0)
    layer = spoilt.get_layer("spoilt")
    kernel, bias = layer.get_weights()
    kernel[:, :, 0] /= 300.0
    layer.set_weights([kernel, bias])
    options = {"task": "image_to_image", "precisions": ("int8",), "calibration": photos}
    manifest = export_model(spoilt, tmp_path / "less", least_quality=1.0, **options)
    without = manifest.precisions["int8"]["quality"]
    wanted = without["psnr"] + 2
    manifest = export_model(spoilt, tmp_path / "more", least_quality=wanted, **options)
    quality = manifest.precisions["int8"]["quality"]
    assert without["layers_in_float"] == []
    assert quality["psnr"] >= wanted
    assert any("spoilt" in name for name in quality["layers_in_float"])
    assert len(quality["layers_in_float"]) <= 2


def test_maps_that_are_resized_are_exported_in_float16(photos, no_saved_model, tmp_path):
    """onnxruntime could not open the graph: its Resize had a size and a scale."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    maps = keras.layers.Conv2D(4, 3, 2, padding="same")(keras.layers.Rescaling(1 / 255)(image))
    model = keras.Model(image, ClassMap(name="map")(ResizeLike()(maps, image)))
    manifest = export_model(
        model,
        tmp_path / "a",
        task="segmentation",
        precisions=("float16",),
        calibration=photos,
    )
    assert manifest.precisions["float16"]["quality"]["mean_iou"] > 0.95


def test_lower_precision_of_numbers_is_refused_in_words(photos, no_saved_model, tmp_path):
    """It was "channels must be 1, 3 or 4; received None"."""
    numbers = keras.Input((6,))
    model = keras.Model(numbers, keras.layers.Dense(2, "softmax")(numbers))
    with pytest.raises(ExportError, match="for models whose one input is images"):
        export_model(
            model,
            tmp_path / "a",
            task="classification",
            precisions=("int8",),
            calibration=photos,
        )


def test_nothing_is_published_below_the_stated_quality(photos, no_saved_model, tmp_path):
    options = {"task": "image_to_image", "precisions": ("int8",), "calibration": photos}
    with pytest.raises(ExportError, match=r"int8 reaches psnr .* 75.0 is wanted"):
        export_model(small_generator(), tmp_path / "out", least_quality=75.0, **options)
    assert not (tmp_path / "out").exists()


def test_accuracy_is_measured_where_folders_name_classes(photos, no_saved_model, tmp_path):
    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(x))
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))
    mean = np.zeros((3, 3, 3, 4), "float32")
    mean[1, 1, :, 0] = 1.0
    dense = np.array([[8.0, -8.0]] + [[0.0, 0.0]] * 3, "float32")
    model.set_weights([mean, np.zeros(4), dense, np.zeros(2)])
    options = {"task": "classification", "classes": ("bright", "dark"), "calibration": photos}
    manifest = export_model(model, tmp_path / "out", precisions=("int8",), **options)
    quality = manifest.precisions["int8"]["quality"]
    assert quality["agreement"] == quality["accuracy"] == quality["accuracy_float32"] == 1
    assert 0 < quality["largest_difference"] < 0.1


def test_maps_of_classes_are_compared_by_intersection_over_union():
    ours = [np.array([[0, 0, 1, 1]], "uint8"), np.array([[1, 1, 2, 2]], "uint8")]
    theirs = [np.array([[0, 1, 1, 1]], "uint8"), np.array([[1, 1, 2, 0]], "uint8")]
    manifest = types.SimpleNamespace(task="segmentation")
    quality = measure_quality(manifest, [], ours, theirs)
    # Class 0: 1 of 3 pixels; class 1: 4 of 5; class 2: 1 of 2.
    assert quality["mean_iou"] == pytest.approx((1 / 3 + 4 / 5 + 1 / 2) / 3)
    assert quality["agreement"] == 6 / 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precisions": ("int4",)}, "must be a tuple of float16, int8; received"),
        ({"precisions": "int8"}, "must be a tuple"),
        ({"precisions": ("int8",)}, "name a folder of images"),
    ],
)
def test_arguments_are_checked_before_anything_is_computed(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        export_model(None, tmp_path / "out", task="image_to_image", **options)


def test_calibration_needs_images(monkeypatch, tmp_path):
    """It was told after the files of full precision were written."""
    monkeypatch.setattr("keras_dtl.export.artifact.make_probes", None)  # comes after
    (tmp_path / "empty").mkdir()
    options = {"precisions": ("int8",), "calibration": tmp_path / "empty"}
    with pytest.raises(ValueError, match="holds 0 readable images"):
        export_model(make_generator(), tmp_path / "out", task="image_to_image", **options)
