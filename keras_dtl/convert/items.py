"""The images of a conversion on their way through it."""

import dataclasses
import math
from pathlib import Path

import numpy as np

# Of one batch: 64 photos of 256 by 256, or one of 4 megapixels.
_PIXELS_AT_ONCE = 2**22


class ItemError(RuntimeError):
    """One image that cannot be converted, while the others can."""


@dataclasses.dataclass(frozen=True)
class Item:
    """One image to convert.

    Args:
        index: Its place among all images.
        path: Where it is.
        name: Its path relative to the source, with `/`.
    """

    index: int
    path: Path
    name: str


@dataclasses.dataclass(frozen=True)
class Loaded:
    """An image that was read.

    Args:
        item: Its `Item`.
        size: Height and width of the image itself.
        pixels: What goes into the model: a uint8 array of shape `(height, width, channels)`.
    """

    item: Item
    size: tuple
    pixels: np.ndarray


def batches_by_shape(images, batch_size):
    """Group `Loaded` images of equal shape into batches, while few enough to hold wait.

    Args:
        images: An iterable of `Loaded`.
        batch_size: The most images of a batch; large images go in smaller ones.

    Yields:
        Lists of `Loaded`.
    """
    groups = {}  # by shape; the group that waits longest comes first
    waiting = 0
    for image in images:
        shape = image.pixels.shape
        groups.setdefault(shape, []).append(image)
        waiting += 1
        full = len(groups[shape]) >= _limit(shape, batch_size)
        if full or waiting >= 2 * batch_size:
            batch = groups.pop(shape if full else next(iter(groups)))
            waiting -= len(batch)
            yield batch
    yield from groups.values()


def _limit(shape, batch_size):
    return max(1, min(batch_size, _PIXELS_AT_ONCE // math.prod(shape[:2])))
