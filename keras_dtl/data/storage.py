"""Room for decoded images: in memory, or in a file that is mapped into it when they are many."""

import itertools
import math
import tempfile

import numpy as np

MEMORY_LIMIT = 1 << 30  # bytes; more than this goes to a file


def stack_images(images, at_most, memory_limit=MEMORY_LIMIT):
    """Stack an iterator of equally large images into one array.

    Beyond `memory_limit` the array is a temporary file mapped into memory, which the system
    deletes once the array is gone; it is read as needed, so a data set may exceed the memory.

    Args:
        images: Iterator of uint8 arrays `(height, width, channels)`.
        at_most: Upper bound of their number.
        memory_limit: Bytes of images that may be held in memory.

    Returns:
        uint8 array `(examples, height, width, channels)`, or None where the iterator was empty.

    Raises:
        ValueError: If sizes differ.
        OSError: If the temporary folder has no room for the file.
    """
    images = iter(images)
    first = next(images, None)
    if first is None:
        return None
    stacked = _allocate((at_most, *first.shape), memory_limit)
    count = 0
    for image in itertools.chain([first], images):
        if image.shape != first.shape:
            raise ValueError(
                f"The images have different sizes, for example {_size(first)} and "
                f"{_size(image)} pixels. Pass image_size (--image-size) to resize them all."
            )
        stacked[count] = image
        count += 1
    return stacked[:count]


def _allocate(shape, memory_limit):
    size = math.prod(shape)
    if size <= memory_limit:
        return np.empty(shape, "uint8")
    try:
        with tempfile.TemporaryFile(prefix="keras_dtl.") as file:
            _reserve(file, size)
            return np.memmap(file, "uint8", mode="r+", shape=shape)
    except OSError as error:
        raise OSError(
            f"{shape[0]} images of {shape[1]}x{shape[2]} pixels need {size / 2**30:.1f} GiB in "
            f"the temporary folder {tempfile.gettempdir()}, which could not be had: {error}. "
            "Pass a smaller image_size (--image-size), or set TMPDIR to a folder with more room."
        ) from error


def _reserve(file, size, block=1 << 24):
    # Zeros are really written: a mapped file with holes would end the process, without a word,
    # where the disk runs full later.
    zeros = bytes(block)
    for start in range(0, size, block):
        file.write(zeros[: size - start])
    file.flush()


def _size(image):
    return f"{image.shape[0]}x{image.shape[1]}"
