"""The parts in which a large image is looked at, and how far a network sees beyond each."""

import itertools
import logging
import math
from typing import NamedTuple

LARGE = 1_500_000
"""Pixels above which an image is handled in tiles unless told otherwise."""
SIDE = 768
"""Side of a tile in pixels, without its margin."""
MUCH_WORK = 4.0
"""Pixels looked at for each of an image, from which on larger tiles are advised."""

logger = logging.getLogger("keras_dtl")


class Tile(NamedTuple):
    """A part of an image, and the larger part on which its features depend.

    Both are `(top, left, bottom, right)` in the image.
    """

    core: tuple
    outer: tuple

    def cut(self, image):
        top, left, bottom, right = self.outer
        return image[:, top:bottom, left:right]

    @property
    def inner(self):
        """The core as it lies in the outer part."""
        return tuple(side - self.outer[axis % 2] for axis, side in enumerate(self.core))


def side_of_tiles(tile_size, size):
    """Return the side of the tiles for an image of a size, or None to take it whole.

    Raises:
        ValueError: When `tile_size` is neither `"auto"`, None nor a whole number above 0.
    """
    if tile_size == "auto":
        return SIDE if math.prod(size) > LARGE else None
    if tile_size is not None and (not isinstance(tile_size, int) or tile_size < 1):
        raise ValueError(
            "`tile_size` must be 'auto', None or a number of pixels above 0. "
            f"Received: {tile_size!r}"
        )
    return tile_size


def tiles(size, side, stride, margin):
    """Return the `Tile`s that cover an image.

    Args:
        size: Its `(height, width)`.
        side: Of the cores, rounded up to a multiple of `stride`.
        stride: Pixels from one position of the deepest layer to the next.
        margin: How far features look beyond their own pixels; rounded up as well.
    """
    side, margin = (math.ceil(length / stride) * stride for length in (side, margin))
    rows, columns = (_spans(length, side, stride, margin) for length in size)
    return [
        Tile(*(tuple(box) for box in map(itertools.chain.from_iterable, map(zip, row, column))))
        for row in rows
        for column in columns
    ]


def warn_of_work(parts, size, side, margin):
    """Say how much more is looked at in tiles than in the whole image, where it is a lot.

    Args:
        parts: The `Tile`s of an image.
        size: Its `(height, width)`.
        side, margin: As for `tiles`.
    """
    looked_at = sum((t.outer[2] - t.outer[0]) * (t.outer[3] - t.outer[1]) for t in parts)
    work = looked_at / math.prod(size)
    if work > MUCH_WORK:
        logger.warning(
            "Tiles of %d pixels see %d more on each side: an iteration takes about %.0f times as "
            "long as of the whole image. From a tile size of %d on it is %.0f times at most.",
            *(side, margin, work, 2 * margin, MUCH_WORK),
        )


def _spans(length, side, stride, margin):
    """Return `((start, end) of the core, (start, end) with the margin)` along one axis."""
    starts = list(range(0, length, side))
    if len(starts) > 1 and length - starts[-1] < stride:
        starts.pop()  # too narrow for a position of its own in the deepest layer
    return [
        ((start, end), (max(0, start - margin), min(length, end + margin)))
        for start, end in zip(starts, [*starts[1:], length], strict=True)
    ]


def reach(features):
    """Return `(strides by layer, stride, margin)` of a chain of convolutions and pooling.

    The margin is how many pixels a position of the deepest layer sees beyond its own.

    Raises:
        ValueError: When a layer is of another kind, whose reach is not known.
    """
    strides, margin, stride = {}, 0, 1
    for layer in features.layers:
        if hasattr(layer, "kernel_size"):
            margin += max(layer.kernel_size) // 2 * max(layer.dilation_rate) * stride
            stride *= max(layer.strides)
        elif hasattr(layer, "pool_size"):
            margin += max(0, max(layer.pool_size) - max(layer.strides)) * stride
            stride *= max(layer.strides)
        elif type(layer).__name__ not in ("InputLayer", "Rescaling", "Activation", "ReLU"):
            raise ValueError(
                "Tiles need a network of convolutions and pooling alone, as vgg19_features "
                f"returns. Received: the layer {layer.name!r}, a {type(layer).__name__}. Pass "
                "tile_size=None to take images whole."
            )
        strides[id(layer.output)] = stride
    return {name: strides[id(x)] for name, x in features.output.items()}, stride, margin
