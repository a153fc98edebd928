import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_dtl.data import load
from keras_dtl.data.blending import blend
from keras_dtl.data.builders.mnist_m import find_photos
from keras_dtl.images import read_image, write_image

RANDOM = np.random.default_rng(0)
DIGITS = {
    "train": RANDOM.integers(0, 256, (5, 28, 28, 1), "uint8"),
    "test": RANDOM.integers(0, 256, (3, 28, 28, 1), "uint8"),
}


def write_mnist(folder):
    tfds.dataset_builders.store_as_tfds_dataset(
        name="mnist",
        version="3.0.1",
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(28, 28, 1)),
                "label": tfds.features.ClassLabel(num_classes=10),
            }
        ),
        split_datasets={
            split: tf.data.Dataset.from_tensor_slices(
                {"image": images, "label": np.arange(len(images), dtype="int64")}
            )
            for split, images in DIGITS.items()
        },
        data_dir=folder,
        disable_shuffling=True,
    )


def write_photos(folder):
    for split in ("train", "test"):
        for index in range(2):
            photo = RANDOM.integers(0, 256, (40, 30, 3), "uint8")
            write_image(folder / split / f"{index}.png", photo)


@pytest.mark.parametrize(
    "photo_folder", ["BSR/BSDS500/data/images", "BSDS500/data/images", "BSDS500", "bsds500"]
)
def test_find_photos_in_the_usual_folders(tmp_path, photo_folder):
    write_photos(tmp_path / photo_folder)
    (tmp_path / photo_folder / "train" / "Thumbs.db").write_bytes(b"")
    found = find_photos(tmp_path)
    assert [path.parent.name for path in found["train"]] == ["train"] * 2
    assert len(found["test"]) == 2


def test_mnist_m_blends_each_split_with_its_own_photos(tmp_path):
    write_mnist(tmp_path / "tfds")
    write_photos(tmp_path / "manual" / "BSDS500")
    request = {"data_dir": tmp_path / "tfds", "manual_dir": tmp_path / "manual"}
    for seed, split in enumerate(("train", "test")):
        examples = load("mnist_m", split, **request)
        photos = [read_image(path) for path in find_photos(tmp_path / "manual")[split]]
        digits = DIGITS[split][..., 0]
        np.testing.assert_array_equal(
            examples.images, blend(digits, photos, np.random.default_rng(seed))
        )
        assert examples.labels.tolist() == list(range(len(digits)))


def test_mnist_m_without_photos_says_what_belongs_where(tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(OSError, match="None of the folders BSR.*unpack there BSR_bsds500.tgz"):
        load("mnist_m", data_dir=tmp_path / "tfds", manual_dir=tmp_path)


def test_mnist_m_without_mnist_asks_for_mnist(tmp_path, offline):
    write_photos(tmp_path / "BSDS500")
    with pytest.raises(FileNotFoundError, match="^The data set mnist is not in"):
        load("mnist_m", data_dir=tmp_path / "tfds", manual_dir=tmp_path)


def test_find_photos_without_test_photos_is_refused(tmp_path):
    write_photos(tmp_path / "BSDS500")
    for path in (tmp_path / "BSDS500" / "test").iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match="lacks photos in train/ or test/"):
        find_photos(tmp_path)
