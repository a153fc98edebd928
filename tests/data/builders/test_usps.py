import bz2

import numpy as np
import pytest

from keras_dtl.data import load
from keras_dtl.data.builders.usps import parse_line


def line(label, pixels):
    values = " ".join(f"{index}:{pixel / 127.5 - 1:.6g}" for index, pixel in enumerate(pixels, 1))
    return f"{label} {values}\n"


def write(path, labels, images):
    with bz2.open(path, "wt") as file:
        file.writelines(map(line, labels, images.reshape(len(images), -1)))


def test_usps_is_built_from_the_two_files(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 1), "uint8")
    write(tmp_path / "usps.bz2", [1, 10, 3, 4], images[:4])
    write(tmp_path / "usps.t.bz2", [5, 6], images[4:])
    request = {"data_dir": tmp_path / "tfds", "manual_dir": tmp_path}
    train, test = (load("usps", split, **request) for split in ("train", "test"))
    np.testing.assert_array_equal(train.images, images[:4])
    np.testing.assert_array_equal(test.images, images[4:])
    assert train.labels.tolist() == [0, 9, 2, 3] and test.labels.tolist() == [4, 5]
    assert train.classes == tuple("0123456789")


def test_parse_line_takes_missing_pixels_for_the_middle():
    image, digit = parse_line("7 1:-1 3:1")
    assert digit == 6
    assert image.ravel()[:4].tolist() == [0, 128, 255, 128]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("11 1:0", "label 11"),
        ("0 1:0", "label 0"),
        ("1 257:0", r"pixel 257 received, expected 1\.\.256"),
        ("1 1:1.5", r"values 0\.0\.\.1\.5"),
        ("1 1:nan", "nan"),
        ("1 oops", "unpack"),
    ],
)
def test_parse_line_bad_values_are_refused(line, message):
    with pytest.raises(ValueError, match=message):
        parse_line(line)


def test_usps_missing_file_is_named(tmp_path):
    (tmp_path / "usps.bz2").write_bytes(b"")
    with pytest.raises(OSError, match=r"usps\.t\.bz2 is missing.*belong into"):
        load("usps", data_dir=tmp_path / "tfds", manual_dir=tmp_path)


def test_usps_damaged_file_leaves_nothing_half_prepared(tmp_path):
    good = np.zeros((1, 256))
    write(tmp_path / "usps.bz2", [1], good)
    write(tmp_path / "usps.t.bz2", [99], good)
    request = {"data_dir": tmp_path / "tfds", "manual_dir": tmp_path}
    with pytest.raises(ValueError, match=r"usps\.t\.bz2, line 1: label 99"):
        load("usps", **request)
    write(tmp_path / "usps.t.bz2", [9], good)
    assert load("usps", "test", **request).labels.tolist() == [8]


@pytest.mark.data
def test_real_usps(data_folder, tmp_path):
    request = {"data_dir": tmp_path, "manual_dir": data_folder / "usps"}
    with np.load(data_folder / "usps" / "usps.npz") as expected:
        for split in ("train", "test"):
            examples = load("usps", split, **request)
            np.testing.assert_array_equal(
                examples.images.reshape(expected[f"x_{split}"].shape), expected[f"x_{split}"]
            )
            np.testing.assert_array_equal(examples.labels, expected[f"y_{split}"])
