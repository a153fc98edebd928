import numpy as np
import pytest

from keras_dtl.data import load

VIEWS = 5


def views(path, **arrays):
    """Write three objects in five views each: an image's level is its own number."""
    images = np.arange(3 * VIEWS, dtype="uint8").reshape(-1, 1, 1).repeat(4, 1).repeat(4, 2)
    labels = np.repeat([30, 4, 7], VIEWS).astype("int16")
    np.savez(path, **{"x": images, "object": labels, **arrays})
    return f"npz:{path}:object"


def test_every_class_is_split_and_named_by_its_value(tmp_path):
    name = views(tmp_path / "views.npz")
    train, test = load(name), load(name, "test")
    assert train.classes == test.classes == ("4", "7", "30")
    assert (np.bincount(train.labels) == 4).all() and (np.bincount(test.labels) == 1).all()
    levels = np.concatenate([train.images[:, 0, 0, 0], test.images[:, 0, 0, 0]])
    assert sorted(levels) == list(range(3 * VIEWS))
    # Numbers 5 to 9 are of the object 4, which comes first.
    np.testing.assert_array_equal(train.images[train.labels == 0, 0, 0, 0] // VIEWS, 1)
    assert load(name, image_size=8, channels=3).image_shape == (8, 8, 3)


def test_labels_are_y_where_none_are_named(tmp_path):
    views(tmp_path / "views.npz", y=np.array(["a", "b", "c"]).repeat(VIEWS))
    assert load(f"npz:{tmp_path / 'views.npz'}").classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("arrays", "label", "message"),
    [
        ({}, "person", "no array 'person'. It holds x, object"),
        ({"object": np.zeros(3, int)}, "object", "one label for each image"),
        ({"x": np.zeros((15, 4, 4), "float32")}, "object", "uint8"),
        (
            {"x": np.array([np.zeros((4, 4)), 0] * 7 + [0], dtype=object)},
            "object",
            "cannot be read",
        ),
    ],
)
def test_unusable_arrays_are_refused(arrays, label, message, tmp_path):
    views(tmp_path / "views.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load(f"npz:{tmp_path / 'views.npz'}:{label}")


def test_what_is_no_file_of_arrays_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file .*none.npz"):
        load(f"npz:{tmp_path / 'none.npz'}:y")
    (tmp_path / "text.npz").write_text("no arrays")
    with pytest.raises(ValueError, match="text.npz cannot be read"):
        load(f"npz:{tmp_path / 'text.npz'}:y")
