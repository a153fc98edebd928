import numpy as np
import pytest

from keras_dtl.data import load
from keras_dtl.data.digits import plain_digits
from keras_dtl.data.names import divide_name
from keras_dtl.images import write_image


def test_load_embedded_digits_converts_size_and_channels():
    digits = load("digits", "test")
    np.testing.assert_array_equal(digits.images, plain_digits("test").images)
    converted = load("digits_m", "test", image_size=32, channels=1)
    assert converted.images.shape == (359, 32, 32, 1)
    np.testing.assert_array_equal(converted.labels, digits.labels)


def test_load_folder_by_name(tmp_path):
    write_image(tmp_path / "x" / "cat" / "a.png", np.zeros((4, 4, 3), "uint8"))
    examples = load(f"folder:{tmp_path / 'x'}", image_size=(2, 3), channels=1)
    assert examples.images.shape == (1, 2, 3, 1)
    assert examples.classes == ("cat",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "valid"}, "split='valid'. Expected one of train, test"),
        ({"channels": 4}, "channels=4"),
        ({"image_size": 0}, "image_size=0"),
        ({"image_size": (28, 28, 3)}, "image_size"),
        ({"image_size": 28.0}, "image_size=28.0"),
    ],
)
def test_load_bad_request_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        load("digits", **arguments)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit_m", "Did you mean digits_m.*Accepted: digits, digits_m, folder:PATH"),
        ("cifar11", "Did you mean cifar10"),
        ("uspss", "Did you mean usps"),
        ("xyzzyx", "Unknown data set 'xyzzyx'. Accepted"),
        ("no name", "Unknown data set 'no name'"),
        ("", "Unknown data set ''"),
        ("paired:somewhere", "Unknown data set 'paired:somewhere'"),
    ],
)
def test_load_unknown_name_is_refused_with_what_is_accepted(name, message):
    with pytest.raises(ValueError, match=message):
        load(name)


def test_load_path_without_prefix_suggests_the_prefix(tmp_path):
    with pytest.raises(ValueError, match=f"Did you mean folder:{tmp_path}"):
        load(str(tmp_path))


@pytest.mark.parametrize("name", ["folder:", "folder: ", "folder", "npz:"])
def test_path_that_is_missing_is_asked_for(name):
    with pytest.raises(ValueError, match="Expected a path after a colon, such as (folder|npz):"):
        load(name)


def test_home_is_found_after_the_colon(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_image(tmp_path / "photos" / "0.png", np.full((2, 2, 3), 7, "uint8"))
    assert (load("folder:~/photos").images == 7).all()
    assert divide_name("npz:~/a.npz:y") == ("npz", f"{tmp_path}/a.npz:y")


@pytest.mark.parametrize("name", [None, np.zeros((2, 8, 8, 3), "uint8")])
def test_what_is_no_name_is_told(name):
    with pytest.raises(ValueError, match="A data set has a name: .*LabelledImages"):
        load(name)
