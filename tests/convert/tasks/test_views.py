"""Folders through a generator of several views."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from keras_dtl.convert import convert_folder, load_artifact
from keras_dtl.images import read_image
from keras_dtl.manifest import Tensor
from tests.convert.conftest import write_artifact


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    """A generator of two views: the image, and its negative."""
    nodes = [
        helper.make_node("Sub", ["white", "image"], ["negative"]),
        helper.make_node("Unsqueeze", ["image", "axis"], ["first"]),
        helper.make_node("Unsqueeze", ["negative", "axis"], ["second"]),
        helper.make_node("Concat", ["first", "second"], ["views"], axis=1),
    ]
    constants = [
        helper.make_tensor("white", TensorProto.UINT8, [1], [255]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
    ]
    output = Tensor("views", "uint8", (None, 2, None, None, 3), (0.0, 255.0))
    folder = tmp_path_factory.mktemp("artifacts") / "views"
    write_artifact(folder, nodes, (output,), "image_to_views", constants=constants)
    return load_artifact(folder, device="cpu")


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_every_image_becomes_a_folder_of_its_views(engine, views, photos, tmp_path):
    (photos / "truncated.png").unlink()
    report = convert_folder(views, photos, tmp_path / "out", engine=engine, workers=1)
    assert (report.exit_status, report.converted) == (0, 4)
    image = read_image(photos / "a.png", 3)
    first, second = sorted((tmp_path / "out" / "a.png").iterdir())
    np.testing.assert_array_equal(read_image(first, 3), image)
    np.testing.assert_array_equal(read_image(second, 3), 255 - image)
    again = convert_folder(views, photos, tmp_path / "out")
    assert (again.converted, again.skipped) == (0, 4)
