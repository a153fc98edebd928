import numpy as np
import pytest

from keras_dtl.data import check_same_classes, load, renumber
from keras_dtl.images import write_image

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
        ({"x": np.zeros((15, 4, 4), "float32")}, "object", "views.npz: 'x': .*uint8"),
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


X = np.arange(24, dtype="uint8").reshape(24, 1, 1).repeat(4, 1).repeat(4, 2)
Y = np.arange(24) % 12


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"x": X, "y": Y[:, None]}, ""),
        ({"x": X, "y": np.eye(12)[Y]}, ""),
        ({"x": X, "y": Y.astype(float)}, ""),
        ({"x": X.astype("int64"), "y": Y}, ""),
        ({"x": X.astype("float32"), "y": Y}, ""),
        ({"images": X, "labels": Y}, ""),
        ({"photos": X, "person": Y}, ":photos,person"),
    ],
    ids=["column", "one-hot", "float labels", "int64", "float", "other names", "named"],
)
def test_every_form_of_labels_and_names_is_the_same_data_set(arrays, named, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    train, test = (load(f"npz:{tmp_path}/a.npz{named}", split) for split in ("train", "test"))
    assert train.classes == tuple(str(number) for number in range(12))
    for part in (train, test):
        np.testing.assert_array_equal(part.images[:, 0, 0, 0] % 12, part.labels)
    assert len(train) + len(test) == 24


@pytest.mark.parametrize("form", ["x_{split}", "{split}_images"])
def test_arrays_of_a_split_are_kept_apart(form, tmp_path):
    labels = {"x_{split}": "y_{split}", "{split}_images": "{split}_labels"}[form]
    arrays = {}
    for split, part in (("train", slice(0, 12)), ("test", slice(12, 24)), ("val", slice(0, 1))):
        arrays |= {form.format(split=split): X[part], labels.format(split=split): Y[part, None]}
    np.savez(tmp_path / "a.npz", **arrays)
    levels = [load(f"npz:{tmp_path}/a.npz", s).images[:, 0, 0, 0] for s in ("train", "test")]
    assert [part.tolist() for part in levels] == [list(range(12)), list(range(12, 24))]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X, "y": np.where(Y == 3, np.nan, Y)}, "holds 2 label.s. that are no number"),
        ({"x": X, "y": np.where(Y == 3, "", "a")}, "holds 2 label.s. that are no word, such as ''"),
        ({"x": X, "y": np.array(["nan", "b"] * 12)}, "holds 12 label.s. that are no word"),
        ({"x": X, "y": Y, "x_test": X, "y_test": Y + 7}, "'y_test' holds classes that 'y' lacks"),
        ({"x": X, "y": np.where(Y == 3, -1, Y)}, "holds 2 label.s. below 0"),
        ({"x": np.zeros((24, 3, 8, 8), "uint8"), "y": Y}, "channels first"),
        ({"x": X / 255, "y": Y}, "Scale them to 0..255"),
    ],
)
def test_labels_and_images_of_no_meaning_are_refused(arrays, message, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load(f"npz:{tmp_path}/a.npz")


def test_two_classes_may_be_minus_one_and_one(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=np.where(Y < 6, -1, 1))
    assert load(f"npz:{tmp_path}/a.npz").classes == ("-1", "1")


def test_one_array_alone_is_refused_in_words(tmp_path):
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(ValueError, match="x.npy holds one array. Expected a .npz file"):
        load(f"npz:{tmp_path}/x.npy")


def test_numbered_classes_of_a_folder_and_an_archive_are_matched(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    for number in range(12):
        write_image(tmp_path / "f" / str(number) / "0.png", np.full((4, 4, 1), number, "uint8"))
    archive, folder = load(f"npz:{tmp_path}/a.npz"), load(f"folder:{tmp_path}/f")
    assert archive.classes != folder.classes
    check_same_classes(archive, folder)
    matched = renumber(folder, archive.classes)
    np.testing.assert_array_equal(matched.images[:, 0, 0, 0], matched.labels)


@pytest.mark.parametrize(
    ("named", "train", "test"),
    [
        ("", [0, 12], [12, 24]),
        (":train_labels", [0, 12], [12, 24]),
        (":train_images,train_labels", [0, 12], [12, 24]),
        (":labels", [0, 12], [12, 24]),
    ],
)
def test_arrays_named_of_training_have_their_own_test(named, train, test, tmp_path):
    arrays = {"train_images": X[:12], "train_labels": Y[:12]}
    np.savez(tmp_path / "a.npz", **arrays, test_images=X[12:], test_labels=Y[12:])
    parts = [load(f"npz:{tmp_path}/a.npz{named}", split) for split in ("train", "test")]
    for part, bounds in zip(parts, (train, test), strict=True):
        assert part.images[:, 0, 0, 0].tolist() == list(range(*bounds))


def test_arrays_of_a_test_that_are_named_are_the_data_set(tmp_path):
    np.savez(tmp_path / "a.npz", test_x=X, test_y=Y, x=X[:12], y=Y[:12])
    parts = [load(f"npz:{tmp_path}/a.npz:test_x,test_y", split) for split in ("train", "test")]
    assert sorted(map(len, parts)) == [12, 12]  # two of each class, one for testing


def test_two_arrays_of_usual_names_are_not_chosen_from_in_silence(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, images=255 - X, y=Y)
    with pytest.raises(ValueError, match="holds both 'x' and 'images'.*IMAGES,LABELS"):
        load(f"npz:{tmp_path}/a.npz")
    assert load(f"npz:{tmp_path}/a.npz:images,").images.min() > 200


def test_classes_are_words_however_they_are_stored(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=np.array([b"cat", b"dog"] * 12))
    assert load(f"npz:{tmp_path}/a.npz").classes == ("cat", "dog")
