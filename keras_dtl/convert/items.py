"""The images of a conversion on their way through it."""

import dataclasses
import math
import typing
from pathlib import Path

import numpy as np

from keras_dtl.files import FilePath

# Of one batch: 64 photos of 256 by 256, or one of 4 megapixels.
_PIXELS_AT_ONCE = 2**22
# That wait for others of their shape.
_PIXELS_WAITING = 2**26


class ItemError(RuntimeError):
    """One image that cannot be converted, while the others can."""


class Item(typing.NamedTuple):
    """One file to convert.

    Args:
        index: Its place among all files.
        place: Where it is, as a text: there may be very many.
        name: Its path relative to the source, with `/`.
    """

    index: int
    place: FilePath
    name: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.place)


@dataclasses.dataclass(slots=True)  # frozen ones take three times as long to make
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
        group = self.groups.get(shape)
        if group is None:
            group = self.groups[shape] = _Group(shape, self.batch_size)
        group.images.append(image)
        self.images += 1
        self.pixels += group.pixels
        ready = []
        if len(group.images) >= group.limit:
            ready.append(self._pop(shape))
        while self.images >= 2 * self.batch_size or self.pixels > _PIXELS_WAITING:
            ready.append(self._pop(next(iter(self.groups))))
        return ready

    def _pop(self, shape):
        group = self.groups.pop(shape)
        self.images -= len(group.images)
        self.pixels -= len(group.images) * group.pixels
        return group.images

    def rest(self) -> list[list[Loaded]]:
        """Return the batches of all that still waits."""
        return [self._pop(shape) for shape in list(self.groups)]


class _Group:
    """Images of one shape, which have each so many pixels and go at most so many together."""

    def __init__(self, shape, batch_size):
        self.images = []
        self.pixels = math.prod(shape[:2])
        self.limit = max(1, min(batch_size, _PIXELS_AT_ONCE // self.pixels))
