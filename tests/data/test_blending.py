import numpy as np
import pytest

from keras_dtl.data.blending import blend, random_patch


def test_blend_equals_the_formula_written_as_loops():
    random = np.random.default_rng(0)
    digits = random.integers(0, 256, (5, 3, 4), "uint8")
    photos = [random.integers(0, 256, (6, 5, 3), "uint8") for _ in range(2)]
    blended = blend(digits, photos, np.random.default_rng(7))

    again = np.random.default_rng(7)
    for example in range(5):
        patch = random_patch(photos[again.integers(2)], (3, 4), again)
        for row in range(3):
            for column in range(4):
                for channel in range(3):
                    difference = int(patch[row, column, channel]) - int(
                        digits[example, row, column]
                    )
                    assert blended[example, row, column, channel] == abs(difference)


def test_random_patch_reaches_every_position():
    photo = np.arange(4 * 5 * 3, dtype="uint8").reshape(4, 5, 3)
    random = np.random.default_rng(0)
    corners = {random_patch(photo, (3, 3), random)[0, 0, 0] for _ in range(200)}
    assert corners == {photo[row, column, 0] for row in range(2) for column in range(3)}


def test_random_patch_of_a_small_photo_is_refused():
    with pytest.raises(ValueError, match="2x9 pixels is smaller"):
        random_patch(np.zeros((2, 9, 3), "uint8"), (3, 3), np.random.default_rng(0))
