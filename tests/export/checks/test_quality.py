"""What graphs of lower precision are calibrated and measured on."""

from dataclasses import replace

import numpy as np
import pytest

from keras_dtl.export.checks.quality import read_samples
from keras_dtl.images import write_image
from keras_dtl.manifest import read_manifest
from tests.convert.conftest import write_negative


def test_files_that_calibration_leaves_out_are_said(tmp_path, caplog):
    manifest = read_manifest(write_negative(tmp_path / "negative"))
    for index in range(3):
        write_image(tmp_path / "photos" / f"{index}.png", np.zeros((8, 8, 3), "uint8"))
    assert len(read_samples(tmp_path / "photos", manifest)) == 3 and not caplog.text
    (tmp_path / "photos" / "raw.tga").write_bytes(b"")
    (tmp_path / "photos" / "damaged.png").write_bytes(b"no image")
    assert len(read_samples(tmp_path / "photos", manifest)) == 3
    assert "Calibration leaves out 2 file(s), such as" in caplog.text
    assert "damaged.png: cannot be read as an image" in caplog.text


@pytest.mark.parametrize("count", [2, 64, 65, 127, 128, 300])
def test_calibration_takes_images_of_the_whole_folder(tmp_path, count):
    """Of 127 images in four folders it took the first 64, which are two of the folders."""
    classes = ("a", "b", "c", "d")
    manifest = replace(read_manifest(write_negative(tmp_path / "negative")), classes=classes)
    for index in range(count):
        image = np.zeros((1, 1, 3), "uint8")
        write_image(tmp_path / "photos" / classes[4 * index // count] / f"{index:03}.png", image)
    labels = [sample.label for sample in read_samples(tmp_path / "photos", manifest)]
    assert len(labels) == min(count, 64)
    shares = np.bincount(labels, minlength=4) / len(labels)
    assert count < 4 or abs(shares - 0.25).max() < 0.02
