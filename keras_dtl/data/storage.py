"""Room for decoded images: in memory, or in a file that is mapped into it when they are many."""

import errno
import math
import shutil
import tempfile
from collections.abc import Iterable
from typing import IO

import numpy as np

MEMORY_LIMIT = 1 << 30  # bytes; more than this goes to a file
_BLOCK = 1 << 24  # bytes that are written at once


def stack_images(
    images: Iterable[np.ndarray], at_most: int, memory_limit: int = MEMORY_LIMIT
) -> np.ndarray | None:
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
    stack = ImageStack(at_most, memory_limit)
    for image in images:
        stack.add(image)
    return stack.images


class ImageStack:
    """One array that equally large images are added to, as `stack_images` does.

    Args:
        at_most: Upper bound of their number.
        memory_limit: Bytes of images that may be held in memory.
    """

    def __init__(self, at_most: int, memory_limit: int = MEMORY_LIMIT):
        self._at_most = at_most
        self._memory_limit = memory_limit
        self._stacked = None
        self._count = 0

    def add(self, image: np.ndarray) -> None:
        """Add an image.

        Args:
            image: uint8 array `(height, width, channels)`, as large as all others.

        Raises:
            ValueError: If it has another size.
            OSError: If the temporary folder has no room for the file.
        """
        if self._stacked is None:
            self._stacked = _allocate((self._at_most, *image.shape), self._memory_limit)
        if image.shape != self._stacked.shape[1:]:
            raise ValueError(
                f"The images have different sizes, for example {_size(self._stacked[0])} and "
                f"{_size(image)} pixels. Pass image_size (--image-size) to resize them all."
            )
        self._stacked[self._count] = image
        self._count += 1

    @property
    def images(self) -> np.ndarray | None:
        """The array `(examples, height, width, channels)`, or None while there is none."""
        return None if self._stacked is None else self._stacked[: self._count]


def _allocate(shape: tuple[int, ...], memory_limit: int) -> np.ndarray:
    size = math.prod(shape)
    if size <= memory_limit:
        return np.empty(shape, "uint8")
    try:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if size > free:
            # Asked before it is filled: a damaged number of examples would take all there is.
            raise OSError(errno.ENOSPC, f"only {free / 2**30:.1f} GiB are free")
        with tempfile.TemporaryFile(prefix="keras_dtl.") as file:
            _reserve(file, size)
            return np.memmap(file, "uint8", mode="r+", shape=shape)
    except OSError as error:
        raise OSError(
            f"{shape[0]} images of {shape[1]}x{shape[2]} pixels need {size / 2**30:.1f} GiB in "
            f"the temporary folder {tempfile.gettempdir()}, which could not be had: {error}. "
            "Pass a smaller image_size (--image-size), or set TMPDIR to a folder with more room."
        ) from error


def _reserve(file: IO[bytes], size: int) -> None:
    # Zeros are really written: a mapped file with holes would end the process, without a word,
    # where the disk runs full later.
    zeros = bytes(_BLOCK)
    for start in range(0, size, _BLOCK):
        file.write(zeros[: size - start])
    file.flush()


def _size(image: np.ndarray) -> str:
    return f"{image.shape[0]}x{image.shape[1]}"
