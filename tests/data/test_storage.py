import numpy as np
import pytest

from keras_dtl.data import storage
from keras_dtl.data.storage import stack_images


def images(count, shape=(3, 4, 3)):
    for index in range(count):
        yield np.full(shape, index, "uint8")


@pytest.mark.parametrize("memory_limit", [10**6, 0])
def test_stack_images_keeps_order_and_drops_unused_room(memory_limit):
    stacked = stack_images(images(5), at_most=8, memory_limit=memory_limit)
    assert stacked.shape == (5, 3, 4, 3)
    np.testing.assert_array_equal(stacked[:, 0, 0, 0], np.arange(5))


def test_stack_images_beyond_the_limit_is_a_mapped_file():
    assert isinstance(stack_images(images(5), 5, memory_limit=5 * 36 - 1), np.memmap)
    assert not isinstance(stack_images(images(5), 5, memory_limit=5 * 36), np.memmap)


def test_stack_images_of_nothing_is_none():
    assert stack_images(iter([]), 3) is None


def test_stack_images_of_different_sizes_asks_for_a_size():
    several = [np.zeros((2, 3, 1), "uint8"), np.zeros((4, 5, 1), "uint8")]
    with pytest.raises(ValueError, match="2x3 and 4x5 pixels. Pass image_size"):
        stack_images(several, 2)


def test_stack_images_without_room_says_how_much_is_needed(monkeypatch):
    def full(file, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "_reserve", full)
    with pytest.raises(OSError, match=r"8 images of 3x4 pixels need 0\.0 GiB .* set TMPDIR"):
        stack_images(images(5), 8, memory_limit=0)
