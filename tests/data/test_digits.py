import hashlib

import numpy as np
import pytest

from keras_dtl.data.digits import TEST_TILES, _photo_tiles, blended_digits, plain_digits


@pytest.mark.parametrize(
    ("load", "split", "count"),
    [
        (plain_digits, "train", 1438),
        (plain_digits, "test", 359),
        (blended_digits, "train", 4 * 1438),
        (blended_digits, "test", 359),
    ],
)
def test_digits_basics(load, split, count):
    examples = load(split)
    assert examples.images.shape == (count, 28, 28, 3)
    assert examples.classes == tuple("0123456789")
    assert np.bincount(examples.labels) == pytest.approx(count / 10, rel=0.05)


def test_plain_digits_span_the_whole_range_and_are_grey():
    images = plain_digits("test").images
    assert images.min() == 0 and images.max() == 255
    assert (images[..., 0] == images[..., 1]).all() and (images[..., 0] == images[..., 2]).all()


def test_splits_share_no_digit():
    def fingerprints(split):
        return {hashlib.sha256(image).digest() for image in plain_digits(split).images}

    train, test = fingerprints("train"), fingerprints("test")
    assert len(train) + len(test) == 1797
    assert not train & test


@pytest.mark.parametrize("split", ["train", "test"])
def test_blended_digits_show_the_plain_digits_in_colour(split):
    plain, blended = plain_digits(split), blended_digits(split)
    copies = len(blended) // len(plain)
    np.testing.assert_array_equal(np.tile(plain.labels, copies), blended.labels)
    images = np.concatenate([plain.images] * copies)
    # Undoing |patch - digit| under full strokes leaves a patch, else the digit is not there.
    stroke, background = images == 255, images == 0
    assert blended.images[stroke].mean() == pytest.approx(
        255 - blended.images[background].mean(), abs=25
    )
    assert np.ptp(blended.images.astype(int), axis=-1).mean() > 10  # colour


def test_a_digit_is_shown_over_several_patches():
    images = blended_digits("train").images
    assert len(np.unique(images[::1438], axis=0)) == 4


def test_blended_digits_are_deterministic():
    np.testing.assert_array_equal(blended_digits("test").images, blended_digits("test").images)


def test_splits_share_no_photo_tile():
    train, test = _photo_tiles("train"), _photo_tiles("test")
    assert len(test) == pytest.approx((len(train) + len(test)) / TEST_TILES, abs=1)
    # Darkness is all alike, as around a round photo.
    seen, unseen = ({t.tobytes() for t in tiles if t.max() > 9} for tiles in (train, test))
    assert not seen & unseen
