"""Masks and overlays of a folder, with an artifact that needs no training."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_dtl.convert import ConversionError, Options
from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.tasks.segmentation import Segmentation, palette_of
from keras_dtl.manifest import Preprocessing, Tensor
from tests.test_manifest import MANIFEST


class Artifact:
    def __init__(self, resize=None, shape=(None, None, None), colors=((9, 8, 7), (0, 255, 0))):
        import dataclasses

        self.manifest = dataclasses.replace(
            MANIFEST,
            task="segmentation",
            outputs=(Tensor("class_map", "uint8", shape, (0.0, 255.0)),),
            preprocessing=Preprocessing(resize=resize, channels=3),
            settings={"colors": [list(color) for color in colors]},
        )


class Journal:
    """Keeps what is published, in the place of files."""

    def __init__(self):
        self.files = {}

    def add(self, *record, **result):
        pass

    def publish(self, target, data):
        self.files[target] = data


def converted(tmp_path, classes, size, resize=None):
    task = Segmentation(Artifact(resize), tmp_path, Options())
    task.journal = Journal()
    item = Item(0, tmp_path / "a.jpg", "sub/a.jpg")
    pixels = np.full((*classes.shape, 3), 101, "uint8")
    loaded = Loaded(item, size, pixels, "content", None, {}, None, 1)
    task.keep(loaded, task.make(loaded, {"class_map": classes}))
    return task, item


def test_mask_holds_numbers_and_overlay_colours(tmp_path):
    classes = np.array([[0, 1, 1], [0, 0, 1]], "uint8")
    task, item = converted(tmp_path, classes, (2, 3))
    mask, colored = (tmp_path / place / "sub/a.png" for place in ("", "overlays"))
    assert set(task.journal.files) == {mask, colored}
    for path, data in task.journal.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    with Image.open(mask) as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.array(picture), classes)
        assert np.array(picture.convert("RGB"))[0, 1].tolist() == [0, 255, 0]
    with Image.open(colored) as picture:
        assert np.array(picture)[0, 1].tolist() == [50, 178, 50]
    assert task.result(item) == colored


def test_margins_are_cropped_and_fixed_sizes_restored(tmp_path):
    classes = np.zeros((4, 8), "uint8")
    for resize in (None, (4, 8)):
        task, _ = converted(tmp_path, classes, (3, 5), resize)
        for data in task.journal.files.values():
            with Image.open(io.BytesIO(data)) as picture:
                assert picture.size == (5, 3)


def test_overlay_shows_the_photo_where_the_model_saw_it_in_another_size(tmp_path):
    classes = np.zeros((4, 8), "uint8")
    classes[:, 4:] = 1
    task, item = converted(tmp_path, classes, (8, 16), (4, 8))
    data = task.journal.files[task.overlay_target(item)]
    with Image.open(io.BytesIO(data)) as picture:
        assert np.array(picture)[0, 0].tolist() == [55, 54, 54]  # half of 101, half of the class
        assert np.array(picture)[7, 15].tolist() == [50, 178, 50]


def test_a_map_of_another_size_is_no_mask(tmp_path):
    """The corner of the photo lay under it."""
    task = Segmentation(Artifact(), tmp_path, Options())
    pixels = np.full((8, 12, 3), 101, "uint8")
    item = Item(0, tmp_path / "a.jpg", "a.jpg")
    loaded = Loaded(item, (8, 12), pixels, "content", None, {}, None, 1)
    with pytest.raises(ItemError, match=r"made \(2, 3\) pixels .* of \(8, 12\); it must keep"):
        task.make(loaded, {"class_map": np.zeros((2, 3), "uint8")})


def test_other_outputs_and_colours_are_refused(tmp_path):
    with pytest.raises(ConversionError, match="class numbers"):
        Segmentation(Artifact(shape=(None, None, None, 3)), tmp_path, Options())
    task = Segmentation(Artifact(), tmp_path, Options())
    with pytest.raises(ConversionError, match="folder overlays"):
        task.plan([Item(0, tmp_path / "a.jpg", "overlays/a.jpg")])
    with pytest.raises(ConversionError, match="colors"):
        Segmentation(Artifact(colors=((1, 2),)), tmp_path, Options())
    assert palette_of(Artifact(colors=()).manifest).shape == (256, 3)
