"""The second graph of generators that normalise over the whole image."""

from collections import Counter
from types import SimpleNamespace

import keras
import numpy as np
import onnx
import pytest

from keras_dtl.backbones import resnet_generator
from keras_dtl.convert import Options, load_artifact
from keras_dtl.convert.tiles.global_statistics import NormalizedGraph
from keras_dtl.convert.tiles.tiling import Tiler
from keras_dtl.export import export_model
from keras_dtl.images import resize_image
from keras_dtl.layers import InstanceNormalization, ToPixels
from tests.export.conftest import without_saved_model

OPERATORS = 140  # of a generator with two blocks; more are needless


def generator(normalization="instance", upsampling="transposed"):
    keras.utils.set_random_seed(0)
    network = resnet_generator(
        (None, None, 3),
        filters=4,
        blocks=2,
        normalization=normalization,
        upsampling=upsampling,
    )
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    signed = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    return keras.Model(image, ToPixels(name="translated")(network(signed)))


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "generator"
    with without_saved_model():
        export_model(generator(), folder, task="image_to_image", size_multiple=4, least_size=8)
    return load_artifact(folder, device="cpu")


@pytest.mark.parametrize("size", [(20, 28), (4, 12), (1, 3), (10, 33)])
def test_sizes_that_the_model_takes_are_not_enlarged_and_others_mirrored(size, artifact):
    image = smooth(*size)[None]
    enlarged = [max(8, -(-side // 4) * 4) for side in size]
    added = [(0, side - own) for side, own in zip(enlarged, size, strict=True)]
    whole = np.pad(image, [(0, 0), *added, (0, 0)], mode="reflect")
    expected = np.asarray(generator()(whole))[:, : size[0], : size[1]]
    bare = artifact.session.run(None, {"image": image})[0]
    for answer in (artifact(image), bare):
        assert answer.shape == image.shape
        assert np.abs(answer.astype(int) - expected).max() <= 1


def smooth(height, width):
    """An image without edges, which a thumbnail keeps."""
    shape = (height // 16 + 2, width // 16 + 2, 3)
    small = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return resize_image(small, (height, width))


def kinds_of(graph):
    """Return how many nodes of each kind a small image runs through."""
    kinds = Counter()
    for node in graph.node:
        branch = [item.g for item in node.attribute if item.name == "else_branch"]
        kinds.update(kinds_of(branch[0]) if branch else [node.op_type])
    return kinds


def test_instance_normalization_is_one_node(artifact):
    graph = onnx.load(artifact.path / artifact.manifest.onnx_file)
    kinds = kinds_of(graph.graph)
    assert kinds["InstanceNormalization"] == 9
    assert kinds["Transpose"] == 2
    assert "ReduceMean" not in kinds
    assert sum(kinds.values()) < OPERATORS


@pytest.fixture(scope="module")
def resized(tmp_path_factory):
    """As `artifact`, but pixels are repeated where maps are doubled."""
    folder = tmp_path_factory.mktemp("exported") / "resized"
    model = generator(upsampling="resize")
    with without_saved_model():
        export_model(model, folder, task="image_to_image", size_multiple=4)
    return load_artifact(folder, device="cpu")


@pytest.mark.parametrize("name", ["artifact", pytest.param("resized", marks=pytest.mark.slow)])
def test_tiles_with_the_statistics_of_the_whole_equal_the_whole(name, request):
    artifact = request.getfixturevalue(name)
    tiling = artifact.manifest.tiling
    assert tiling["multiple"] == 4
    assert 24 <= tiling["overlap"] <= 48
    image = smooth(160, 196)[None]
    whole = artifact(image)
    # All of the image fits while statistics are taken: they are exact.
    tiled = Tiler(artifact, Options(tile=128))(image)["translated"]
    assert np.abs(tiled.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("level", [0, 100, 255])
def test_blank_images_give_one_colour_whole_and_in_tiles(level, artifact):
    image = np.full((1, 160, 196, 3), level, np.uint8)
    tiled = Tiler(artifact, Options(tile=128))(image)["translated"]
    expected = np.asarray(generator()(image))
    assert np.ptp(expected, axis=(0, 1, 2)).max() == 0
    assert np.abs(artifact(image).astype(int) - expected).max() <= 1
    assert np.abs(tiled.astype(int) - expected).max() <= 1


def sky(height, width):
    """Even but for noise and a gradient: a smaller copy would lose the noise."""
    plane = np.linspace(120, 140, height)[:, None, None] + np.array([0, 50, 90])
    return np.random.default_rng(0).normal(plane, 1.5, (height, width, 3)).round().astype(np.uint8)


def lit_from_the_right(height, width):
    """Tiles with statistics of their own would all become alike."""
    return (smooth(height, width) * np.linspace(0.2, 1.0, width)[None, :, None]).astype(np.uint8)


@pytest.mark.parametrize("paint", [sky, lit_from_the_right])
def test_statistics_of_an_image_that_does_not_fit_are_those_of_the_whole(
    paint, artifact, monkeypatch
):
    image = paint(480, 640)[None]
    whole = artifact(image).astype(int)
    memory = 240 * 240 * artifact.manifest.tiling["bytes_per_pixel"]
    for name in ("_MOST_MEMORY", "_WHOLE"):
        monkeypatch.setattr(f"keras_dtl.convert.tiles.tiling.{name}", memory)
    tiled = Tiler(artifact, Options(tile=256))(image)["translated"]
    difference = np.abs(tiled.astype(int) - whole)
    assert difference.max() <= 2
    assert difference.mean() < 0.1


def test_a_tall_even_image_has_the_mean_that_it_has(artifact):
    """A sum of 4,000 rows in float32 was off by so much that rounding became noise."""
    image = np.zeros((1, 4000, 64, 3), np.uint8)
    tiled = Tiler(artifact, Options(tile=256))(image)["translated"]
    assert np.ptp(tiled, axis=(0, 1, 2)).max() == 0


@pytest.mark.slow
def test_a_white_page_of_12_megapixels_stays_one_colour(artifact):
    """Layer by layer what was left of its planes' means became noise of the full range."""
    image = np.full((1, 3000, 4000, 3), 255, np.uint8)
    for side in (0, 1024):
        output = Tiler(artifact, Options(tile=side))(image)["translated"]
        assert np.ptp(output, axis=(0, 1, 2)).max() == 0


class OlderSession:
    """A graph as it was written before what tiles have could be measured."""

    def get_inputs(self):
        shapes = {"image": [None, None, None, 3], "statistics": [4], "given": []}
        return [SimpleNamespace(name=name, shape=shape) for name, shape in shapes.items()]

    def run(self, outputs, inputs):
        assert outputs == ["measured"]
        assert set(inputs) == {"image", "statistics", "given"}
        return [np.full(4, inputs["image"].mean(), np.float32)]


def test_parts_stand_for_an_image_that_an_older_graph_cannot_measure(caplog):
    """The artifact that comes with the package is of such a graph."""
    graph = NormalizedGraph(OlderSession(), "image", "translated")
    parts = np.full((2, 8, 8, 3), 7, np.uint8)
    found = graph.measure_in_tiles(np.zeros((64, 64, 3), np.uint8), [], parts)
    np.testing.assert_array_equal(found, [7] * 4)
    assert "Export the model again" in caplog.text


@pytest.mark.slow
def test_batch_normalized_generator_needs_no_second_graph(no_saved_model, tmp_path):
    model = generator("batch")
    export_model(model, tmp_path / "a", task="image_to_image", size_multiple=4)
    artifact = load_artifact(tmp_path / "a", device="cpu")
    assert artifact.manifest.tiling["file"] is None
    image = smooth(100, 236)[None]
    tiled = Tiler(artifact, Options(tile=112))(image)["translated"]
    assert np.abs(tiled.astype(int) - artifact(image)).max() <= 1


def test_a_model_that_looks_at_the_whole_image_has_no_tiles(no_saved_model, tmp_path):
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    values = keras.ops.cast(image, "float32")
    mean = keras.ops.mean(values, axis=(1, 2), keepdims=True)
    pixels = ToPixels()((values + mean) / 255 - 1)
    manifest = export_model(keras.Model(image, pixels), tmp_path / "a", task="image_to_image")
    assert manifest.tiling is None


def test_learnt_factor_and_offset_go_into_the_node(no_saved_model, tmp_path):
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    x = keras.layers.Conv2D(4, 3, padding="same")(keras.ops.cast(image, "float32") / 255)
    x = InstanceNormalization(gamma_initializer="random_uniform", beta_initializer="ones")(x)
    x = keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x)
    manifest = export_model(
        keras.Model(image, ToPixels()(x)), tmp_path / "a", task="image_to_image"
    )
    kinds = kinds_of(onnx.load(tmp_path / "a" / manifest.onnx_file).graph)
    assert kinds["InstanceNormalization"] == 1
    assert kinds.get("Mul", 0) <= 3
