import threading
import time

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_dtl.cli.__main__ import main
from keras_dtl.data import load, load_domain, preparation, tfds_source
from keras_dtl.data.tfds_source import load_tfds
from keras_dtl.images import resize_image
from keras_dtl.recipes import RECIPES

RANDOM = np.random.default_rng(0)


def store(folder, name, images, labels, shape, splits=("train", "test"), version="1.0.0"):
    """Write a prepared TFDS data set; each split holds all the images."""
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=shape, encoding_format="png"),
            "label": tfds.features.ClassLabel(names=["ant", "bee"]),
        }
    )

    def examples():
        for image, label in zip(images, labels, strict=True):
            yield {"image": image, "label": label}

    signature = {
        "image": tf.TensorSpec((None, None, shape[-1]), tf.uint8),
        "label": tf.TensorSpec((), tf.int64),
    }
    dataset = tf.data.Dataset.from_generator(examples, output_signature=signature)
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version=version,
        features=features,
        split_datasets=dict.fromkeys(splits, dataset),
        data_dir=folder,
        disable_shuffling=True,
    )


def test_prepared_data_set_is_loaded_by_name(tmp_path, capsys):
    images = RANDOM.integers(0, 256, (5, 6, 7, 3), "uint8")
    store(tmp_path, "insects", images, [0, 1, 1, 0, 1], (6, 7, 3))
    examples = load("insects", "test", data_dir=tmp_path)
    np.testing.assert_array_equal(examples.images, images)
    assert examples.labels.tolist() == [0, 1, 1, 0, 1]
    assert examples.classes == ("ant", "bee")
    assert load("insects:1.0.0", image_size=3, data_dir=tmp_path).image_shape == (3, 3, 3)
    lines = ["insects: a data set of TFDS", "2 classes: ant, bee"]
    lines += ["train: 5 images", "test: 5 images"]
    assert RECIPES["gmv"](source="insects", data_dir=tmp_path).data_lines() == lines
    assert main(["check", "insects", "--data-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-4:] == lines


def test_images_of_different_sizes_are_resized_as_in_serving(tmp_path):
    images = [RANDOM.integers(0, 256, (*size, 3), "uint8") for size in ((8, 6), (5, 9), (4, 4))]
    store(tmp_path, "mixed", images, [0, 1, 0], (None, None, 3))
    examples = load("mixed", image_size=(4, 4), data_dir=tmp_path)
    for image, loaded in zip(images, examples.images, strict=True):
        np.testing.assert_array_equal(loaded, resize_image(image, (4, 4)))
    assert load("mixed", image_size=4, channels=1, data_dir=tmp_path).image_shape == (4, 4, 1)
    with pytest.raises(ValueError, match="8x6 and 5x9 pixels"):
        load("mixed", data_dir=tmp_path)


def test_large_data_set_goes_to_a_mapped_file(tmp_path):
    images = RANDOM.integers(0, 256, (4, 3, 3, 1), "uint8")
    store(tmp_path, "large", images, [0, 1, 0, 1], (3, 3, 1))
    mapped = load_tfds("large", data_dir=tmp_path, memory_limit=4 * 9 - 1)
    assert isinstance(mapped.images, np.memmap)
    np.testing.assert_array_equal(mapped.images, images)


@pytest.mark.parametrize(
    ("splits", "train", "test"),
    [(("train",), 8, 2), (("train", "validation"), 10, 10)],
)
def test_missing_test_split_is_replaced(tmp_path, splits, train, test):
    images = np.arange(10, dtype="uint8")[:, None, None, None] * np.ones((2, 2, 1), "uint8")
    store(tmp_path, "few", images, np.arange(10) % 2, (2, 2, 1), splits)
    loaded = [load("few", split, data_dir=tmp_path) for split in ("train", "test")]
    assert [len(examples) for examples in loaded] == [train, test]
    if splits == ("train",):
        values = np.concatenate([examples.images[:, 0, 0, 0] for examples in loaded])
        assert values.tolist() == list(range(10))


def test_each_domain_of_a_data_set_of_two_is_one(tmp_path, monkeypatch):
    images = np.arange(4, dtype="uint8")[:, None, None, None] * np.ones((2, 2, 3), "uint8")
    splits = ("trainA", "trainB", "testA", "testB")
    store(tmp_path, "zoo", images, [0, 1, 0, 1], (2, 2, 3), splits)
    read = []
    choose = tfds_source._choose_sided
    monkeypatch.setattr(
        tfds_source, "_choose_sided", lambda *request: read.append(choose(*request)) or read[-1]
    )
    load("zoo/A", data_dir=tmp_path, side="b")
    load("zoo", "test", data_dir=tmp_path, side="b")
    load_domain("zoo", 2, 2, side="b", data_dir=tmp_path)
    assert read == ["trainA", "testB", "trainB", "testB"]
    with pytest.raises(ValueError, match="two domains.*Name one of them: zoo/A or zoo/B"):
        load("zoo", data_dir=tmp_path)
    told = tfds_source.tfds_lines("zoo/B", tmp_path)
    assert told[2:] == ["train: 4 images (trainB)", "test: 4 images (testB)"]
    assert len(tfds_source.tfds_lines("zoo", tmp_path)) == 6


def test_only_the_named_configuration_is_asked_for(tmp_path, offline):
    with pytest.raises(FileNotFoundError) as error:
        load_domain("cycle_gan/horse2zebra", 64, 64, side="a", data_dir=tmp_path)
    assert "horse2zebra.zip" in str(error.value)
    assert str(error.value).count(".zip from") == 1


def test_host_that_never_answers_is_told_within_the_patience(tmp_path, offline, monkeypatch):
    monkeypatch.setattr(preparation, "PATIENCE", 0.05)
    monkeypatch.setattr(preparation, "_connects", lambda place: threading.Event().wait(3))
    started = time.monotonic()
    with pytest.raises(FileNotFoundError, match="no connection to download it"):
        preparation._check_reachable(tfds.builder("cifar10", data_dir=tmp_path), tmp_path)
    assert time.monotonic() - started < 2


def test_data_set_without_train_is_refused(tmp_path):
    store(tmp_path, "only_test", np.zeros((2, 2, 2, 1), "uint8"), [0, 1], (2, 2, 1), ("test",))
    with pytest.raises(ValueError, match="no split train, only test"):
        load("only_test", data_dir=tmp_path)


@pytest.mark.parametrize("name", ["glue/cola", "coco/2017"])
def test_data_set_that_is_not_classification_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="is not image classification: it has the features"):
        load(name, data_dir=tmp_path)


@pytest.mark.parametrize("name", ["cifar10:9.9.9", "cifar10/none"])
def test_unknown_version_or_configuration_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=f"The data set '{name}' cannot be had"):
        load(name, data_dir=tmp_path)


def test_offline_error_names_files_and_folders(tmp_path, offline):
    with pytest.raises(FileNotFoundError) as error:
        load("cifar10", data_dir=tmp_path)
    message = str(error.value)
    assert f"Put these files into {tmp_path}/downloads/manual" in message
    assert "cifar-10-binary.tar.gz from https://www.cs.toronto.edu" in message
    assert f"copy the prepared folder cifar10/3.0.2 into {tmp_path}" in message
    assert "TFDS_DATA_DIR" in message


def test_offline_with_the_files_at_hand_goes_on_to_prepare(tmp_path, offline, monkeypatch):
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"")
    started = []
    monkeypatch.setattr(
        tfds.core.DatasetBuilder,
        "download_and_prepare",
        lambda self, download_config: started.append(download_config.manual_dir),
    )
    with pytest.raises(ValueError, match="no split train"):  # nothing was really prepared
        load("cifar10", data_dir=tmp_path, manual_dir=tmp_path)
    assert started == [str(tmp_path)]


def test_full_disk_is_one_short_error(tmp_path, monkeypatch):
    def fail(self, download_config):
        raise OSError(28, "No space left on device")

    (tmp_path / "downloads" / "manual").mkdir(parents=True)
    (tmp_path / "downloads" / "manual" / "usps.bz2").write_bytes(b"")
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(OSError, match="usps could not be prepared.*No space left"):
        load("usps", data_dir=tmp_path)


def test_damaged_data_sets_are_told_by_the_folder(tmp_path):
    """Records ended with a traceback, and without the description it was an unknown name."""
    images = RANDOM.integers(0, 256, (5, 6, 7, 3), "uint8")
    store(tmp_path, "insects", images, [0, 1, 1, 0, 1], (6, 7, 3), splits=("train",))
    assert load("insects", data_dir=tmp_path).images.shape == (4, 6, 7, 3)
    for name in ("dataset_info.json", "features.json", "insects-train.tfrecord-00000-of-00001"):
        (file,) = tmp_path.rglob(name)
        whole = file.read_bytes()
        middle = len(whole) // 2
        turned = whole[:middle] + bytes([255 - whole[middle]]) + whole[middle + 1 :]
        for damaged in (whole[:middle], b"", turned) if "record" in name else (whole[:middle], b""):
            file.write_bytes(damaged)
            with pytest.raises(ValueError, match="insects.* is damaged: .* Remove the folder"):
                load("insects", data_dir=tmp_path)
        file.write_bytes(whole)


def test_empty_manual_folder_says_what_belongs_there(tmp_path):
    with pytest.raises(OSError, match="belong into .*downloads/manual.*usps.bz2 and usps.t.bz2"):
        load("usps", data_dir=tmp_path)


@pytest.mark.data
def test_real_mnist(data_folder):
    test = load("mnist", "test", data_dir=data_folder / "tfds")
    assert test.images.shape == (10000, 28, 28, 1)
    assert np.bincount(test.labels)[:3].tolist() == [980, 1135, 1032]
