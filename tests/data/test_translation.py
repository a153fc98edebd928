import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.data import ImagePairs, jitter, load_domain, paired_batches, unpaired_batches
from keras_dtl.images import write_image


def coordinates(count, height=7, width=9):
    """Return images whose pixels say which image they are of, and where they were."""
    rows, columns = np.mgrid[:height, :width]
    one = np.stack([np.zeros_like(rows), rows, columns], -1)
    images = np.repeat(one[None], count, 0)
    images[..., 0] = np.arange(count)[:, None, None]
    return images.astype("uint8")


def take(dataset, count):
    return [tuple(part.numpy() for part in batch) for batch in dataset.take(count)]


def test_pairs_stay_together_and_are_jittered_alike():
    images = coordinates(10)
    pairs = ImagePairs(images, 255 - images)
    batches = take(paired_batches(pairs, 4, augment=jitter((4, 5))), 20)
    for a, b in batches:
        assert a.shape == (4, 4, 5, 3)
        np.testing.assert_array_equal(b, 255 - a)
    crops = {(x[0, 0, 1], min(x[0, 0, 2], x[0, -1, 2])) for a, _ in batches for x in a}
    assert crops == {(row, column) for row in range(4) for column in range(5)}


def test_crops_are_whole_windows_and_half_are_mirrored():
    images = coordinates(10)
    batches = take(paired_batches(ImagePairs(images, images), 4, augment=jitter(4)), 50)
    x = np.concatenate([a for a, _ in batches]).astype(int)
    np.testing.assert_array_equal(np.diff(x[..., 1], axis=1), 1)
    steps = np.diff(x[..., 2], axis=2)
    assert (np.abs(steps) == 1).all()
    mirrored = (steps[:, 0, 0] == -1).mean()
    assert 0.4 < mirrored < 0.6
    straight = take(paired_batches(ImagePairs(images, images), 4, augment=jitter(4, flip=False)), 9)
    assert all((np.diff(a[..., 2].astype(int), axis=2) == 1).all() for a, _ in straight)


def test_unequal_domains_each_run_at_their_own_length():
    a, b = coordinates(3), coordinates(8)
    batches = take(unpaired_batches(a, b, 1, augment=jitter(4)), 24)
    of_a, of_b = ([batch[side][0, 0, 0, 0] for batch in batches] for side in (0, 1))
    for start in range(0, 24, 3):
        assert sorted(of_a[start : start + 3]) == [0, 1, 2]
    for start in range(0, 24, 8):
        assert sorted(of_b[start : start + 8]) == list(range(8))


@pytest.mark.parametrize("make", [paired_batches, unpaired_batches])
def test_resumed_batches_go_on_where_they_were(make):
    a, b = coordinates(5), coordinates(5) + 100
    domains = (ImagePairs(a, b),) if make is paired_batches else (a, b[:3])
    whole = take(make(*domains, 2, seed=4, augment=jitter(4)), 12)
    rest = take(make(*domains, 2, seed=4, first_step=5, augment=jitter(4)), 7)
    for ours, theirs in zip(rest, whole[5:], strict=True):
        for x, y in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(x, y)


def test_batch_size_is_known_before_the_first_batch():
    images = coordinates(4)
    spec = paired_batches(ImagePairs(images, images), 3, augment=jitter(4)).element_spec[0]
    assert spec.shape == tf.TensorShape((3, 4, 4, 3))


def test_images_smaller_than_the_crop_are_refused():
    images = coordinates(4)
    with pytest.raises(ValueError, match="7 pixels cannot be cropped to 8"):
        paired_batches(ImagePairs(images, images), 2, augment=jitter(8))


def write_images(folder, count):
    for index in range(count):
        write_image(folder / f"{index:02}.png", np.full((6, 6, 3), index, "uint8"))


def first_values(images):
    return images[:, 0, 0, 0].tolist()


def test_every_tenth_image_of_a_flat_folder_is_held_out(tmp_path):
    write_images(tmp_path, 21)
    train, test = load_domain(f"folder:{tmp_path}", 8, 6)
    assert (train.shape, test.shape) == ((19, 8, 8, 3), (2, 6, 6, 3))
    assert first_values(test) == [9, 19]
    assert not set(first_values(train)) & {9, 19}


def test_split_folders_and_classes_are_taken_as_they_are(tmp_path):
    write_images(tmp_path / "split" / "train", 3)
    write_images(tmp_path / "split" / "test", 2)
    train, test = load_domain(f"folder:{tmp_path / 'split'}", 6, 6, channels=4)
    assert (train.shape, test.shape) == ((3, 6, 6, 4), (2, 6, 6, 4))
    for name in ("cat", "dog"):
        write_images(tmp_path / "classes" / name, 5)
    train, test = load_domain(f"folder:{tmp_path / 'classes'}", 6, 6, channels=1)
    assert (train.shape, test.shape) == ((8, 6, 6, 1), (2, 6, 6, 1))
    train, test = load_domain("digits", 32, 28)
    assert train.shape[1:] == (32, 32, 3) and test.shape[1:] == (28, 28, 3)


def test_grey_image_in_a_colour_folder_becomes_colour(tmp_path):
    write_images(tmp_path, 9)
    write_image(tmp_path / "09.png", np.full((6, 6, 1), 77, "uint8"))
    assert (load_domain(f"folder:{tmp_path}", 6, 6)[1] == 77).all()


@pytest.mark.parametrize(("count", "message"), [(0, "no image found"), (9, "at least 10")])
def test_empty_and_tiny_domains_are_refused(count, message, tmp_path):
    write_images(tmp_path, count)
    with pytest.raises(ValueError, match=message):
        load_domain(f"folder:{tmp_path}", 6, 6)


@pytest.mark.parametrize("layout", ["{split}{side}", "{side}/{split}"])
def test_each_side_of_two_domains_is_taken_by_default(layout, tmp_path):
    places = [(split, side) for side in "AB" for split in ("train", "test")]
    for value, (split, side) in enumerate(places):
        path = tmp_path / layout.format(split=split, side=side) / "0.png"
        write_image(path, np.full((6, 6, 3), value, "uint8"))
    loaded = [load_domain(f"folder:{tmp_path}", 6, 6, side=side) for side in "ab"]
    assert [first_values(part) for domain in loaded for part in domain] == [[0], [1], [2], [3]]
    named = load_domain(f"folder:{tmp_path}/B", 6, 6, side="a")
    assert [first_values(part) for part in named] == [[2], [3]]
