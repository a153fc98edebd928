"""Cityscapes through its TFDS builder, from archives of the published layout."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from keras_dtl.data.cityscapes import load_cityscapes
from keras_dtl.data.segmentation import VOID


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Archives with one image of each of two cities to learn and of one to test on."""
    folder = tmp_path_factory.mktemp("cityscapes")
    names = {"train": ("aachen", "bochum"), "val": ("munster",), "test": ("berlin",)}
    numbers = {"aachen": 7, "bochum": 26, "munster": 33, "berlin": 0}
    images = {
        f"{split}/{city}/{city}_000000_000019": number
        for split, cities in names.items()
        for city, number in ((city, numbers[city]) for city in cities)
    }
    with zipfile.ZipFile(folder / "leftImg8bit_trainvaltest.zip", "w") as archive:
        for name, number in images.items():
            pixels = np.full((1024, 2048, 3), number, "uint8")
            archive.writestr(f"leftImg8bit/{name}_leftImg8bit.png", png(pixels))
    with zipfile.ZipFile(folder / "gtFine_trainvaltest.zip", "w") as archive:
        for name, number in images.items():
            mask = np.full((1024, 2048), number, "uint8")
            mask[:512] = 3  # out of the region of interest
            archive.writestr(f"gtFine/{name}_gtFine_labelIds.png", png(mask))
    return {"data_dir": folder / "tfds", "manual_dir": folder}


def png(pixels):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", compress_level=1)
    return content.getvalue()


def test_masks_are_numbered_by_the_19_classes_and_void(places):
    examples = load_cityscapes("train", (32, 64), **places)
    assert examples.image_shape == (32, 64, 3) and len(examples) == 2
    assert len(examples.classes) == 19 and examples.classes[0] == "road"
    found = {int(image[0, 0, 0]): mask for image, mask in zip(*examples.arrays(), strict=True)}
    assert (found[7][16:] == 0).all() and (found[7][:16] == VOID).all()
    assert (found[26][16:] == examples.classes.index("car")).all()


def test_cities_and_the_validation_split_are_chosen(places):
    only = load_cityscapes("train", (32, 64), ("bochum",), **places)
    assert only.images[:, 0, 0, 0].tolist() == [26]
    test = load_cityscapes("test", (32, 64), **places)
    assert test.classes[test.labels[0, -1, 0]] == "bicycle"
    with pytest.raises(ValueError, match="no image of paris in the split 'train'"):
        load_cityscapes("train", (32, 64), ("paris",), **places)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="gtFine_trainvaltest.zip"):
        load_cityscapes(data_dir=tmp_path / "tfds", manual_dir=tmp_path)
