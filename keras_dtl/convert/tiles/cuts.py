"""Where along an axis the tiles of an image lie, and what is kept of each."""

from collections.abc import Iterator

import numpy as np


def spread(size: int, side: int, count: int) -> np.ndarray:
    """Return where `count` parts of one length begin that lie evenly along an axis.

    Args:
        size: Of the axis, in pixels.
        side: Of a part, in pixels.
        count: Of parts.
    """
    middles = (np.arange(count) + 0.5) * size / count
    return np.clip(middles - side / 2, 0, size - side).astype(int)


class Cut:
    """One tile along one axis.

    Args:
        begin: Where the tile begins in the image.
        end: Where it ends.
        first: Where what is kept of its output begins in the image.
        last: Where that ends.
    """

    def __init__(self, begin: int, end: int, first: int, last: int):
        self.taken = slice(begin, end)
        self.kept = slice(first, last)
        self.inner = slice(first - begin, last - begin)


def cuts(size: int, side: int, overlap: int, multiple: int) -> Iterator[Cut]:
    """Yield the tiles of one axis, all of one length, so that a session sees few shapes.

    Each begins at a multiple of `multiple`, and of each output `overlap` is dropped on the sides
    where the image goes on.

    Args:
        size: Of the axis, in pixels.
        side: Of a tile, in pixels.
        overlap: In pixels, on each side.
        multiple: In pixels.
    """
    if size <= side:
        yield Cut(0, size, 0, size)
        return
    first = 0
    while first < size:
        begin = max(0, first - overlap)
        if begin + side >= size:
            begin = (size - side) // multiple * multiple
            yield Cut(begin, size, first, size)
            return
        last = begin + side - overlap
        yield Cut(begin, begin + side, first, last)
        first = last
