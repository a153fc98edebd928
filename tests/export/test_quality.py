"""What graphs of lower precision are calibrated and measured on."""

import numpy as np

from keras_dtl.export.quality import read_samples
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
