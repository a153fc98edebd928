"""Images in tiles: the same as whole, whatever their size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from keras_dtl.convert import ConversionError, Options, convert_folder, load_artifact
from keras_dtl.convert.artifact import ArtifactError
from keras_dtl.convert.tiles.cuts import cuts
from keras_dtl.convert.tiles.tiling import Tiler
from keras_dtl.images import read_image, write_image
from keras_dtl.manifest import Preprocessing, Tensor
from tests.convert.conftest import write_artifact

OVERLAP, MULTIPLE = 8, 4


@pytest.fixture(scope="module")
def blurred(tmp_path_factory):
    """A generator whose pixels are means of 9 x 9."""
    kernel = np.full((3, 1, 9, 9), 1 / 81, np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "kernel"], ["mean"], pads=[4] * 4, group=3),
        helper.make_node("Transpose", ["mean"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Round", ["last"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["blurred"], to=TensorProto.UINT8),
    ]
    folder = write_artifact(
        tmp_path_factory.mktemp("artifacts") / "blurred",
        nodes,
        (Tensor("blurred", "uint8", (None, None, None, 3), (0.0, 255.0)),),
        "image_to_image",
        constants=[helper.make_tensor("kernel", TensorProto.FLOAT, kernel.shape, kernel.ravel())],
        preprocessing=Preprocessing(None, 3, size_multiple=MULTIPLE),
        tiling={"overlap": OVERLAP, "multiple": MULTIPLE, "bytes_per_pixel": 48, "file": None},
    )
    return load_artifact(folder, device="cpu")


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(20, 20), (64, 64), (64, 20), (100, 132), (33 * 4, 25 * 4)])
def test_tiles_make_the_same_as_the_whole_image(blurred, size):
    image = noise(*size)[None]
    whole = blurred.run(image)["blurred"]
    tiled = Tiler(blurred, Options(tile=64))(image)["blurred"]
    np.testing.assert_array_equal(tiled, whole)


@settings(max_examples=200, deadline=None)
@given(size=st.integers(1, 3000), side=st.integers(5, 200), overlap=st.integers(0, 9))
def test_cuts_keep_each_pixel_once_with_its_surroundings(size, side, overlap):
    size, side, overlap = (n * MULTIPLE for n in (size, side, overlap))
    if side <= 2 * overlap:
        return
    kept = np.zeros(size, int)
    for cut in cuts(size, side, overlap, MULTIPLE):
        kept[cut.kept] += 1
        assert cut.taken.start % MULTIPLE == 0
        assert cut.taken.stop - cut.taken.start == min(side, size)
        assert cut.taken.start == 0 or cut.kept.start - cut.taken.start >= overlap
        assert cut.taken.stop == size or cut.taken.stop - cut.kept.stop >= overlap
    assert (kept == 1).all()


def test_tiles_are_taken_where_memory_is_exhausted(blurred, monkeypatch):
    run = blurred.run

    def exhausted(images):
        if images.shape[1] > 256:
            raise ArtifactError("Failed to allocate memory for requested buffer")
        return run(images)

    image = noise(300, 280)[None]
    whole = run(image)["blurred"]
    monkeypatch.setattr(blurred, "run", exhausted)
    np.testing.assert_array_equal(Tiler(blurred, Options())(image)["blurred"], whole)
    with pytest.raises(ArtifactError, match="allocate"):
        Tiler(blurred, Options(tile=0))(image)


def shapes_seen(blurred, monkeypatch, memory):
    """Return the shapes of what a model is given of two images that are 512 pixels high."""
    monkeypatch.setattr("keras_dtl.convert.tiles.tiling.total_memory", lambda: memory)
    seen, run = [], blurred.run
    monkeypatch.setattr(blurred, "run", lambda images: seen.append(images.shape) or run(images))
    images = np.stack([noise(512, 300)] * 2)
    Tiler(blurred, Options())(images)
    return seen


def test_tiles_are_taken_where_memory_would_not_do(blurred, monkeypatch):
    assert max(shape[1] for shape in shapes_seen(blurred, monkeypatch, 2**23)) <= 256


def test_images_that_fit_one_by_one_are_not_cut_for_being_together(blurred, monkeypatch):
    """What became of a photo depended on which others were in the same batch."""
    need = 512 * 300 * blurred.manifest.tiling["bytes_per_pixel"]
    assert shapes_seen(blurred, monkeypatch, 4 * need) == [(1, 512, 300, 3)] * 2


def test_folder_is_converted_in_tiles(blurred, tmp_path):
    write_image(tmp_path / "photos" / "a.png", noise(70, 90))
    convert_folder(blurred, tmp_path / "photos", tmp_path / "whole", tile=0)
    convert_folder(blurred, tmp_path / "photos", tmp_path / "tiled", tile=32)
    whole, tiled = (read_image(tmp_path / name / "a.png") for name in ("whole", "tiled"))
    np.testing.assert_array_equal(whole, tiled)


@pytest.mark.parametrize(("side", "work"), [(20, 25), (24, 9), (36, None), (64, None)])
def test_tiles_of_which_little_is_kept_are_warned_of(side, work, blurred, tmp_path, caplog):
    write_image(tmp_path / "photos" / "a.png", noise(40, 40))
    convert_folder(blurred, tmp_path / "photos", tmp_path / "out", tile=side)
    words = f"only {side - 16} x {side - 16} are kept: large images take about {work} times"
    assert (words in caplog.text) == (work is not None)
    assert bool(caplog.records) == (work is not None)


@pytest.mark.parametrize("side", [17, 19])  # 16, as multiples of 4, of which nothing is kept
def test_tiles_of_which_nothing_would_be_kept_are_refused(side, blurred):
    with pytest.raises(ConversionError, match=f"20 or more.*Received {side}"):
        Tiler(blurred, Options(tile=side))


def test_tiles_that_cannot_be_are_refused(blurred, negative, tmp_path):
    write_image(tmp_path / "photos" / "a.png", noise(70, 90))
    for artifact, message in ((blurred, "20 or more"), (negative, "cannot run in tiles")):
        with pytest.raises(ConversionError, match=message):
            convert_folder(artifact, tmp_path / "photos", tmp_path / "out", tile=16)
