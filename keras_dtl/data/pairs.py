"""`paired:PATH`: two images of each thing, side by side in one file or in two folders."""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from keras_dtl.data.folder import report_unread
from keras_dtl.data.layouts import SIDES
from keras_dtl.data.pair_folders import (
    files_in_no_pair,
    halving_note,
    pairs_of,
    require_one_size,
)
from keras_dtl.data.storage import MEMORY_LIMIT, ImageStack
from keras_dtl.files import FilePath, readable_name
from keras_dtl.images import ImageError, read_image, resize_image

PREFIX = "paired"
CHUNK = 256  # pairs read ahead, at most

logger = logging.getLogger("keras_dtl")


@dataclass(frozen=True, eq=False)
class ImagePairs:
    """Images of A and B, of which entry i of each shows the same thing.

    Args:
        a, b: uint8 arrays `(examples, height, width, channels)`.
        names: File name of each pair, relative to the folder.
        skipped: `(path, reason)` of every file that could not be read.
    """

    a: np.ndarray
    b: np.ndarray
    names: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self):
        return len(self.a)

    def __repr__(self):
        sizes = (
            f"{name} {'x'.join(map(str, side.shape[1:]))}"
            for name, side in zip(SIDES, (self.a, self.b), strict=True)
        )
        return f"<ImagePairs: {len(self)} of {', '.join(sizes)}>"

    def swap(self) -> "ImagePairs":
        """Return the pairs with A and B exchanged."""
        return replace(self, a=self.b, b=self.a)


def load_pairs(
    path: FilePath,
    split: str = "train",
    size: tuple[int, int] | None = None,
    channels: tuple[int, int] = (3, 3),
    memory_limit: int = MEMORY_LIMIT,
) -> ImagePairs:
    """Load the pairs of a folder.

    A pair is one file, A at the left and B at the right half of it, or two files of the same name
    (suffixes aside, and endings such as `_A` and `_B`) in the sub-folders `A` and `B`. Either lies

    - in `PATH/train` and `PATH/test`, under any of `keras_dtl.data.layouts.SPLIT_NAMES`: split by
      the user, as in `PATH/A/train` and `PATH/B/train`, or `PATH/trainA` and `PATH/trainB`; or
    - in `PATH` itself: every fifth by name is for testing, always the same.

    Grey files in a set of colour images become colour images, and the other way round. Files that
    cannot be read are left out with their partner, logged, and listed in the result's `skipped`.

    Args:
        path: The folder.
        split: "train" or "test".
        size: `(height, width)` in pixels of each image of a pair; None if all have one already.
        channels: Of A and of B: 1 (grey), 3 (RGB) or 4 (RGB with alpha).
        memory_limit: Bytes of decoded images of each side to hold in memory.

    Returns:
        `ImagePairs`.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there are no pairs, a file has no partner, a file cannot be halved, or sizes
            differ and `size` is None.
    """
    root = Path(path)
    pairs = pairs_of(root, split)
    stacks = ImageStack(len(pairs), memory_limit), ImageStack(len(pairs), memory_limit)
    kept, skipped = [], []
    for pair, result in _read_all(pairs, size, channels):
        if isinstance(result, ImageError):
            skipped.append((readable_name(pair[0]), str(result)))
            continue
        for stack, image in zip(stacks, result, strict=True):
            stack.add(image)
        kept.append(pair)
    _report(root, skipped, len(pairs))
    if split == "train" and (note := halving_note(kept[0])):
        logger.warning("%s: %s", readable_name(root), note)
    unread = files_in_no_pair(root) if split == "train" else ()
    report_unread(root, unread)
    skipped += unread
    names = tuple(readable_name(pair[0].relative_to(root)) for pair in kept)
    return ImagePairs(stacks[0].images, stacks[1].images, names, tuple(skipped))


def _read_all(
    pairs: Sequence[tuple[Path, ...]], size: tuple[int, int] | None, channels: tuple[int, int]
) -> Iterator[tuple[tuple[Path, ...], Sequence[np.ndarray] | ImageError]]:
    """Yield each pair of files with its two images, or with the `ImageError` of reading it."""

    def read(pair):
        try:
            images = _halves(pair[0], channels) if len(pair) == 1 else _pair_images(pair, channels)
        except ImageError as error:
            return error
        return images if size is None else [resize_image(image, size) for image in images]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(pairs), CHUNK):
            chunk = pairs[start : start + CHUNK]
            yield from zip(chunk, pool.map(read, chunk), strict=True)


def _halves(path: Path, channels: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    whole = {count: read_image(path, count) for count in set(channels)}
    height, width, _ = next(iter(whole.values())).shape
    require_one_size((path,), [(width, height)])
    return whole[channels[0]][:, : width // 2], whole[channels[1]][:, width // 2 :]


def _pair_images(pair: tuple[Path, ...], channels: tuple[int, int]) -> list[np.ndarray]:
    images = [read_image(path, count) for path, count in zip(pair, channels, strict=True)]
    require_one_size(pair, [(image.shape[1], image.shape[0]) for image in images])
    return images


def _report(root: Path, skipped: list[tuple[str, str]], total: int) -> None:
    if not skipped:
        return
    first = f"{len(skipped)} of {total} pairs that cannot be read. First: {skipped[0][1]}"
    if len(skipped) == total:
        raise ValueError(f"{readable_name(root)} holds {first}.")
    logger.warning("%s: left out %s", readable_name(root), first)
