"""The images of a conversion on their way through it."""

import dataclasses
import math
from pathlib import Path

import numpy as np

# Of one batch: 64 photos of 256 by 256, or one of 4 megapixels.
_PIXELS_AT_ONCE = 2**22
# That wait for others of their shape.
_PIXELS_WAITING = 2**26


class ItemError(RuntimeError):
    """One image that cannot be converted, while the others can."""


@dataclasses.dataclass(frozen=True)
class Item:
    """One file to convert.

    Args:
        index: Its place among all files.
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
        content: SHA-256 of the file.
        alpha: Its transparency, a uint8 array of shape `(height, width)`, or `None`.
        tags: What Pillow's `save` takes to write the file's notes and colour profile again.
        frame: Place among the frames of an animation, or `None` where the file is one image.
        frames: Number of frames that are converted of the file.
    """

    item: Item
    size: tuple[int, ...]
    pixels: np.ndarray
    content: str = ""
    alpha: np.ndarray | None = None
    tags: dict = dataclasses.field(default_factory=dict)
    frame: int | None = None
    frames: int = 1


class Groups:
    """Images that wait for others of their shape, few enough to hold.

    Args:
        batch_size: The most images of a batch; large images go in smaller ones.
    """

    def __init__(self, batch_size: int):
        self.batch_size = batch_size
        self.groups = {}  # by shape; the group that waits longest comes first
        self.images = self.pixels = 0

    def add(self, image: Loaded) -> list[list[Loaded]]:
        """Take an image and return the batches that are ready, lists of images.

        Args:
            image: A `Loaded` one.
        """
        shape = image.pixels.shape
        self.groups.setdefault(shape, []).append(image)
        self.images += 1
        self.pixels += math.prod(shape[:2])
        ready = []
        if len(self.groups[shape]) >= _limit(shape, self.batch_size):
            ready.append(self._pop(shape))
        while self.images >= 2 * self.batch_size or self.pixels > _PIXELS_WAITING:
            ready.append(self._pop(next(iter(self.groups))))
        return ready

    def _pop(self, shape):
        group = self.groups.pop(shape)
        self.images -= len(group)
        self.pixels -= len(group) * math.prod(shape[:2])
        return group

    def rest(self) -> list[list[Loaded]]:
        """Return the batches of all that still waits."""
        return [self._pop(shape) for shape in list(self.groups)]


def _limit(shape, batch_size):
    return max(1, min(batch_size, _PIXELS_AT_ONCE // math.prod(shape[:2])))
