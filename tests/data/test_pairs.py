import numpy as np
import pytest

from keras_dtl.data import load_pairs
from keras_dtl.data.inspection import describe
from keras_dtl.images import write_image


def picture(width, height=6, value=0, channels=3):
    return np.full((height, width, channels), value, "uint8")


def write_halves(folder, count, left=10, right=200):
    """Write pairs side by side whose left half is `left + index`."""
    for index in range(count):
        halves = picture(6, value=left + index), picture(6, value=right + index)
        write_image(folder / f"{index:02}.png", np.concatenate(halves, axis=1))


def test_halves_of_one_file_are_a_and_b(tmp_path):
    write_halves(tmp_path / "train", 3)
    write_halves(tmp_path / "val", 2)
    pairs = load_pairs(tmp_path)
    assert (pairs.a.shape, pairs.b.shape) == ((3, 6, 6, 3), (3, 6, 6, 3))
    assert pairs.a[:, 0, 0, 0].tolist() == [10, 11, 12]
    assert pairs.b[:, 5, 5, 2].tolist() == [200, 201, 202]
    assert pairs.names == ("train/00.png", "train/01.png", "train/02.png")
    assert len(load_pairs(tmp_path, "test")) == 2
    assert pairs.swap().a is pairs.b


def test_without_split_every_fifth_is_for_testing(tmp_path):
    write_halves(tmp_path, 11)
    train, test = load_pairs(tmp_path), load_pairs(tmp_path, "test")
    assert test.a[:, 0, 0, 0].tolist() == [14, 19]
    assert len(train) == 9
    assert not set(train.names) & set(test.names)


def test_files_of_one_name_in_two_folders_are_pairs(tmp_path):
    for index in range(5):
        write_image(tmp_path / "A" / f"{index}.png", picture(6, value=index))
        write_image(tmp_path / "B" / f"{index}.jpg", picture(6, value=100 + index))
    pairs = load_pairs(tmp_path, channels=(3, 1))
    assert pairs.a[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert pairs.b.shape == (4, 6, 6, 1)
    np.testing.assert_allclose(pairs.b[:, 0, 0, 0], [100, 101, 102, 103], atol=1)


def test_both_images_are_resized_and_get_their_channels(tmp_path):
    write_halves(tmp_path, 5)
    pairs = load_pairs(tmp_path, size=(4, 8), channels=(1, 4))
    assert (pairs.a.shape, pairs.b.shape) == ((4, 4, 8, 1), (4, 4, 8, 4))
    assert (pairs.b[..., 3] == 255).all()


def test_grey_file_in_a_colour_set_becomes_colour(tmp_path):
    write_halves(tmp_path, 4)
    write_image(tmp_path / "04b.png", picture(12, value=77, channels=1))
    write_image(tmp_path / "zz.png", picture(12))
    grey = load_pairs(tmp_path, "test").a
    assert grey.shape == (1, 6, 6, 3)
    assert (grey == 77).all()


def test_unreadable_pair_is_left_out_and_named(tmp_path, caplog):
    for index in range(5):
        write_image(tmp_path / "A" / f"{index}.png", picture(6, value=index))
        write_image(tmp_path / "B" / f"{index}.png", picture(6, value=index))
    (tmp_path / "B" / "1.png").write_bytes(b"no image")
    pairs = load_pairs(tmp_path)
    assert pairs.a[:, 0, 0, 0].tolist() == pairs.b[:, 0, 0, 0].tolist() == [0, 2, 3]
    assert len(pairs.skipped) == 1 and "1.png" in caplog.text


def folder_of(*names, width=12):
    def make(root):
        for name in names:
            write_image(root / name, picture(width))

    return make


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda root: None, FileNotFoundError, "no folder"),
        (lambda root: root.mkdir(), ValueError, "no pair found"),
        (folder_of(*(f"{i}.png" for i in range(5)), width=11), ValueError, "11 pixels wide"),
        (folder_of("A/1.png", "A/2.png", "B/1.png"), ValueError, "2.png.*Rename"),
        (folder_of("A/1.png"), ValueError, "not the other"),
        (folder_of("A/1.png", "A/1.jpg", "B/1.png"), ValueError, "suffix"),
        (folder_of("1.png", "2.png"), ValueError, "every fifth"),
        (folder_of("1.jpg", "1.png"), ValueError, "sub-folders A and B"),
        (folder_of("train/1.png"), ValueError, "none called test"),
    ],
)
def test_unusable_folder_is_refused(make, error, message, tmp_path):
    root = tmp_path / "pairs"
    make(root)
    with pytest.raises(error, match=message):
        load_pairs(root, "test")


def test_sizes_that_do_not_fit_are_named(tmp_path):
    write_image(tmp_path / "1.png", picture(12))
    write_image(tmp_path / "2.png", picture(14))
    with pytest.raises(ValueError, match="image_size"):
        load_pairs(tmp_path)
    assert load_pairs(tmp_path, size=(6, 6)).a.shape == (2, 6, 6, 3)
    write_image(tmp_path / "AB" / "A" / "1.png", picture(12))
    write_image(tmp_path / "AB" / "B" / "1.png", picture(14))
    write_image(tmp_path / "odd" / "1.png", picture(13))
    for name, message in (("AB", "12x6 and 14x6"), ("odd", "13 pixels wide")):
        with pytest.raises(ValueError, match=message):
            load_pairs(tmp_path / name)
        with pytest.raises(ValueError, match=message):
            describe(f"paired:{tmp_path / name}", thorough=True)


def test_folder_of_garbage_is_refused(tmp_path):
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="1 of 1 pairs"):
        load_pairs(tmp_path)


def write_sides(root, layout):
    for split, value in (("train", 10), ("test", 200)):
        for side in "AB":
            for index in range(3):
                folder = root / layout.format(split=split, side=side)
                write_image(folder / f"{index}.png", picture(6, value=value + index))


@pytest.mark.parametrize(
    "layout", ["{side}/{split}", "{split}/{side}", "{split}{side}", "{split}_{side}"]
)
def test_test_pairs_of_every_common_layout_are_kept_out_of_training(layout, tmp_path):
    write_sides(tmp_path, layout)
    train, test = load_pairs(tmp_path), load_pairs(tmp_path, "test")
    assert train.a[:, 0, 0, 0].tolist() == train.b[:, 0, 0, 0].tolist() == [10, 11, 12]
    assert test.a[:, 0, 0, 0].tolist() == test.b[:, 0, 0, 0].tolist() == [200, 201, 202]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("A/train/1.png", "A/test/2.png", "B/train/1.png"), "A has the splits test, train, and B"),
        (("A/1.png", "B/1.png", "test/1.png"), "holds test beside A and B"),
        (("train/1.png", "test/2.png", "extra/3.png"), "beside extra"),
        (("trainA/1.png", "trainB/1.png", "rest/2.png"), "holds rest beside folders such as"),
    ],
)
def test_splits_beside_what_is_none_are_refused(names, message, tmp_path):
    folder_of(*names)(tmp_path)
    with pytest.raises(ValueError, match=message):
        load_pairs(tmp_path)


def test_side_at_the_end_of_a_name_is_no_part_of_it(tmp_path):
    for index in range(5):
        for side in "AB":
            write_image(tmp_path / side / f"{index}_{side}.png", picture(6, value=index))
    pairs = load_pairs(tmp_path)
    assert pairs.a[:, 0, 0, 0].tolist() == pairs.b[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


def test_halved_photos_are_said(tmp_path, caplog):
    for index in range(5):
        write_image(tmp_path / "photos" / f"{index}.jpg", picture(8, 6))
        write_image(tmp_path / "halves" / f"{index}.jpg", picture(12, 6))
    load_pairs(tmp_path / "halves")
    assert not caplog.text
    (tmp_path / "photos" / "!.jpg").write_bytes(b"no image")
    assert len(load_pairs(tmp_path / "photos")) == 4
    assert "0.jpg into A and B of 4x6 pixels" in caplog.text
    (tmp_path / "photos" / "!.jpg").unlink()
    assert "0.jpg into A and B of 4x6" in describe(f"paired:{tmp_path / 'photos'}")[2]
