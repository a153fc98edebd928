"""`folder:PATH`: a user's own images, with one sub-folder a class."""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from keras_dtl.data.folder_plan import folder_plan
from keras_dtl.data.labelled import LabelledImages
from keras_dtl.data.storage import MEMORY_LIMIT, stack_images
from keras_dtl.data.summary import IN_LINES
from keras_dtl.files import FilePath, readable_name
from keras_dtl.images import ImageError, read_image, resize_image

CHUNK = 1024  # images read ahead, at most
NAMED = 3  # files that are left out, at most

logger = logging.getLogger("keras_dtl")


def load_folder(
    path: FilePath,
    split: str = "train",
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> LabelledImages:
    """Load the images of a folder, in any format and size that `keras_dtl.images` reads.

    The folder takes one of three forms:

    - `PATH/train/CLASS/image.jpg` and `PATH/test/CLASS/image.jpg`: split by the user. Splits
      bear any of the common names, see `keras_dtl.data.layouts.SPLIT_NAMES`; without a split
      test that of validation is tested on.
    - `PATH/CLASS/image.jpg`: each class is split, always alike, in 80 % for training and 20 % for
      testing.
    - `PATH/image.jpg`: unlabelled images, all for training.

    Classes are sorted by name. Images may lie in further folders below their class. Files that
    cannot be read, or are no images, are left out, logged, and listed in the result's `skipped`.
    `PATH/A` also names one side of `trainA trainB testA testB`.

    Args:
        path: The folder.
        split: "train" or "test".
        size: `(height, width)` in pixels to resize to; None if all images have one size already.
        channels: 1 (grey), 3 (RGB, the default) or 4 (RGB with alpha).
        memory_limit: Bytes of decoded images to hold in memory; more go to a temporary file.

    Returns:
        `LabelledImages`, unlabelled for the third form.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
        ValueError: If it holds no readable image, or images of several sizes and `size` is None.
    """
    plan = folder_plan(path)
    part = plan.part(split)
    for note in plan.notes if split == "train" else ():
        logger.warning("%s: %s", readable_name(plan.root), note, extra=IN_LINES)
    readable, skipped = [], []  # positions in files; (path, reason)
    images = stack_images(
        _read_all(part.files, size, channels or 3, readable, skipped),
        len(part.files),
        memory_limit,
    )
    _report(plan.root, skipped, len(part.files))
    report_unread(plan.root, part.unread)
    if part.labels is None:
        return LabelledImages(images, None, (), (*skipped, *part.unread))
    labels = part.labels[readable]
    return LabelledImages(images, labels, plan.classes, (*skipped, *part.unread))


def _read_all(
    files: Sequence[Path],
    size: tuple[int, int] | None,
    channels: int,
    readable: list[int],
    skipped: list[tuple[str, str]],
) -> Iterator[np.ndarray]:
    """Yield the images that can be read, in order; note which, and why others cannot."""

    def read(path):
        try:
            image = read_image(path, channels)
        except ImageError as error:
            return error
        return image if size is None else resize_image(image, size)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), CHUNK):
            for index, result in enumerate(pool.map(read, files[start : start + CHUNK]), start):
                if isinstance(result, ImageError):
                    skipped.append((readable_name(files[index]), str(result)))
                else:
                    readable.append(index)
                    yield result


def _report(root: Path, skipped: list[tuple[str, str]], total: int) -> None:
    if not skipped:
        return
    first = "; ".join(reason for _, reason in skipped[:3])
    if len(skipped) == total:
        raise ValueError(
            f"{readable_name(root)}: none of the {total} image files can be read. First: {first}."
        )
    logger.warning(
        "%s: left out %d of %d image files that cannot be read. First: %s",
        readable_name(root),
        len(skipped),
        total,
        first,
    )


def report_unread(root: FilePath, unread: Sequence[tuple[str, str]]) -> None:
    """Log the files of a folder that are left out, if there are any.

    Args:
        root: The folder.
        unread: `(path, reason)` of each.
    """
    if unread:
        words = readable_name(root), len(unread), _listing(unread)
        logger.warning("%s: left out %d file(s): %s", *words, extra=IN_LINES)


def _listing(unread: Sequence[tuple[str, str]]) -> str:
    words = "; ".join(f"{path}: {reason}" for path, reason in unread[:NAMED])
    return words + (f"; and {len(unread) - NAMED} more" if len(unread) > NAMED else "")
