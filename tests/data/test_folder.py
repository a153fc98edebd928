import logging
import unicodedata

import numpy as np
import pytest

from keras_dtl.data.folder import load_folder
from keras_dtl.data.folder_plan import folder_plan
from keras_dtl.images import encode_image, read_image, resize_image, write_image


def write(path, value=0, size=(6, 8)):
    write_image(path, np.full((*size, 3), value, "uint8"))


@pytest.fixture
def class_folder(tmp_path):
    """Ten grey cats and ten dogs; each image's brightness is its number."""
    for label, name in enumerate(("cat", "dog")):
        for index in range(10):
            write(tmp_path / name / f"{index}.png", 10 * label + index)
    return tmp_path


def shown(examples):
    return examples.images[:, 0, 0, 0].tolist()


def test_class_folders_are_split_alike_each_time(class_folder):
    train, test = (load_folder(class_folder, split) for split in ("train", "test"))
    assert train.classes == test.classes == ("cat", "dog")
    assert train.images.shape == (16, 6, 8, 3)
    assert sorted(shown(train) + shown(test)) == list(range(20))
    for examples, each in ((train, 8), (test, 2)):
        assert np.bincount(examples.labels).tolist() == [each, each]
        np.testing.assert_array_equal(np.array(shown(examples)) // 10, examples.labels)
    assert shown(load_folder(class_folder, "test")) == shown(test)


def test_given_split_is_kept(tmp_path):
    for split, value in (("train", 1), ("test", 2)):
        for name in ("b", "a"):
            write(tmp_path / split / name / "deep" / "x.png", value)
    train, test = (load_folder(tmp_path, split) for split in ("train", "test"))
    assert train.classes == test.classes == ("a", "b")
    assert shown(train) == [1, 1] and shown(test) == [2, 2]


def test_validation_folder_serves_as_test(tmp_path):
    write(tmp_path / "train" / "a" / "x.png", 1)
    write(tmp_path / "val" / "a" / "x.png", 2)
    assert shown(load_folder(tmp_path, "test")) == [2]


def test_split_folders_may_be_capitalised(tmp_path):
    write(tmp_path / "Train" / "a" / "x.png", 1)
    write(tmp_path / "TEST" / "a" / "x.png", 2)
    assert shown(load_folder(tmp_path, "test")) == [2]


def test_given_test_may_lack_a_class_but_not_add_one(tmp_path):
    write(tmp_path / "train" / "a" / "x.png")
    write(tmp_path / "train" / "b" / "x.png")
    write(tmp_path / "test" / "b" / "x.png")
    test = load_folder(tmp_path, "test")
    assert test.classes == ("a", "b") and test.labels.tolist() == [1]
    write(tmp_path / "test" / "c" / "x.png")
    with pytest.raises(ValueError, match="classes that train/ lacks: c"):
        load_folder(tmp_path, "test")


def test_train_without_test_is_refused_for_testing_only(tmp_path):
    write(tmp_path / "train" / "a" / "x.png")
    assert len(load_folder(tmp_path, "train")) == 1
    with pytest.raises(ValueError, match="none called test"):
        load_folder(tmp_path, "test")


def test_class_named_train_among_others_is_a_class_and_said(tmp_path, caplog):
    for name in ("train", "plane", "car"):
        write(tmp_path / name / "x.png")
    assert load_folder(tmp_path).classes == ("car", "plane", "train")
    assert "train is taken for a class" in caplog.text


SPLITS = [
    (("train", "valid", "test"), 2),
    (("train", "valid"), 1),
    (("Training", "Testing"), 1),
    (("training_set", "test_set"), 1),
    (("train", "dev", "test"), 2),
    (("TRAIN", "Validation-Data"), 1),
    (("trn", "tst"), 1),
    (("trainset", "testset"), 1),
    (("train", "test1"), 1),
    (("train2017", "val2017"), 1),
    (("seg_train", "seg_test"), 1),
    (("X_train", "X_val", "X_test"), 2),
    (("imagesTr", "imagesTs"), 1),
    (("train (1)", "valid (1)"), 1),
    (("photosTrainSmall", "photosTestSmall"), 1),
]


@pytest.mark.parametrize(("splits", "tested"), SPLITS, ids=lambda value: str(value))
def test_common_names_of_splits_are_never_classes(splits, tested, tmp_path):
    for value, split in enumerate(splits):
        for name in ("cat", "dog"):
            write(tmp_path / split / name / "x.png", value)
    train, test = (load_folder(tmp_path, split) for split in ("train", "test"))
    assert train.classes == test.classes == ("cat", "dog")
    assert shown(train) == [0, 0] and shown(test) == [tested, tested]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (("train/cat/x.png", "test/cat/x.png", "runs/x.png"), "beside runs, which is none"),
        (("train/x.png", "runs/x.png"), "train, by its name a split, beside runs"),
        (("train/cat/x.png", "test/cat/x.png", "old/a/x.png"), "test, train, by their name"),
        (("test/cat/x.png", "val/cat/x.png"), "test, val, by name a split, but no folder train"),
        (("cat/x.png", "test/x.png"), "test, by its name a split, beside cat"),
        (("train/c/x.png", "val/c/x.png", "dev/c/x.png"), "two folders of one split, validation"),
        (("set/train/cat/x.png", "set/test/cat/x.png"), "set/test, set/train. Give .*set"),
        (("A/train/x.png", "A/test/x.png", "B/train/x.png"), "A/test, A/train. Give .*A"),
        (("a_train/c/x.png", "a_val/c/x.png", "old/c/x.png"), "beside old, which is none"),
        (("i_train/x.png", "i_val/x.png", "m_train/x.png", "m_val/x.png"), "folders of one split"),
        (("train/train/c/x.png", "train/val/c/x.png"), "train holds splits itself: train, val"),
        (("trainA/x.png", "old/x.png"), "two domains, old, trainA. Name one"),
        (("trainA/x.png", "trainB/x.png"), "two domains, trainA, trainB. Name one of them: .*/A"),
    ],
)
def test_what_may_be_splits_is_refused_by_name_and_never_classes(paths, message, tmp_path):
    for path in paths:
        write(tmp_path / path)
    for split in ("train", "test"):
        with pytest.raises(ValueError, match=message):
            load_folder(tmp_path, split)


@pytest.mark.parametrize(
    "names",
    [
        ("bullet_train", "freight_train"),
        ("bullet train", "test tube", "steam engine"),
        ("mano", "testa"),
        ("dev board", "dev kit"),
        ("petra", "valise", "strain"),
    ],
)
def test_words_that_hold_a_split_are_classes(names, tmp_path):
    for name in names:
        write(tmp_path / name / "x.png")
    assert load_folder(tmp_path).classes == tuple(sorted(names))


def test_train_may_hold_a_class_train(tmp_path):
    for path in ("train/plane", "train/train", "test/train"):
        write(tmp_path / path / "x.png")
    assert load_folder(tmp_path).classes == ("plane", "train")


def test_classes_that_hold_the_same_folders_may_be_domains_which_is_said(tmp_path, caplog):
    for path in ("art/cat", "art/dog", "photo/cat", "photo/dog"):
        write(tmp_path / path / "x.png")
    assert load_folder(tmp_path).classes == ("art", "photo")
    assert "each of art, photo holds the folders cat, dog. If those are the classes" in caplog.text


def test_folders_of_systems_are_no_classes(class_folder):
    for name in ("__MACOSX/cat/._0.png", "@eaDir/0.png", "__MACOSX/1.png"):
        (class_folder / name).parent.mkdir(parents=True, exist_ok=True)
        (class_folder / name).write_bytes(b"not a picture")
    examples = load_folder(class_folder)
    assert examples.classes == ("cat", "dog") and examples.skipped == ()


def test_one_side_of_two_domains_has_its_own_splits(tmp_path):
    for value, name in enumerate(("trainA", "testA", "train_B", "test_B")):
        write(tmp_path / name / "x.png", value)
    values = [
        shown(load_folder(tmp_path / side, split)) for side in "AB" for split in ("train", "test")
    ]
    assert values == [[0], [1], [2], [3]]


def test_flat_test_beside_classes_is_a_test_without_labels_said_at_once(tmp_path, caplog):
    for name in ("cat", "dog"):
        write(tmp_path / "train" / name / "x.png", 1)
    write(tmp_path / "test" / "x.png", 2)
    assert load_folder(tmp_path).classes == ("cat", "dog")
    assert "test/ holds 1 images without class folders, a test without labels" in caplog.text
    test = load_folder(tmp_path, "test")
    assert test.labels is None and shown(test) == [2]
    for name in ("cat", "dog"):
        write(tmp_path / "valid" / name / "x.png", 3)
    assert "valid/ is scored on" in " ".join(folder_plan(tmp_path).notes)
    assert shown(load_folder(tmp_path, "test")) == [3, 3]


def test_every_file_that_is_left_out_is_named_with_its_reason(class_folder, caplog):
    jpeg = encode_image(np.zeros((6, 8, 3), "uint8"), ".jpg")
    for name, data in (
        ("a.jp2", b""),
        ("b.TGA", b""),
        ("c", jpeg),
        ("notes.txt", b"words"),
        ("Thumbs.db", b""),
        ("._0.png", b""),
    ):
        (class_folder / "cat" / name).write_bytes(data)
    write(class_folder / "loose.png")
    left = {path.rpartition("/")[2]: why for path, why in load_folder(class_folder).skipped}
    assert left == {
        "a.jp2": "pictures of the format JP2 are not read",
        "b.TGA": "pictures of the format TGA are not read",
        "c": "its content is JPEG, but its name does not end in an image suffix",
        "notes.txt": "no image, by its suffix .txt",
        "loose.png": "beside the class folders",
    }
    assert "left out 5 file(s)" in caplog.text


def test_names_that_browsers_give_photos_are_read(tmp_path):
    jpeg = encode_image(np.full((6, 8, 3), 90, "uint8"), ".jpg")
    for name in ("a.jfif", "b.JPE", "c.jpg"):
        (tmp_path / "cat" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "cat" / name).write_bytes(jpeg)
    write(tmp_path / "cat" / "d.avif", 90)
    assert len(load_folder(tmp_path)) + len(load_folder(tmp_path, "test")) == 4


def test_one_image_a_class_is_for_training(tmp_path):
    for name in ("left", "right"):
        write(tmp_path / name / "0.png")
    assert len(load_folder(tmp_path)) == 2
    with pytest.raises(ValueError, match="each class has one image, which is for training"):
        load_folder(tmp_path, "test")


def test_flat_folder_is_unlabelled_and_all_for_training(tmp_path):
    write(tmp_path / "b.png", 2)
    write(tmp_path / "a.jpg", 1)
    (tmp_path / "notes.txt").write_text("not an image")
    examples = load_folder(tmp_path)
    assert shown(examples) == [1, 2]
    assert examples.labels is None and examples.classes == ()
    with pytest.raises(ValueError, match="without class folders are all for training"):
        load_folder(tmp_path, "test")


def test_images_beside_class_folders_are_left_out_and_logged(class_folder, caplog):
    write(class_folder / "loose.png", 99)
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        assert 99 not in shown(load_folder(class_folder))
    assert "1 image(s) beside the class folders" in caplog.text


def test_images_are_read_and_resized_as_in_serving(tmp_path):
    random = np.random.default_rng(0)
    paths = [tmp_path / name for name in ("a.jpg", "b.png")]
    for path, size in zip(paths, ((20, 30), (11, 9)), strict=True):
        write_image(path, random.integers(0, 256, (*size, 3), "uint8"))
    examples = load_folder(tmp_path, size=(7, 5), channels=1)
    for path, image in zip(paths, examples.images, strict=True):
        np.testing.assert_array_equal(image, resize_image(read_image(path, 1), (7, 5)))


def test_images_of_different_sizes_ask_for_one(tmp_path):
    write(tmp_path / "a.png", size=(6, 8))
    write(tmp_path / "b.png", size=(5, 8))
    with pytest.raises(ValueError, match="6x8 and 5x8 pixels.*--image-size"):
        load_folder(tmp_path)


def test_many_images_go_to_a_mapped_file(class_folder):
    mapped = load_folder(class_folder, memory_limit=100)
    assert isinstance(mapped.images, np.memmap)
    np.testing.assert_array_equal(mapped.images, load_folder(class_folder).images)


def test_unreadable_files_are_skipped_and_reported(class_folder, caplog):
    (class_folder / "cat" / "broken.jpg").write_bytes(b"not a picture")
    whole = (class_folder / "dog" / "0.png").read_bytes()
    (class_folder / "dog" / "cut.png").write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        splits = [load_folder(class_folder, split) for split in ("train", "test")]
    skipped = [entry for examples in splits for entry in examples.skipped]
    assert sorted(path.rpartition("/")[2] for path, _ in skipped) == ["broken.jpg", "cut.png"]
    assert all("cannot be read as an image" in reason for _, reason in skipped)
    assert sorted(value for examples in splits for value in shown(examples)) == list(range(20))
    for examples in splits:
        np.testing.assert_array_equal(np.array(shown(examples)) // 10, examples.labels)
    assert "left out 1 of" in caplog.text or "left out 2 of" in caplog.text


def test_only_unreadable_files_are_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="none of the 1 image files can be read.*a.jpg"):
        load_folder(tmp_path)


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no image found for the split 'train'. Expected"):
        load_folder(tmp_path)


def test_missing_folder_and_file_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*absent"):
        load_folder(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file, not a folder"):
        load_folder(tmp_path / "file")


def test_class_without_images_stays_a_class_and_is_logged(class_folder, caplog):
    (class_folder / "emu").mkdir()
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        assert load_folder(class_folder).classes == ("cat", "dog", "emu")
    assert "no image of the class emu" in caplog.text


def test_class_names_are_sorted_composed_and_never_hidden(tmp_path):
    names = [unicodedata.normalize("NFD", "été"), "Zoo", "a b", ".hidden"]
    for name in names:
        write(tmp_path / name / "x.PNG")
    assert load_folder(tmp_path).classes == ("Zoo", "a b", "été")


def test_class_folders_equal_but_for_accents_are_refused(tmp_path):
    for form in ("NFC", "NFD"):
        write(tmp_path / unicodedata.normalize(form, "été") / "x.png")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system takes both names for one")
    with pytest.raises(ValueError, match="two folders that are both called 'été'"):
        load_folder(tmp_path)
